"""What a column holds, read as numbers or as lists, whatever type it comes in."""

from __future__ import annotations

import itertools
import numbers as number_types
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors


class Kind(StrEnum):
    """What the numbers of a column count."""

    NUMBER = "number"
    MOMENT = "moment"
    DURATION = "duration"
    NOTHING = "nothing"


_NUMBERS = (number_types.Real, Decimal, np.bool_)
_MOMENTS = (date, np.datetime64)
_DURATIONS = (timedelta, np.timedelta64)
_LISTS = (list, tuple, np.ndarray)


def numbers(values: pd.Series, whose: object) -> tuple[np.ndarray, Kind]:
    """Returns a column as float64 and what it counts; missing values are NaN.

    Moments (in UTC; those without a time zone are taken as such) and durations are counted in microseconds. Text is
    refused, also where it could be read as a number: at serving it would not always.

    Raises:
        DataFault: there is something else in the column.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories, kind = numbers(pd.Series(dtype.categories).rename(values.name), whose)
        return np.append(categories, np.nan)[values.cat.codes.to_numpy()], kind
    letter = getattr(dtype, "kind", "O")
    if letter in "biuf":
        if isinstance(dtype, np.dtype):
            return values.to_numpy(np.float64), Kind.NUMBER
        return values.to_numpy(np.float64, na_value=np.nan), Kind.NUMBER
    if letter == "M":
        return _microseconds(values.to_numpy("datetime64[us]")), Kind.MOMENT
    if letter == "m":
        return _microseconds(values.to_numpy("timedelta64[us]")), Kind.DURATION
    return _of_objects(values, whose)


def _microseconds(times: np.ndarray) -> np.ndarray:
    return np.where(np.isnat(times), np.nan, times.view(np.int64))


def _of_objects(values: pd.Series, whose: object) -> tuple[np.ndarray, Kind]:
    there = values.notna().to_numpy()
    objects = values.to_numpy(object)[there]
    types = set(map(type, objects))
    found = np.full(len(values), np.nan)
    if not types:
        return found, Kind.NOTHING
    if _are(types, _NUMBERS):
        found[there] = _floats(objects)
        return found, Kind.NUMBER
    if _are(types, _MOMENTS):
        found[there] = _microseconds(pd.to_datetime(pd.Series(objects), utc=True).to_numpy("datetime64[us]"))
        return found, Kind.MOMENT
    if _are(types, _DURATIONS):
        found[there] = _microseconds(pd.to_timedelta(pd.Series(objects)).to_numpy("timedelta64[us]"))
        return found, Kind.DURATION
    raise wrong(values, types, whose, _NUMBERS, "numbers are needed: convert it first")


def _floats(objects: np.ndarray) -> np.ndarray:
    try:
        found: np.ndarray = objects.astype(np.float64)
    except OverflowError:  # an int of hundreds of digits
        largest: Any = int(np.finfo(np.float64).max)
        found = np.clip(objects, -largest, largest).astype(np.float64)
    return found


def _are(types: set[type], wanted: tuple[type, ...]) -> bool:
    return all(issubclass(each, wanted) for each in types)


def wrong(
    values: pd.Series, types: set[type], whose: object, wanted: tuple[type, ...], needed: str
) -> errors.DataFault:
    """Returns the error that names the first value of an unwanted type."""
    strange = tuple(each for each in types if not issubclass(each, wanted)) or tuple(types)
    there = values.notna().to_numpy()
    row, value = next(
        (row, value)
        for row, value in zip(np.flatnonzero(there), values.to_numpy(object)[there], strict=True)
        if type(value) in strange
    )
    label = values.index[row]
    return errors.DataFault(
        f"{whose!r}: column '{values.name}', row {label}, holds {_short(value)} ({type(value).__name__}) where {needed}"
    )


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def lists(values: pd.Series, whose: object) -> tuple[pd.Series, np.ndarray]:
    """Returns the elements of a column of lists, one after another, and how many each row has; a missing list has none.

    Raises:
        DataFault: there is something in the column that is no list, tuple or array.
    """
    if _is_arrow_list(values.dtype):
        return _of_arrow(values)
    there = values.notna().to_numpy()
    found = values.to_numpy(object)[there]
    types = set(map(type, found))
    if not _are(types, _LISTS):
        raise wrong(values, types, whose, _LISTS, "lists are needed: text is for Token or Unique")
    lengths = np.zeros(len(values), np.int64)
    lengths[there] = np.fromiter(map(len, found), np.int64, len(found))
    return pd.Series(_chained(found), name=values.name), lengths


def _chained(found: np.ndarray) -> np.ndarray:
    """Returns the elements of lists. Where types differ they stay objects: what pandas infers depends on all rows."""
    if set(map(type, found)) == {np.ndarray} and len(set(map(attrgetter("dtype"), found))) == 1:
        return np.concatenate(found)
    elements = list(itertools.chain.from_iterable(found))
    joined = np.empty(len(elements), object)
    joined[:] = elements
    return joined


def _is_arrow_list(dtype: Any) -> bool:
    return isinstance(dtype, pd.ArrowDtype) and "list" in str(dtype.pyarrow_dtype)


def _of_arrow(values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    pc = errors.require("pyarrow.compute", extra="data")
    pa = errors.require("pyarrow", extra="data")
    array = pa.chunked_array(values.array.__arrow_array__()).combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return array.flatten().to_pandas().rename(values.name), lengths
