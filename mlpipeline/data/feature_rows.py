"""Rows of features: dated, checked, written as Parquet, and joined to others as of a moment."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.schema import NOTHING, Column, check_columns, check_frame, kind_of
from mlpipeline.data.split import listed
from mlpipeline.errors import DataFault, WrongType, require

TIME = "time"
"""The column of when a row was known, in microseconds of UTC."""

_EXACT = 2.0**53
"""Below it, floats hold each whole number."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def checked_name(what: str, name: Any) -> str:
    """Returns a name that can stand in a path.

    Raises:
        DataFault: it cannot.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataFault(f"{what} is {name!r}: use letters, digits, - and _")
    return name


def moment(value: str | datetime) -> pd.Timestamp:
    """Returns a moment in UTC; one without a time zone is meant so."""
    try:
        found = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise DataFault(f"{value!r} is no moment: write it as 2026-01-31 or 2026-01-31T12:00") from error
    if pd.isna(found):
        raise DataFault(f"{value!r} is no moment: write it as 2026-01-31 or 2026-01-31T12:00")
    return (found.tz_localize("UTC") if found.tzinfo is None else found.tz_convert("UTC")).as_unit("us")


def moments(values: pd.Series) -> pd.Series:
    """Returns a column of times in UTC, in microseconds.

    Raises:
        WrongType: (a TypeError) it holds no times.
        DataFault: (a ValueError) one is missing.
    """
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        raise WrongType(f"column {values.name!r} holds {values.dtype}, not times: convert it by pandas.to_datetime")
    if missing := int(values.isna().sum()):
        raise DataFault(f"{missing} of {len(values)} rows have no {values.name!r}: drop or fill them")
    aware = values.dt.tz_localize("UTC") if values.dt.tz is None else values.dt.tz_convert("UTC")
    return aware.dt.as_unit("us")


def dated(frame: pd.DataFrame, keys: Sequence[str], time: str | datetime) -> pd.DataFrame:
    """Returns rows to be published, with their times in the column TIME.

    Raises:
        DataFault: there are no rows or features, a key or a time is missing, or two rows have the same.
    """
    check_frame(frame, "what is published")
    is_column = isinstance(time, str) and time in frame.columns
    check_columns(frame, keys, "what is published")
    if not keys:
        raise DataFault("the key is empty: name the column, or columns, that tell entities apart")
    times = moments(frame[time]) if is_column else moment(time)
    rest = frame.drop(columns=[time]) if is_column else frame
    if TIME in rest.columns:
        raise DataFault(f"a column is called {TIME!r}, and is not the one that time= names: rename it")
    rows = rest.assign(**{TIME: times}).reset_index(drop=True)
    if len(rows.columns) == len(keys) + 1:
        raise DataFault("there is no feature: the frame has nothing but the key and the time: add one")
    for name in keys:
        if missing := int(rows[name].isna().sum()):
            raise DataFault(
                f"{missing} of {len(rows)} rows have no {name!r}, which is part of the key: drop or fill them"
            )
    if twice := int(rows.duplicated([TIME, *keys]).sum()):
        raise DataFault(f"{twice} rows have the key and the time of another one: publish one row for each")
    return rows


def told(rows: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """Returns what a version's manifest says: the key, the features, and what the columns hold."""
    features = [str(name) for name in rows.columns if name not in (TIME, *keys)]
    columns = [asdict(Column.captured(rows[name])) for name in (*keys, *features)]
    return {"format": 1, "key": list(keys), "features": features, "columns": columns}


def check_same(manifest: Mapping[str, Any], rows: pd.DataFrame, keys: Sequence[str], whose: str) -> None:
    """Raises a DataFault where rows have another key, other features or other types than their version."""
    if list(keys) != manifest["key"]:
        raise DataFault(
            f"{whose} has the key {listed(manifest['key'])}, not {listed(keys)}: publish under another version"
        )
    check_columns(rows, manifest["features"], f"{whose}: what is published")
    if extra := set(rows.columns) - {TIME, *keys, *manifest["features"]}:
        raise DataFault(f"{whose} has no feature {listed(sorted(extra))}: publish under another version")
    for column in manifest["columns"]:
        Column(**column).check(rows[column["name"]], whose)


def to_parquet(rows: pd.DataFrame) -> bytes:
    """Returns rows as the bytes of a Parquet file."""
    require("pyarrow", extra="data")
    sink = io.BytesIO()
    rows.to_parquet(sink, index=False, engine="pyarrow")
    return sink.getvalue()


def from_parquet(content: bytes, columns: Sequence[str]) -> pd.DataFrame:
    """Returns columns of what `to_parquet` wrote."""
    require("pyarrow", extra="data")
    return pd.read_parquet(io.BytesIO(content), columns=list(columns), engine="pyarrow")


def as_of(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    keys: tuple[str, ...],
    time: str,
    max_age: str | timedelta | None,
    strictly_before: bool,
) -> pd.DataFrame:
    """Returns the features that were known last at the time of each row, in the order of the rows."""
    left = pd.DataFrame({TIME: moments(rows[time]).array, **{key: rows[key].array for key in keys}})
    for key in keys:
        left[key], known[key] = _aligned(left[key], known[key])
    has_key = left[list(keys)].notna().all(axis=1)
    found = pd.merge_asof(
        left[has_key].reset_index(names="_row").sort_values(TIME, kind="stable"),
        known,
        on=TIME,
        by=list(keys),
        tolerance=None if max_age is None else pd.Timedelta(max_age),
        allow_exact_matches=not strictly_before,
    )
    return found.set_index("_row").reindex(np.arange(len(rows))).reset_index(drop=True)


def _aligned(values: pd.Series, published: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Returns keys of both sides with one type, where they are the same kind of thing."""
    kind, other = kind_of(values), kind_of(published)
    if kind != other and NOTHING not in (kind, other):
        raise WrongType(f"key {values.name!r} holds {values.dtype}, but was published as {published.dtype}: convert it")
    if values.dtype == published.dtype:
        return values, published
    if kind != "number":
        return values.astype(published.dtype), published
    floats = values.astype("float64"), published.astype("float64")
    if max(each.abs().max() for each in floats) >= _EXACT:
        raise WrongType(f"key {values.name!r} holds {values.dtype}, but was published as {published.dtype}: convert it")
    return floats
