"""Asks the queue's invariants after a scenario: what the models wrote against what was recorded."""

from __future__ import annotations

import collections
import itertools
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.ledger import Ledger
from mlpipeline.lock import holder
from mlpipeline.project import Project
from mlpipeline.queue import fsck
from mlpipeline.run import Attempt, Cause, Run, State
from tests.integration.conftest import Workshop

BURIED = frozenset({Cause.LOST_SUPERVISOR, Cause.REBOOT})
"""Nobody saw the end of these: there is neither exit code nor signal."""
_GONE = "its supervisor vanished"


def violations(workshop: Workshop, *, at_rest: bool = True) -> list[str]:
    """Returns a line for each violated invariant, each beginning with the invariant's name.

    Args:
        workshop: the project; its models write truth through `truthful.py`.
        at_rest: whether nothing is to be left: no scheduler, no live attempt, no process.
    """
    facts = Facts(workshop)
    found = [*unknown(facts), *terminal_records(facts), *overlaps(facts), *repetitions(facts), *endings(facts)]
    found += [f"I8 {fault}" for fault in fsck.check(facts.project)]
    if at_rest:
        found += leftovers(facts)
    return found


@dataclass(slots=True)
class Facts:
    """What is known about a project, from every side.

    Attributes:
        truth: the rows that trainings wrote, in order; those of the test mode and of other scripts left out.
        runs: the ledger's, oldest first.
        blocks: how often each attempt's block of results stands in the output files.
    """

    workshop: Workshop
    project: Project = field(init=False)
    truth: list[dict[str, Any]] = field(init=False)
    runs: list[Run] = field(init=False)
    blocks: collections.Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.project = Project.load(self.workshop.root)
        self.truth = [row for row in self.workshop.truth() if "run" in row]
        with closing(Ledger.open_readonly(self.project.ledger_path)) as ledger:
            self.runs = ledger.runs(newest_first=False)
        self.blocks = collections.Counter(self._blocks())

    def _blocks(self) -> Iterator[str]:
        for path in self.project.output_path.parent.glob(f"{self.project.output_path.name}*"):
            for line in path.read_text("utf-8", "replace").splitlines():
                if line.startswith("run ") and "." in line:
                    yield line[4:]

    def attempts(self) -> Iterator[tuple[Run, Attempt, str]]:
        """Yields every attempt that the ledger knows, with the name that people write."""
        for run in self.runs:
            for attempt in run.attempts:
                yield run, attempt, f"{run.id}.{attempt.number}"

    def directory(self, attempt: Attempt) -> Path:
        """Where the attempt's files lie."""
        return self.project.root / attempt.directory

    def rows(self, event: str, run: str, attempt: int | None = None) -> list[dict[str, Any]]:
        """What a run's trainings wrote of one kind."""
        return [
            row
            for row in self.truth
            if (row["event"], row["run"]) == (event, run) and attempt in (None, row["attempt"])
        ]


def unknown(facts: Facts) -> Iterator[str]:
    """I1: nothing trains that was not submitted, and what succeeded has trained."""
    known = {(run.id, attempt.number) for run, attempt, _ in facts.attempts()}
    for row in facts.truth:
        if (row["run"], row["attempt"]) not in known:
            yield f"I1 {row['run']}.{row['attempt']} trained in process {row['pid']}, and the ledger does not know it"
    for run, attempt, name in facts.attempts():
        if attempt.state is State.SUCCEEDED and not facts.rows("trained", run.id):
            notes = (wire.read_json(facts.directory(attempt) / wire.RESULT) or {}).get("notes") or []
            if not any("nothing left to train" in note for note in notes):
                yield f"I1 {name} succeeded, and no training says that it came to its end"


def terminal_records(facts: Facts) -> Iterator[str]:
    """I2: at most one terminal record per attempt, in the ledger, on disk and in the output file."""
    attempts = list(facts.attempts())
    for what, values in (
        ("row", [name for _, _, name in attempts]),
        ("token", [attempt.token for _, attempt, _ in attempts]),
    ):
        for value, count in collections.Counter(values).items():
            if count > 1:
                yield f"I2 {value}: {count} attempts of the ledger have this {what}"
    for name, count in facts.blocks.items():
        if count > 1:
            yield f"I2 {name}: {count} blocks of results"
    for _, attempt, name in attempts:
        outcome = wire.read_json(facts.directory(attempt) / wire.OUTCOME)
        if outcome is not None and outcome.get("token") != attempt.token:
            yield f"I2 {name}: its outcome carries another token"
        if attempt.reported and not facts.blocks[name]:
            yield f"I2 {name}: its results are said to be reported, and their block is missing"
        if not attempt.state.is_final and facts.blocks[name]:
            yield f"I2 {name}: is {attempt.state.value}, and its block of results is written"


def overlaps(facts: Facts) -> Iterator[str]:
    """I3: a run's processes never live at the same time, by what they saw and by when they wrote."""
    spans: dict[str, dict[tuple[int, int], list[float]]] = collections.defaultdict(dict)
    for row in facts.truth:
        process = (row["attempt"], row["pid"])
        spans[row["run"]].setdefault(process, []).append(row["m"])
        if row.get("beside"):
            yield f"I3 {row['run']}.{row['attempt']} began beside living processes of the same run: {row['beside']}"
    for run, processes in spans.items():
        begun = {(row["attempt"], row["pid"]) for row in facts.rows("train", run)}
        for attempt, count in collections.Counter(attempt for attempt, _ in begun).items():
            if count > 1:
                yield f"I3 {run}.{attempt} was trained by {count} processes"
        ordered = sorted(processes.items(), key=lambda each: each[1][0])
        for ((one, pid), times), ((other, _), later) in itertools.pairwise(ordered):
            if max(times) > min(later):
                yield f"I3 {run}.{one} wrote in process {pid} when attempt {other} had begun"


def repetitions(facts: Facts) -> Iterator[str]:
    """I4: a succeeded version never trains again, unless it was asked for from scratch."""
    done: dict[tuple[object, ...], str] = {}
    for run, attempt, name in facts.attempts():
        key = (run.model, run.version, run.replicate, run.params_digest, run.code_digest)
        spec = wire.read_json(facts.directory(attempt) / wire.SPEC) or {}
        if key in done and not spec.get("fresh"):
            yield f"I4 {name} was submitted, and {done[key]} had succeeded with the same code and parameters"
        if attempt.state is State.SUCCEEDED:
            done[key] = name
    for run, attempt, name in facts.attempts():
        ends = [row["m"] for row in facts.rows("trained", run.id, attempt.number)]
        if attempt.state is State.SUCCEEDED and ends:
            again = [row for row in facts.rows("train", run.id) if row["m"] > min(ends)]
            for row in again:
                yield f"I4 {name} succeeded, and attempt {row['attempt']} trained it again in process {row['pid']}"


def endings(facts: Facts) -> Iterator[str]:
    """I12: how each attempt ended that came to an end by itself."""
    for _, attempt, name in facts.attempts():
        if not attempt.state.is_final:
            continue
        if (attempt.cause is Cause.NONE) != (attempt.state in (State.SUCCEEDED, State.YIELDED)):
            yield f"I12 {name}: {attempt.state.value} with the cause {attempt.cause.value}"
        if attempt.state is not State.SUCCEEDED and not attempt.message:
            yield f"I12 {name}: {attempt.state.value} without a message"
        warnings = (wire.read_json(facts.directory(attempt) / wire.OUTCOME) or {}).get("warnings") or []
        if any(_GONE in each for each in warnings):
            continue  # the work was done, and nobody saw the process end
        if attempt.cause in BURIED or (attempt.cause is Cause.CANCELLED and _GONE in attempt.message):
            continue
        if (attempt.exit_code is None) == (attempt.signal is None):
            yield f"I12 {name}: exit code {attempt.exit_code} and signal {attempt.signal}"
        if not attempt.peak_memory_bytes:
            yield f"I12 {name}: its peak memory is not recorded"


def leftovers(facts: Facts) -> Iterator[str]:
    """I5: where nothing is live, no process is left; and nothing is live without a scheduler."""
    if (story := holder(facts.project)) is not None:
        yield f"I5 a scheduler is still there: {story}"
    for _, attempt, name in facts.attempts():
        if not attempt.state.is_final:
            yield f"I5 {name} is {attempt.state.value} for ever"
        elif not facts.blocks[name]:
            yield f"I5 {name} is {attempt.state.value}, and its block of results is missing"
    for pid in sorted({*facts.workshop.left_behind(), *with_tokens(facts)}):
        yield f"I5 process {pid} is left: {_command(pid)}"


def with_tokens(facts: Facts) -> list[int]:
    """Processes whose environment carries the token of any attempt, wherever they work by now."""
    tokens = {f"MLP_TOKEN={attempt.token}".encode() for _, attempt, _ in facts.attempts()}
    size = len("MLP_TOKEN=") + 32  # the mark of the attempt's lock file follows
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path("/proc", name, "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if not tokens.isdisjoint(value[:size] for value in environment):
            found.append(int(name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return "ended meanwhile"
