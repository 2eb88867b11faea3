"""Between rows and frames: what drivers give as columns, and columns as drivers take them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.data import arrow
from mlpipeline.data.arrow import Row

if TYPE_CHECKING:
    import pandas as pd


def frame(names: Sequence[str], rows: Sequence[Row]) -> pd.DataFrame:
    """Returns rows as a frame: decimals are floats, missing values NaN (integers with some are floats then).

    Raises:
        DataFault: when two columns share a name.
    """
    pd = errors.require("pandas", extra="sql")
    arrow.check_names(names)
    return pd.DataFrame.from_records(rows, columns=list(names), coerce_float=True)


def rows(frame: pd.DataFrame) -> list[Row]:
    """Returns a frame's rows as drivers take them: Python's own types, None where a value is missing."""
    return list(zip(*(values(frame[name]) for name in frame.columns), strict=True))


def values(column: pd.Series) -> list[Any]:
    """Returns a column's values in Python's own types, None where one is missing."""
    if column.dtype.kind == "M" or str(column.dtype).startswith("datetime64"):
        plain = column.dt.to_pydatetime()
        found = list(plain.array) if hasattr(plain, "array") else list(plain)
    elif column.dtype.kind == "m":
        found = list(column.dt.to_pytimedelta())
    else:
        found = column.astype(object).tolist()
    if not column.hasnans:
        return found
    return [None if is_missing else value for value, is_missing in zip(found, column.isna(), strict=True)]


def sql_types(frame: pd.DataFrame) -> dict[str, Any]:
    """Returns a SQLAlchemy type for each column of a frame that holds its values."""
    return {name: _sql_type(frame[name]) for name in frame.columns}


def _sql_type(column: pd.Series) -> Any:
    sa = errors.require("sqlalchemy", extra="sql")
    api = errors.require("pandas", extra="sql").api.types
    kinds = {"boolean": sa.Boolean, "integer": sa.BigInteger, "date": sa.Date, "time": sa.Time, "bytes": sa.LargeBinary}
    inferred = api.infer_dtype(column, skipna=True)
    if api.is_bool_dtype(column.dtype):
        return sa.Boolean()
    if api.is_integer_dtype(column.dtype):
        return sa.BigInteger()
    if api.is_float_dtype(column.dtype):
        return sa.Float(53)
    if str(column.dtype).startswith("datetime64"):
        return sa.DateTime(timezone="," in str(column.dtype))
    if column.dtype.kind == "m":
        return sa.Interval()
    if inferred == "decimal":
        return sa.Numeric(38, 10)
    return kinds.get(inferred, sa.Text)()


def check(frame: Any, table: str, known: Collection[str], *, may_lack: bool) -> None:
    """Checks a frame that is to be inserted.

    Args:
        frame: what a caller gave.
        table: its name, for messages.
        known: the columns that the table has; none where it is not there.
        may_lack: whether the table need not be there.

    Raises:
        WrongType: it is no frame.
        DataFault: the table is not there, two columns have one name, or the table lacks one, whatever its case.
    """
    pd = errors.require("pandas", extra="sql")
    if not isinstance(frame, pd.DataFrame):
        raise errors.WrongType(f"{table}: {type(frame).__name__} cannot be inserted: give a pandas DataFrame")
    arrow.check_names(list(frame.columns))
    if not known and not may_lack:
        raise errors.DataFault(f"there is no table {table}: create it first, or insert(…, create=True)")
    there = {name.lower() for name in known}
    for name in map(str, frame.columns):
        if there and name.lower() not in there:
            near = near_miss(name, known)
            raise errors.DataFault(f"table {table} has no column {name!r}.{near} It has {', '.join(known)}")
