"""An answer is kept for its own question only, comes back the same, and no fault of the cache loses an answer."""

from __future__ import annotations

import datetime as dt
import logging
import os
import sqlite3
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.data import arrow, cache_key, extracts
from mlpipeline.data.cache_key import Question
from mlpipeline.data.cached import Cache
from mlpipeline.errors import DataFault, StoreError


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Database:
    """Counts how often it is asked."""

    def __init__(self, answer: pd.DataFrame) -> None:
        self.answer, self.asked = answer, 0

    def __call__(self) -> pd.DataFrame:
        self.asked += 1
        return self.answer


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", clock=Clock())


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


def question(sql: str = "select :n", connection: str = "c", form: str = "frame", **values: Any) -> Question:
    query = extracts.written(sql, values or {"n": 1})
    return cache_key.question(query, connection=connection, name="main", dialect="sqlite", form=form)


def ask(cache: Cache, database: Database, asked: Question | None = None) -> pd.DataFrame:
    return cache.answer(asked or question(), database, arrow.of_frame, arrow.unpack_frame)


def test_the_same_question_is_asked_once(cache: Cache) -> None:
    database = Database(FRAME)
    for _ in range(3):
        pd.testing.assert_frame_equal(ask(cache, database), FRAME)
    assert database.asked == 1
    (entry,) = cache.entries()
    assert (entry.rows, entry.uses, entry.question) == (3, 2, question())


def test_connections_do_not_share_answers(cache: Cache) -> None:
    database = Database(FRAME)
    ask(cache, database, question(connection="main"))
    ask(cache, database, question(connection="main_two"))
    assert database.asked == 2


def test_the_key_minds_neither_order_nor_layout_but_types_and_content() -> None:
    key = question("select :a, :b", a=1, b=2).key
    assert question("select  :a,\n :b -- x", b=2, a=1).key == key
    others = [
        question("select :a, :b", a=1, b=3),
        question("select :a, :b", a=True, b=2),
        question("select :a, :b", a=1.0, b=2),
        question("select :a, :b", a="1", b=2),
        question("select :a, :b", a=[1], b=2),
        question("select :a, :b", a=2, b=1),
        question("select :b, :a", a=1, b=2),
        question("select :a, :b", a=1, b=2, form="rows"),
        question("select :a, :b", a=1, b=2, connection="d"),
    ]
    assert len({key, *(each.key for each in others)}) == len(others) + 1
    assert question(n=np.int64(1)).key == question(n=1).key


def test_a_long_array_counts_whole() -> None:
    one, two = np.arange(100_000), np.arange(100_000)
    two[50_000] = -1
    assert question(n=one).key != question(n=two).key


def test_a_set_has_no_order_and_a_list_has() -> None:
    assert question(n={"a", "b", "c"}).key == question(n={"c", "b", "a"}).key
    assert question(n=["a", "b"]).key != question(n=["b", "a"]).key


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.dates()
    | st.datetimes() | st.decimals(allow_nan=False) | st.uuids() | st.timedeltas()
)  # fmt: skip


@given(SCALARS, SCALARS)
def test_values_that_differ_in_type_or_value_are_told_apart(one: Any, two: Any) -> None:
    same = type(one) is type(two) and repr(one) == repr(two)
    assert (cache_key.typed({"a": one}) == cache_key.typed({"a": two})) == same


def test_a_value_of_a_strange_type_is_no_key() -> None:
    with pytest.raises(DataFault, match=":n is a object"):
        question(n=object())


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        pd.DataFrame({"a": pd.Series([], dtype="int64")}),
        pd.DataFrame({"t": pd.to_datetime(["2026-01-01 00:00:00.000001", None])}),
        pd.DataFrame({"t": pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Berlin")}),
        pd.DataFrame({"d": [dt.date(2026, 1, 1), None], "n": [None, None]}),
        pd.DataFrame({"x": [Decimal("1.50"), None]}, dtype=object),
        pd.DataFrame({"f": [1.5, np.nan, np.inf], "b": [True, False, True], "o": [True, None, False]}),
        pd.DataFrame({"i": np.array([1, 2], "int8"), "u": np.array([1, 2], "uint64"), "f": np.array([1, 2], "f4")}),
        pd.DataFrame({"raw": [b"\0x", None]}, dtype=object),
        pd.DataFrame({"u": [UUID(int=1), None]}, dtype=object),
    ],
)
def test_frames_come_back_the_same(cache: Cache, frame: pd.DataFrame) -> None:
    database = Database(frame)
    ask(cache, database)
    pd.testing.assert_frame_equal(ask(cache, database), frame)
    assert database.asked == 1


@pytest.mark.parametrize("values", [[1, "two"], [{"a": 1}, {"b": 2}], [[1], [2]], [object()]])
def test_what_would_not_come_back_the_same_is_not_kept_and_that_is_said(
    cache: Cache, values: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(pd.DataFrame({"a": pd.Series(values, dtype=object)}))
    for _ in range(2):
        assert ask(cache, database)["a"].tolist() == values
    assert database.asked == 2
    assert "the answer is not kept" in caplog.text


@pytest.mark.parametrize("rows", [[], [(1, "a", None)], [(1, 2.5), (2, None)], [(Decimal("1.5"), b"x")]])
def test_rows_come_back_the_same(cache: Cache, rows: list[tuple[Any, ...]]) -> None:
    asked = 0

    def database() -> list[tuple[Any, ...]]:
        nonlocal asked
        asked += 1
        return rows

    for _ in range(2):
        assert cache.answer(question(form="rows"), database, arrow.of_rows, arrow.to_rows) == rows
    assert asked == 1


def file_of(cache: Cache) -> Path:
    (entry,) = cache.entries()
    return cache.directory / entry.file


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm", [flip, lambda path: path.write_bytes(b""), lambda path: os.truncate(path, path.stat().st_size - 1)]
)
def test_a_damaged_file_is_said_and_asked_for_again(cache: Cache, harm: Any, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(FRAME)
    ask(cache, database)
    harm(file_of(cache))
    pd.testing.assert_frame_equal(ask(cache, database), FRAME)
    assert database.asked == 2
    assert "is damaged or cannot be read" in caplog.text
    ask(cache, database)
    assert database.asked == 2


def test_a_value_that_was_changed_on_disk_is_never_an_answer(cache: Cache) -> None:
    """Numbers that cannot be compressed stand in the file as they are: Parquet itself would not notice."""
    frame = pd.DataFrame({"a": np.random.default_rng(1).integers(0, 2**62, 200)})
    for place in range(4, 1600, 97):
        database = Database(frame)
        ask(cache, database, question(n=place))
        path = cache.directory / next(each.file for each in cache.entries() if each.key == question(n=place).key)
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)
        pd.testing.assert_frame_equal(ask(cache, database, question(n=place)), frame)
        assert database.asked == 2


def test_a_file_that_is_gone_is_asked_for_again(cache: Cache) -> None:
    database = Database(FRAME)
    ask(cache, database)
    file_of(cache).unlink()
    ask(cache, database)
    assert database.asked == 2


def test_a_damaged_index_is_put_aside_and_the_cache_begins_empty(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(FRAME)
    ask(cache, database)
    (cache.directory / "index.db").write_bytes(b"no database" * 100)
    for _ in range(2):
        pd.testing.assert_frame_equal(ask(cache, database), FRAME)
    assert database.asked == 2
    assert "is damaged: it is kept as index.damaged" in caplog.text


def test_a_directory_that_cannot_be_made_is_said_and_the_question_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache, database = Cache(tmp_path / "file" / "cache"), Database(FRAME)
    pd.testing.assert_frame_equal(ask(cache, database), FRAME)
    assert "cannot be written" in caplog.text
    assert "set cache_dir" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_read_and_what_is_new_is_answered(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(FRAME)
    ask(cache, database)
    cache.directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        ask(cache, database)
        assert database.asked == 1
        ask(cache, database, question(n=2))
        assert "cannot be written" in caplog.text
    finally:
        cache.directory.chmod(stat.S_IRWXU)


def test_a_full_disk_is_said_and_the_question_answered(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    database = Database(FRAME)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        pd.testing.assert_frame_equal(ask(cache, database), FRAME)
    assert "No space left on device" in caplog.text
    assert [path.name for path in cache.directory.iterdir()] == []
    ask(cache, database)
    ask(cache, database)
    assert database.asked == 2


def size_of_one(cache: Cache) -> int:
    return cache.keep(question(n="measure"), arrow.of_frame(FRAME)).bytes


def test_what_was_used_least_lately_goes_first(tmp_path: Path) -> None:
    probe = Cache(tmp_path / "probe")
    limit = int(size_of_one(probe) * 3.5)
    cache, database = Cache(tmp_path / "cache", limit_bytes=limit, clock=Clock()), Database(FRAME)
    for number in range(3):
        ask(cache, database, question(n=number))
    ask(cache, database, question(n=0))
    ask(cache, database, question(n=3))
    kept = {cache_key.words(entry.question.parameters) for entry in cache.entries()}
    assert kept == {"n=0", "n=2", "n=3"}
    files = {path.name for path in cache.directory.glob("*.parquet")}
    assert files == {entry.file for entry in cache.entries()}


def test_an_answer_larger_than_the_cache_is_not_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache, database = Cache(tmp_path, limit_bytes=10), Database(FRAME)
    pd.testing.assert_frame_equal(ask(cache, database), FRAME)
    assert "more than cache_limit (10)" in caplog.text
    assert cache.entries() == []
    with pytest.raises(StoreError):
        cache.keep(question(), arrow.of_frame(FRAME))


def test_an_answer_that_is_too_old_is_asked_for_again(tmp_path: Path) -> None:
    clock = Clock()
    cache, database = Cache(tmp_path, ttl_seconds=100, clock=clock), Database(FRAME)
    ask(cache, database)
    clock.now += 50
    ask(cache, database)
    assert database.asked == 1
    clock.now += 100
    (reason,) = cache.why_not(question())
    assert "more than cache_ttl (100 s)" in reason
    ask(cache, database)
    assert database.asked == 2


def test_hits_and_misses_are_visible(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(FRAME)
    with caplog.at_level(logging.INFO, "mlpipeline.data"):
        ask(cache, database)
        ask(cache, database)
    assert "cache: select :n: miss" in caplog.text
    assert "cache: select :n: hit, 3 rows, asked" in caplog.text


def test_the_difference_to_the_nearest_answer_is_said(cache: Cache) -> None:
    assert cache.why_not(question()) == ["nothing like it is kept"]
    ask(cache, Database(FRAME))
    assert cache.why_not(question()) == []
    assert cache.why_not(question(n="1")) == ["the parameters were: n=1"]
    assert cache.why_not(question("select :n + 1")) == ["the SQL was: select :n"]
    assert "another database" in cache.why_not(question(connection="d"))[0]


def test_clearing_removes_files_and_only_what_was_chosen(cache: Cache) -> None:
    for number in range(3):
        ask(cache, Database(FRAME), question(n=number))
    removed = cache.clear(lambda entry: "n=1" in cache_key.words(entry.question.parameters))
    assert len(removed) == 1
    assert len(list(cache.directory.glob("*.parquet"))) == len(cache.entries()) == 2
    cache.clear()
    assert list(cache.directory.glob("*.parquet")) == []


def test_what_a_killed_process_left_is_swept(cache: Cache) -> None:
    cache.directory.mkdir()
    for name in ("orphan.parquet", ".x.parquet.part"):
        (cache.directory / name).write_bytes(b"x")
        os.utime(cache.directory / name, (1, 1))
    (cache.directory / "notes.txt").write_bytes(b"mine")
    os.utime(cache.directory / "notes.txt", (1, 1))
    ask(cache, Database(FRAME))
    names = {path.name for path in cache.directory.iterdir()}
    assert "notes.txt" in names
    assert not names & {"orphan.parquet", ".x.parquet.part"}


def test_two_writers_of_one_key_leave_one_answer(cache: Cache) -> None:
    cache.keep(question(), arrow.of_frame(FRAME))
    cache.keep(question(), arrow.of_frame(FRAME.head(1)))
    (entry,) = cache.entries()
    assert entry.rows == 1
    assert [path.name for path in cache.directory.glob("*.parquet")] == [entry.file]


def test_nothing_is_pickled(cache: Cache) -> None:
    ask(cache, Database(FRAME))
    assert file_of(cache).read_bytes().startswith(b"PAR1")
    index = sqlite3.connect(cache.directory / "index.db")
    assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    index.close()
