"""What people are told of while they are away: what ended badly, stalls, is the best so far; an empty queue. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from mlpipeline.jsonable import jsonable
from mlpipeline.observe import left, text
from mlpipeline.observe.results import PREFERRED, direction_of, metrics_of
from mlpipeline.observe.view import Facts, LiveLine, picture
from mlpipeline.run import Attempt, Cause, Run, State

Key = tuple[str, int]
"""A run's id, and the number of one of its attempts."""

KINDS = ("empty", "failed", "lost", "stalled", "best", "gone")
_SAID = {
    "empty": "the queue is empty",
    "failed": "{} failed",
    "lost": "{} lost",
    "stalled": "{} stalled",
    "best": "{} best so far",
    "gone": "the scheduler is gone",
}
_MOST_LINES = 12
_MOST_KEPT = 200
_OPEN = ("due", "waiting", "running")
_BAD = {State.FAILED: "failed", State.LOST: "lost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened, and the run that it happened to where it was one."""

    kind: str
    text: str
    at: datetime
    run: str = ""
    attempt: int = 0
    model: str = ""
    version: str = ""
    replicate: int = 0


@dataclass(slots=True)
class Notifier:
    """Compares what is with what was, and says what is new.

    Args:
        since: what ended before is not told.
        past: runs that succeeded before: what is best so far is told against them.
        late: attempts that ended before, perhaps, and of which nobody has told.
        known: attempts that were told of.
        stalled: likewise, that they had stalled.
    """

    since: datetime
    past: Iterable[Run] = ()
    late: Collection[Key] = ()
    known: set[Key] = field(default_factory=set)
    stalled: set[Key] = field(default_factory=set)
    _best: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    _was_open: bool = False
    _ended: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for run in self.past:
            if not self._is_news(run, run.last):
                self._beats(run)
        self.past = ()

    def _is_news(self, run: Run, attempt: Attempt) -> bool:
        key = (run.id, attempt.number)
        is_young = attempt.ended_at is not None and attempt.ended_at >= self.since
        return attempt.state.is_final and key not in self.known and (is_young or key in self.late)

    def look(self, facts: Facts, now: datetime) -> list[Notice]:
        """Returns what happened since the last look."""
        return [*self._ends(facts, now), *self._stalls(facts, now), *self._emptied(facts, now)]

    def gone(self, facts: Facts, now: datetime) -> list[Notice]:
        """Returns what there is to say when this scheduler has ended, unless it said goodbye or another one works."""
        found = self.look(facts, now)
        if facts.scheduler.running or (facts.status or {}).get("state") in (None, "stopped"):
            return found
        alive = sum(each == "alive" for each in facts.life.values())
        rest = f"; {text.many(alive, 'run')} still going on" if alive else ""
        return [*found, Notice(kind="gone", text=f"the scheduler is gone and did not say why{rest}", at=now)]

    def _ends(self, facts: Facts, now: datetime) -> Iterator[Notice]:
        for run in reversed([*facts.live, *facts.ended]):
            for attempt in run.attempts:
                if not self._is_news(run, attempt):
                    continue
                self.known.add((run.id, attempt.number))
                self._was_open = True
                self._ended[attempt.state.value] += 1
                if attempt.state in _BAD:
                    yield _notice(_BAD[attempt.state], _bad(run, attempt), run, attempt, now)
                elif attempt is run.last and (told := self._beats(run)):
                    yield _notice("best", told, run, attempt, now)

    def _beats(self, run: Run) -> str:
        """Returns how a run beats all others of its model, nothing where it does not or where it is the first one."""
        name, value = _main_metric(run)
        if value is None or run.state is not State.SUCCEEDED or run.last.cause is Cause.PRUNED:
            return ""
        title, before = text.title_of(run), self._best.get((run.model, name))
        sign = -1 if direction_of(name) == "minimize" else 1
        if before is not None and sign * value <= sign * before[0]:
            return ""
        self._best[run.model, name] = (value, title)
        if before is None:
            return ""
        return (
            f"{title} is the best so far: {name} {text.number(value)}, before it {text.number(before[0])} ({before[1]})"
        )

    def _stalls(self, facts: Facts, now: datetime) -> Iterator[Notice]:
        silent = [line for line in picture(facts, now).running if line.stalled is not None]
        for line in silent:
            if (line.run.run, line.run.attempt) not in self.stalled:
                yield _stalled(line, now)
        self.stalled = {(line.run.run, line.run.attempt) for line in silent}

    def _emptied(self, facts: Facts, now: datetime) -> Iterator[Notice]:
        counts = (facts.status or {}).get("counts") or {}
        is_open = bool(facts.live) or any(counts.get(each) for each in _OPEN)
        if self._was_open and not is_open:
            ended = ", ".join(f"{count} {state}" for state, count in self._ended.items() if count)
            yield Notice(kind="empty", text=f"the queue is empty{': ' + ended if ended else ''}", at=now)
            self._ended.clear()
        self._was_open = is_open


def _notice(kind: str, told: str, run: Run, attempt: Attempt, now: datetime) -> Notice:
    return Notice(
        kind=kind,
        text=told,
        at=attempt.ended_at or now,
        run=run.id,
        attempt=attempt.number,
        model=run.model,
        version=run.version,
        replicate=run.replicate,
    )


def _bad(run: Run, attempt: Attempt) -> str:
    name = text.title_of(run)
    took = f" after {text.duration(attempt.seconds)}" if attempt.seconds is not None else ""
    reason = text.one_line(attempt.message or attempt.cause.value.replace("_", " "), 300)
    return f"{name} {attempt.state.value}{took}: {reason} (mlpipeline logs {run.id}.{attempt.number})"


def _stalled(line: LiveLine, now: datetime) -> Notice:
    run = line.run
    name = text.title_of(run)
    silent = text.rough(line.stalled or 0.0)
    return Notice(
        kind="stalled",
        text=f"{name} has done nothing for {silent}; it is left alone (mlpipeline logs {run.run})",
        at=now,
        run=run.run,
        attempt=run.attempt,
        model=run.model,
        version=run.version,
        replicate=run.replicate,
    )


def _main_metric(run: Run) -> tuple[str, float | None]:
    """Returns the metric that says most about a run and has a direction."""
    numbers = {
        name: float(value)
        for name, value in metrics_of(run).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    }
    directed = [name for name in numbers if direction_of(name)]
    if not directed:
        return "", None
    groups = {group: place for place, group in enumerate(PREFERRED)}
    name = min(directed, key=lambda each: groups.get(each.partition(" ")[0] if " " in each else "", len(groups)))
    return name, numbers[name]


@dataclass(slots=True)
class Pacing:
    """Gathers notices, so that no more than one message is sent in so many seconds; after a failure later and later.

    Args:
        every: seconds between messages.
        most: the longest that is waited after failures.
    """

    every: float
    most: float = 3600.0
    waiting: list[Notice] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    _next: float = 0.0
    _failures: int = 0

    def add(self, notices: Sequence[Notice]) -> None:
        """Takes notices; of very many only the newest are kept one by one."""
        self.waiting += notices
        self.left_out.update(each.kind for each in self.waiting[:-_MOST_KEPT])
        del self.waiting[:-_MOST_KEPT]

    def is_due(self, now: float) -> bool:
        """Whether a message may be sent, and there is one."""
        return bool(self.waiting) and now >= self._next

    def sent(self, now: float) -> None:
        """Notes that what waited has arrived."""
        self.waiting, self.left_out, self._failures = [], Counter(), 0
        self._next = now + self.every

    def failed(self, now: float) -> None:
        """Notes that it has not: it stays, and is tried again."""
        self._failures += 1
        self._next = now + min(self.most, self.every * 2 ** min(self._failures - 1, 20))


def message(facts: Facts, pacing: Pacing, now: datetime) -> dict[str, Any]:
    """Returns what is sent: a title that sums up, a line for each notice, and how the queue stands."""
    counts = Counter(each.kind for each in pacing.waiting) + pacing.left_out
    summed = ", ".join(_SAID[kind].format(counts[kind]) for kind in KINDS if counts[kind])
    lines = [each.text for each in pacing.waiting[-_MOST_LINES:]]
    if (more := counts.total() - len(lines)) > 0:
        lines.insert(0, f"{more} earlier ones, and:")
    shown = picture(facts, now)
    if shown.running or any(shown.versions.get(each) for each in _OPEN):
        lines.append(f"{text.many(len(shown.running), 'run')} going on, {_left(shown.versions)} to come.")
    if shown.left:
        lines.append(left.sentence(shown.left, now))
    return envelope(facts.root, facts.scheduler.host, summed, lines, pacing.waiting)


def envelope(root: str, host: str, summed: str, lines: Sequence[str], notices: Sequence[Notice]) -> dict[str, Any]:
    """Returns lines and notices as what is sent.

    Args:
        root: of the project.
        host: whose queue it is.
        summed: what happened, for the title.
        lines: the message.
        notices: what it tells of.
    """
    title = f"{text.one_line(root.rstrip('/').rpartition('/')[2])} on {host}: {summed}"
    content = {
        "format": 1,
        "title": title,
        "text": "\n".join([title, *lines]),
        "body": "\n".join(lines),
        "project": root,
        "host": host,
        "notices": [asdict(each) for each in notices],
    }
    sent: dict[str, Any] = jsonable(content)
    return sent


def _left(versions: Mapping[str, int]) -> str:
    return text.many(sum(versions.get(each, 0) for each in ("due", "waiting")), "version")
