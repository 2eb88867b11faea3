"""Sentences that say why a run or a version is as it is, and what may be done; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlpipeline.observe import left, text
from mlpipeline.observe.progress import Progress
from mlpipeline.observe.view import LiveLine
from mlpipeline.policy import hint
from mlpipeline.run import OUTSIDE, Attempt, Cause, Run, State, refusal

if TYPE_CHECKING:
    from mlpipeline.durations import Estimate

_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What files and plan add to a run's record.

    Attributes:
        progress: how far it is, or was at its end, with its last checkpoint; None where nobody has looked.
        followed_by: the newest run of the same version and seed, where that is another one.
        outlook: what comes next by the plan, a sentence; empty where the plan is not known.
        left: how long it goes on.
        live: what has become of it, where it lives by the ledger.
        waits: why it has not begun, in the words of the engine that has it.
    """

    progress: Progress | None = None
    followed_by: Run | None = None
    outlook: str = ""
    left: Estimate | None = None
    live: LiveLine | None = None
    waits: str = ""


def why_run(run: Run, now: datetime, details: Details | None = None) -> str:
    """Answers in sentences why a run is as it is, and what may be done."""
    told, last = details or Details(), run.last
    name = f"{text.title_of(run)} (run {run.id}, attempt {last.number})"
    if last.state is State.SUCCEEDED:
        shown = text.metrics(last.metrics or {})
        early = f", {text.one_line(last.message, 200)}" if last.cause is Cause.PRUNED else ""
        done = f"{name} succeeded {text.ago(last.ended_at, now)}{_steps(last)}{early}" + (
            f": {shown}." if shown else "."
        )
        return _joined(done, _changed(last), _follower(told))
    if not last.state.is_final:
        return _live(name, last, told, now)
    reason = text.one_line(last.message or last.cause.value.replace("_", " "), 500).rstrip(".")
    ended = f"{name} {last.state.value} {text.ago(last.ended_at, now)}{_steps(last)}: {reason}."
    what_next = _follower(told) or told.outlook or _remedy(run, last)
    return _joined(ended, _changed(last), _checkpoint(last, told.progress), what_next)


def _live(name: str, last: Attempt, told: Details, now: datetime) -> str:
    life = told.live.now if told.live else "unknown"
    if life == "gone":
        return f"{name} is lost: its processes are gone and left no result. A scheduler that runs tries it again."
    if life == "ended":
        return f"{name} has ended; a scheduler that runs records its result."
    if last.state is State.SUBMITTED:
        waits = f": {text.one_line(told.waits, 500).rstrip('.')}" if told.waits else ""
        return f"{name} was submitted {text.ago(last.submitted_at, now)} and has not started yet{waits}."
    if told.live and told.live.stalled is not None:
        return _joined(
            f"{name} is STALLED: no step, no output, no processor time for {text.rough(told.live.stalled)}"
            f"{_progress(told)}.",
            f"See mlpipeline logs {last.run_id}, or end it: mlpipeline cancel {last.run_id}",
        )
    return f"{name} has been running for {text.duration(last.seconds_by(now))}{_progress(told)}."


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _steps(last: Attempt) -> str:
    is_told = last.steps is None or "at step " in (last.message or "")
    return "" if is_told else f" after {text.many(last.steps or 0, 'step')}"


def _progress(told: Details) -> str:
    progress, parts = told.progress, []
    if progress is not None and progress.step is not None:
        parts.append(f"step {progress.step}" + (f" of {progress.total}" if progress.total else ""))
    if progress is not None and progress.checkpoint_step is not None:
        parts.append(f"last checkpoint at step {progress.checkpoint_step}")
    if told.live is not None and told.live.stalled is not None:
        pass  # whatever was reckoned from its pace is void
    elif told.left is not None:
        parts.append("longer than usual" if told.left.is_late else f"about {left.about(told.left)} left")
    elif progress is not None and progress.eta_seconds is not None:
        parts.append(f"about {text.rough(progress.eta_seconds)} left")
    return f": {', '.join(parts)}" if parts else ""


def _changed(last: Attempt) -> str:
    changes = ", ".join(f"{name} = {text.number(value)}" for name, value in last.changes.items())
    return f"It ran with {changes} instead of the version's own." if changes else ""


def _checkpoint(last: Attempt, progress: Progress | None) -> str:
    if progress is None:
        return ""
    if progress.checkpoint_step is not None:
        return f"Its last checkpoint is of step {progress.checkpoint_step}."
    return "It left no checkpoint." if last.steps else ""


def _follower(told: Details) -> str:
    if told.followed_by is None:
        return ""
    return f"Run {told.followed_by.id} of the same version came after it: it {_state(told.followed_by)}."


def _state(run: Run) -> str:
    words = {State.SUBMITTED: "was submitted", State.RUNNING: "runs", State.LOST: "was lost"}
    words |= {State.CANCELLED: "was cancelled", State.YIELDED: "made room"}
    return words.get(run.state, run.state.value)


def _remedy(run: Run, last: Attempt) -> str:
    if run.retry_asked:
        return "A retry was asked for: it runs again when the queue does."
    if last.executor in OUTSIDE:
        return f"It was {refusal(last.executor)}."
    if last.state is State.YIELDED or last.cause is Cause.INTERRUPTED:
        return "It goes on from its last checkpoint when the queue runs."
    if last.state is State.LOST:
        return (
            f"It was tried {_times(len(run.attempts))}; it is tried again until max_attempts, from its last "
            f"checkpoint. After that: mlpipeline retry {run.id}"
        )
    advice = f"; {hint(last.cause)}" if hint(last.cause) else ""
    return (
        f"It runs again when its code or parameters change, or by: mlpipeline retry {run.id} "
        f"(its output: mlpipeline logs {run.id}){advice}"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def since(changes: Sequence[str], run: Run) -> str:
    """Says what changed since a run: `A changed and x: 1 → 2 since run … succeeded (test accuracy 0.9)`."""
    shown = list(changes[:_MOST])
    if len(changes) > _MOST:
        shown.append(f"{len(changes) - _MOST} more")
    told = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
    what = (
        told or "nothing but how another Python or mlpipeline digests the code (the queue compares anew when it starts)"
    )
    metrics = text.metrics(dict(list(text.flat_metrics(run.last.metrics or {}).items())[:1]))
    verb = "" if told else "changed "
    return f"{what} {verb}since run {run.id} {_state(run)}" + (f" ({metrics})" if metrics else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """When something starts, the moments between which that is, and after what.

    `ahead` are models, how many versions of each, and how many seconds the shortest and the longest of them take.
    """

    at: datetime
    between: tuple[datetime, datetime]
    ahead: Sequence[tuple[str, int, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A version that has not run, or is to run again: what the plan and its surroundings say.

    Attributes:
        verdict: "due", "waiting" or "held".
        reason: the plan's.
        until: the known moment that ends the wait.
        stale: what `since` says; empty for what never ran.
        behind: titles of those that come before it, those that run first.
        listed_at: since when the models config lists it.
        takes: how long it takes; only where earlier runs say so.
        start: only where facts give it.
        is_served: whether a scheduler runs.
    """

    title: str
    verdict: str
    reason: str
    until: datetime | None = None
    stale: str = ""
    behind: Sequence[str] = ()
    listed_at: datetime | None = None
    takes: Estimate | None = None
    start: Start | None = None
    is_served: bool = True


def why_wish(wish: Wish, now: datetime) -> str:
    """Answers in sentences why a version has not run yet, what it waits for, and when it will run."""
    reason = text.one_line(wish.reason, 500)
    when = f" ({text.at(wish.until, now)})" if wish.until else ""
    if wish.verdict == "held":
        told = f"{wish.title} is {reason}{when}."
    elif wish.stale:
        told = f"{wish.title} is {wish.verdict}: {wish.stale}."
        told += "" if reason == "next" else f" {_sentence(reason)}{when}."
    else:
        told = f"{wish.title} is {wish.verdict}: {reason}{when}."
    if wish.stale and wish.verdict == "held":
        told += f" {_sentence(wish.stale)}."
    listed = f"It has been listed since {text.clock(wish.listed_at, now)}." if wish.listed_at else ""
    command = "It runs with: mlpipeline -r -u" if wish.verdict == "due" and not wish.is_served else ""
    takes = left.why(wish.takes, wish.title.partition(":")[0]) if wish.takes else ""
    return _joined(told, _behind(wish), listed, _start(wish, now), takes, command)


def _sentence(words: str) -> str:
    return f"It {words}" if words.startswith("waits ") else words[:1].upper() + words[1:]


def _behind(wish: Wish) -> str:
    if not wish.behind:
        return ""
    more = f" and {len(wish.behind) - _MOST} more" if len(wish.behind) > _MOST else ""
    return f"Before it: {', '.join(wish.behind[:_MOST])}{more}."


def _start(wish: Wish, now: datetime) -> str:
    if wish.start is None:
        return ""
    ahead = ", ".join(_take(*each) for each in wish.start.ahead)
    when, soonest, latest = (text.clock(each, now) for each in (wish.start.at, *wish.start.between))
    between = "" if soonest == latest else f" ({soonest} to {latest})"
    return f"It starts at about {when}{between}, after {ahead}."


def _take(model: str, count: int, shortest: float, longest: float) -> str:
    low, high = text.rough(shortest), text.rough(longest)
    each = (low if low == high else f"{low} to {high}") + (" each" if count > 1 else "")
    return f"{text.many(count, 'version')} of {model}, which {'take' if count > 1 else 'takes'} about {each}"
