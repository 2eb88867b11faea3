"""A table is replaced while others read it, and everything that hangs on it follows, or it is not replaced."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlpipeline.data.connection import Connection
from mlpipeline.data.dialects.postgres import PostgresDialect
from mlpipeline.errors import DatabaseError, DataFault
from tests.services.conftest import Postgres, until
from tests.services.test_postgres import connect, count, db, users

__all__ = ["db", "users"]
pytestmark = pytest.mark.services

LONG = "i" * 63
LONG_TABLE = "t" * 63


def new(rows: int = 4) -> pd.DataFrame:
    return pd.DataFrame({"id": range(10, 10 + rows), "name": [f"n{n}" for n in range(rows)]})


def indexes(db: Connection, table: str = "users") -> list[tuple[str, ...]]:
    return db.select(
        "select indexname::text, regexp_replace(indexdef, ' ON .* USING', ' USING') from pg_indexes "
        "where tablename = :t and schemaname = current_schema() order by 1", t=table,
    )  # fmt: skip


def test_rows_and_indexes_are_kept(users: Connection) -> None:
    users.execute(
        f"create unique index {LONG} on users (lower(name)) where id > 0;"
        'create index "od d USING x" on users using hash (name); alter table users add unique (id, name)'
    )
    before = indexes(users)
    assert len(before) == 4
    for _ in range(3):
        users.replace("users", new(), batch_size=2)
        assert indexes(users) == before
        assert users.select("select * from users order by id") == [(n + 10, f"n{n}") for n in range(4)]
    with pytest.raises(DatabaseError, match=LONG):
        users.insert("users", pd.DataFrame({"id": [99], "name": ["N0"]}))
    with pytest.raises(DatabaseError, match="users_pkey"):
        users.insert("users", pd.DataFrame({"id": [10], "name": ["x"]}))


def test_the_former_rows_stay_beside(users: Connection) -> None:
    users.replace("users", new())
    assert users.select("select id from users_b order by 1") == [(1,), (2,), (3,)]
    users.replace("users", new(1))
    assert count(users, "users_b") == 4
    assert users.select("select tablename::text from pg_tables where schemaname = current_schema() order by 1") == [
        ("users",), ("users_b",),
    ]  # fmt: skip


def test_names_of_63_bytes_are_no_trouble(db: Connection) -> None:
    db.execute(f"create table {LONG_TABLE} (id integer constraint {LONG} primary key, name text)")
    for rows in (2, 3, 4):
        db.replace(LONG_TABLE, new(rows))
        assert count(db, LONG_TABLE) == rows
        assert [name for name, _ in indexes(db, LONG_TABLE)] == [LONG]


def test_names_that_must_be_quoted_are_no_trouble(db: Connection) -> None:
    db.execute('create table "Or der.x" ("a b" integer unique, "select" text)')
    for _ in range(2):
        db.replace('"Or der.x"', pd.DataFrame({"select": ["x"], "a b": [1]}))
    assert db.select('select "a b", "select" from "Or der.x"') == [(1, "x")]


def test_what_hangs_on_a_table_follows(users: Connection, postgres: Postgres) -> None:
    role = f"reader_{users.name}"
    users.execute(
        f"""
        create table kinds (kind text primary key); insert into kinds values ('k');
        alter table users add column serial bigserial, add column own bigint generated always as identity,
          add column kind text default 'k' references kinds, add constraint positive check (id > 0);
        insert into users (id, name) values (4, 'd');
        comment on table users is 'who''s who'; comment on column users.name is 'first';
        create view above with (security_barrier) as select * from users where id > 1;
        create view higher as select count(*) as n from above;
        create role {role} login password 'x'; grant usage on schema {users.name} to {role};
        grant select, update (name) on users to {role}; grant select on higher to {role};
        """
    )
    for _ in range(2):
        users.replace("users", new())
    assert users.select("select n from higher") == [(4,)]
    assert users.select("select reloptions from pg_class where relname = 'above'")[-1][0] == ["security_barrier=true"]
    rights = "has_table_privilege(:r, 'users', 'select'), has_column_privilege(:r, 'users', 'name', 'update')"
    assert users.select(f"select {rights}, has_table_privilege(:r, 'users', 'delete')", r=role) == [(True, True, False)]
    assert users.select("select obj_description('users'::regclass), col_description('users'::regclass, 2)") == [
        ("who's who", "first")
    ]
    users.execute("insert into users (id, name) values (50, 'x')")
    ((serial, own, kind),) = users.select("select serial, own, kind from users where id = 50")
    assert (serial, own, kind) == (13, 13, "k")
    for bad, reason in (("(id) values (-1)", "positive"), ("(id, kind) values (60, 'no')", "users_kind_fkey")):
        with pytest.raises(DatabaseError, match=reason):
            users.execute(f"insert into users {bad}")
    users.execute(f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("create table others (user_id integer references users)", "others refers to it"),
        ("create materialized view m as select * from users", "materialized view m reads it"),
        (
            """create function f() returns trigger language plpgsql as $$ begin return new; end; $$;
            create trigger trg before insert on users for each row execute function f()""",
            "the trigger trg",
        ),
        ("alter table users enable row level security", "row security"),
        ("create table child () inherits (users)", "is inherited from"),
        ("create table users_b (mine integer)", r"users_b\", where the former rows would stay, is another table"),
        ("alter table users rename to others; create view users as select * from others", "it is a view"),
        ("drop table users", "there is no table"),
    ],
)
def test_what_could_not_follow_is_named_and_nothing_is_changed(users: Connection, sql: str, message: str) -> None:
    users.execute(sql)
    tables = "select relname::text from pg_class where relnamespace = current_schema()::regnamespace order by 1"
    before = users.select(tables)
    with pytest.raises(DataFault, match=message):
        users.replace("users", new())
    assert users.select(tables) == before


def test_a_replace_that_fails_changes_nothing(users: Connection) -> None:
    before = indexes(users)
    with pytest.raises(DatabaseError, match=r"duplicate|unique"):
        users.replace("users", pd.DataFrame({"id": [1, 1], "name": ["x", "y"]}))
    with pytest.raises(DataFault, match="no column 'nme'"):
        users.replace("users", pd.DataFrame({"id": [1], "nme": ["x"]}))
    assert count(users) == 3
    assert indexes(users) == before
    assert users.select("select count(*) from pg_tables where tablename like 'mlp_new%'") == [(0,)]


def test_a_replace_is_part_of_a_transaction(users: Connection) -> None:
    def attempt() -> None:
        with users:
            users.replace("users", new())
            assert count(users) == 4
            raise RuntimeError

    with pytest.raises(RuntimeError):
        attempt()
    assert count(users) == 3


class Readers:
    """Threads that read a table without a pause, and note what they see."""

    def __init__(self, postgres: Postgres, root: Path, schema: str, number: int = 3) -> None:
        self.seen: list[tuple[int, int]] = []
        self.failed: list[BaseException] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(postgres, root, schema)) for _ in range(number)]

    def _read(self, postgres: Postgres, root: Path, schema: str) -> None:
        mine = connect(postgres, root, schema)
        try:
            while not self._over.is_set():
                ((rows, generations, generation),) = mine.select(
                    "select count(*), count(distinct generation), max(generation) from big"
                )
                assert (rows, generations) == (5000, 1), "half of a table was seen"
                self.seen.append((rows, generation))
        except BaseException as error:  # told to the test, which runs in another thread
            self.failed.append(error)
        finally:
            mine.close()

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def generation(number: int) -> pd.DataFrame:
    return pd.DataFrame({"id": range(5000), "generation": number})


def test_readers_see_one_whole_table_at_any_time_and_never_none(db: Connection, postgres: Postgres) -> None:
    db.execute("create table big (id integer primary key, generation integer); create index by_g on big (generation)")
    db.insert("big", generation(0))
    with Readers(postgres, db.root, db.name) as readers:
        for number in range(1, 6):
            db.replace("big", generation(number))
            so_far = len(readers.seen)
            until(lambda n=so_far: len(readers.seen) > n + 5 or readers.failed, "reading goes on")  # type: ignore[misc]
    assert readers.failed == []
    assert {seen for _, seen in readers.seen} >= {1, 2, 3, 4, 5}
    assert [name for name, _ in indexes(db, "big")] == ["big_pkey", "by_g"]


def test_new_readers_do_not_wait_behind_a_long_one(users: Connection, postgres: Postgres) -> None:
    """While a long reader keeps the table, the exchange waits, and others read on."""
    slow = connect(postgres, users.root, users.name)
    other = connect(postgres, users.root, users.name)
    other.execute("set lock_timeout = '20s'")
    failed: list[BaseException] = []

    def replace() -> None:
        try:
            mine = connect(postgres, users.root, users.name)
            mine.replace("users", new())
            mine.close()
        except BaseException as error:  # told to the test, which runs in another thread
            failed.append(error)

    waits = "select 1 from pg_locks where relation = 'users'::regclass and mode = 'AccessExclusiveLock' and not granted"
    with slow:
        assert count(slow) == 3
        thread = threading.Thread(target=replace)
        thread.start()
        for _ in range(3):
            until(lambda: other.select(waits), "the exchange tries")
            assert count(other) == 3
            until(lambda: not other.select(waits), "the exchange lets others through")
        assert failed == []
    thread.join()
    assert failed == []
    assert count(other) == 4
    slow.close()
    other.close()


def test_what_is_written_meanwhile_is_not_lost(
    users: Connection, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who writes while the new table fills waits until the exchange is done, and writes into the new one."""
    writer, watcher = (connect(postgres, users.root, users.name) for _ in range(2))
    thread = threading.Thread(target=lambda: writer.execute("insert into users values (77, 'late')"))
    waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert%late%'"
    fill = PostgresDialect.copy_in

    def fill_late(*arguments: Any) -> None:
        thread.start()
        until(lambda: watcher.select(waits), "the writer waits")
        fill(*arguments)

    monkeypatch.setattr(PostgresDialect, "copy_in", fill_late)
    users.replace("users", new())
    thread.join()
    assert users.select("select id from users order by id desc limit 1") == [(77,)]
    writer.close()
    watcher.close()


def test_two_at_once_come_one_after_the_other(users: Connection, postgres: Postgres) -> None:
    failed: list[BaseException] = []

    def replace(rows: int) -> None:
        try:
            mine = connect(postgres, users.root, users.name)
            for _ in range(5):
                mine.replace("users", new(rows))
            mine.close()
        except BaseException as error:  # told to the test, which runs in another thread
            failed.append(error)

    threads = [threading.Thread(target=replace, args=(rows,)) for rows in (4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {count(users), count(users, "users_b")} <= {4, 5}
    assert [name for name, _ in indexes(users)] == ["users_pkey"]
