"""What is kept between looks: never out of date, and never dear."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlpipeline import events
from mlpipeline.ledger import Ledger
from mlpipeline.observe import looks
from mlpipeline.observe.status import FINAL
from mlpipeline.run import State
from tests.unit.sample_runs import run_in


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.open(tmp_path / "ledger.db")
    yield made
    made.close()


def settle(ledger: Ledger, at: int = 1) -> None:
    """Makes the ledger's files look as if they had been written long ago."""
    for end in ("", "-wal"):
        os.utime(f"{ledger.path}{end}", (at, at))


def test_a_ledger_that_has_not_changed_is_not_read_again(ledger: Ledger) -> None:
    settle(ledger)
    book = looks.Book()
    assert book.read(ledger, 5, FINAL) is book.read(ledger, 5, FINAL)


def test_a_ledger_that_has_changed_is_read_again(ledger: Ledger) -> None:
    settle(ledger)
    book = looks.Book()
    assert not book.read(ledger, 5, FINAL).live
    ledger.record(events.Submitted(run=run_in(State.SUBMITTED)))
    settle(ledger, 2)
    assert len(book.read(ledger, 5, FINAL).live) == 1


def test_a_ledger_that_is_being_written_is_read_every_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    book = looks.Book()
    ledger.record(events.Submitted(run=run_in(State.SUBMITTED)))
    monkeypatch.setattr(looks.time, "time", Path(f"{ledger.path}-wal").stat().st_mtime.__float__)
    assert book.read(ledger, 5, FINAL) is not book.read(ledger, 5, FINAL)


def test_what_is_dear_is_computed_again_once_that_is_a_small_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(looks.time, "monotonic", lambda: now[0])
    count = itertools.count()

    def compute() -> int:
        now[0] += 0.1
        return next(count)

    sparing = looks.Sparing[int]()
    assert [sparing.get(compute), sparing.get(compute)] == [0, 0]
    now[0] = 9.0
    assert sparing.get(compute) == 0
    now[0] = 10.2
    assert sparing.get(compute) == 1
