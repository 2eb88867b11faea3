"""What happened between two pictures, in lines: what started, ended, stalled, and who serves the queue; pure."""

from __future__ import annotations

from collections.abc import Iterator

from mlpipeline.observe import text
from mlpipeline.observe.view import LiveLine, Picture, RunLine, scheduler_sentence


def between(before: Picture, after: Picture) -> Iterator[str]:
    """Yields a line for each thing that is true now and was not before."""
    if before.scheduler.running != after.scheduler.running:
        yield scheduler_sentence(after.scheduler, after.at)
    known = {_key(line.run): line for line in before.running}
    ended = {_key(line) for line in before.ended}
    for each in reversed(after.ended):
        if _key(each) not in ended and (each.ended_at is None or each.ended_at > before.at or _key(each) in known):
            yield _ended(each)
    for line in after.running:
        was = known.get(_key(line.run))
        if was is None:
            yield f"{text.title_of(line.run)} {line.word} (run {line.run.run})"
        elif was.word != line.word:
            yield f"{text.title_of(line.run)} {_changed(was, line)} (run {line.run.run})"
    yield from (f"fault: {each}" for each in after.faults if each not in before.faults)
    yield from (f"warning: {each}" for each in after.warnings if each not in before.warnings)


def _key(line: RunLine) -> tuple[str, int]:
    return line.run, line.attempt


def _changed(was: LiveLine, line: LiveLine) -> str:
    if line.stalled is not None:
        return f"STALLED: nothing done for {text.duration(line.stalled)}"
    return "goes on" if was.stalled is not None and line.now == "alive" else line.word


def _ended(line: RunLine) -> str:
    told = text.metrics(line.metrics) if line.state == "succeeded" else text.one_line(line.message or line.cause)
    took = f" after {text.duration(line.seconds)}" if line.seconds is not None else ""
    return f"{text.title_of(line)} {line.state}{took} (run {line.run})" + (f": {told}" if told else "")
