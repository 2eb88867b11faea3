"""Snowflake through its SQLAlchemy dialect: frames come as Arrow, and go by its own bulk writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.data import arrow
from mlpipeline.data.dialects.dialect import Dialect, Tell
from mlpipeline.data.rendering import Rendered
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import DatabaseError

if TYPE_CHECKING:
    import pandas as pd


class SnowflakeDialect(Dialect):
    """The ways of Snowflake. A login that has expired counts as a lost connection."""

    savepoints = False

    def is_lost(self, error: BaseException, live: Any) -> bool:
        """Whether an error means that the connection is gone, or must be made again."""
        return super().is_lost(error, live) or "authenticat" in str(getattr(error, "orig", error)).lower()

    def frame(self, live: Any, statement: Rendered, tell: Tell) -> pd.DataFrame:
        """Returns all rows as a frame."""
        cursor = self.ask(live, statement)
        table = None if cursor is None or not hasattr(cursor, "fetch_arrow_all") else _table(cursor)
        if table is None:
            return super().frame(live, statement, tell)
        tell(table.num_rows)
        return arrow.to_frame(table)

    def insert(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Inserts a frame's rows through a stage, by the names of its columns."""
        tools = errors.require("snowflake.connector.pandas_tools", extra="snowflake")
        names = [self.engine.dialect.denormalize_name(name) for name in frame.columns]
        done, _, count, _ = tools.write_pandas(
            live.connection.driver_connection,
            frame.set_axis(names, axis=1),
            self.engine.dialect.denormalize_name(table.name),
            schema=None if table.schema is None else self.engine.dialect.denormalize_name(table.schema),
            chunk_size=batch,
        )
        if not done or count != len(frame):
            raise DatabaseError(f"Snowflake took {count} of {len(frame)} rows of {table.name}: see its copy history")
        tell(count)


def _table(cursor: Any) -> Any:
    """Returns what a cursor holds; names as SQLAlchemy has them: small letters where SQL needs no quotes."""
    table = cursor.fetch_arrow_all(force_return_table=True)
    names = [name.lower() if name == name.upper() else name for name in table.column_names]
    arrow.check_names(names)
    return table.rename_columns(names)
