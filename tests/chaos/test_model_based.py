"""The real scheduler, ledger and files against a small model of a queue, with crashes wherever the schedule says."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mlpipeline import events, requests, wire
from mlpipeline.errors import MlpipelineError
from mlpipeline.queue import fsck, output, submission
from mlpipeline.queue.attempts import Attempts, Live
from mlpipeline.queue.outlook import Outlook
from mlpipeline.run import Attempt, Cause, Run

from .queue_model import VERSIONS, Entry, Expected, Key, ModelRun, QueueModel
from .workbench import POINTS, Workbench, crashing, failing, wish_of, write_outcome

EXAMPLES = int(os.environ.get("MLP_CHAOS_EXAMPLES", "200"))
STEPS = 40
_ASKED = {"cancel": ("cancelled", "cancelled")}
_ENDS = [
    ("succeeded", "none"),
    ("failed", "exception"),
    ("lost", "killed"),
    ("yielded", "preempted"),
    ("cancelled", "interrupted"),
]
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(sorted(VERSIONS)),
        hold=st.sampled_from([False, False, False, True]),
        priority=st.sampled_from([0, 0, 1]),
        replicates=st.sampled_from([1, 1, 2]),
        max_attempts=st.sampled_from([1, 2, 3]),
        after=st.sampled_from(["", "", "", "b.py"]),
    ).filter(lambda entry: entry.after != entry.model),
    min_size=1,
    max_size=3,
    unique_by=lambda entry: entry.model,
)
PLACES = st.integers(0, 5)


class Queue(RuleBasedStateMachine):
    """Everything that may happen between two turns, and the turns."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="mlpipeline-chaos-")).resolve()
        self.bench = Workbench(self.root)
        self.model = QueueModel()
        self.executor = self.bench.executor
        self.is_checked = True

    def teardown(self) -> None:
        """Removes the project."""
        self.bench.close()
        shutil.rmtree(self.root)

    # people

    @initialize(entries=ENTRIES)
    def begin_with_a_list(self, entries: list[Entry]) -> None:
        self.edit_the_list(entries)

    @rule(entries=ENTRIES)
    def edit_the_list(self, entries: list[Entry]) -> None:
        self.model.entries = entries
        self.bench.wish(entries)

    @rule(model=st.sampled_from(sorted(VERSIONS)), code=st.sampled_from(["1", "2", "2", "broken"]))
    def edit_code(self, model: str, code: str) -> None:
        self.model.code[model] = code
        self.bench.code(model, code)

    @precondition(lambda self: self.model.runs)
    @rule(place=PLACES)
    def ask_for_a_retry(self, place: int) -> None:
        keys = list(self.model.runs)
        key = keys[place % len(keys)]
        self.bench.ask("retry", self._ids()[key])
        self.model.retries.append(key)

    @precondition(lambda self: self.executor.alive)
    @rule(place=PLACES)
    def ask_for_a_cancellation(self, place: int) -> None:
        self.bench.ask("cancel", self.executor.alive[self._one(place)]["run_id"])

    # attempts

    def _one(self, place: int) -> Path:
        alive = list(self.executor.alive)  # in the order of their starts: names hold chance, and a replay must not
        return alive[place % len(alive)]

    @precondition(lambda self: self.executor.alive)
    @rule(place=PLACES)
    def an_attempt_begins(self, place: int) -> None:
        directory = self._one(place)
        token = self.executor.alive[directory]["token"]
        if not (directory / wire.STARTED).exists():
            wire.write_json(directory / wire.STARTED, {"token": token, "started_at": wire.utc_now(), "pid": 1})
        self.is_checked = False

    @precondition(lambda self: self.executor.alive)
    @rule(place=PLACES, end=st.sampled_from(_ENDS))
    def an_attempt_ends(self, place: int, end: tuple[str, str]) -> None:
        self.an_attempt_begins(place)
        directory = self._one(place)
        spec = self.executor.alive.pop(directory)
        state, cause = _ASKED.get(self.executor.asked.get(directory, ""), end)
        write_outcome(directory, spec["token"], state, cause)
        if state == "succeeded":
            self.executor.done.add(wish_of(spec))

    @precondition(lambda self: self.executor.alive)
    @rule(place=PLACES)
    def an_attempt_vanishes(self, place: int) -> None:
        del self.executor.alive[self._one(place)]

    # the scheduler

    @rule()
    def turn(self) -> None:
        expected = self.model.turn(self._truth())
        self.bench.turn()
        self.model.runs, self.model.retries = expected.after, []
        assert self._recorded() == expected.after
        self._check_blocks()

    @rule(is_killed=st.booleans())
    def the_scheduler_ends(self, is_killed: bool) -> None:
        if is_killed:
            self.bench.abandon()
        else:
            self.bench.close()

    @rule(point=st.sampled_from(sorted(POINTS)), call=st.sampled_from([1, 1, 1, 2, 3, 4]), after=st.booleans())
    def crash_in_a_turn(self, point: str, call: int, after: bool) -> None:
        self._broken(crashing(point, call, after=after))

    @rule(point=st.sampled_from(["record", "sync", "start"]))
    def no_space_in_a_turn(self, point: str) -> None:
        self._broken(failing(point))

    def _broken(self, how: AbstractContextManager[None]) -> None:
        expected = self.model.turn(self._truth())
        with how:
            self.bench.turn()
        self.model.runs = self._recorded()
        assert not disagreement(expected, self.model.runs)
        names = {name: key for key, name in self._ids().items()}
        pending = requests.pending(self.bench.project)
        self.model.retries = [names[each.target] for each in pending if each.action == "retry"]

    # what must hold

    def _ids(self) -> dict[Key, str]:
        return {_key(run): run.id for run in self.bench.runs()}

    def _recorded(self) -> dict[Key, ModelRun]:
        self.is_checked = False
        runs = self.bench.runs()
        found = {_key(run): ModelRun([_state(each) for each in run.attempts], run.retry_asked) for run in runs}
        assert len(found) == len(runs), "two runs answer one wish"
        return found

    def _truth(self) -> dict[Key, str]:
        """Returns what the attempts that the ledger calls live have come to."""
        return {_key(run): self._state_on_disk(run) for run in self.bench.runs() if not run.state.is_final}

    def _state_on_disk(self, run: Run) -> str:
        directory = self.bench.project.root / run.last.directory
        outcome = wire.read_json(directory / wire.OUTCOME)
        if outcome is not None:
            return "interrupted" if outcome["cause"] == "interrupted" else outcome["state"]
        if directory not in self.executor.alive:
            return "lost"
        return "running" if (directory / wire.STARTED).exists() else "submitted"

    def _check_blocks(self) -> None:
        text = self.bench.project.output_path
        lines = text.read_text().splitlines() if text.exists() else []
        blocks = [line for line in lines if line.startswith("run ")]
        ended = {
            f"run {run.id}.{each.number}" for run in self.bench.runs() for each in run.attempts if each.state.is_final
        }
        assert sorted(blocks) == sorted(ended)

    @invariant()
    def everything_agrees(self) -> None:
        if self.is_checked:
            return
        self.is_checked = True
        recorded = {(run.id, each.number, each.token) for run in self.bench.runs() for each in run.attempts}
        started = {(spec["run_id"], spec["attempt"], spec["token"]) for spec in self.executor.started}
        assert started <= recorded, "I1: what was started is not in the ledger"
        assert fsck.check(self.bench.project) == [], "I8"


def disagreement(expected: Expected, actual: Mapping[Key, ModelRun]) -> str:
    """Says what of a turn that was broken off cannot have come of it; empty where all can."""
    started = [key for key in expected.started if actual.get(key) == expected.after[key]]
    if started != expected.started[: len(started)]:
        return f"started {started}, to be started {expected.started}"
    for key in (expected.after.keys() | actual.keys()) - set(started):
        before, ended = expected.before.get(key), expected.ended.get(key)
        possible = [ended] if started else [before, *_on_the_way(before), ended]
        if actual.get(key) not in possible:
            return f"{key} is {actual.get(key)}, expected one of {possible}"
    return ""


def _on_the_way(before: ModelRun | None) -> list[ModelRun]:
    """Returns what is recorded of an attempt that began and vanished, before its end is."""
    if before is None or before.state != "submitted":
        return []
    return [ModelRun([*before.states[:-1], "running"], before.retry)]


def _key(run: Run) -> Key:
    return Key(run.model, run.version, run.replicate, run.code_digest)


def _state(attempt: Attempt) -> str:
    return "interrupted" if attempt.cause is Cause.INTERRUPTED else attempt.state.value


def check(examples: int, **more: Any) -> None:
    """Runs the machine."""
    given: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "stateful_step_count": STEPS}
    run_state_machine_as_test(Queue, settings=settings(max_examples=examples, **given, **more))


@pytest.mark.timeout(600 + EXAMPLES)
def test_the_scheduler_does_what_the_model_says() -> None:
    check(EXAMPLES, print_blob=True)


def _starts_before_it_records(self: Attempts, prepared: submission.Prepared) -> None:
    self.executor.submit(prepared.directory)
    self.ledger.record(events.Submitted(run=prepared.run))
    self.live[prepared.run.id] = Live(run=prepared.run, attempt=prepared.attempt, directory=prepared.directory)


def _forgets_nothing(self: Outlook, runs: Iterable[Run]) -> None:
    """Leaves in the scheduler's memory how wishes stood before."""


def _believes_that_no_block_was_written(self: output.HostFiles, run_id: str, number: int) -> bool:
    return False


def _adopts_nothing(self: Attempts) -> None:
    """Leaves to themselves the attempts of the scheduler before."""


MUTANTS: Mapping[str, tuple[object, str, object]] = {
    "starts before it records": (Attempts, "submit", _starts_before_it_records),
    "remembers what is over": (Outlook, "changed", _forgets_nothing),
    "reports twice after a crash": (output.HostFiles, "has_block", _believes_that_no_block_was_written),
    "adopts nothing": (Attempts, "adopt", _adopts_nothing),
    "leaves directories behind": (submission, "_make", lambda directory: directory.mkdir(parents=True)),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_faulty_scheduler_is_caught(name: str) -> None:
    owner, attribute, fault = MUTANTS[name]
    # Without shrinking, and without remembering the failure for the test of the real one.
    more: dict[str, Any] = {
        "phases": (Phase.generate,),
        "database": None,
        "derandomize": True,
        "report_multiple_bugs": False,
    }
    with mock.patch.object(owner, attribute, fault), pytest.raises((AssertionError, MlpipelineError)):
        check(1000, **more)
