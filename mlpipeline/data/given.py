"""What a caller hands over, as a frame with exactly the columns that are needed; and what a column is read from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.config_text import near_miss

Label = str | int


class Transforming(Protocol):
    """What may stand in the place of a column: something that makes a column of a frame, see `Transformer`."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def name(self) -> str: ...
    def transform(self, frame: pd.DataFrame) -> pd.Series: ...


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
    if not frame.columns.is_unique:
        doubled = [name for name in inputs if (frame.columns == name).sum() > 1]
        if doubled:
            raise errors.DataFault(f"{whose!r}: the frame has several columns '{doubled[0]}': give each its own name")
    for name in inputs:
        if name not in frame.columns:
            known = [str(each) for each in frame.columns]
            listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
            raise errors.DataFault(
                f"{whose!r}: the frame has no column '{name}'.{near_miss(str(name), known)} It has {listed or 'none'}"
            )
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
    """Returns a column of a frame, or what a transformer makes of it."""
    return frame[column] if isinstance(column, str | int) else column.transform(frame)


def inputs_of(column: Column) -> tuple[Any, ...]:
    """Returns the columns that are read for one."""
    return (column,) if isinstance(column, str | int) else column.inputs


def name_of(column: Column) -> str:
    """Returns the name of a column, or of what a transformer makes."""
    return str(column) if isinstance(column, str | int) else column.name


def underscore(name: str) -> str:
    """Returns a class's name as it stands in names of features: `OneHot` -> `one_hot`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
