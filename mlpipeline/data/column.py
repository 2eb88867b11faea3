"""What a column holds, value by value: text, numbers, dates, moments; a value of another type is missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors

# Python's own strings: Arrow's lower case and regular expressions differ in corners, and may be there in training only.
TEXT = pd.StringDtype("python", na_value=np.nan)
DATES = {"date", "datetime", "datetime64"}
NUMBERS = (str, int, float, Decimal, np.integer, np.floating, np.bool_)


def text(values: pd.Series) -> pd.Series:
    """Returns a column as text; in a column of mixed types, whatever is no text is missing.

    Raises:
        WrongType: when the column has a type that holds no text, and is not empty.
    """
    if pd.api.types.is_object_dtype(values.dtype):
        if pd.api.types.infer_dtype(values, skipna=True) != "string":
            values = values.where([isinstance(value, str) for value in values])
        return values.where(values.notna()).astype(TEXT)
    if pd.api.types.is_string_dtype(values.dtype):
        return values.astype(TEXT)
    if values.isna().all():
        return pd.Series(np.nan, index=values.index, dtype=TEXT)
    raise wrong(values, "text is", "convert it first, e.g. with astype('str')")


def stored_text(values: pd.Series) -> pd.Series:
    """Returns a column as text like `text`, but as it is stored, be it by Arrow, for who takes values out of it."""
    return values if isinstance(values.dtype, pd.StringDtype) else text(values)


def numbers(values: pd.Series) -> Any:
    """Returns a column as an array of float64; text may read as a number, whatever else is no number is NaN.

    Raises:
        WrongType: when the column holds dates, durations or complex numbers.
    """
    dtype = values.dtype
    if pd.api.types.is_object_dtype(dtype):
        values = values.where([isinstance(value, NUMBERS) for value in values])
    elif not pd.api.types.is_string_dtype(dtype) and not _is_real(dtype):
        if not values.isna().all():
            raise wrong(values, "numbers are", "take what is meant of it first, e.g. with Age or DateTime")
        return np.full(len(values), np.nan)
    if not _is_real(dtype):
        values = pd.to_numeric(values, errors="coerce")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def dates(values: pd.Series) -> pd.Series:
    """Returns a column that has the accessor `dt`: dates and times as they are, in their own time zone.

    Raises:
        WrongType: when there is anything but dates, times and missing values in it.
    """
    if _is_dated(values.dtype):
        return values
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if values.isna().all():
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    if kind not in DATES:
        raise wrong(values, "dates are", "convert it first, e.g. with pd.to_datetime")
    try:
        return pd.to_datetime(values)
    except ValueError as error:
        raise wrong(
            values, "dates of one time zone are", "convert it first, e.g. with pd.to_datetime(..., utc=True)"
        ) from error


def moments(values: pd.Series, *, unit: str = "us") -> pd.Series:
    """Returns a column as moments in UTC, to which dates without a time zone are taken to belong.

    Text is read in the forms of ISO 8601 and said in a warning; what cannot be read is missing.

    Args:
        unit: what a moment is counted in; microseconds hold every year that a calendar has.

    Raises:
        WrongType: when the column has a type that holds no dates, and is not empty.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        found = values
    elif values.isna().all():
        found = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    elif pd.api.types.is_object_dtype(values.dtype) or pd.api.types.is_string_dtype(values.dtype):
        found = _parsed(values)
    else:
        raise wrong(values, "dates are", "convert it first, e.g. with pd.to_datetime and the unit that it counts in")
    found = found.dt.tz_localize("UTC") if found.dt.tz is None else found.dt.tz_convert("UTC")
    return found.dt.as_unit(unit)


def settled(found: pd.Series, missing: pd.Series) -> pd.Series:
    """Returns a result in a type that does not depend on whether a value is missing.

    Flags become objects (True, False, NaN), whole numbers float64, text Python's strings. All else stays.

    Args:
        missing: which rows were missing in what this was made of.
    """
    if pd.api.types.is_bool_dtype(found.dtype):
        return found.astype(object).where(~missing, np.nan)
    if pd.api.types.is_numeric_dtype(found.dtype):
        return found.astype(np.float64)
    if pd.api.types.is_object_dtype(found.dtype) or not pd.api.types.is_string_dtype(found.dtype):
        return found
    return found.astype(TEXT)


def each_distinct(values: pd.Series, function: Callable[[Any], Any], dtype: Any) -> pd.Series:
    """Returns what a function makes of each value, asking it once for each distinct one; missing values stay missing.

    Args:
        function: gives the same for values that are equal, such as 1 and 1.0.
        dtype: of the result; it can hold a missing value.
    """
    try:
        codes, distinct = pd.factorize(values)
    except TypeError:
        # A list or the like: it is nobody's key, and is as good as missing.
        codes, distinct = pd.factorize(values.where([_is_hashable(value) for value in values]))
    table = pd.Series([*map(function, distinct), None], dtype=dtype)
    return pd.Series(table.array.take(codes), index=values.index)


def each_text(values: pd.Series, function: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Returns what a function makes of each distinct text of a column and, last, of a missing one.

    Args:
        function: gets and gives a column; its type does not depend on what is missing.

    Raises:
        WrongType: when the column has a type that holds no text, and is not empty.
    """
    codes, distinct = pd.factorize(stored_text(values))
    found = function(pd.Series([*distinct, np.nan], dtype=TEXT))
    return pd.Series(found.array.take(codes), index=values.index)


def wrong(values: pd.Series, wanted: str, advice: str) -> errors.WrongType:
    """Returns the error for a column that holds something else than what is wanted."""
    return errors.WrongType(f"column '{values.name}' holds {values.dtype} where {wanted} needed: {advice}")


def _parsed(values: pd.Series) -> pd.Series:
    """Reads each value by itself: pandas' guess of a format would depend on what comes first."""
    is_text, is_date = _texts_and_dates(values)
    if not is_date[values.notna().to_numpy()].all():
        warnings.warn(f"column '{values.name}' holds text where dates are needed: it is read as ISO 8601", stacklevel=3)
    found = pd.Series(pd.NaT, index=np.arange(len(values)), dtype="datetime64[us, UTC]")
    found[is_text] = each_text(values[is_text], _read).array
    found[is_date] = pd.to_datetime(values[is_date], utc=True).dt.as_unit("us").array
    return found.set_axis(values.index)


def _read(texts: pd.Series) -> pd.Series:
    found = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    if found.dt.unit == "ns":
        # What is finer than a microsecond has changed the unit of all, and so the years that they can hold.
        texts = texts.str.replace(r"(?<=[.,]\d{6})\d+", "", regex=True)
        found = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    return found.dt.as_unit("us")


def _texts_and_dates(values: pd.Series) -> tuple[Any, Any]:
    """Returns two masks: which values are text, and which are dates."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    present, none = values.notna().to_numpy(), np.zeros(len(values), dtype=bool)
    if kind == "string":
        return present, none
    if kind in DATES:
        return none, present
    is_text = np.array([isinstance(value, str) for value in values], dtype=bool)
    is_date = np.array([isinstance(value, date | np.datetime64) for value in values], dtype=bool)
    return is_text, is_date & present


def _is_real(dtype: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(dtype)) and not pd.api.types.is_complex_dtype(dtype)


def _is_dated(dtype: Any) -> bool:
    types = pd.api.types
    return bool(
        types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype) or isinstance(dtype, pd.PeriodDtype)
    )


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
