"""Runs that Guild wrote: a directory a run, with attributes of YAML and event files of TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlpipeline import errors, event_files
from mlpipeline.errors import UsageError
from mlpipeline.observe.exchange.portable import Portable, grouped, plain, rows, safe, tag_words
from mlpipeline.run import Cause, State

_DERIVED = ("sys/",)
"""What Guild measures of the machine; it is no result."""


def runs(place: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields the runs of Guild's home, oldest first.

    Args:
        place: GUILD_HOME, `.guild` of an environment, or the directory `runs` in it.
        complain: is told of runs that cannot be read.

    Raises:
        UsageError: there are none.
        MissingExtra: PyYAML is not installed.
    """
    yaml = errors.require("yaml", extra="workflow")
    root = Path(place)
    below = [each for each in (root / "runs", root / ".guild" / "runs", root) if each.is_dir()]
    found = next((some for each in below if (some := sorted(each.glob("*/.guild/attrs")))), [])
    if not found:
        raise UsageError(f"{place}: holds no run of Guild: name GUILD_HOME, which `guild check` tells")
    read: list[Portable] = []
    for path in found:
        try:
            read.append(_run(path.parent.parent, yaml))
        except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
            complain(
                f"{path.parent.parent}: left out: {f'{error} is missing' if isinstance(error, KeyError) else error}"
            )
    yield from sorted(read, key=lambda run: (run.created_at, run.foreign))


def _run(place: Path, yaml: Any) -> Portable:
    guild = place / ".guild"
    told = {
        path.name: yaml.safe_load(path.read_text("utf-8")) for path in (guild / "attrs").iterdir() if path.name in _READ
    }
    identity = str(told.get("id") or place.name)
    created = _time(told.get("initialized")) or _time(told.get("started"))
    if created is None:
        raise ValueError("it does not say when it was made")
    state, cause, message = _state(guild, told.get("exit_status"))
    points = [point for point in _points(place) if not point[2].startswith(_DERIVED)]
    last = {name: value for _, _, name, value in sorted(points, key=lambda point: point[:2])}
    seed = told.get("random_seed")
    flags = told.get("flags") or {}
    return Portable(
        tool="guild",
        foreign=identity,
        store=str(place.parent),
        model=safe(_operation(guild)),
        version=safe(identity[:8]),
        seed=seed if isinstance(seed, int) else 0,
        params={str(name): plain(value) for name, value in flags.items()},
        state=state,
        cause=cause,
        message=message,
        created_at=created,
        started_at=_time(told.get("started")),
        ended_at=_time(told.get("stopped")),
        metrics=grouped(last),
        recorded=rows(points),
        commit=str(told.get("vcs_commit") or "").removeprefix("git:").rstrip("*"),
        tags=tuple(tag_words(map(str, told.get("tags") or ()))),
        notes=tuple(_notes(told)),
        sources=dict(_sources(place, _operation(guild))),
    )


_READ = frozenset((
    "id", "initialized", "started", "stopped", "exit_status", "random_seed", "flags", "vcs_commit", "tags", "label",
    "comments",
))  # fmt: skip
"""The rest holds the whole environment of the process, passwords included."""


def _time(microseconds: Any) -> datetime | None:
    return datetime.fromtimestamp(microseconds / 1e6, UTC) if isinstance(microseconds, int) else None


def _operation(guild: Path) -> str:
    """Returns what ran: the model and operation of a Guild file, or a script."""
    words = (guild / "opref").read_text("utf-8").split()
    names = [word for word in words[-2:] if word not in ("''", '""')]
    return "/".join(names) or "guild"


def _state(guild: Path, status: Any) -> tuple[State, Cause, str]:
    if isinstance(status, int):
        if status == 0:
            return State.SUCCEEDED, Cause.NONE, ""
        if status < 0 or status in (130, 143):
            return State.CANCELLED, Cause.NONE, f"terminated ({status})"
        return State.FAILED, Cause.EXIT, f"exit status {status}"
    if any((guild / mark).exists() for mark in ("STAGED", "PENDING")):
        return State.SUBMITTED, Cause.NONE, ""
    if (guild / "LOCK").exists():
        return State.RUNNING, Cause.NONE, ""
    return State.LOST, Cause.NONE, "it has no exit status, and it does not run"


def _notes(told: Mapping[str, Any]) -> Iterator[str]:
    if told.get("label"):
        yield str(told["label"])
    for each in told.get("comments") or ():
        if isinstance(each, Mapping) and each.get("body"):
            yield str(each["body"])


def _points(place: Path) -> Iterator[tuple[datetime, int, str, float]]:
    for path in sorted(place.rglob(event_files.PATTERN)):
        below = path.parent.relative_to(place).as_posix()
        prefix = "" if below in (".", ".guild") else f"{below}/"
        for at, step, name, value in event_files.read(path):
            yield datetime.fromtimestamp(at, UTC), step, prefix + name, value


def _sources(place: Path, operation: str) -> Iterator[tuple[str, bytes]]:
    """Yields the script that ran, where the run is one of a script."""
    path = place / operation
    if path.suffix == ".py" and path.resolve().is_relative_to(place.resolve()):
        with suppress(OSError):
            yield operation, path.read_bytes()
