"""A connection that is lost is opened again once, without a server: a driver that breaks when it is told to."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mlpipeline.data import dialects, engine
from mlpipeline.data.connection import Connection
from mlpipeline.data.credentials import parse
from mlpipeline.data.dialects.dialect import Dialect
from mlpipeline.data.dialects.redshift import RedshiftDialect
from mlpipeline.data.dialects.snowflake import SnowflakeDialect
from mlpipeline.data.session import ConnectionLost, Session
from mlpipeline.data.table_name import TableName, suffixed
from mlpipeline.errors import ConfigurationError, DataFault, MissingExtra


class Lost(Exception):
    """What a driver says of a connection that is gone."""


class Fragile(Dialect):
    """SQLite whose connections count, and are lost on command."""

    answers_now = True

    def is_lost(self, error: BaseException, live: Any) -> bool:
        return isinstance(error, Lost)

    def answers(self, live: Any) -> bool:
        if not self.answers_now:
            self.answers_now = True
            return False
        return True


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(lambda: sa.create_engine(f"sqlite:///{tmp_path}/d.db", isolation_level="AUTOCOMMIT"), Fragile)


class Work:
    """Notes the connections that it gets, and fails at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.seen: list[Any] = []

    def __call__(self, live: Any) -> str:
        self.seen.append(live)
        if len(self.seen) <= self.failures:
            raise Lost
        return "done"


def test_a_question_is_asked_a_second_time_on_a_new_connection(session: Session) -> None:
    work = Work(1)
    assert session.run(work, again=True) == "done"
    assert work.seen[0] is not work.seen[1]
    session.close()


def test_a_question_is_not_asked_a_third_time(session: Session) -> None:
    work = Work(2)
    with pytest.raises(Lost):
        session.run(work, again=True)
    assert len(work.seen) == 2
    session.close()


def test_what_changes_something_is_done_once(session: Session) -> None:
    work = Work(1)
    with pytest.raises(ConnectionLost):
        session.run(work, again=False)
    assert len(work.seen) == 1
    session.close()


def test_what_changes_something_begins_on_a_connection_that_answers(session: Session) -> None:
    before = session.live()
    assert isinstance(session.dialect, Fragile)
    session.dialect.answers_now = False
    work = Work(0)
    session.run(work, again=False)
    assert work.seen[0] is not before
    session.close()


def test_connections_of_threads_that_have_ended_are_used_again(session: Session) -> None:
    for _ in range(5):
        thread = threading.Thread(target=session.live)
        thread.start()
        thread.join()
    session.live()
    assert session.engine.pool.checkedout() == 1
    assert session.engine.pool.checkedin() <= 1
    session.close()


def test_a_fork_leaves_the_parents_connection_alone(tmp_path: Path) -> None:
    db = Connection("sqlite:///d.db", root=tmp_path)
    db.execute("create table t (n integer); create temporary table mine (n integer)")
    list(db.dataframe("select 1 as one", chunksize=1))  # on a connection apart, which then waits in the pool
    beside = Connection("sqlite:///d.db", root=tmp_path)
    list(beside.dataframe("select 1 as one", chunksize=1))
    assert beside.engine.pool.checkedin() == 1
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            db.execute("insert into t values (1)")
            said = json.dumps([db.select("select count(*) from sqlite_temp_master"), beside.engine.pool.checkedin()])
        except BaseException as error:  # whatever it is, the parent is told
            said = json.dumps(repr(error))
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        assert json.loads(file.read()) == [[[0]], 0]
    os.waitpid(child, 0)
    assert db.select("select count(*) from mine") == [(0,)]
    assert db.select("select count(*) from t") == [(1,)]
    assert beside.engine.pool.checkedin() == 1
    db.close()
    beside.close()


def made(kind: Callable[[Any], Dialect]) -> Dialect:
    return kind(sa.create_engine("sqlite://"))


def test_an_expired_login_of_snowflake_is_a_lost_connection() -> None:
    dialect = made(SnowflakeDialect)
    live = dialect.engine.connect()
    assert dialect.is_lost(
        Exception("390114: Authentication token has expired. The user must authenticate again."), live
    )
    assert not dialect.is_lost(Exception("SQL compilation error"), live)
    live.close()


def test_redshift_moves_bulk_data_by_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = made(RedshiftDialect)
    monkeypatch.setenv("IAM_ROLE", "arn:aws:iam::1:role/o'x")
    unload = dialect.unload_sql("s3://b/it's/")
    assert unload is not None
    assert unload.format("SELECT * FROM t WHERE a = 'x'") == (
        "UNLOAD ($mlp$SELECT * FROM t WHERE a = 'x'$mlp$) TO 's3://b/it''s/part-' IAM_ROLE 'arn:aws:iam::1:role/o''x' "
        "FORMAT PARQUET"
    )
    assert dialect.load_sql(TableName("t t", "s"), "s3://b/x") == (
        "COPY s.\"t t\" FROM 's3://b/x' IAM_ROLE 'arn:aws:iam::1:role/o''x' FORMAT AS PARQUET"
    )
    assert dialect.unload_sql("/a/path") is dialect.load_sql(TableName("t"), "/a/path") is None
    monkeypatch.delenv("IAM_ROLE")
    with pytest.raises(ConfigurationError, match=r"\$IAM_ROLE is not set"):
        dialect.unload_sql("s3://b/x")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redshift+redshift_connector://h/d", r"mlpipeline\[redshift\]"),
        ("snowflake://u@account/d", r"mlpipeline\[snowflake\]"),
        ("nosuchbase://h/d", r"nosuchbase: no dialect"),
    ],
)
def test_a_dialect_that_is_not_installed_names_its_extra(url: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=message):
        Connection(url, root=tmp_path).select("select 1")


def test_other_drivers_of_postgresql_do_what_any_driver_can() -> None:
    class Stub:
        url = sa.make_url("postgresql+pg8000://h/d")
        dialect = sa.create_engine("sqlite://").dialect

    assert type(dialects.of(Stub())) is Dialect


def test_options_that_no_engine_takes_are_refused_without_the_url(tmp_path: Path) -> None:
    url = parse("postgres://u:s3cret@h/d", "x")
    with pytest.raises(ConfigurationError, match="mend the options") as caught:
        engine.make(url, {"no_such_option": 1}, tmp_path)
    assert "s3cret" not in f"{caught.value!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("t", TableName("t")),
        ("s.t", TableName("t", "s")),
        ('"a.b"', TableName("a.b")),
        ('"s s"."t""t"', TableName('t"t', "s s")),
    ],
)
def test_names_of_tables_are_read(text: str, name: TableName) -> None:
    assert TableName.parse(text) == name


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a.b.c", '"open', 'a"b'])
def test_what_is_no_name_of_a_table_is_refused(text: str) -> None:
    with pytest.raises(DataFault, match="is no name of a table"):
        TableName.parse(text)


def test_suffixes_keep_long_names_apart() -> None:
    assert suffixed("users", "_b", 63) == "users_b"
    one, two = suffixed("t" * 63, "_b", 63), suffixed("t" * 62 + "u", "_b", 63)
    assert one != two
    assert {len(one), len(two)} == {63}
    assert len(suffixed("ü" * 40, "_b", 63).encode()) <= 63
