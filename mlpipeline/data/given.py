"""What a caller hands over, as a frame with exactly the columns that are needed; and what a column is read from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.config_text import near_miss

Label = str | int


class Transforming(Protocol):
    """What may stand in the place of a column: something that makes a column of a frame, see `Transformer`."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Which columns it reads."""

    @property
    def name(self) -> str:
        """What the column is called that it makes."""

    def transform(self, frame: pd.DataFrame) -> pd.Series:
        """Returns the column, a value for each row."""


Column = str | int | Transforming


def framed(
    data: Any, inputs: Sequence[Label], whose: object, width: int | None = None, *, exactly: bool = True
) -> tuple[pd.DataFrame, int]:
    """Returns a frame with the columns `inputs`, and how many columns were given. Copies no values.

    A frame is read by name: whatever else is in it does not count. A bare column is the only input. Of an array the
    columns are the inputs in their order; where the inputs are numbers, they are positions in it.

    Args:
        data: a frame, a column, or an array of one or two dimensions.
        inputs: the columns that are needed.
        whose: what reads them, shown in messages.
        width: how many columns an array has to have.
        exactly: whether columns of a frame that are not needed must not be in what is returned, which takes time.

    Raises:
        DataFault: a column is missing or doubled, or the array has another shape, is complex, or sparse.
    """
    if isinstance(data, pd.DataFrame):
        return _of_frame(data, inputs, whose, exactly=exactly), len(inputs)
    if isinstance(data, pd.Series):
        if len(inputs) != 1:
            names = ", ".join(map(str, inputs))
            raise errors.DataFault(f"{whose!r} reads {names}: give it a frame with these columns, not one column")
        return pd.DataFrame({inputs[0]: data}, copy=False), 1
    array = _array(data, whose)
    if array.ndim == 1 and width is not None and width > 1:
        raise errors.DataFault(
            f"{whose!r}: one dimension, and {width} columns were fitted. Reshape your data: (rows, {width})"
        )
    return _of_array(array.reshape(-1, 1) if array.ndim == 1 else array, inputs, whose, width)


def _of_frame(frame: pd.DataFrame, inputs: Sequence[Label], whose: object, *, exactly: bool) -> pd.DataFrame:
    for name in inputs:
        if not _is_one(name, frame):
            raise errors.DataFault(f"{whose!r}: {_not_one(name, frame)}")
    if not exactly or len(frame.columns) == len(inputs):
        return frame
    return pd.DataFrame({name: frame[name] for name in inputs}, index=frame.index, copy=False)


def _of_array(array: np.ndarray, inputs: Sequence[Label], whose: object, width: int | None) -> tuple[pd.DataFrame, int]:
    if array.shape[1] == 0:
        raise errors.DataFault(f"{whose!r}: 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if width is not None and array.shape[1] != width:
        kind = type(whose).__name__
        raise errors.DataFault(f"X has {array.shape[1]} features, but {kind} is expecting {width} features as input")
    if all(isinstance(name, int) for name in inputs):
        outside = [name for name in inputs if not 0 <= int(name) < array.shape[1]]
        if outside:
            raise errors.DataFault(f"{whose!r}: the array has {array.shape[1]} columns, none at position {outside[0]}")
        columns = {name: array[:, int(name)] for name in inputs}
    elif array.shape[1] == len(inputs):
        columns = {name: array[:, place] for place, name in enumerate(inputs)}
    else:
        names = ", ".join(map(str, inputs))
        raise errors.DataFault(
            f"{whose!r}: the array has {array.shape[1]} columns, and {names} are to be read: give a frame, or "
            f"name the column by its position"
        )
    return pd.DataFrame(columns, copy=False), array.shape[1]


def _array(data: Any, whose: object) -> np.ndarray:
    """Returns the data as an array of one or two dimensions."""
    if hasattr(data, "toarray"):
        raise errors.DataFault(f"{whose!r}: sparse data is not taken: give a frame, or a dense array")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise errors.DataFault(f"{whose!r}: this is no array: {error}; columns of lists stand in frames") from error
    if array.dtype.kind == "c":
        raise errors.DataFault(f"{whose!r}: Complex data not supported: give real and imaginary parts as two columns")
    if array.ndim not in (1, 2):
        raise errors.DataFault(
            f"{whose!r}: an array of {array.ndim} dimensions: give a frame, or two dimensions at most"
        )
    return array


def read(column: Column, frame: pd.DataFrame) -> pd.Series:
    """Returns a column of a frame, or what a transformer makes of it.

    Raises:
        DataFault: the column is missing, or stands there more than once.
    """
    if not _is_label(column):
        return column.transform(frame)  # type: ignore[union-attr]
    if not _is_one(column, frame):
        raise errors.DataFault(_not_one(column, frame))
    return frame[column]


def plain(values: pd.Series) -> pd.Series:
    """Returns a column, of categories what they stand for; whole numbers as floats where some are missing."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values
    dtype = values.cat.categories.dtype
    return values.astype("float64" if getattr(dtype, "kind", "O") in "iu" and values.hasnans else dtype)


def inputs_of(column: Column) -> tuple[Any, ...]:
    """Returns the columns of a frame that are read for one."""
    return (column,) if _is_label(column) else column.inputs  # type: ignore[union-attr]


def name_of(column: Column) -> str:
    """Returns the name of a column, or of what a transformer makes."""
    return str(column) if _is_label(column) else column.name  # type: ignore[union-attr]


@lru_cache(maxsize=256)
def underscore(name: str) -> str:
    """Returns a class's name as it stands in names of columns: `LogPlusOne` is `log_plus_one`, `GeoIP` is `geo_ip`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def smallest(cardinality: int) -> np.dtype:
    """Returns the smallest unsigned type with more values than there are codes."""
    for kind in (np.uint8, np.uint16, np.uint32, np.uint64):
        if cardinality <= np.iinfo(kind).max:
            return np.dtype(kind)
    raise errors.DataFault(f"no type holds {cardinality} codes: raise minimum_occurrences, or make bins")


def _is_label(column: Any) -> bool:
    return isinstance(column, str | int) or not hasattr(column, "transform")


def _is_one(column: Any, frame: pd.DataFrame) -> bool:
    return column in frame.columns and (frame.columns.is_unique or int((frame.columns == column).sum()) == 1)


def _not_one(column: Any, frame: pd.DataFrame) -> str:
    if column in frame.columns:
        return f"column '{column}' stands there more than once: give every column a name of its own"
    return f"there is no column '{column}'.{near_miss(str(column), map(str, frame.columns))} {_listed(frame)}"


def _listed(frame: pd.DataFrame) -> str:
    known = [str(each) for each in frame.columns]
    listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    return f"The frame has {listed or 'no columns'}"
