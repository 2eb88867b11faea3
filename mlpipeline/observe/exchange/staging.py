"""Writes a run of another tool as a run directory, aside, for the one writer to take it from there."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from mlpipeline import params, requests, wire
from mlpipeline.execution import fingerprint, snapshot
from mlpipeline.observe.exchange.portable import Portable, plain
from mlpipeline.project import Project
from mlpipeline.run import IMPORTED, IMPORTED_AS_DONE

NO_MODEL_DIR = ".imported"
NAMES = {"guild": "Guild", "mlflow": "MLflow", "ml-pipeline": "ml-pipeline", "sacred": "sacred", "": "another project"}
_NO_CODE = {"no-code.txt": b"The code of this run was not imported with it.\n"}


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


def write(
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


def sources_of(
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
    lines = (json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
    if first := next(lines, None):
        with path.open("w", encoding="ascii") as file:
            file.write(first)
            file.writelines(lines)
