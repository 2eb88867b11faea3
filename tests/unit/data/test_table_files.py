"""Tables in files: every format comes back, half a file is never seen, and what cannot be is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline.data import table_files
from mlpipeline.errors import DataFault, StoreError, WrongType

ALL = ["csv", "tsv", "json", "jsonl", "parquet", "pq", "orc", "csv.gz", "jsonl.bz2", "csv.xz", "parquet.gz"]
TYPED = ["parquet", "orc", "pq"]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "whole": [1, -2, 2**53 + 1],
            "part": [0.1, np.nan, 1 / 3],
            "text": ['a "b", c', None, "ü\nx\ty"],
            "flag": [True, False, True],
        },
        index=[9, 8, 7],
    )


@pytest.mark.parametrize("ending", ALL)
def test_rows_come_back_without_their_index(tmp_path: Path, table: pd.DataFrame, ending: str) -> None:
    path = tmp_path / "a.b" / f"rows.v1.2.{ending}"
    assert table_files.write(table, path) == str(path)
    pd.testing.assert_frame_equal(table_files.read(path), table.reset_index(drop=True))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "parquet", "csv.gz"])
@settings(max_examples=15, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_come_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, ending: str, values: list[float]
) -> None:
    path = tmp_path_factory.mktemp("numbers") / f"rows.{ending}"
    table_files.write(pd.DataFrame({"x": values}), path)
    assert table_files.read(path)["x"].astype(float).tolist() == values


@pytest.mark.parametrize("ending", TYPED)
def test_typed_formats_keep_times(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"t": pd.date_range("2026-01-01", periods=3, freq="h")})
    table_files.write(frame, tmp_path / f"rows.{ending}")
    assert table_files.read(tmp_path / f"rows.{ending}")["t"].tolist() == frame["t"].tolist()


def test_times_in_json_are_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": [dt.date(2026, 1, 1), None], "t": [pd.Timestamp("2026-01-01T10:00"), pd.NaT]})
    table_files.write(frame, tmp_path / "rows.jsonl")
    assert (tmp_path / "rows.jsonl").read_text() == (
        '{"day": "2026-01-01", "t": "2026-01-01T10:00:00"}\n{"day": null, "t": null}\n'
    )


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "rows.", "csv", "rows.gz", ".csv.zip"])
def test_a_name_that_does_not_say_what_it_is_is_refused_both_ways(
    tmp_path: Path, table: pd.DataFrame, name: str
) -> None:
    for work in (lambda path: table_files.write(table, path), table_files.read):
        with pytest.raises(DataFault, match="use one of csv, tsv, json"):
            work(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_names_its_neighbour(tmp_path: Path, table: pd.DataFrame) -> None:
    table_files.write(table, tmp_path / "train.csv")
    with pytest.raises(DataFault, match=r"there is no file .*trian.csv: mend the path. Did you mean 'train.csv'"):
        table_files.read(tmp_path / "trian.csv")
    with pytest.raises(DataFault, match="there is no file"):
        table_files.read(tmp_path / "nowhere" / "train.csv")
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(DataFault, match="is a directory: name a file"):
        table_files.read(tmp_path / "dir.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""), ("a.csv", b'a,b\n"1,2\n'), ("a.json", b'{"a": [1]}'), ("a.json", b"[1, 2]"), ("a.json", b"{"),
        ("a.jsonl", b'{"a": 1}\n['), ("a.parquet", b"no"), ("a.parquet", b""), ("a.orc", b"no"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_told_with_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFault, match=rf"{name} cannot be read as {name[2:]}: ."):
        table_files.read(tmp_path / name)


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(b"no")
    with pytest.raises((DataFault, StoreError), match=r"a\.csv\.gz"):
        table_files.read(tmp_path / "a.csv.gz")


def test_what_a_format_cannot_hold_leaves_the_old_file(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "rows.json"
    table_files.write(table, path)
    before = path.read_bytes()
    with pytest.raises(DataFault, match="json cannot hold these rows"):
        table_files.write(pd.DataFrame({"x": [1.0, np.inf]}), path)
    with pytest.raises(DataFault, match="json cannot hold these rows"):
        table_files.write(pd.DataFrame({"x": [{1, 2}]}), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["rows.json"]


def test_only_frames_with_a_name_for_each_column_are_written(tmp_path: Path) -> None:
    with pytest.raises(WrongType, match="list cannot be written: give a pandas DataFrame"):
        table_files.write([1], tmp_path / "a.csv")  # type: ignore[arg-type]
    with pytest.raises(DataFault, match="two columns are called 'x'"):
        table_files.write(pd.DataFrame([[1, 2]], columns=["x", "x"]), tmp_path / "a.csv")


def test_other_file_systems_see_whole_files_only(table: pd.DataFrame) -> None:
    url = "memory://test_table_files/rows.csv"
    table_files.write(table, url)
    with pytest.raises(DataFault, match="cannot hold"):
        table_files.write(pd.DataFrame({"x": [{1}]}), url.replace("csv", "json"))
    pd.testing.assert_frame_equal(table_files.read(url), table.reset_index(drop=True))
    with pytest.raises(DataFault, match="there is no file"):
        table_files.read(url.replace("csv", "json"))
