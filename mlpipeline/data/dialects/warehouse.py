"""Warehouses of which only SQLAlchemy knows the ways, such as BigQuery and Databricks: each statement stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpipeline.data import columns
from mlpipeline.data.dialects.dialect import Dialect, Tell, batches
from mlpipeline.data.table_name import TableName

if TYPE_CHECKING:
    import pandas as pd

_BATCH_ROWS = 5_000


class WarehouseDialect(Dialect):
    """The ways of what has no transactions over several statements: what was done before a failure stays done."""

    savepoints = False
    must_answer = False

    def begin(self, live: Any, level: int) -> None:
        """Begins nothing."""

    def commit(self, live: Any, level: int) -> None:
        """Commits nothing: each statement was committed by itself."""

    def rollback(self, live: Any, level: int) -> None:
        """Takes nothing back."""

    def insert(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Inserts rows by the names of their columns, as SQLAlchemy writes them for this warehouse."""
        sa = self.sa
        kinds = columns.sql_types(frame)
        target = sa.table(table.name, *(sa.column(name, kind) for name, kind in kinds.items()), schema=table.schema)
        names = list(frame.columns)
        for part in batches(frame, min(batch, _BATCH_ROWS)):
            live.execute(sa.insert(target), [dict(zip(names, row, strict=True)) for row in self.values(part)])
            tell(len(part))
