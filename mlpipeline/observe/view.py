"""The one picture that every face shows: built from facts that others read; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlpipeline import trials
from mlpipeline.jsonable import jsonable
from mlpipeline.observe import text
from mlpipeline.observe.progress import Progress, number_of, read_progress, time_of, waiting_reasons
from mlpipeline.run import Run, State

if TYPE_CHECKING:
    from mlpipeline.durations import Estimate
    from mlpipeline.observe.left import Left
    from mlpipeline.observe.usage import Usage

STILL = ("failed", "gave_up", "held")
"""The verdicts of versions that stay where they are until somebody does something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerLine:
    """Whether a scheduler serves this project on this host, by the lock's word, not by a file's.

    `heard_at` is when the status file was written last. `state` is what the scheduler said then.
    """

    running: bool
    pid: int | None = None
    host: str
    since: datetime | None = None
    state: str | None = None
    mode: str | None = None
    slots: int | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run in a list. `seconds` is how long its last attempt took, or takes by now."""

    run: str
    attempt: int
    model: str
    version: str
    replicate: int
    seed: int
    state: str
    cause: str
    message: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    steps: int | None
    metrics: Mapping[str, Any]
    directory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLine:
    """A run whose last attempt is not recorded as ended, how far it is, and how long it still takes.

    `now` is "alive", "ended" (its result waits to be recorded), "gone" (its processes are), or "unknown" from here.
    `stalled` is for how many seconds it has done nothing, where that is longer than usual; `adopted` whether an earlier
    scheduler started it; `latest` the metrics that it recorded last; `memory` how many bytes it holds, `gpu_memory` how
    many on its devices, `cores` how many cores it kept busy lately; `reason` why it has
    not begun, in the words of the engine that has it.
    """

    run: RunLine
    progress: Progress
    now: str = "unknown"
    left: Estimate | None = None
    stalled: float | None = None
    adopted: bool = False
    latest: Mapping[str, Any] = field(default_factory=dict)
    memory: int | None = None
    cores: float | None = None
    gpu_memory: int | None = None
    reason: str = ""

    @property
    def word(self) -> str:
        """What every face calls it: its state, or "ended", "lost", "STALLED", "adopted"."""
        if self.now in ("ended", "gone"):
            return "lost" if self.now == "gone" else "ended"
        if self.stalled is not None:
            return "STALLED"
        return "adopted" if self.adopted and self.run.state == State.RUNNING.value else self.run.state

    @property
    def told(self) -> str:
        """Its word, and how far it is: `running 14%`, `lost`."""
        step, total = self.progress.step, self.progress.total
        if self.now in ("ended", "gone") or step is None or not total:
            return self.word
        return f"{self.word} {100 * step // total}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLine:
    """A version that the plan has not done yet, why it is where it is, how long it takes, and in how long it starts."""

    model: str
    version: str
    replicate: int
    verdict: str
    reason: str
    takes: Estimate | None = None
    starts: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device, how much of its memory is free (None where it is gone), and who has it or what keeps it back."""

    index: str
    uuid: str
    name: str
    memory_total: int
    memory_free: int | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the picture is made of; whoever gathers it does the reading.

    Attributes:
        root: the project's directory, for the title.
        status: the status file's content, None when there is none.
        progress: by an attempt's directory, the content of its `progress.json`, be it read or not.
        life: by an attempt's directory, what its files and locks say of it: see LiveLine.
        left: by an attempt's directory, how long it goes on.
        silent: by an attempt's directory, for how many seconds it has done nothing, where that is longer than usual.
        latest: by an attempt's directory, the metrics that it recorded last.
        usage: by an attempt's directory, what its processes take of the machine.
        takes: by model and version, how long what is open takes.
        starts: in how long each of the versions starts that come next, in their order.
        queue: what is left of the queue.
        counts: runs in the ledger, by state.
        requests: how many requests wait for an answer.
        warnings: what is odd about the project.
    """

    root: str
    scheduler: SchedulerLine
    status: Mapping[str, Any] | None = None
    live: Sequence[Run] = ()
    ended: Sequence[Run] = ()
    progress: Mapping[str, Mapping[str, Any] | Progress] = field(default_factory=dict)
    life: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, Estimate | None] = field(default_factory=dict)
    silent: Mapping[str, float] = field(default_factory=dict)
    latest: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    usage: Mapping[str, Usage] = field(default_factory=dict)
    takes: Mapping[tuple[str, ...], Estimate | None] = field(default_factory=dict)
    starts: Sequence[Estimate | None] = ()
    queue: Left | None = None
    counts: Mapping[State, int] = field(default_factory=dict)
    requests: int = 0
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is true now, what comes next, what ended lately, and how long what is open takes."""

    at: datetime
    project: str
    scheduler: SchedulerLine
    running: tuple[LiveLine, ...]
    next: tuple[NextLine, ...]
    ended: tuple[RunLine, ...]
    runs: Mapping[str, int]
    versions: Mapping[str, int]
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    requests: int
    devices: tuple[DeviceLine, ...] = ()
    left: Left | None = None
    studies: tuple[trials.Progress, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the picture for programs: times as ISO text in UTC."""
        return {"format": 1} | dict(jsonable(asdict(self)))


def picture(facts: Facts, now: datetime) -> Picture:
    """Returns the picture of these facts; what a scheduler planned only while it runs, since later it is a guess."""
    status = facts.status or {}
    planned = status if facts.scheduler.running else {}
    reasons = waiting_reasons(planned)
    return Picture(
        at=now,
        project=facts.root,
        scheduler=facts.scheduler,
        running=tuple(_live(run, facts, now, reasons.get(run.last.directory, "")) for run in facts.live),
        next=tuple(_next(each, facts, place) for place, each in enumerate(planned.get("next") or ())),
        ended=tuple(run_line(run, now) for run in facts.ended),
        runs={state.value: facts.counts.get(state, 0) for state in State},
        versions={str(key): int(value) for key, value in (planned.get("counts") or {}).items()},
        faults=tuple(str(each) for each in status.get("faults") or ()),
        warnings=(*facts.warnings, *([str(planned["trouble"])] if planned.get("trouble") else ())),
        requests=facts.requests,
        devices=tuple(_device(each) for each in planned.get("devices") or ()),
        left=facts.queue,
        studies=tuple(trials.Progress.from_json(each) for each in status.get("studies") or ()),
    )


def _live(run: Run, facts: Facts, now: datetime, reason: str) -> LiveLine:
    line = run_line(run, now)
    progress = read_progress(facts.progress.get(line.directory) or {})
    life, used = facts.life.get(line.directory, "unknown"), facts.usage.get(line.directory)
    return LiveLine(
        run=line,
        progress=progress,
        now=life,
        left=facts.left.get(line.directory),
        stalled=facts.silent.get(line.directory) if life == "alive" else None,
        adopted=_is_adopted(run, facts),
        latest=facts.latest.get(line.directory) or {},
        reason=reason,
        **(used._asdict() if used else {}),
    )


def _is_adopted(run: Run, facts: Facts) -> bool:
    began = time_of((facts.status or {}).get("started_at"))
    return facts.scheduler.running and began is not None and run.last.submitted_at < began


def _next(content: Mapping[str, Any], facts: Facts, place: int) -> NextLine:
    model, version, verdict = (str(content.get(name, "")) for name in ("model", "version", "verdict"))
    return NextLine(
        model=model,
        version=version,
        replicate=int(content.get("replicate") or 0),
        verdict=verdict,
        reason=str(content.get("reason", "")),
        takes=facts.takes.get((model, version)) if verdict in ("due", "waiting") else None,
        starts=facts.starts[place] if place < len(facts.starts) else None,
    )


def _device(content: Mapping[str, Any]) -> DeviceLine:
    free = number_of(content.get("memory_free"))
    return DeviceLine(
        index=str(content.get("index", "")),
        uuid=str(content.get("uuid", "")),
        name=str(content.get("name", "")),
        memory_total=int(number_of(content.get("memory_total")) or 0),
        memory_free=None if free is None else int(free),
        note=str(content.get("note", "")),
    )


def run_line(run: Run, now: datetime) -> RunLine:
    """Returns a run as a line of a list, by its last attempt."""
    last = run.last
    return RunLine(
        run=run.id,
        attempt=last.number,
        model=run.model,
        version=run.version,
        replicate=run.replicate,
        seed=run.seed,
        state=last.state.value,
        cause=last.cause.value,
        message=last.message or "",
        created_at=run.created_at,
        started_at=last.started_at,
        ended_at=last.ended_at,
        seconds=last.seconds_by(now),
        steps=last.steps,
        metrics=last.metrics or {},
        directory=last.directory,
    )


def scheduler_sentence(scheduler: SchedulerLine, now: datetime) -> str:
    """Says in one sentence whether a scheduler runs."""
    if scheduler.running:
        where = f" (pid {scheduler.pid} on {scheduler.host})" if scheduler.pid else f" (on {scheduler.host})"
        since = f", up for {text.duration((now - scheduler.since).total_seconds())}" if scheduler.since else ""
        doing = f", {scheduler.state}" if scheduler.state and scheduler.state != "running" else ""
        return f"The scheduler runs{where}{since}{doing}."
    heard = f"; last heard {text.ago(scheduler.heard_at, now)}" if scheduler.heard_at else ""
    return f"The scheduler is not running on {scheduler.host}{heard}. Start it with: mlpipeline start"
