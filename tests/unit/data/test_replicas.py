"""Several databases under one name: each question goes to another one, and what belongs together stays together."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlpipeline.data.connection import Connection
from mlpipeline.data.replicas import Replicas
from mlpipeline.errors import DatabaseError, UsageError


@pytest.fixture
def members(tmp_path: Path) -> Iterator[list[Connection]]:
    made = [Connection(f"sqlite:///{name}.db", root=tmp_path, name=name) for name in "abc"]
    for each in made:
        each.execute("create table me (name text); insert into me values (:name)".replace(":name", f"'{each.name}'"))
    yield made
    for each in made:
        each.close()


def who(db: Replicas | Connection) -> str:
    return str(db.select("select name from me")[0][0])


def test_each_question_goes_to_another_member(members: list[Connection]) -> None:
    db = Replicas(members)
    for ask in (lambda: who(db), lambda: db.dataframe("select name from me")["name"].iloc[0]):
        asked = [ask() for _ in range(50)]
        assert set(asked) == {"a", "b", "c"}
        assert all(one != two for one, two in itertools.pairwise(asked))


def test_a_sticky_one_stays(members: list[Connection]) -> None:
    db = Replicas(members, sticky=True)
    assert len({who(db) for _ in range(20)}) == 1


def test_a_transaction_stays_on_its_member(members: list[Connection]) -> None:
    db = Replicas(members)
    for block in (lambda: db, db.transaction):
        with block() as tx:
            inside = {who(db) for _ in range(10)} | {who(tx) for _ in range(10)}
        assert len(inside) == 1
    assert len({who(db) for _ in range(50)}) == 3


def test_a_failed_transaction_is_rolled_back_and_left(members: list[Connection]) -> None:
    db = Replicas(members)

    def attempt() -> None:
        with db as tx:
            tx.execute("delete from me")
            tx.execute("nonsense")

    with pytest.raises(DatabaseError):
        attempt()
    assert {who(db) for _ in range(50)} == {"a", "b", "c"}


def test_a_thread_with_a_temporary_table_stays_where_that_is(members: list[Connection]) -> None:
    db = Replicas(members)
    db.temp_table("mine", "select name from me")
    found = {db.select("select name from mine")[0][0] for _ in range(20)}
    assert len(found) == 1
    elsewhere: set[str] = set()
    thread = threading.Thread(target=lambda: elsewhere.update(who(db) for _ in range(50)))
    thread.start()
    thread.join()
    assert elsewhere == {"a", "b", "c"}
    db.close()
    assert len({who(db) for _ in range(50)}) == 3


def test_other_names_are_those_of_a_member(members: list[Connection]) -> None:
    db = Replicas(members[:1])
    assert db.adapter == "sqlite"
    assert [who(db) for _ in range(3)] == ["a"] * 3
    assert not hasattr(db, "nothing_like_this")


def test_none_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="has no member"):
        Replicas([])
