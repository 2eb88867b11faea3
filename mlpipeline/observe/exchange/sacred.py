"""Runs that sacred's FileStorageObserver wrote: a directory a run, with run.json, config.json and metrics.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlpipeline.errors import UsageError
from mlpipeline.observe.exchange.portable import Portable, aware, grouped, plain, rows, safe
from mlpipeline.run import Cause, State

_STATES = {
    "COMPLETED": (State.SUCCEEDED, Cause.NONE),
    "FAILED": (State.FAILED, Cause.EXCEPTION),
    "INTERRUPTED": (State.CANCELLED, Cause.INTERRUPTED),
    "TIMEOUT": (State.FAILED, Cause.TIME_LIMIT),
    "QUEUED": (State.SUBMITTED, Cause.NONE),
}
_SILENT = timedelta(hours=1)
"""A run says that it lives every ten seconds; one that has not for so long was killed."""
_MOST_TEXT = 2000


def runs(place: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields the runs of an observer's directory, oldest first.

    Args:
        place: what `FileStorageObserver` was given, or `-F` on the command line.
        complain: is told of runs that cannot be read.

    Raises:
        UsageError: there are none.
    """
    root = Path(place)
    found = sorted(root.glob("*/run.json"), key=lambda path: (len(path.parent.name), path.parent.name))
    if not found:
        raise UsageError(f"{place}: holds no run of sacred: name the directory that FileStorageObserver writes")
    for path in found:
        try:
            yield _run(root, path.parent)
        except (OSError, ValueError, TypeError, KeyError) as error:
            complain(f"{path}: left out: {f'{error} is missing' if isinstance(error, KeyError) else error}")


def _run(root: Path, place: Path) -> Portable:
    told = _read(place / "run.json")
    experiment = told.get("experiment") or {}
    config = _read(place / "config.json") if (place / "config.json").exists() else {}
    curves = _read(place / "metrics.json") if (place / "metrics.json").exists() else {}
    began = aware(datetime.fromisoformat(told["start_time"]))
    heard = _time(told.get("stop_time")) or _time(told.get("heartbeat")) or began
    state, cause, message = _state(told, heard)
    last = {name: each["values"][-1] for name, each in curves.items() if each.get("values")}
    # A seed that sacred drew stands in the configuration; it is none of the parameters.
    seed = config.get("seed")
    return Portable(
        tool="sacred",
        foreign=f"{(told.get('host') or {}).get('hostname', '')} {place.name}",
        store=str(root),
        model=safe(str(experiment.get("name") or "sacred")),
        version=safe(place.name),
        seed=seed if isinstance(seed, int) else 0,
        params={
            name: plain(value) for name, value in config.items() if name not in ("seed", "__doc__", "__annotations__")
        },
        state=state,
        cause=cause,
        message=message,
        created_at=began,
        started_at=began,
        ended_at=heard if state.is_final else None,
        metrics=grouped(last) | _result(told.get("result")),
        recorded=rows(_points(curves)),
        commit=next((str(each["commit"]) for each in experiment.get("repositories") or () if each.get("commit")), ""),
        notes=tuple(filter(None, [str((told.get("meta") or {}).get("comment") or "")])),
        sources=dict(_sources(root, experiment)),
    )


def _read(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"{path.name} is no object")
    return content


def _time(text: Any) -> datetime | None:
    return aware(datetime.fromisoformat(text)) if isinstance(text, str) else None


def _state(told: Mapping[str, Any], heard: datetime) -> tuple[State, Cause, str]:
    status = str(told.get("status"))
    if status == "RUNNING":
        is_silent = datetime.now(UTC) - heard > _SILENT
        return (State.LOST, Cause.NONE, "its last sign of life is all that is known") if is_silent else (
            State.RUNNING, Cause.NONE, ""
        )  # fmt: skip
    if status not in _STATES:
        return State.FAILED, Cause.NONE, status
    trace = told.get("fail_trace") or ()
    message = str(trace[-1]).strip()[:_MOST_TEXT] if trace else ""
    return *_STATES[status], message


def _result(result: Any) -> dict[str, Any]:
    if result is None or isinstance(result, str):
        return {}
    return grouped(result) if isinstance(result, Mapping) else {"result": plain(result)}


def _points(curves: Mapping[str, Any]) -> Iterator[tuple[datetime, int, str, float]]:
    for name, each in curves.items():
        for step, at, value in zip(each["steps"], each["timestamps"], each["values"], strict=False):
            if isinstance(value, int | float):
                yield aware(datetime.fromisoformat(at)), int(step), name, float(value)


def _sources(root: Path, experiment: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    for name, kept in experiment.get("sources") or ():
        path = (root / str(kept)).resolve()
        if path.is_relative_to(root.resolve()):
            with suppress(OSError):
                yield str(name), path.read_bytes()
