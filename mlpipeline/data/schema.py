"""What columns are expected: captured when encoders are fitted, enforced on every frame afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from mlpipeline.data.split import listed
from mlpipeline.errors import DataFault, WrongType

NOTHING = "nothing"
"""The kind of a column in which everything is missing; it goes with any other."""

_BY_DTYPE = {"b": "boolean", "i": "number", "u": "number", "f": "number", "c": "number", "M": "time", "m": "duration"}
_BY_CONTENT = {
    "boolean": "boolean",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "complex": "number",
    "string": "text",
    "bytes": "bytes",
    "datetime": "time",
    "datetime64": "time",
    "date": "time",
    "timedelta": "duration",
    "timedelta64": "duration",
    "empty": NOTHING,
}


def kind_of(values: pd.Series) -> str:
    """Returns what a column holds: number, boolean, text, time, duration, bytes, list, mixed, or nothing.

    Whole numbers and floats are one kind, since a column of whole numbers becomes one of floats where some are
    missing.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return kind_of(pd.Series(dtype.categories))
    if isinstance(dtype, pd.StringDtype):
        return NOTHING if _is_empty(values) else "text"
    if dtype.kind in _BY_DTYPE:
        is_empty = dtype.kind in "fMm" and _is_empty(values)
        return NOTHING if is_empty else _BY_DTYPE[dtype.kind]
    return _kind_of_objects(values)


def _is_empty(values: pd.Series) -> bool:
    if not len(values):
        return True
    # The first value tells it for most columns, be there a row to predict or a million to learn from.
    if values.dtype.kind == "f" and isinstance(values.dtype, np.dtype):
        first = values.to_numpy()[0]
        return bool(first != first and values.isna().all())
    return bool(pd.isna(values.array[0]) and values.isna().all())


def _kind_of_objects(values: pd.Series) -> str:
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred in _BY_CONTENT:
        return _BY_CONTENT[inferred]
    present = values[values.notna()]
    is_list = present.map(lambda cell: hasattr(cell, "__len__") and not isinstance(cell, str | bytes | Mapping))
    return "list" if len(present) and is_list.all() else "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column held when it was captured.

    Attributes:
        name: of the column.
        kind: as `kind_of` says.
        dtype: of pandas, for people; it is not enforced.
        missing: the share of values that were missing, 0 to 1.
    """

    name: str
    kind: str
    dtype: str
    missing: float

    @classmethod
    def captured(cls, values: pd.Series) -> Self:
        """Returns what a column holds."""
        missing = float(values.isna().mean()) if len(values) else 0.0
        return cls(name=str(values.name), kind=kind_of(values), dtype=str(values.dtype), missing=missing)

    def check(self, values: pd.Series, whose: str) -> None:
        """Raises a WrongType (a TypeError) where values are of another kind."""
        kind = kind_of(values)
        if kind != self.kind and NOTHING not in (kind, self.kind):
            raise WrongType(
                f"{whose}: column {self.name!r} holds {_said(kind)} ({values.dtype}), "
                f"but was fitted on {_said(self.kind)} ({self.dtype}): convert it, or fit again"
            )


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns that a dataset reads, as they were when its encoders were fitted."""

    columns: tuple[Column, ...] = ()

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def check(
        self, frame: pd.DataFrame, names: Iterable[str] | None = None, whose: str = "the data"
    ) -> dict[str, pd.Series]:
        """Checks a frame; columns that the schema does not know may be there.

        Args:
            frame: rows to be encoded.
            names: the columns that matter; by default all of the schema.
            whose: what the frame is, for the message.

        Returns:
            the columns that were checked, by name.

        Raises:
            DataFault: (a ValueError) a column is missing, or is there twice.
            WrongType: (a TypeError too) a column holds another kind of values than when it was captured.
        """
        wanted = self.names if names is None else tuple(names)
        check_columns(frame, wanted, whose)
        found = {}
        for column in self.columns:
            if column.name in wanted:
                found[column.name] = values = frame[column.name]
                column.check(values, whose)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Returns the schema as JSON-like data."""
        return {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Returns the schema that `to_dict` told of.

        Raises:
            DataFault: (a ValueError) it is damaged.
        """
        try:
            columns = tuple(Column(**column) for column in told["columns"])
        except (TypeError, KeyError) as error:
            raise DataFault(f"a saved schema is damaged ({type(error).__name__}: {error}): save it again") from error
        return cls(columns)


def check_columns(frame: pd.DataFrame, wanted: Sequence[str], whose: str) -> None:
    """Raises a DataFault that names all columns that are not in the frame, or more than once."""
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        names = ", ".join(map(repr, missing))
        raise DataFault(f"{whose}: no column {names}: it has {listed(frame.columns) or 'no columns'}")
    if not frame.columns.is_unique:
        twice = [repr(str(name)) for name in frame.columns[frame.columns.duplicated()].unique()]
        raise DataFault(f"{whose}: more than one column is called {', '.join(twice)}: rename them")


def check_rows(frame: object) -> None:
    """Raises a WrongType where rows to be encoded are no frame."""
    if not isinstance(frame, pd.DataFrame):
        one = ", e.g. pd.DataFrame([row])" if isinstance(frame, Mapping) else ""
        raise WrongType(f"rows to be encoded come as {type(frame).__name__}: give a pandas DataFrame{one}")


def check_frame(frame: object, whose: str) -> None:
    """Checks what a `get_data` gave.

    Raises:
        WrongType: (a TypeError) it is no frame.
        DataFault: (a ValueError) it has no rows, or columns of the same name.
    """
    if not isinstance(frame, pd.DataFrame):
        raise WrongType(f"{whose} gave {type(frame).__name__}: it must give a pandas DataFrame")
    if not len(frame):
        raise DataFault(f"{whose} gave no rows: look at the query, or at the file that it reads")
    check_columns(frame, (), whose)


def _said(kind: str) -> str:
    return {"number": "numbers", "boolean": "booleans", "time": "times", "duration": "durations", "list": "lists"}.get(
        kind, kind
    )
