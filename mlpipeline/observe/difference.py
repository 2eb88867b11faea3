"""What differs between two runs: parameters, code, environment, results; pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlpipeline import params, searches
from mlpipeline.execution import changes
from mlpipeline.observe import text
from mlpipeline.observe.results import direction_of, metrics_of
from mlpipeline.run import Attempt, Run

_ABSENT = "(none)"
_FACTS = ("python", "platform", "machine", "cores", "threads", "executable")
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs.

    Attributes:
        environment: as `environment.json` has it; empty where that is gone.
        sources: the copied files, by path; None where the copy is gone.
        main: which of them is the model's own.
    """

    run: Run
    attempt: Attempt
    environment: Mapping[str, Any]
    sources: Mapping[str, bytes] | None
    main: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One difference: what it is called, and what stands on each side; `note` says more, `better` of a metric, say."""

    name: str
    one: str
    other: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that differs, by section. `code` are sentences."""

    run: tuple[Line, ...]
    parameters: tuple[Line, ...]
    code: tuple[str, ...]
    environment: tuple[Line, ...]
    results: tuple[Line, ...]


def difference(one: Side, other: Side) -> Difference:
    """Compares two runs; the second is told as what became of the first."""
    return Difference(
        run=tuple(_run(one, other)),
        parameters=tuple(_lines(_parameters(one), _parameters(other))),
        code=tuple(_code(one, other)),
        environment=tuple(_environments(one, other)),
        results=tuple(_results(one, other)),
    )


def _run(one: Side, other: Side) -> Iterator[Line]:
    def facts(side: Side) -> dict[str, Any]:
        run, attempt = side.run, side.attempt
        state, cause = attempt.state.value, attempt.cause.value
        state += f" ({cause})" if cause not in ("none", state) else ""
        took = None if attempt.seconds is None else text.duration(attempt.seconds)
        told = {"model": run.model, "version": run.version, "replicate": run.replicate, "seed": run.seed}
        more = {"state": state, "steps": attempt.steps, "took": took}
        return told | {name: each for name, each in more.items() if each is not None}

    yield from _lines(facts(one), facts(other))


def _parameters(side: Side) -> dict[str, Any]:
    """Returns a run's parameters by address; where a policy changed one, as the attempt had it."""
    return {**params.addressed(side.run.params), **params.addressed(side.attempt.changes or {})}


def _environments(one: Side, other: Side) -> Iterator[Line]:
    """Yields what differs; where one of them is gone that alone, and not all that the other has."""
    found = [_environment(each) for each in (one, other)]
    if bool(found[0]) != bool(found[1]):
        said = ["known" if each else "not known: environment.json is gone or damaged" for each in found]
        yield Line(name="environment", one=said[0], other=said[1])
        return
    yield from _lines(*found)


def _environment(side: Side) -> dict[str, Any]:
    told = side.environment
    found = {name: told[name] for name in _FACTS if told.get(name) is not None}
    git = told.get("git") or {}
    if git.get("commit"):
        found["commit"] = f"{git['commit'][:12]}{' with changes' if git.get('dirty') else ''}"
    found |= {f"${name}": each for name, each in (told.get("variables") or {}).items()}
    return found | dict(told.get("packages") or {})


def _lines(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Line]:
    for name in dict.fromkeys((*one, *other)):
        sides = [_said(each[name]) if name in each else _ABSENT for each in (one, other)]
        if sides[0] != sides[1]:
            yield Line(name=name, one=sides[0], other=sides[1])


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _code(one: Side, other: Side) -> Iterator[str]:
    if one.run.sources == other.run.sources:
        return
    if one.sources is None or other.sources is None:
        gone = [side.run.id for side in (one, other) if side.sources is None]
        is_same = one.run.code_digest == other.run.code_digest
        told = "is the same but for comments" if is_same else "differs"
        yield f"the code {told}; what exactly cannot be told: the copied sources of {', '.join(gone)} are gone"
        return
    found = changes.of_code(one.sources, one.main, other.sources, other.main)
    yield from (each.text for each in found)
    if not found:
        yield "only comments, docstrings or formatting differ"


def _results(one: Side, other: Side) -> Iterator[Line]:
    values = metrics_of_attempt(one), metrics_of_attempt(other)
    for line in _lines(*values):
        before, after = (each.get(line.name) for each in values)
        note = _gain(line.name, before, after) if searches.is_number(before) and searches.is_number(after) else ""
        yield Line(
            name=line.name,
            one=line.one if before is None else text.number(before),
            other=line.other if after is None else text.number(after),
            note=note,
        )


def _gain(name: str, before: Any, after: Any) -> str:
    gain, direction = after - before, direction_of(name)
    if direction is None or not gain:
        return f"{gain:+.4g}"
    return f"{gain:+.4g}, {'better' if (gain < 0) == (direction == 'minimize') else 'worse'}"


def metrics_of_attempt(side: Side) -> dict[str, Any]:
    """Returns an attempt's results by name."""
    return metrics_of(replace(side.run, attempts=(side.attempt,)))


def unified(one: Side, other: Side) -> Iterator[str]:
    """Yields the lines of a unified diff of the copied sources, as `diff -u` prints them."""
    before, after = one.sources or {}, other.sources or {}
    moved = {other.main if path == one.main else path: path for path in before}
    for path in sorted({*moved, *after}, key=lambda each: (each != other.main, each)):
        name = moved.get(path)
        old = b"" if name is None else before[name]
        new = after.get(path, b"")
        if old != new:
            yield from difflib.unified_diff(
                _text(old),
                _text(new),
                "/dev/null" if name is None else f"{one.run.id}/{name}",
                f"{other.run.id}/{path}" if path in after else "/dev/null",
                lineterm="",
            )


def _text(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def told(found: Difference) -> list[str]:
    """Returns the difference as lines for a person."""
    sections = (
        ("Run", found.run),
        ("Parameters", found.parameters),
        ("Environment", found.environment),
        ("Results", found.results),
    )
    lines = []
    for title, rows in sections:
        if title == "Environment" and found.code:
            lines += ["Code:", *(f"  {each}" for each in found.code), ""]
        if rows:
            width = max(len(text.one_line(row.name, _LONGEST)) for row in rows)
            lines += [f"{title}:", *(_line(row, width) for row in rows), ""]
    return lines[:-1] if lines else ["Nothing that is recorded differs."]


def _line(row: Line, width: int) -> str:
    note = f"  ({row.note})" if row.note else ""
    sides = f"{text.one_line(row.one, _LONGEST)} → {text.one_line(row.other, _LONGEST)}"
    return f"  {text.one_line(row.name, _LONGEST).ljust(width)}  {sides}{note}"
