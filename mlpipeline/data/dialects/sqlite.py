"""SQLite: embedded, with times kept as text and whole numbers for truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpipeline.data import columns, rendering
from mlpipeline.data.arrow import Row
from mlpipeline.data.dialects.dialect import Dialect

if TYPE_CHECKING:
    import pandas as pd


class SqliteDialect(Dialect):
    """The ways of SQLite. A transaction takes the lock for writing at once, so that it cannot fail for it later."""

    must_answer = False
    begin_sql = "BEGIN IMMEDIATE"

    def __init__(self, engine: Any) -> None:
        super().__init__(engine)
        self.style = "named"
        self.can_read_apart = engine.url.database not in (None, "", ":memory:")

    def adapt(self, value: Any) -> Any:
        """Returns a value as SQLite keeps it."""
        return rendering.for_sqlite(value)

    def values(self, frame: pd.DataFrame) -> list[Row]:
        """Returns a frame's rows as SQLite keeps them: times as SQLAlchemy writes them there."""
        changed = {}
        for name in frame.columns:
            column = frame[name]
            if str(column.dtype).startswith("datetime64"):
                text = column.dt.strftime("%Y-%m-%d %H:%M:%S.%f")
                zone = column.dt.strftime("%z").str.replace(r"(\d\d)(\d\d)$", r"\1:\2", regex=True)
                changed[name] = text + zone if "," in str(column.dtype) else text
            elif column.dtype == object:
                changed[name] = column.map(rendering.for_sqlite, na_action="ignore")
        return columns.rows(frame.assign(**changed))
