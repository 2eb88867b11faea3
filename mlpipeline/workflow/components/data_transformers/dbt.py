"""Transforms rows by dbt, an outside command, and reads the table that it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mlpipeline.errors import DataFault
from mlpipeline.workflow.components import outside
from mlpipeline.workflow.components.data_transformers import reading
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.data import DataConnector, DataTransformer

_QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "0"}


class DbtDataTransformer(DataTransformer):
    """Runs `dbt run` in a project of dbt, then reads a table by the connector, which must name the same database.

    dbt is a program of its own: `pip install dbt-duckdb`, say, best in an environment of its own.

    Attributes:
        data_connector: reads the table.
        dbt_project_dir: where dbt_project.yml is.
        dbt_profiles_dir: where profiles.yml is; by default as dbt itself finds it.
        dbt_profile, dbt_target: of profiles.yml; by default the project's.
        dbt_select: which models to run; by default all.
        dbt_command: the program, with its path where it is not on PATH.
    """

    data_connector: DataConnector
    dbt_project_dir: str
    dbt_profiles_dir: str | None = None
    dbt_profile: str | None = None
    dbt_target: str | None = None
    dbt_select: Sequence[str] = ()
    dbt_command: str = "dbt"

    @side_effects
    def transform(self, source: str | Mapping[str, str] | pd.DataFrame) -> pd.DataFrame:
        """Runs dbt, and returns the rows of the table that `source` names.

        Raises:
            CommandFailed: dbt failed; with what it said.
        """
        if not isinstance(source, str):
            raise DataFault(f"{self.address}: dbt reads its own sources: name the table that it makes")
        outside.run(self._command(), directory=Path(self.dbt_project_dir), variables=_QUIET)
        return reading.required(self, self.data_connector).get_data(source)

    def _command(self) -> list[str]:
        options = {
            "--profiles-dir": None if self.dbt_profiles_dir is None else str(Path(self.dbt_profiles_dir).resolve()),
            "--profile": self.dbt_profile,
            "--target": self.dbt_target,
        }
        given = [word for option, value in options.items() if value is not None for word in (option, value)]
        select = ["--select", *self.dbt_select] if self.dbt_select else []
        return [self.dbt_command, "--no-use-colors", "run", *given, *select]
