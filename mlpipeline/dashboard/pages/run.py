"""The page of one run: what it is, how far it is, what it measured, printed and left behind."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import params, wire
from mlpipeline.dashboard.log_tail import LogTail
from mlpipeline.dashboard.lookout import Lookout
from mlpipeline.dashboard.pages.frame import frame
from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.errors import UsageError
from mlpipeline.ledger import Ledger
from mlpipeline.observe import curves, difference, finding, text, view
from mlpipeline.observe.curves import Curve
from mlpipeline.observe.view import LiveLine
from mlpipeline.project import Project
from mlpipeline.run import Attempt, Run
from mlpipeline.rundir import read_notes, read_tags

TEMPLATE, DIFFERENCE = "run.html", "difference.html"
MOST_FILES = 200
_LONGEST_CODE = 200_000
_SHARE = 0.05
"""Of the time that reading the curves of one open page takes at most."""


def find(project: Project, reference: str) -> tuple[Run, Attempt]:
    """Returns a run by its whole id, and its last attempt, or the one that `ID.2` names.

    Raises:
        Refusal: there is none.
    """
    try:
        with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
            run, attempt = finding.find_run(project, ledger, reference)
    except UsageError as error:
        raise Refusal(404, str(error)) from error
    if reference.partition(".")[0] != run.id:
        raise Refusal(404, f"there is no run {reference}: an address has its whole id, {run.id}")
    return run, attempt


def content(lookout: Lookout, reference: str, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the page shows.

    Raises:
        Refusal: there is no such run.
    """
    seen, project = lookout.look(), lookout.project
    run, attempt = find(project, reference)
    directory = project.root / attempt.directory
    title = text.title_of(run)
    live = next(
        (each for each in seen.picture.running if (each.run.run, each.run.attempt) == (run.id, attempt.number)), None
    )
    outcome = wire.read_json(directory / wire.OUTCOME) or {}
    result = wire.read_json(directory / wire.RESULT) or {}
    given = {**params.addressed(run.params), **params.addressed(attempt.changes or {})}
    return frame(seen, title=title, here="", live=f"/live/runs/{reference}", is_read_only=is_read_only) | {
        "run": run,
        "attempt": attempt,
        "reference": reference,
        "line": view.run_line(run, seen.now),
        "live_line": live,
        "state": live.word if live is not None else attempt.state.value,
        "seconds": attempt.seconds_by(seen.now),
        "parameters": given,
        "notes": read_notes(project.runs_dir / run.id),
        "tags": read_tags(project.runs_dir / run.id),
        "latest": [] if live is None else _numbers(live.latest),
        "shown_metrics": _numbers(attempt.metrics or {}),
        "shown_parameters": [(text.one_line(name, 80), _told(each)) for name, each in given.items()],
        "facts": [*_facts(run, attempt, outcome), *_taken(live)],
        "traceback": (result.get("error") or {}).get("traceback") or "",
        "summaries": [(name, result[name]) for name in ("model_summary", "loader_summary") if result.get(name)],
        "warnings": [*(result.get("notes") or ()), *(outcome.get("warnings") or ())],
        "files": files(directory),
        "is_final": attempt.state.is_final,
    }


def _numbers(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(text.one_line(name, 80), text.number(each)) for name, each in text.flat_metrics(metrics).items()]


def _told(value: Any) -> str:
    return text.one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 300)


def _facts(run: Run, attempt: Attempt, outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    step = outcome.get("checkpoint_step")
    return [
        ("seed", f"{run.seed} (replicate {run.replicate})"),
        ("created", f"{run.created_at.astimezone():%Y-%m-%d %H:%M:%S}"),
        ("took", text.duration(attempt.seconds)),
        ("steps", "" if attempt.steps is None else str(attempt.steps)),
        ("checkpoint", "" if step is None else f"at step {step}"),
        ("peak memory", text.memory(attempt.peak_memory_bytes)),
        ("peak GPU memory", text.memory(outcome.get("peak_gpu_memory_bytes"))),
        ("exit", text.ended(attempt.signal, attempt.exit_code)),
        ("code", f"{run.code_digest} (sources {run.sources[:12]})"),
        ("directory", text.one_line(attempt.directory)),
        ("model directory", text.one_line(run.model_dir)),
    ]


def _taken(live: LiveLine | None) -> list[tuple[str, str]]:
    if live is None:
        return []
    return [("memory now", text.memory(live.memory)), ("cores now", "" if live.cores is None else f"{live.cores:.1f}")]


def details(project: Project, reference: str) -> dict[str, Any]:
    """Returns what is asked for when somebody unfolds it: environment, code, earlier runs of the same version."""
    run, attempt = find(project, reference)
    side = finding.side_of(project, run, attempt)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        others = [each for each in ledger.runs(model=run.model, limit=50) if each.id != run.id]
    code = None if side.sources is None else side.sources.get(side.main)
    return {
        "environment": {name: each for name, each in side.environment.items() if not isinstance(each, dict)},
        "packages": side.environment.get("packages") or {},
        "git": side.environment.get("git") or {},
        "code": None if code is None else code.decode("utf-8", "replace")[:_LONGEST_CODE],
        "main": side.main,
        "others": others,
    }


def compared(lookout: Lookout, one: str, other: str) -> dict[str, Any]:
    """Returns what the page of a difference shows."""
    sides = [finding.side_of(lookout.project, *find(lookout.project, each)) for each in (one, other)]
    return frame(lookout.look(), title=f"{one} → {other}", here="") | {
        "sides": sides,
        "difference": difference.difference(*sides),
        "lines": list(difference.unified(*sides)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of an attempt."""

    name: str
    size: int


def files(directory: Path) -> list[File]:
    """Returns the plain files of an attempt's directory, the first 200 by name; none where it is gone."""
    try:
        with os.scandir(directory) as entries:
            plain = [each.path for each in entries if each.is_file(follow_symlinks=False)]
    except OSError:  # it is gone, or is being deleted
        return []
    return [File(name=each.name, size=_size(each)) for each in sorted(map(Path, plain))[:MOST_FILES]]


def file(project: Project, reference: str, name: str) -> Path:
    """Returns a plain file that lies directly in an attempt's directory.

    Raises:
        Refusal: there is none of this name; a name with a path, or a link, is none.
    """
    _, attempt = find(project, reference)
    path = project.root / attempt.directory / name
    missing = Refusal(404, f"run {reference} has no file of that name")
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise missing
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        raise missing from None
    if not is_plain:
        raise missing
    return path


class Feed:
    """What an open page of a run is sent beside its regions: new output, and curves that have grown.

    Raises:
        Refusal: there is no such run.
    """

    def __init__(self, project: Project, reference: str) -> None:
        find(project, reference)
        self._project, self._reference = project, reference
        self._number = 0
        self._log: LogTail | None = None
        self._curves = Curves(project.root)

    def more(self) -> list[tuple[str, Any]]:
        """Returns events; output of a new attempt begins anew."""
        run, attempt = find(self._project, self._reference)
        events: list[tuple[str, Any]] = []
        if self._log is None or attempt.number != self._number:
            self._log = LogTail(self._project.root / attempt.directory / wire.OUTPUT)
            self._number = attempt.number
            events.append(("log", {"text": "", "skipped": 0, "is_new": True}))
        if (lines := self._log.more()) is not None:
            events.append(("log", lines))
        if (drawn := self._curves.changed(run)) is not None:
            events.append(("curves", drawn))
        return events


class Curves:
    """A run's curves, read again only where its files have grown, and not too often where that takes long."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sizes: tuple[int, ...] = ()
        self._not_before = 0.0

    def changed(self, run: Run) -> dict[str, Any] | None:
        """Returns the curves, as many points of each as a screen shows; None where nothing is new."""
        began = time.monotonic()
        sizes = tuple(_size(self._root / each.directory / wire.METRICS) for each in run.attempts)
        if sizes == self._sizes or began < self._not_before:
            return None
        found = told(curves.of_run(self._root, run))
        ended = time.monotonic()
        self._sizes, self._not_before = sizes, ended + (ended - began) / _SHARE
        return found


def told(found: dict[str, Curve]) -> dict[str, Any]:
    """Returns curves as JSON has them: what is not finite is counted, not drawn."""
    shown = {}
    for name, curve in found.items():
        few = curves.downsampled(curve)
        shown[name] = {
            "x": few.steps.tolist(),
            "y": few.values.tolist(),
            "points": len(curve),
            "odd": len(curve) - len(curve.finite),
        }
    return shown


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
