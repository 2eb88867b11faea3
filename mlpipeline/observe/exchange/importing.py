"""Brings runs of other tools in: writes each as a run directory, aside, and has the one writer record them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from mlpipeline import admission, params, requests, taking_up, wire
from mlpipeline.errors import DiskFull, NotWritable, RequestRefused, RunNotFound
from mlpipeline.execution import fingerprint, snapshot
from mlpipeline.ledger import Ledger
from mlpipeline.observe.exchange.portable import Portable, plain
from mlpipeline.project import Project
from mlpipeline.run import IMPORTED, IMPORTED_AS_DONE, State

BATCH = 100
"""Runs that are recorded at once: a scheduler that lives does it between two looks at its queue."""
NO_MODEL_DIR = ".imported"
NAMES = {"guild": "Guild", "mlflow": "MLflow", "ml-pipeline": "ml-pipeline", "sacred": "sacred", "": "another project"}
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z2-7]{6}")
_NO_CODE = {"no-code.txt": b"The code of this run was not imported with it.\n"}
_FORGOTTEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Standin:
    """A version that is described now, whose place an imported run takes in the queue.

    Attributes:
        params: of the version.
        sources: address of the copy of its code.
    """

    params: Mapping[str, Any]
    params_digest: str
    sources: str
    code_digest: str
    seed: int


@dataclass(slots=True, kw_only=True)
class Report:
    """What an import did.

    Attributes:
        new: ids of what was imported.
        known: how many were here already.
        open: how many have not ended there, and so were left out.
        waiting: how many a scheduler that lives records as soon as it can.
        done: how many of the new ones count as done for the queue.
    """

    new: list[str]
    known: int = 0
    open: int = 0
    waiting: int = 0
    done: int = 0


def run_id(run: Portable) -> str:
    """Returns the id of a run: its own, else one made of what its tool knows it by, the same at every import."""
    if _ID.fullmatch(run.id):
        return run.id
    story = [run.tool, run.foreign, run.model, run.version, run.created_at.isoformat()]
    letters = base64.b32encode(hashlib.sha256(json.dumps(story).encode()).digest()).decode("ascii").lower()[:6]
    return f"{run.created_at:%Y%m%d-%H%M%S}-{letters}"


def bring_in(
    project: Project,
    runs: Iterable[Portable],
    *,
    done: Mapping[tuple[str, str], Standin] | None = None,
    dry: bool = False,
) -> Report:
    """Imports runs, each once, however often it is asked for.

    Args:
        project: where to.
        runs: of another tool; those that have not ended are left out.
        done: versions, by model and name, for which a run that succeeded counts from now on.
        dry: only counts.

    Raises:
        NotWritable, DiskFull, LedgerError: what was recorded before stays; the rest can be imported again.
        RequestRefused: the one writer refused.
    """
    report = Report(new=[])
    tidy(project)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        for some in _batches(ledger, runs, report):
            _hand_over(project, some, done or {}, report, dry=dry)
    return report


def _batches(ledger: Ledger, runs: Iterable[Portable], report: Report) -> Iterator[list[tuple[str, Portable]]]:
    """Yields what is new, some at a time, and counts what is not."""
    waiting: list[tuple[str, Portable]] = []
    seen: set[str] = set()
    for run in runs:
        name = run_id(run)
        if not run.state.is_final or run.state is State.YIELDED:
            report.open += 1
        elif name in seen or _is_known(ledger, name):
            report.known += 1
        else:
            seen.add(name)
            waiting.append((name, run))
        if len(waiting) == BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _is_known(ledger: Ledger, name: str) -> bool:
    try:
        return ledger.run(name).id == name
    except RunNotFound:
        return False


def _hand_over(
    project: Project,
    runs: list[tuple[str, Portable]],
    done: Mapping[tuple[str, str], Standin],
    report: Report,
    *,
    dry: bool,
) -> None:
    report.new += [name for name, _ in runs]
    report.done += sum(_standin(run, done) is not None for _, run in runs)
    if dry:
        return
    batch = f"{time.time_ns():x}-{secrets.token_hex(4)}"
    place = admission.directory(project, batch)
    try:
        kept: dict[Any, tuple[str, str]] = {}
        for name, run in runs:
            standin = _standin(run, done)
            _write(project, place / name, name, run, standin, _sources(project, run, standin, kept))
        os.sync()  # once for all: thousands of small files, each synced alone, take minutes
        wire.write_json(place / admission.BATCH, {"format": 1, "runs": [name for name, _ in runs]}, sync=True)
        wire.sync_directory(place.parent)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise _told(error, project.imports_dir) from error
    answer = taking_up.import_(project, batch)
    if answer is None:
        report.waiting += len(runs)
        return
    shutil.rmtree(place, ignore_errors=True)
    if not answer.ok:
        raise RequestRefused(answer.message)


def _told(error: OSError, place: Path) -> DiskFull | NotWritable:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{place}: the disk is full: free some space, and import again")
    return NotWritable(f"{place}: cannot be written ({error.strerror}): mend its permissions")


def _standin(run: Portable, done: Mapping[tuple[str, str], Standin]) -> Standin | None:
    return done.get((run.model, run.version)) if run.state is State.SUCCEEDED else None


def tidy(project: Project) -> None:
    """Removes what an import left that was stopped before it asked for its record."""
    asked = {each.target for each in requests.pending(project)}
    try:
        entries = list(os.scandir(project.imports_dir))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name not in asked and time.time() - entry.stat().st_mtime > _FORGOTTEN_SECONDS:
            shutil.rmtree(entry.path, ignore_errors=True)


def _write(
    project: Project, place: Path, name: str, run: Portable, standin: Standin | None, code: tuple[str, str]
) -> None:
    """Writes a run's directory, as the queue writes one."""
    directory = place / "1"
    directory.mkdir(parents=True)
    token = secrets.token_hex(16)
    final = project.runs_dir / name / "1"
    sources, code_digest = code
    (directory / wire.SOURCES).symlink_to(os.path.relpath(project.sources_dir / sources, final))
    began = (run.started_at or run.ended_at or run.created_at).astimezone(UTC)
    ended = max(began, (run.ended_at or began).astimezone(UTC))
    spec = _spec(project, final, run, standin) | {
        "run_id": name,
        "token": token,
        "sources": sources,
        "sources_path": os.path.relpath(project.sources_dir / sources, final),
        "code_digest": code_digest,
        "submitted_at": began.isoformat(),
    }
    wire.write_json(directory / wire.SPEC, spec)
    wire.write_json(directory / wire.STARTED, {"token": token, "started_at": began.isoformat()})
    _write_story(place, directory, run)
    outcome = _outcome(run) | {"token": token}
    summaries = dict(zip(("model_summary", "loader_summary"), run.summaries, strict=True))
    wire.write_json(directory / wire.RESULT, outcome | summaries | {"error": None})
    times = {"started_at": began.isoformat(), "ended_at": ended.isoformat()}
    wire.write_json(directory / wire.OUTCOME, outcome | times)


def _spec(project: Project, final: Path, run: Portable, standin: Standin | None) -> dict[str, Any]:
    told = plain(standin.params if standin else run.params)
    return {
        "format": 1,
        "attempt": 1,
        "model": run.model,
        "version": run.version,
        "mode": "execution",
        "replicate": run.replicate,
        "seed": standin.seed if standin else run.seed,
        "root": os.path.relpath(project.root, final),
        "models_dir": os.path.relpath(project.models_dir, project.root),
        "model_dir": NO_MODEL_DIR,
        "params": told,
        "params_digest": standin.params_digest if standin else params.digest(told),
        "invocation": IMPORTED_AS_DONE if standin else IMPORTED,
        "created_at": run.created_at.astimezone(UTC).isoformat(),
        "executor": IMPORTED,
    }


def _outcome(run: Portable) -> dict[str, Any]:
    said = f"imported from {NAMES.get(run.tool, run.tool)}"
    return {
        "state": run.state,
        "cause": run.cause,
        "message": f"{said}: {run.message}" if run.message else said,
        "metrics": plain(run.metrics),
        "steps": run.steps,
        "warnings": [],
    }


def _write_story(place: Path, directory: Path, run: Portable) -> None:
    """Writes where it is from, what it recorded, and what people said of it."""
    origin = {
        "tool": run.tool,
        "id": run.foreign or run.id,
        "store": run.store,
        "attempts": run.attempts,
        "code_digest": run.code_digest,
        "imported_at": wire.utc_now(),
        "by": requests.user(),
    }
    wire.write_json(directory / wire.ORIGIN, origin)
    if run.commit:
        wire.write_json(directory / wire.ENVIRONMENT, {"git": {"commit": run.commit, "dirty": None, "diff": None}})
    _write_rows(directory / wire.METRICS, run.recorded)
    _write_rows(place / wire.NOTES, _notes(run))
    _write_rows(place / wire.TAGS, [{"id": "import", "add": list(run.tags)}] if run.tags else [])


def _sources(
    project: Project, run: Portable, standin: Standin | None, kept: dict[Any, tuple[str, str]]
) -> tuple[str, str]:
    """Returns the address and the digest of a run's code; none is a code of its own.

    Args:
        project: where its copy is kept.
        run: whose code.
        standin: whose code it is said to be.
        kept: copies that were made a moment ago; grows.
    """
    if standin is not None:
        return standin.sources, standin.code_digest
    files = run.sources or _NO_CODE
    key = tuple(files.items())
    if key not in kept:
        main = next(iter(files))
        kept[key] = snapshot.store(project.sources_dir, files, main).sha, fingerprint.code_digest(files, main)
    return kept[key]


def _notes(run: Portable) -> Iterator[dict[str, Any]]:
    at = (run.ended_at or run.created_at).isoformat()
    for place, text in enumerate(run.notes):
        yield {"id": f"import-{place}", "at": at, "by": NAMES.get(run.tool, run.tool), "text": text}


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=True) + "\n" for row in rows]
    if lines:
        with path.open("w", encoding="ascii") as file:
            file.writelines(lines)
