"""Rows in files become what the model was fitted on, and predictions are written to the last digit."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from mlpipeline.data.schema import Column
from mlpipeline.errors import DataFault, UsageError, WrongType
from mlpipeline.learning import tables

COLUMNS = (
    Column(name="age", kind="number", dtype="float64", missing=0.1),
    Column(name="visits", kind="number", dtype="int64", missing=0.0),
    Column(name="code", kind="text", dtype="str", missing=0.0),
    Column(name="member", kind="boolean", dtype="bool", missing=0.0),
    Column(name="since", kind="time", dtype="datetime64[us]", missing=0.0),
)
NAMES = [column.name for column in COLUMNS]
CSV = "age,visits,code,member,since,more\n31.5,3,01067,true,2026-01-01,x\n,,,,,\n"
ROWS = [
    {"age": 31.5, "visits": 3, "code": "01067", "member": True, "since": "2026-01-01", "more": "x"},
    {"age": None, "visits": None, "code": None, "member": None, "since": None, "more": None},
]


def read(text: str, kind: str) -> pd.DataFrame:
    return tables.read(io.BytesIO(text.encode()), kind, COLUMNS, "rows")


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    by_csv = read(CSV, "csv")
    assert by_csv["code"].tolist()[0] == "01067"
    assert by_csv["visits"].tolist()[0] == 3
    assert by_csv["member"].tolist()[0] is True
    assert by_csv.drop(columns="more").isna().iloc[1].all()
    lines = "\n".join(map(json.dumps, ROWS))
    by_csv.to_parquet(tmp_path / "rows.parquet")
    with (tmp_path / "rows.parquet").open("rb") as file:
        by_parquet = tables.read(file, "parquet", COLUMNS, "rows")
    for other in (read(json.dumps(ROWS), "json"), read(json.dumps({"rows": ROWS}), "json"), read(lines, "jsonl")):
        pd.testing.assert_frame_equal(other[NAMES], by_csv[NAMES], check_dtype=False)
    pd.testing.assert_frame_equal(by_parquet, by_csv, check_dtype=False)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (CSV.replace("31.5", "old"), "csv", "line 2, column 'age': 'old', where a number is needed"),
        (CSV.replace("true", "perhaps"), "csv", "line 2, column 'member': 'perhaps', where true or false are needed"),
        (CSV.replace("2026-01-01", "soon"), "csv", "row 1, column 'since'"),
        (CSV.replace("age", "years"), "csv", "no column 'age'"),
        ("", "csv", "rows: is no csv"),
        ("age,visits,code,member,since\n", "csv", "has no rows"),
        ('[{"age": "old"}]', "json", "row 1, column 'age'"),
        ('{"age": 1}', "json", "a list of objects"),
        ("[1]", "json", "a list of objects"),
        ("[", "json", "rows: is no json"),
        ("nothing", "parquet", "rows: is no parquet"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, kind: str, said: str) -> None:
    with pytest.raises(DataFault) as found:
        read(text, kind)
    assert said in str(found.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("age\n1\n\n3\n", [1, None, 3]),
        ("\ufeff\nage\n\n1\n\n", [None, 1, None]),
        ("age,more\n1,x\n\n,\n", [1, None]),
    ],
)
def test_an_empty_line_of_a_file_of_one_column_is_a_missing_value(text: str, found: list[float | None]) -> None:
    rows = tables.read(io.BytesIO(text.encode()), "csv", COLUMNS[:1], "rows")
    assert [None if value != value else value for value in rows["age"]] == found


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_a_key_that_comes_twice_is_refused(kind: str) -> None:
    text = '{"age": 1, "age": 2}'
    with pytest.raises(DataFault, match="rows: an object has the key 'age' more than once"):
        read(f"[{text}]" if kind == "json" else text, kind)


def test_a_column_of_another_kind_is_refused() -> None:
    frame = pd.DataFrame({"age": ["a"], "visits": [1], "code": ["x"], "member": [True], "since": ["2026"]})
    out = io.BytesIO(frame.to_parquet())
    with pytest.raises(WrongType, match="column 'age' holds text"):
        tables.read(out, "parquet", COLUMNS, "rows")


def test_predictions_keep_every_digit() -> None:
    found = pd.DataFrame({"False": [0.1 + 0.2, 1e-17], "True": [float("nan"), 2 / 3]})
    for kind in ("json", "jsonl", "csv"):
        out = io.StringIO()
        tables.write(found, out, kind)
        text = out.getvalue()
        assert "0.30000000000000004" in text
        assert text.endswith("\n")
    out = io.StringIO()
    tables.write(found, out, "json")
    assert json.loads(out.getvalue()) == [{"False": 0.1 + 0.2, "True": None}, {"False": 1e-17, "True": 2 / 3}]


def test_the_format_is_told_by_the_name_or_stated() -> None:
    assert [tables.kind_of(name, None) for name in ("a.csv", "b.JSON", "c.ndjson", "d.parquet")] == [
        *("csv", "json", "jsonl", "parquet")
    ]
    assert tables.kind_of("a.txt", "csv") == "csv"
    with pytest.raises(UsageError, match="give --format"):
        tables.kind_of("a.txt", None)
