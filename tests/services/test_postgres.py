"""What a connection does on a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import threading
import traceback
import uuid
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
from mlpipeline.data.replicas import Replicas
from mlpipeline.errors import DatabaseError, DataFault
from tests.services.conftest import PASSWORD, Postgres

pytestmark = pytest.mark.services


@pytest.fixture
def db(postgres: Postgres, tmp_path: Path) -> Iterator[Connection]:
    """A connection to a schema of this test's own."""
    made = connect(postgres, tmp_path, f"s_{uuid.uuid4().hex[:8]}")
    yield made
    made.execute(f"drop schema {made.name} cascade")
    made.close()


def connect(server: Postgres, root: Path, schema: str) -> Connection:
    url = f"postgres://{server.address}?options=-csearch_path%3D{schema}"
    made = Connection(url, name=schema, root=root, cache=Cache(root / "cache"))
    made.execute(f"create schema if not exists {schema}")
    return made


@pytest.fixture
def users(db: Connection) -> Connection:
    db.execute("create table users (id integer primary key, name text)")
    db.insert("users", pd.DataFrame({"id": [1, 2, 3], "name": ["a", None, "c"]}))
    return db


def statements(db: Connection) -> list[str]:
    """Returns a list that fills with what is executed on cursors of SQLAlchemy."""
    found: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: found.append(sql))
    return found


def count(db: Connection, table: str = "users") -> int:
    return int(db.select(f"select count(*) from {table}")[0][0])


def test_bulk_inserts_are_no_inserts(db: Connection) -> None:
    db.execute("create table t (id integer, name text)")
    found = statements(db)
    frame = pd.DataFrame({"name": [f"n{n}" for n in range(1001)], "id": range(1001)})
    db.insert("t", frame)
    db.insert("t", frame, batch_size=100)
    assert [sql for sql in found if "insert" in sql.lower()] == []
    assert count(db, "t") == 2002
    assert db.select("select name from t where id = 1000 limit 1") == [("n1000",)]


AWKWARD = [
    "",
    " ",
    "a|b",
    'quo"te',
    "it's",
    "new\nline",
    "re\r\nturn",
    "\\N",
    "\\.",
    ",",
    "tab\t",
    "ü鍵🔑",
    None,
    "NULL",
    "\\",
]


def test_awkward_text_goes_in_and_comes_out(db: Connection) -> None:
    frame = pd.DataFrame({"id": range(len(AWKWARD)), "name": AWKWARD})
    db.execute("create table t (id integer, name text)")
    db.insert("t", frame, batch_size=4)
    pd.testing.assert_frame_equal(db.dataframe("select id, name from t order by id"), frame)
    found = [row[0] for row in db.select("select name from t order by id")]
    assert found == AWKWARD
    alone = db.dataframe("select name from t order by id")
    pd.testing.assert_frame_equal(alone, frame[["name"]])


def test_types_come_as_any_driver_gives_them(db: Connection) -> None:
    sql = """select * from (values
        (1::smallint, 2::int, 3::bigint, 1.5::real, 2.5::float8, 1.25::numeric, true, 'x'::text, 'y'::varchar(3),
         date '2026-01-02', timestamp '2026-01-02 03:04:05.000006', timestamptz '2026-01-02 03:04:05+05:30'),
        (null, null, null, 'NaN', 'Infinity', null, null, '', null, null, null, null)
    ) as t (i2, i4, i8, f4, f8, num, b, s, v, d, ts, tz)"""
    copied = db.dataframe(sql)
    assert {name: str(dtype) for name, dtype in copied.dtypes.items()} == {
        "i2": "float64", "i4": "float64", "i8": "float64", "f4": "float64", "f8": "float64", "num": "float64",
        "b": "object", "s": "str", "v": "str", "d": "object", "ts": "datetime64[us]", "tz": "datetime64[us, UTC]",
    }  # fmt: skip
    first = copied.iloc[0]
    assert first["tz"] == pd.Timestamp("2026-01-01 21:34:05", tz="UTC")
    assert first["d"] == dt.date(2026, 1, 2)
    assert copied["s"].tolist() == ["x", ""]
    assert np.isinf(copied["f8"].iloc[1])
    assert not db.dataframe(f"explain (format text) {sql}").empty


def test_both_ways_of_reading_give_the_same_frame(db: Connection) -> None:
    db.execute("create table t (i bigint, n numeric, b boolean, s text, ts timestamp, tz timestamptz, d date)")
    frame = pd.DataFrame(
        {
            "i": [1, 2], "n": [0.5, 1.5], "b": [True, False], "s": ["x", ""],
            "ts": pd.to_datetime(["2026-01-02 03:04:05.6", "1900-01-01 00:00:00.0"]),
            "tz": pd.to_datetime(["2026-01-02 03:04:05.6", "1900-01-01 00:00:00.0"]).tz_localize("Asia/Tokyo"),
            "d": [dt.date(2026, 1, 2), dt.date(1900, 1, 1)],
        }
    )  # fmt: skip
    db.insert("t", frame)
    fast = db.dataframe("select * from t order by i")
    slow = db.dataframe(
        "insert into t select i + 2, n, b, s, ts, tz, d from t returning i - 2 as i, n, b, s, ts, tz, d"
    )
    pd.testing.assert_frame_equal(fast, slow.sort_values("i", ignore_index=True))
    assert fast["tz"].tolist() == frame["tz"].tolist()


def test_what_arrow_cannot_read_comes_row_by_row(db: Connection) -> None:
    ident = uuid.uuid4()
    frame = db.dataframe(
        "select :u::uuid as u, jsonb_build_object('a', 1) as j, array[1, 2] as l, '\\x00ff'::bytea as raw, "
        "interval '1 day' as span, date '0044-03-15 BC' > date '0045-01-01 BC' as bc", u=str(ident)
    )  # fmt: skip
    assert frame["u"].iloc[0] == ident
    assert frame["j"].iloc[0] == {"a": 1}
    assert frame["l"].iloc[0] == [1, 2]
    assert frame["raw"].iloc[0] == b"\0\xff"
    assert frame["span"].iloc[0] == pd.Timedelta(days=1)
    far = db.dataframe("select timestamp '9999-12-31 23:59:59' as far, 1 as n")
    assert far["far"].iloc[0] == pd.Timestamp("9999-12-31 23:59:59")
    with pytest.raises(DatabaseError, match=r"infinity|inf"):
        db.dataframe("select timestamp 'infinity' as i")


def test_objects_of_every_kind_are_inserted(db: Connection) -> None:
    db.execute("create table t (u uuid, j jsonb, raw bytea, span interval, n numeric, i integer, b boolean, t time)")
    ident = uuid.uuid4()
    frame = pd.DataFrame(
        {
            "u": pd.Series([ident, None], dtype=object),
            "j": pd.Series([{"a": [1, "x\"'\n"]}, None], dtype=object),
            "raw": pd.Series([b"\0\xff\\x", None], dtype=object),
            "span": pd.to_timedelta(["1 day 00:00:01.5", None]),
            "n": pd.Series([Decimal("1.25"), None], dtype=object),
            "i": [7.0, np.nan],
            "b": pd.Series([True, None], dtype=object),
            "t": pd.Series([dt.time(3, 4, 5, 6), None], dtype=object),
        }
    )
    db.insert("t", frame)
    full, empty = db.select("select * from t order by i")
    span = dt.timedelta(days=1, seconds=1.5)
    assert full == (
        ident,
        {"a": [1, "x\"'\n"]},
        b"\0\xff\\x",
        span,
        Decimal("1.25"),
        7,
        True,
        dt.time(3, 4, 5, 6),
    )
    assert empty == (None,) * 8


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"id": [1.5]}), "column 'id' has a value that does not fit INTEGER"),
        (pd.DataFrame({"nme": ["x"]}), r"no column 'nme'\. Did you mean 'name'"),
        (pd.DataFrame({"name": pd.Series([1, "x"], dtype=object)}), "column 'name' has a value"),
        (pd.DataFrame({"name": pd.Series([["x"]], dtype=object)}), "column 'name' holds lists"),
        (pd.DataFrame({"id": [2**40]}), "out of range"),
        (pd.DataFrame({"id": [9], "name": ["nul\0"]}), r"0x00|NUL"),
    ],
)
def test_values_that_do_not_fit_are_refused(users: Connection, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises((DataFault, DatabaseError), match=message):
        users.insert("users", frame)
    assert count(users) == 3


def test_three_inserts_and_a_select_in_one_text(users: Connection) -> None:
    rows = users.select(
        "insert into users values (:a, ';'); insert into users values (5, 'x'); insert into users values (6, 'y');"
        "select * from users where id > 3", a=4,
    )  # fmt: skip
    assert len(rows) == 3


def test_lists_are_bound_also_empty_ones(users: Connection) -> None:
    for ids in ((1, 2, 3), [1, 2, 3], np.array([1, 2, 3])):
        assert len(users.select("select * from users where id in :ids", ids=ids)) == 3
        assert len(users.dataframe("select * from users where id in %(ids)s", ids=ids)) == 3
    for column in ("id", "name"):
        assert users.select(f"select * from users where {column} in :ids", ids=[]) == []
        assert len(users.select(f"select * from users where {column} not in (:ids)", ids=[])) == 3


def test_values_are_bound_wherever_they_stand(users: Connection) -> None:
    assert users.select("select id from users where :n is null or name = :n order by 1", n=None) == [(1,), (2,), (3,)]
    assert users.select("select id from users where :n is null or name = :n", n="c") == [(3,)]
    assert users.dataframe("select :s as s, '100%' as p", s="it's 50% \\ ;--")["s"].tolist() == ["it's 50% \\ ;--"]
    assert users.select("select $$ :x $$, 7 % 4, '{a}' || $t$'$t$") == [(" :x ", 3, "{a}'")]
    users.temp_table("few", "select * from users where id < :most", most=3)
    assert count(users, "few") == 2
    users.execute("create table made as select * from users where id = :id", id=1)
    assert count(users, "made") == 1


def test_chunks_are_streamed(db: Connection) -> None:
    parts = db.dataframe("select n, 'row ' || n as s from generate_series(1, 10001) n", chunksize=4000)
    sizes = []
    for part in parts:
        sizes.append(len(part))
        assert db.select("select 1") == [(1,)]
    assert sizes == [4000, 4000, 2001]
    (empty,) = db.dataframe("select 1 as n where false", chunksize=10)
    assert str(empty["n"].dtype) == "int64"


def test_leaving_a_stream_leaves_a_connection_that_works(db: Connection) -> None:
    parts = db.dataframe("select * from generate_series(1, 1000000) n", chunksize=10)
    assert len(next(parts)) == 10
    parts.close()
    assert db.select("select 1") == [(1,)]
    with db:
        parts = db.dataframe("select * from generate_series(1, 1000000) n", chunksize=10)
        next(parts)
        parts.close()
        assert db.select("select 1") == [(1,)]


def test_a_fault_has_the_line_at_which_it_is(users: Connection) -> None:
    path = users.root / "extracts" / "bad.sql"
    path.parent.mkdir()
    path.write_text("-- who\nselect 1;\n\nselect id,\n  nme\nfrom users\nwhere id = :id")
    for ask in (users.select, users.dataframe):
        with pytest.raises(DatabaseError, match=r'^extracts/bad\.sql:5: column "nme" does not exist') as caught:
            ask(extract="bad", id=1)
        assert "where id = :id" in str(caught.value)
    assert users.select("select 1") == [(1,)]


def test_a_statement_says_who_asks(db: Connection) -> None:
    shown = db.select("select query from pg_stat_activity where pid = pg_backend_pid()")[0][0]
    assert "caller='test_postgres.py%3A" in shown
    frame = db.dataframe("select query from pg_stat_activity where pid = pg_backend_pid()")
    assert "caller='test_postgres.py%3A" in frame["query"].iloc[0]


def told(error: BaseException) -> str:
    """Returns all that a traceback, a debugger or a log could show of an error."""
    seen: list[str] = ["".join(traceback.format_exception(error))]
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None:
            seen.append(f"{each!r} {each} {each.args!r}")
            waiting += [each.__cause__, each.__context__]
    return "\n".join(seen)


def test_a_wrong_password_is_said_and_never_shown(postgres: Postgres, tmp_path: Path) -> None:
    db = Connection(f"postgres://mlp:wr0ng%40secret@127.0.0.1:{postgres.port}/postgres", root=tmp_path)
    with pytest.raises(
        DatabaseError, match=r"cannot connect to postgresql\+psycopg://mlp:\*\*\*@127.*authentication"
    ) as c:
        db.select("select 1")
    for spelling in ("wr0ng%40secret", "wr0ng@secret"):
        assert spelling not in told(c.value)


def test_a_server_that_repeats_the_password_shows_it_to_nobody(db: Connection) -> None:
    with pytest.raises(DatabaseError) as caught:
        db.execute(f"select '{PASSWORD}'::integer")
    assert PASSWORD not in told(caught.value)
    assert "***" in str(caught.value)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    db = Connection("postgres://mlp:s3cret@127.0.0.1:1/postgres", root=tmp_path)
    with pytest.raises(DatabaseError, match=r"cannot connect to .*@127\.0\.0\.1:1/postgres: .*refused") as caught:
        db.select("select 1")
    assert "s3cret" not in told(caught.value)


def test_temporary_tables_are_this_connections(users: Connection, postgres: Postgres) -> None:
    users.temp_table("few", "select * from users")
    users.select("select 1")
    assert count(users, "few") == 3
    assert sum(len(part) for part in users.dataframe("select * from few", chunksize=2)) == 3
    beside = connect(postgres, users.root, users.name)
    with pytest.raises(DatabaseError, match='"few" does not exist'):
        beside.select("select * from few")
    users.temp_table("users", "select 1 as id")
    assert users.select("select count(*) from pg_temp.users") == [(1,)]
    users.close()
    assert count(users) == 3
    with pytest.raises(DatabaseError):
        users.select("select * from few")
    beside.close()


def test_transactions_commit_and_roll_back(users: Connection, postgres: Postgres) -> None:
    beside = connect(postgres, users.root, users.name)
    with users:
        users.insert("users", pd.DataFrame({"id": [4], "name": ["d"]}))
        beside.execute("insert into users values (5, 'e')")
        assert (count(users), count(beside)) == (5, 4)
    assert count(beside) == 5

    def attempt() -> None:
        with users:
            users.execute("delete from users where id = 5")
            users.execute("insert into users values (1, 'again')")

    with pytest.raises(DatabaseError, match="duplicate key"):
        attempt()
    assert count(users) == 5
    with users:
        users.execute("insert into users values (6, 'f')")
        with pytest.raises(DatabaseError), users:
            users.execute("insert into users values (7, 'g'); insert into users values (1, 'again')")
        users.execute("insert into users values (8, 'h')")
    assert [row[0] for row in beside.select("select id from users where id > 5 order by 1")] == [6, 8]
    beside.close()


def test_a_commit_that_is_refused_is_said_and_leaves_nothing_open(db: Connection) -> None:
    db.execute("create table t (id integer unique deferrable initially deferred)")

    def attempt() -> None:
        with db:
            db.execute("insert into t values (1)")
            db.execute("insert into t values (1)")

    with pytest.raises(DatabaseError, match="duplicate key"):
        attempt()
    assert count(db, "t") == 0
    db.execute("insert into t values (1)")
    assert count(db, "t") == 1


def test_a_question_does_not_block_writers(users: Connection, postgres: Postgres) -> None:
    users.dataframe("select * from users")
    beside = connect(postgres, users.root, users.name)
    beside.execute("set lock_timeout = '5s'; alter table users add column more integer")
    assert "more" in users.dataframe("select * from users").columns
    beside.close()


def terminate(db: Connection, pid: int) -> None:
    db.execute("select pg_terminate_backend(:pid)", pid=pid)


def pid_of(db: Connection) -> int:
    return int(db.select("select pg_backend_pid()")[0][0])


def test_a_killed_connection_is_opened_again_once(users: Connection, postgres: Postgres) -> None:
    beside = connect(postgres, users.root, users.name)
    for ask in (users.select, users.dataframe):
        before = pid_of(users)
        terminate(beside, before)
        assert len(ask("select * from users")) == 3
        assert pid_of(users) != before
    terminate(beside, pid_of(users))
    users.execute("insert into users values (4, 'd')")
    terminate(beside, pid_of(users))
    users.insert("users", pd.DataFrame({"id": [5], "name": ["e"]}))
    assert count(beside) == 5
    beside.close()


def test_a_connection_killed_in_a_transaction_is_no_success(users: Connection, postgres: Postgres) -> None:
    beside = connect(postgres, users.root, users.name)

    def attempt() -> None:
        with users:
            users.execute("insert into users values (4, 'd')")
            terminate(beside, pid_of(users))
            users.execute("insert into users values (5, 'e')")

    with pytest.raises(DatabaseError):
        attempt()
    assert count(users) == 3

    def attempt() -> None:
        with users:
            terminate(beside, pid_of(users))
            with pytest.raises(DatabaseError):
                users.select("select 1")
            users.select("select 1")

    with pytest.raises(DatabaseError, match="lost within this transaction"):
        attempt()
    assert count(users) == 3

    def attempt() -> None:
        with users:
            users.execute("insert into users values (4, 'd')")
            terminate(beside, pid_of(users))

    with pytest.raises(DatabaseError):
        attempt()
    assert count(users) == 3
    beside.close()


def test_what_changes_something_is_not_sent_twice(users: Connection, postgres: Postgres) -> None:
    beside = connect(postgres, users.root, users.name)
    pid = pid_of(users)

    def kill_when_it_sleeps() -> None:
        while not beside.select("select 1 from pg_stat_activity where pid = :p and wait_event = 'PgSleep'", p=pid):
            pass
        terminate(beside, pid)

    killer = threading.Thread(target=kill_when_it_sleeps)
    killer.start()
    with pytest.raises(DatabaseError, match="whether the statement took effect is not known"):
        users.execute("insert into users select 4, pg_sleep(60)::text")
    killer.join()
    beside.close()
    assert count(users) == 3


def test_a_killed_server_that_is_back_is_asked_again(users: Connection, postgres: Postgres) -> None:
    assert count(users) == 3
    postgres.stop("immediate")
    with pytest.raises(DatabaseError, match="cannot connect"):
        users.select("select 1")
    postgres.start()
    assert count(users) == 3
    postgres.stop("immediate")
    postgres.start()
    assert len(users.dataframe("select * from users")) == 3
    postgres.stop("immediate")
    postgres.start()
    users.execute("insert into users values (4, 'd')")
    assert count(users) == 4


def test_a_fork_has_connections_of_its_own(users: Connection) -> None:
    parent = pid_of(users)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = json.dumps([pid_of(users), count(users)])
        except BaseException as error:  # whatever it is, the parent is told
            said = json.dumps(repr(error))
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        pid, rows = json.loads(file.read())
    os.waitpid(child, 0)
    assert (pid != parent, rows) == (True, 3)
    assert pid_of(users) == parent


def test_threads_have_connections_of_their_own(users: Connection) -> None:
    found: list[Any] = []
    gate = threading.Barrier(20)

    def ask() -> None:
        gate.wait(60)
        found.append((pid_of(users), pid_of(users), count(users)))
        gate.wait(60)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({first for first, _, _ in found}) == 20
    assert all(first == second and rows == 3 for first, second, rows in found)


def test_several_urls_are_used_in_turn(users: Connection, postgres: Postgres) -> None:
    both = Replicas([connect(postgres, users.root, users.name) for _ in range(2)])
    pids = [both.select("select pg_backend_pid()")[0][0] for _ in range(6)]
    assert len(set(pids)) == 2
    assert all(one != two for one, two in itertools.pairwise(pids))
    with both as tx:
        assert len({tx.select("select pg_backend_pid()")[0][0] for _ in range(4)}) == 1
    both.close()


def test_an_answer_is_kept(users: Connection) -> None:
    sql = "select id, name, now() as t, 1.5::numeric as n from users where id < :most"
    first = users.dataframe(sql, most=3, cache=True)
    users.execute("delete from users")
    pd.testing.assert_frame_equal(users.dataframe(sql, most=3, cache=True), first)
    rows = users.select("select now(), 1.5::numeric, null::text", cache=True)
    assert users.select("select now(), 1.5::numeric, null::text", cache=True) == rows


def test_parquet_goes_out_and_comes_in(users: Connection, tmp_path: Path) -> None:
    place = str(tmp_path / "out")
    assert len(users.unload(place, "select * from users order by id", rows_per_file=2)) == 2
    users.load("copied", place, create=True)
    assert users.select("select * from copied order by id") == users.select("select * from users order by id")
