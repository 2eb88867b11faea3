"""Hashes rows by their content: the same on every machine, in whichever chunk and in whatever order they come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_MISSING = np.uint64(0x6D697373696E6700)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_WHOLE = 2.0**63
_NUMBERS = {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}
_DATES = {"datetime", "datetime64", "date"}
_TIMES = {"timedelta", "timedelta64"}


def mix(values: Hashes) -> Hashes:
    """Returns the values scrambled: each bit depends on each bit of the value (SplitMix64's finalizer)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def salted(hashes: Hashes, salt: object) -> Hashes:
    """Returns other hashes of the same rows, one set for each salt."""
    return mix(hashes ^ _salt(salt))


def again(hashes: Hashes, occurrences: NDArray[np.int64]) -> Hashes:
    """Returns hashes of rows that are equal to others: an own one for the first, the second, ... of them."""
    return mix(hashes + occurrences.astype(np.uint64) * _GOLDEN)


def hash_rows(frame: pd.DataFrame, columns: Sequence[str] | None = None) -> Hashes:
    """Returns a hash for each row.

    The order of columns does not count, nor does the dtype that holds a value: 1, 1.0 and True are one, text hashes
    alike in every string dtype, and so does what is missing. Times are compared in microseconds.

    Args:
        frame: rows.
        columns: those that count; all of them by default.
    """
    names = list(frame.columns) if columns is None else list(columns)
    total = np.zeros(len(frame), np.uint64)
    for name in names:
        total += mix(_bits(frame[name]) ^ _salt(name))
    return mix(total)


def _salt(salt: object) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(str(salt).encode()).digest()[:8], "little"))


def _bits(series: pd.Series) -> Hashes:
    missing = series.isna().to_numpy(bool)
    bits = _present(series, missing)
    if missing.any():
        bits = bits.copy()
        bits[missing] = _MISSING
    return bits


def _present(series: pd.Series, missing: NDArray[np.bool_]) -> Hashes:
    """Returns the bits of each value; what stands where one is missing does not matter."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(series)
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
        return _numbers(series, missing)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _times(series.dt.tz_convert(None) if getattr(dtype, "tz", None) is not None else series)
    if pd.api.types.is_timedelta64_dtype(dtype):
        return _times(series)
    if dtype.kind == "O" and not isinstance(dtype, pd.StringDtype):
        return _objects(series, missing)
    return np.asarray(pd.util.hash_array(series.to_numpy(object), categorize=True), np.uint64)


def _numbers(series: pd.Series, missing: NDArray[np.bool_]) -> Hashes:
    """Whole numbers by their value as integers, others by the bits of the double.

    A column of whole numbers becomes one of floats where a chunk of it lacks some.
    """
    if series.dtype.kind in "iub":
        gap = {"na_value": 0} if missing.any() else {}
        values = series.to_numpy(np.uint64 if series.dtype.kind == "u" else np.int64, **gap)
        return np.asarray(values.view(np.uint64), np.uint64)
    values = series.to_numpy(np.float64, na_value=np.nan)
    bits: Hashes = values.copy().view(np.uint64)
    whole = (np.trunc(values) == values) & (np.abs(values) < _WHOLE)
    bits[whole] = values[whole].astype(np.int64).view(np.uint64)
    return bits


def _times(series: pd.Series) -> Hashes:
    unit = "timedelta64[us]" if series.dtype.kind == "m" else "datetime64[us]"
    return np.asarray(series.to_numpy().astype(unit).view(np.uint64))


def _categories(series: pd.Series) -> Hashes:
    known = _bits(pd.Series(series.cat.categories))
    codes = series.cat.codes.to_numpy()
    return np.asarray(np.append(known, _MISSING)[codes], np.uint64)


def _objects(series: pd.Series, missing: NDArray[np.bool_]) -> Hashes:
    """Objects by what they hold. Cells that are no numbers, times or texts (lists, above all) by their JSON."""
    bits = np.full(len(series), _MISSING, np.uint64)
    present = series[~missing]
    kind = pd.api.types.infer_dtype(present, skipna=True)
    if kind in _NUMBERS:
        plain = present.astype(np.int64) if kind == "integer" and _fits(present) else present.astype(np.float64)
        bits[~missing] = _numbers(plain, np.zeros(len(plain), bool))
    elif kind in _DATES | _TIMES:
        convert = pd.to_timedelta if kind in _TIMES else pd.to_datetime
        bits[~missing] = _bits(convert(present))
    else:
        texts = present if kind in {"string", "empty"} else present.map(_text)
        bits[~missing] = pd.util.hash_array(texts.to_numpy(object), categorize=True)
    return bits


def _fits(integers: pd.Series) -> bool:
    return bool(min(integers) >= -(2**63) and max(integers) < 2**63)


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    return json.dumps(cell.tolist() if hasattr(cell, "tolist") else cell, sort_keys=True, default=str)
