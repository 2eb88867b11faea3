"""Adds rows to a table by the names of their columns; where asked, makes the table, and the columns that it lacks."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mlpipeline.data import columns
from mlpipeline.data.asking import Asker
from mlpipeline.data.bars import bar
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd


def check(asker: Asker, table: str, frame: pd.DataFrame, *, may_lack: bool = False) -> bool:
    """Checks what is to be inserted, and returns whether the table is there."""
    there = asker.look(lambda live: asker.dialect.columns_of(live, TableName.parse(table)))
    columns.check(frame, table, there, may_lack=may_lack)
    return bool(there)


def insert(asker: Asker, table: str, frame: pd.DataFrame, batch_size: int, *, create: bool) -> None:
    """Inserts rows, all or none; see `Connection.insert`."""
    name, dialect = TableName.parse(table), asker.dialect
    is_there = check(asker, table, frame, may_lack=create)
    with asker.transaction(), bar(table, total=len(frame)) as shown:
        if not is_there:
            asker.change(lambda live: dialect.create(live, name, frame))
        if len(frame):
            asker.change(lambda live: dialect.insert(live, name, frame, batch_size, shown.update))


def append(asker: Asker, table: str, frame: pd.DataFrame, batch_size: int, *, replace: bool) -> None:
    """Adds rows, and the columns that the table lacks, all or nothing.

    A column is the table's of the same name, else its only one that differs in case alone. Columns that the rows lack
    are NULL, or what the table's own default is.

    Args:
        asker: of the database.
        table: `table` or `schema.table`.
        frame: its index is not added.
        batch_size: how many rows are prepared at a time.
        replace: whether the rows that are there go; the table's columns stay.

    Raises:
        DataFault: two columns of the frame are one of the table, or a value does not fit.
        DatabaseError: what the database refused; the table is as it was.
    """
    name, dialect = TableName.parse(table), asker.dialect
    columns.check(frame, table, (), may_lack=True)
    if not len(frame.columns):
        raise DataFault(f"{table}: the rows have no columns: there is nothing to add")
    frame = _plain(frame)
    with asker.transaction(), bar(table, total=len(frame)) as shown:
        there = asker.look(lambda live: dialect.columns_of(live, name))
        frame = frame.set_axis([_known(str(each), there) for each in frame.columns], axis=1)
        columns.check(frame, table, (), may_lack=True)
        lacking = [each for each in frame.columns if each not in there]
        if not there:
            asker.change(lambda live: dialect.create(live, name, frame))
        elif lacking:
            asker.change(lambda live: dialect.add_columns(live, name, frame[lacking]))
        if replace and there:
            asker.change(lambda live: dialect.plain(live, f"DELETE FROM {name.quoted(dialect.quote)}"))
        if len(frame):
            asker.change(lambda live: dialect.insert(live, name, frame, batch_size, shown.update))


def _known(name: str, there: Collection[str]) -> str:
    """Returns what a table calls a column; the name itself where it has none."""
    alike = [each for each in there if each.lower() == name.lower()]
    return alike[0] if name not in there and len(alike) == 1 else name


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns categories as the values that they stand for: a table has a type for these, and takes further ones."""
    kinds = {name: _kind(frame[name]) for name, kind in frame.dtypes.items() if hasattr(kind, "categories")}
    return frame.astype(kinds) if kinds else frame


def _kind(values: pd.Series) -> Any:
    """Returns the dtype of a column's categories, one that can be missing where some are."""
    kind = values.cat.categories.dtype
    return {"i": "Int64", "u": "UInt64", "b": "boolean"}.get(kind.kind, kind) if values.hasnans else kind
