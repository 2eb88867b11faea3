"""Rows in files: CSV, JSON, JSON lines or Parquet, read for a model's schema, and predictions written."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pandas as pd

from mlpipeline import errors
from mlpipeline.data.schema import Column, Schema
from mlpipeline.errors import DataFault
from mlpipeline.learning.doubled import DoubledKey, checked
from mlpipeline.learning.serving.forms import form_of
from mlpipeline.learning.serving.served import plain

FORMATS = ("csv", "json", "jsonl", "parquet")
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def read(source: BinaryIO, kind: str, columns: Sequence[Column], whose: str) -> pd.DataFrame:
    """Returns rows, with the columns typed as they were fitted; other columns stay as they are.

    Args:
        source: the file.
        kind: of `FORMATS`.
        columns: what the model reads.
        whose: what the rows are, for messages.

    Raises:
        DataFault: it is no such file, a column is missing, or a value is of another type; line and column are named.
    """
    try:
        frame = _parsed(source, kind, columns)
    except DataFault:
        raise
    except DoubledKey as error:
        raise DataFault(f"{whose}: {error}") from error
    except (ValueError, KeyError, UnicodeError, RecursionError, OSError) as error:
        raise DataFault(f"{whose}: is no {kind}: {error}") from error
    if not len(frame):
        raise DataFault(f"{whose}: has no rows: give a file that has some")
    Schema(tuple(columns)).check(frame, None, whose)
    return frame


def kind_of(name: str, stated: str | None) -> str:
    """Returns the format of a file: as it is stated, else as its name ends.

    Raises:
        UsageError: neither says it.
    """
    ending = Path(name).suffix.lower().removeprefix(".")
    ending = {"ndjson": "jsonl", "pq": "parquet", "tsv": "csv"}.get(ending, ending)
    found = stated or ending
    if found not in FORMATS:
        raise errors.UsageError(f"{name}: its name does not say what it is: give --format, {', '.join(FORMATS)}")
    return found


def write(found: pd.DataFrame, out: TextIO, kind: str) -> None:
    """Writes predictions as CSV, as a JSON list, or as a JSON object a line."""
    if kind == "csv":
        found.to_csv(out, index=False)
        return
    # Not pandas' own: it writes 15 digits of a number, and a float has 17.
    columns = {str(name): plain(found[name]) for name in found.columns}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if kind == "json":
        out.write(json.dumps(rows) + "\n")
    else:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def _parsed(source: BinaryIO, kind: str, columns: Sequence[Column]) -> pd.DataFrame:
    if kind == "parquet":
        errors.require("pyarrow", extra="learning")
        return pd.read_parquet(io.BytesIO(source.read()))
    if kind == "csv":
        return _of_csv(source, columns)
    text = source.read().decode("utf-8-sig")
    decode = json.JSONDecoder(object_pairs_hook=checked).decode
    rows = [decode(line) for line in text.splitlines() if line.strip()] if kind == "jsonl" else decode(text)
    return _of_json(rows, columns)


def _of_json(told: Any, columns: Sequence[Column]) -> pd.DataFrame:
    rows = told["rows"] if isinstance(told, dict) and told.keys() == {"rows"} else told
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataFault('the rows must be a list of objects, or {"rows": [...]}')
    names = list(dict.fromkeys(name for row in rows for name in row))
    known = {column.name: column for column in columns}
    made = {}
    for name in names:
        # A key that a row lacks is a missing value here, as an empty cell of a table is.
        values = [row.get(name) for row in rows]
        made[name] = _typed(values, known[name]) if name in known else pd.Series(values, dtype=object).infer_objects()
    return pd.DataFrame(made)


def _typed(values: list[Any], column: Column) -> Any:
    form, found = form_of(column), []
    for row, value in enumerate(values, 1):
        try:
            found.append(form.read(value))
        except (ValueError, OverflowError) as error:
            raise DataFault(f"row {row}, column '{column.name}': {error}") from None
    return form.array(found)


def _of_csv(source: BinaryIO, columns: Sequence[Column]) -> pd.DataFrame:
    # Everything as text first: pandas would guess types by all rows, and a zip code would lose its zeros.
    frame = _cells(source) if len(columns) > 1 else _cells_of_one(source.read())
    for column in columns:
        if column.name in frame.columns:
            frame[column.name] = _of_text(frame[column.name], column)
    return frame


def _cells(source: BinaryIO, *, skip_blank_lines: bool = True) -> pd.DataFrame:
    found: pd.DataFrame = pd.read_csv(
        source, dtype="str", keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=skip_blank_lines
    )
    return found


def _cells_of_one(data: bytes) -> pd.DataFrame:
    """Reads a file for a model of one column: where it has no other, an empty line is a row with a missing value."""
    body = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    found = _cells(io.BytesIO(body), skip_blank_lines=False)
    return found if len(found.columns) == 1 else _cells(io.BytesIO(body))


def _of_text(values: pd.Series, column: Column) -> Any:
    """Returns cells of text as what the column holds; an empty one is missing."""
    present = values.where(values != "")
    if column.kind == "number":
        found = pd.to_numeric(present, errors="coerce")
        if column.dtype.lower().startswith(("int", "uint")) and not (found % 1).any() and found.isna().any():
            found = found.astype("Int64")
        return _checked(found, present, column, "a number is")
    if column.kind == "boolean":
        return _checked(present.str.lower().map(_FLAGS).astype("boolean"), present, column, "true or false are")
    if column.kind in ("text", "nothing"):
        return present
    form = form_of(column)
    return _typed([form.text(text) for text in values], column)


def _checked(found: pd.Series, present: pd.Series, column: Column, needed: str) -> pd.Series:
    wrong = found.isna() & present.notna() & ~present.str.lower().isin(["nan"]).to_numpy(bool)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        # The header is line 1.
        raise DataFault(f"line {row + 2}, column '{column.name}': {present.iloc[row]!r}, where {needed} needed")
    return found
