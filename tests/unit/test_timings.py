"""Which runs say how long a version takes, and that they are found without walking through all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mlpipeline import timings as module
from mlpipeline.durations import Size
from mlpipeline.ledger import Ledger
from mlpipeline.run import Run, State
from mlpipeline.timings import Timings
from tests.unit.sample_runs import NOW, sample_attempt, sample_run


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    made = Ledger.in_memory()
    yield made
    made.close()


def took(number: int, seconds: float, *, state: State = State.SUCCEEDED, version: str = "wide", epochs: int = 1) -> Run:
    suffix = f"{number:06d}".translate(str.maketrans("01", "xy", ""))
    run = sample_run(suffix, version=version, params={"epoc_count": epochs})
    attempt = sample_attempt(run.id, 1, state)
    ended = NOW if attempt.ended_at else None
    return replace(run, attempts=(replace(attempt, started_at=NOW - timedelta(seconds=seconds), ended_at=ended),))


def test_the_last_runs_that_succeeded_count_and_no_others(ledger: Ledger, tmp_path: Path) -> None:
    ledger.import_runs(took(number, 1000.0) for number in range(5))
    ledger.import_runs(took(number, 10.0) for number in range(5, 25))
    ledger.import_runs(took(number, 500.0, state=State.FAILED) for number in range(25, 30))
    found = Timings(ledger, tmp_path).estimate("digits.py", "wide", Size())
    assert found is not None
    assert (found.span, found.runs, found.source) == ((10.0, 10.0, 10.0), 20, "version")


def test_a_version_that_never_ran_is_estimated_by_its_model_and_another_model_not_at_all(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.import_runs([took(1, 10.0), took(2, 30.0, version="deep", epochs=3)])
    timings = Timings(ledger, tmp_path)
    found = timings.estimate("digits.py", "new", Size(epochs=2))
    assert found is not None
    assert (found.seconds, found.runs, found.source) == (20.0, 2, "model")
    assert timings.estimate("other.py", "new", Size()) is None


def test_of_many_versions_those_that_come_last_are_estimated_by_their_model(ledger: Ledger, tmp_path: Path) -> None:
    ledger.import_runs(took(number, 10.0, version=str(number)) for number in range(60))
    timings = Timings(ledger, tmp_path)
    found = [timings.estimate("digits.py", str(number), Size()) for number in range(60)]
    assert [each.source for each in found if each] == ["version"] * 50 + ["model"] * 10
    again = timings.estimate("digits.py", "0", Size(epochs=2))
    assert again is not None
    assert again.source == "version"


def test_where_runs_fail_only_so_many_are_looked_at(ledger: Ledger, tmp_path: Path) -> None:
    ledger.import_runs([took(0, 10.0)])
    ledger.import_runs(took(number, 10.0, state=State.FAILED) for number in range(1, 101))
    assert Timings(ledger, tmp_path).estimate("digits.py", "wide", Size()) is None


@pytest.mark.parametrize("file", ["outcome.json", "progress.json"])
def test_what_was_trained_again_after_a_checkpoint_counts_once(ledger: Ledger, tmp_path: Path, file: str) -> None:
    first = sample_attempt("r", 1, State.LOST)  # 30 seconds, 120 steps
    ledger.import_run(sample_run("bbbbbb", first, sample_attempt("r", 2)))
    (tmp_path / first.directory).mkdir(parents=True)
    (tmp_path / first.directory / file).write_text(json.dumps({"checkpoint_step": 40}))
    found = Timings(ledger, tmp_path).estimate("digits.py", "wide", Size())
    assert found is not None
    assert found.seconds == 40.0


@pytest.mark.parametrize("sql", [module._OF_VERSION, module._OF_MODEL])
def test_runs_are_chosen_by_indexes_alone(ledger: Ledger, sql: str) -> None:
    plan = ledger.connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("a", "b")[: sql.count("?")])
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN")]
    assert all("COVERING INDEX" in step for step in steps if step.startswith("SEARCH")), steps
