"""What a connection does, on the embedded databases."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from mlpipeline.data.cached import Cache
from mlpipeline.data.connection import Connection
from mlpipeline.errors import DatabaseError, DataFault, ExtractNotFound, UsageError

FRAME = pd.DataFrame({"id": [1, 2, 3], "name": ["a", None, 'it\'s "x"|\n,']})


@pytest.fixture(params=["sqlite", "duckdb"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    made = Connection(f"{request.param}:///d.db", name="main", root=tmp_path, cache=Cache(tmp_path / "cache"))
    yield made
    made.close()


@pytest.fixture
def users(db: Connection) -> Connection:
    db.execute("create table users (id integer primary key, name text)")
    db.insert("users", FRAME)
    return db


def extract(db: Connection, name: str, text: str) -> None:
    path = db.root / "extracts" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def other(db: Connection) -> Connection:
    return Connection(f"{db.adapter}:///d.db", root=db.root)


def count(db: Connection, table: str = "users") -> int:
    return int(db.select(f"select count(*) from {table}")[0][0])


def test_rows_come_as_a_frame_with_types(users: Connection) -> None:
    frame = users.dataframe("select id, name from users order by id")
    pd.testing.assert_frame_equal(frame, FRAME)
    assert list(map(str, frame.dtypes)) == ["int64", "str"]


def test_rows_come_as_tuples(users: Connection) -> None:
    assert users.select("select id, name from users where id < :most order by id", most=3) == [(1, "a"), (2, None)]
    assert users.execute("select 1") is None  # type: ignore[func-returns-value]


def test_both_spellings_of_parameters_are_bound(users: Connection) -> None:
    for sql in ("select id from users where name = :n", "select id from users where name = %(n)s"):
        assert users.select(sql, n='it\'s "x"|\n,') == [(3,)]
        assert users.select(sql, n="' or 1=1 --") == []


def test_lists_expand(users: Connection) -> None:
    for ids in ([1, 2, 3], (1, 2, 3), {1, 2, 3}, np.array([1, 2, 3]), pd.Series([1, 2, 3])):
        assert len(users.select("select * from users where id in :ids", ids=ids)) == 3
    assert users.select("select * from users where id in (:ids)", ids=[]) == []
    assert len(users.select("select * from users where id not in :ids", ids=[])) == 3


def test_literals_and_comments_hold_no_parameters(users: Connection) -> None:
    sql = "select 'a{b}c', ':x', '%(y)s', '100%', 7 % 4 /* :z */ -- :q"
    assert users.select(sql) == [("a{b}c", ":x", "%(y)s", "100%", 3)]
    assert users.select("select '100%', :v", v=1) == [("100%", 1)]


def test_several_statements_give_the_rows_of_the_last(users: Connection) -> None:
    rows = users.select(
        "insert into users values (4, ';'); insert into users values (5, 'b');"
        "insert into users values (6, 'c'); select id from users where id > 3 order by id;"
    )
    assert rows == [(4,), (5,), (6,)]


def test_several_statements_are_one_transaction(users: Connection) -> None:
    with pytest.raises(DatabaseError):
        users.execute("insert into users values (4, 'x'); insert into nowhere values (1)")
    assert count(users) == 3


def test_chunks_are_frames_of_so_many_rows(users: Connection) -> None:
    parts = list(users.dataframe("select id from users order by id", chunksize=2))
    assert [part["id"].tolist() for part in parts] == [[1, 2], [3]]
    (empty,) = users.dataframe("select id from users where id > 9", chunksize=2)
    assert list(empty.columns) == ["id"]
    assert empty.empty


def test_another_question_may_be_asked_between_chunks(users: Connection) -> None:
    parts = users.dataframe("select id from users order by id", chunksize=1)
    assert next(parts)["id"].tolist() == [1]
    assert count(users) == 3
    assert next(parts)["id"].tolist() == [2]
    parts.close()


def test_chunks_see_what_the_transaction_and_temporary_tables_hold(users: Connection) -> None:
    with users:
        users.execute("insert into users values (4, 'd')")
        assert sum(len(part) for part in users.dataframe("select * from users", chunksize=2)) == 4
    users.temp_table("few", "select * from users where id < 3")
    assert sum(len(part) for part in users.dataframe("select * from few", chunksize=1)) == 2


@pytest.mark.parametrize("arguments", [{"cache": True, "chunksize": 1}, {"chunksize": 0}])
def test_chunks_and_cache_do_not_go_together(users: Connection, arguments: Any) -> None:
    with pytest.raises(DataFault) as caught:
        users.dataframe("select 1", **arguments)
    assert isinstance(caught.value, ValueError)


def test_an_answer_is_kept(users: Connection, caplog: pytest.LogCaptureFixture) -> None:
    sql = "select id, name from users where id <= :most order by id"
    first = users.dataframe(sql, most=2, cache=True)
    users.execute("delete from users")
    pd.testing.assert_frame_equal(users.dataframe(sql, most=2, cache=True), first)
    assert users.dataframe(sql, most=2).empty
    assert users.dataframe(sql, most=3, cache=True).empty
    assert users.select("select count(*) from users", cache=True) == [(0,)]
    users.execute("insert into users values (1, 'a')")
    assert users.select("select count(*) from users", cache=True) == [(0,)]


def test_connections_with_one_cache_do_not_share_answers(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    for number, url in enumerate(("sqlite:///a.db", "sqlite:///b.db", "duckdb:///c.db", "sqlite://", "sqlite://")):
        db = Connection(url, root=tmp_path, cache=cache)
        db.execute("create table t (n integer)")
        db.execute("insert into t values (:n)", n=number)
        assert db.select("select n from t", cache=True) == [(number,)]
        db.close()


def test_without_a_cache_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no cache"):
        Connection("sqlite://", root=tmp_path).dataframe("select 1", cache=True)


def test_extracts_are_asked(users: Connection) -> None:
    extract(users, "few.sql", "select id from users limit :limit")
    assert users.dataframe(extract="few", limit=2)["id"].tolist() == [1, 2]
    assert users.dataframe(filename="few", limit=1)["id"].tolist() == [1]
    extract(users, "t.sql.j2", "select id from {{ t | identifier }} where id = {{ id }}")
    assert users.select(extract="t", t="users", id=2) == [(2,)]
    with pytest.raises(ExtractNotFound):
        users.dataframe(extract="none")
    with pytest.raises(UsageError, match="either sql or extract"):
        users.dataframe("select 1", extract="few")
    with pytest.raises(UsageError, match="either sql or extract"):
        users.select()


def test_a_fault_in_sql_has_file_line_and_statement(users: Connection) -> None:
    extract(users, "bad.sql", "-- who\n\nselect id\nfrom users\nwhere nme = :n;\n")
    with pytest.raises(DatabaseError) as caught:
        users.dataframe(extract="bad", n=1)
    assert str(caught.value).startswith("extracts/bad.sql:5: ")
    assert "nme" in str(caught.value)
    assert "where nme = :n" in str(caught.value)
    with pytest.raises(DatabaseError, match=r"SQL:1: .*syntax error"):
        users.select("selec 1")
    with pytest.raises(DataFault, match=r"extracts/bad\.sql:5: the parameter :n has no value"):
        users.dataframe(extract="bad")


def heard(db: Connection) -> list[str]:
    """Returns a list that fills with the statements that the driver is given."""
    found: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: found.append(sql))
    return found


def test_a_statement_says_who_asks(users: Connection) -> None:
    found = heard(users)
    users.select("select 1")
    (said,) = found
    assert f"application='{users.root.name}'" in said
    assert "caller='test_connection.py%3A" in said
    assert "in%20test_a_statement_says_who_asks'*/" in said


def test_comments_can_be_left_out(tmp_path: Path) -> None:
    db = Connection("sqlite://", root=tmp_path, annotated=False)
    found = heard(db)
    db.select("select 1")
    assert found == ["select 1"]
    db.close()


def test_rows_are_inserted_by_name_in_batches(db: Connection) -> None:
    db.execute('create table "Or der" ("select" integer, "b c" text, rest integer default 7)')
    frame = pd.DataFrame({"b c": [f"r{n}" for n in range(1001)], "select": range(1001)})
    db.insert('"Or der"', frame, batch_size=100)
    assert db.select('select "select", "b c", rest from "Or der" where "select" = 1000') == [(1000, "r1000", 7)]
    assert count(db, '"Or der"') == 1001


def test_an_insert_is_all_or_nothing(users: Connection) -> None:
    frame = pd.DataFrame({"id": [10, 11, 1], "name": ["x", "y", "z"]})
    with pytest.raises(DatabaseError):
        users.insert("users", frame, batch_size=1)
    assert count(users) == 3


def test_types_go_in_and_come_out(db: Connection) -> None:
    frame = pd.DataFrame(
        {
            "i": np.array([1, -(2**62)], "int64"),
            "f": [0.1, np.nan],
            "s": ["ü|'\"\\N", ""],
            "b": [True, False],
            "t": pd.to_datetime(["2026-01-02 03:04:05.000006", None]),
            "d": pd.Series([dt.date(2026, 1, 2), None], dtype=object),
            "raw": pd.Series([b"\0\xff", None], dtype=object),
            "dec": pd.Series([Decimal("1.25"), None], dtype=object),
            "o": pd.Series([None, None], dtype=object),
        }
    )
    db.insert("kinds", frame, create=True)
    found = db.dataframe("select * from kinds")
    assert found["i"].tolist() == [1, -(2**62)]
    assert found["f"].iloc[0] == 0.1
    assert found["s"].tolist() == ["ü|'\"\\N", ""]
    assert found["b"].tolist() == [True, False]
    assert found["raw"].iloc[0] == b"\0\xff"
    assert float(found["dec"].iloc[0]) == 1.25
    assert found[["f", "t", "d", "raw", "dec"]].iloc[1].isna().all()
    assert found["o"].isna().all()
    if db.adapter == "duckdb":
        assert found["t"].iloc[0] == pd.Timestamp("2026-01-02 03:04:05.000006")
        assert found["d"].iloc[0] == dt.date(2026, 1, 2)
    else:
        assert found["t"].iloc[0] == "2026-01-02 03:04:05.000006"
        assert found["d"].iloc[0] == "2026-01-02"
        moment = dt.datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001 - what a database holds
        assert db.select("select i from kinds where t = :t", t=moment) == [(1,)]


@pytest.mark.parametrize(
    ("table", "frame", "message"),
    [
        ("nowhere", FRAME, "there is no table nowhere"),
        (
            "users",
            FRAME.rename(columns={"name": "nme"}),
            r"users has no column 'nme'\. Did you mean 'name'\? It has",
        ),
        ("users", [1], "users: list cannot be inserted: give a pandas DataFrame"),
        ("a.b.c", FRAME, "is no name of a table"),
        ("users", pd.concat([FRAME, FRAME], axis=1), "two columns are called 'id'"),
    ],
)
def test_what_cannot_be_inserted_is_refused(users: Connection, table: str, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises((DataFault, DatabaseError), match=message):
        users.insert(table, frame)
    with pytest.raises((DataFault, DatabaseError), match=message):
        users.replace(table, frame)
    assert count(users) == 3


def test_an_empty_frame_inserts_nothing(users: Connection) -> None:
    users.insert("users", FRAME.head(0))
    users.insert("made", FRAME.head(0), create=True)
    assert (count(users), count(users, "made")) == (3, 0)


def test_two_columns_of_one_name_are_refused_in_a_frame_and_not_in_rows(users: Connection) -> None:
    assert users.select("select 1 as a, 2 as a") == [(1, 2)]
    with pytest.raises(DataFault, match="two columns are called 'a'"):
        users.dataframe("select 1 as a, 2 as a")


def test_a_replaced_table_keeps_indexes_and_views_and_tells_listeners(users: Connection) -> None:
    users.execute("create unique index by_name on users (name); create view above as select * from users where id > 1")
    told: list[Any] = []
    users.after_replace(lambda table, frame: told.append((table, len(frame))))
    users.replace("users", FRAME.assign(name=["x", "y", "z"]), batch_size=2)
    assert users.select("select name from above order by id") == [("y",), ("z",)]
    with pytest.raises(DatabaseError):
        users.insert("users", pd.DataFrame({"id": [9], "name": ["x"]}))
    assert told == [("users", 3)]


def test_a_replace_that_fails_changes_nothing(users: Connection) -> None:
    told: list[Any] = []
    users.after_replace(lambda table, frame: told.append(table))
    with pytest.raises(DatabaseError):
        users.replace("users", pd.DataFrame({"id": [7, 7], "name": ["x", "y"]}))
    pd.testing.assert_frame_equal(users.dataframe("select * from users order by id"), FRAME)
    assert told == []


def test_a_temporary_table_is_this_connections(users: Connection) -> None:
    users.temp_table("few", "select * from users where id < :most", most=3)
    users.temp_table("few", "select * from users where id < :most", most=2)
    assert count(users, "few") == 1
    users.temp_table("more", extract=None, sql="select * from few")
    beside = other(users)
    with pytest.raises(DatabaseError):
        beside.select("select * from few")
    beside.close()
    with pytest.raises(DataFault, match="of one query"):
        users.temp_table("few", "select 1; select 2")
    users.close()
    with pytest.raises(DatabaseError):
        users.select("select * from few")
    assert count(users) == 3


def test_a_temporary_table_is_this_threads(users: Connection) -> None:
    users.temp_table("few", "select * from users")
    said: list[Any] = []

    def ask() -> None:
        try:
            said.append(users.select("select * from few"))
        except DatabaseError as error:
            said.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert isinstance(said[0], DatabaseError)


def test_what_is_done_is_seen_by_others_at_once(users: Connection) -> None:
    beside = other(users)
    users.execute("insert into users values (4, 'd')")
    assert count(beside) == 4
    beside.execute("insert into users values (5, 'e')")
    assert count(users) == 5
    beside.close()


def test_a_transaction_is_committed_or_rolled_back(users: Connection) -> None:
    beside = other(users)
    with users as tx:
        tx.execute("insert into users values (4, 'd')")
        assert count(users) == 4
        assert count(beside) == 3
    assert count(beside) == 4

    def attempt() -> None:
        users.execute("delete from users")
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"), users.transaction():
        attempt()
    assert count(users) == 4
    beside.close()


def test_a_failed_statement_leaves_no_transaction_open(users: Connection) -> None:
    def attempt() -> None:
        with users:
            users.execute("insert into users values (4, 'd')")
            users.execute("insert into users values (1, 'again')")

    with pytest.raises(DatabaseError):
        attempt()
    assert count(users) == 3
    users.execute("insert into users values (4, 'd')")
    beside = other(users)
    assert count(beside) == 4
    beside.close()


def test_a_block_within_a_block_can_fail_alone_where_there_are_savepoints(users: Connection) -> None:
    with users:
        users.execute("insert into users values (4, 'd')")

        def attempt() -> None:
            with users:
                users.execute("insert into users values (5, 'e')")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            attempt()
    assert count(users) == (4 if users.adapter == "sqlite" else 5)


def test_closing_within_a_transaction_keeps_nothing_of_it(users: Connection) -> None:
    def attempt() -> None:
        with users:
            users.execute("insert into users values (4, 'd')")
            users.close()

    with pytest.raises(DatabaseError, match="closed within the transaction"):
        attempt()
    assert count(users) == 3
    with users:
        users.execute("insert into users values (4, 'd')")
    assert count(users) == 4


def test_threads_have_connections_of_their_own(users: Connection) -> None:
    failed: list[BaseException] = []
    gate = threading.Barrier(20)

    def work() -> None:
        try:
            gate.wait(60)
            for _ in range(3):
                assert count(users) == 3
            gate.wait(60)
        except BaseException as error:  # told to the test, which runs in another thread
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_parquet_goes_out_and_comes_in(users: Connection, tmp_path: Path) -> None:
    place = str(tmp_path / "out")
    written = users.unload(place, "select * from users where id > :least order by id", rows_per_file=1, least=1)
    assert len(written) == 2
    pd.testing.assert_frame_equal(users.load_dataframe(place), FRAME.iloc[1:].reset_index(drop=True))
    with pytest.raises(DataFault, match="holds 2 Parquet files"):
        users.unload(place, "select 1 as one")
    assert users.unload(place, "select * from users", overwrite=True) == written[:1]
    users.load("copied", place, create=True)
    assert users.select("select * from copied order by id") == users.select("select * from users order by id")
    with pytest.raises(DatabaseError):
        users.load("users", place)
    assert count(users) == 3


def test_what_is_no_parquet_is_refused(users: Connection, tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="holds no Parquet file"):
        users.load_dataframe(str(tmp_path / "nowhere"))
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    for load in (users.load_dataframe, lambda place: users.load("users", place)):
        with pytest.raises(DataFault, match=r"x\.parquet is no Parquet file, or damaged"):
            load(str(tmp_path))


def test_an_empty_answer_is_a_file_with_columns(users: Connection) -> None:
    place = f"memory://{users.adapter}-{users.root.name}"
    users.unload(place, "select id, name from users where id > 9")
    found = users.load_dataframe(place)
    assert list(found.columns) == ["id", "name"]
    assert found.empty


@pytest.mark.parametrize("sql", ["", " ; -- nothing", "/* x */"])
def test_sql_without_a_statement_is_refused(users: Connection, sql: str) -> None:
    with pytest.raises(DataFault, match="holds no statement"):
        users.execute(sql)


def test_identifiers_are_quoted(users: Connection) -> None:
    assert users.quote_identifier("plain") == "plain"
    assert users.quote_identifier('we"ird') == '"we""ird"'


def test_the_lines_of_triggers_stay_together(tmp_path: Path) -> None:
    db = Connection("sqlite://", root=tmp_path)
    db.execute(
        "create table t (n integer); create table log (n integer);"
        "create trigger t1 after insert on t begin insert into log values (new.n); insert into log values (0); end;"
        "insert into t values (5)"
    )
    assert db.select("select n from log") == [(5,), (0,)]
    db.close()


def test_a_database_that_cannot_be_opened_is_said_without_secrets(tmp_path: Path) -> None:
    db = Connection("sqlite:///nowhere/d.db", root=tmp_path)
    with pytest.raises(DatabaseError, match=r"cannot connect to sqlite:///nowhere/d\.db: unable to open"):
        db.select("select 1")
    assert (
        repr(Connection("postgres://u:s3cret@h/d")) == "Connection('postgresql+psycopg://u:***@h/d', name='connection')"
    )


def test_importing_needs_no_database() -> None:
    import subprocess
    import sys

    script = "import sys, mlpipeline.data; print([n for n in ('sqlalchemy', 'pandas', 'pyarrow') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
