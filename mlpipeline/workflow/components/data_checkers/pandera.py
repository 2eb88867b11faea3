"""Checks rows by a schema of pandera, which a YAML file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from mlpipeline import errors
from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow.types.contract import Finding, Report, Status
from mlpipeline.workflow.types.data import DataChecker

_FEW = 3


class PanderaDataChecker(DataChecker):
    """Validates rows: `pip install 'mlpipeline[quality]'`. All that is wrong is told, not only the first of it.

    Attributes:
        schema_path: of the file, as `DataFrameSchema.to_yaml` writes it.
    """

    schema_path: str

    def __init__(self) -> None:
        self._schema()

    def check_data(self, data: pd.DataFrame, reference: pd.DataFrame | None = None) -> Report:
        """Returns what the schema says of rows; it needs no `reference`."""
        library = errors.require("pandera.errors", extra="quality")
        schema = self._schema()
        try:
            schema.validate(data, lazy=True)
        except library.SchemaErrors as error:
            return Report(name="schema", findings=tuple(_findings(error.failure_cases)))
        message = f"{len(data)} rows are as {self.schema_path} says"
        return Report(name="schema", findings=(Finding(name="schema", message=message),))

    def _schema(self) -> Any:
        pandera = errors.require("pandera.pandas", extra="quality")
        where = f"{self.address or type(self).__name__}: schema_path: {self.schema_path}"
        if not Path(self.schema_path).is_file():
            raise ConfigurationError(f"{where}: there is no such file: mend the path")
        try:
            return pandera.DataFrameSchema.from_yaml(Path(self.schema_path))
        except Exception as error:  # YAML, pandera and pandas each have exceptions of their own for what is no schema
            told = (str(error).splitlines() or [type(error).__name__])[0]
            raise ConfigurationError(f"{where} holds no schema of pandera: {told}") from error


def _findings(cases: pd.DataFrame) -> list[Finding]:
    """Returns a finding for each check of each column that fails, with the first values."""
    cases = cases.assign(column=cases["column"].astype(object).where(cases["column"].notna(), "rows"))
    found = []
    for (column, check), group in cases.groupby(["column", "check"], sort=False, dropna=False):
        shown = ", ".join(str(each) for each in group["failure_case"].head(_FEW))
        message = f"{check} fails {len(group)} times: {shown}"
        found.append(Finding(name=f"schema.{column}", status=Status.ERROR, value=len(group), message=message))
    return found
