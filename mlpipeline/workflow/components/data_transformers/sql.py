"""Transforms rows by SQL: in the database that holds them, or here by DuckDB where they are files or frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlpipeline.data.connection import Connection
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import ConfigurationError, DataFault
from mlpipeline.workflow.components.data_connectors.sql import SQLDataConnector
from mlpipeline.workflow.components.data_transformers import reading
from mlpipeline.workflow.types.data import DataConnector, DataTransformer

SOURCE = "source"


class SQLDataTransformer(DataTransformer):
    """Asks a query. `{source}` in it is the table that `transform` is given, of several sources `{name}` each by its
    name. Without a query of its own, what `transform` is given is the query itself, and the connector is asked.

    Where the connector is a database's, that does the work; rows of other connectors, and frames, are queried here.

    Attributes:
        data_connector: reads sources, or answers queries.
        transformer_sql: the query.
        transformer_path: instead, the path of a file that holds it.
    """

    data_connector: DataConnector | None
    transformer_sql: str | None = None
    transformer_path: str | None = None

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns that there are two queries."""
        is_twice = values.get("transformer_sql") is not None and values.get("transformer_path") is not None
        return {"transformer_path": "says the same as transformer_sql: leave one of them out"} if is_twice else {}

    def transform(self, source: str | Mapping[str, str] | pd.DataFrame) -> pd.DataFrame:
        """Returns what the query gives."""
        sql = self._sql()
        if sql is None:
            return self._asked_directly(source)
        if isinstance(self.data_connector, SQLDataConnector) and not isinstance(source, pd.DataFrame):
            quote = self.data_connector.database.quote_identifier
            tables = {SOURCE: source} if isinstance(source, str) else dict(source)
            names = {name: TableName.parse(table).quoted(quote) for name, table in tables.items()}
            return self.data_connector.get_data("", sql=_filled(sql, names))
        rows = reading.rows(self, self.data_connector, source)
        return _here(sql, {SOURCE: rows} if isinstance(rows, pd.DataFrame) else rows)

    def _asked_directly(self, source: str | Mapping[str, str] | pd.DataFrame) -> pd.DataFrame:
        if not isinstance(source, str):
            where = self.address or type(self).__name__
            raise DataFault(f"{where}: there is no query: set transformer_sql, or give a query as the source")
        return reading.required(self, self.data_connector).get_data("", sql=source)

    def _sql(self) -> str | None:
        if self.transformer_path is None:
            return self.transformer_sql
        try:
            return Path(self.transformer_path).read_text("utf-8")
        except OSError as error:
            told = f"{self.transformer_path} cannot be read ({error.strerror}): mend transformer_path"
            raise ConfigurationError(f"{self.address or type(self).__name__}: {told}") from error


def _here(sql: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns what a query gives of frames, as tables of DuckDB in memory."""
    database = Connection("duckdb:///:memory:", name="frames", annotated=False)
    tables = {name: '"{}"'.format(name.replace('"', '""')) for name in frames}
    try:
        for name, frame in frames.items():
            database.insert(tables[name], frame, create=True)
        found: pd.DataFrame = database.dataframe(_filled(sql, tables))
        return found
    finally:
        database.close()


def _filled(sql: str, names: Mapping[str, str]) -> str:
    for name, table in names.items():
        sql = sql.replace(f"{{{name}}}", table)
    return sql
