"""Admits imported runs: a command stages their directories, the one writer moves them in and records them."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import RequestRefused, RunNotFound
from mlpipeline.failpoints import reach
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.replay import Replayer
from mlpipeline.run import IMPORTED, Run

BATCH = "batch.json"
_NAME = re.compile(r"[0-9a-z-]{1,64}")


def directory(project: Project, batch: str) -> Path:
    """Returns where a batch is staged.

    Raises:
        RequestRefused: that is no name of one.
    """
    if _NAME.fullmatch(batch) is None:
        raise RequestRefused(f"import {batch!r}: is no name of a batch")
    return project.imports_dir / batch


def listed(project: Project, batch: str) -> list[str]:
    """Returns the runs of a batch; none where it is gone, or was never one."""
    with suppress(RequestRefused):
        found = (wire.read_json(directory(project, batch) / BATCH) or {}).get("runs")
        return [str(each) for each in found] if isinstance(found, list) else []
    return []


def admit(project: Project, ledger: Ledger, batch: str) -> str:
    """Moves the runs of a batch to where runs lie, and writes them into the ledger. Returns what was done.

    Each run once: what is there already stays. Who is killed over it may do it again.

    Raises:
        RequestRefused: there is no such batch, or a run in it is not whole.
        OSError: a directory cannot be moved now.
    """
    place = directory(project, batch)
    names = listed(project, batch)
    if not names:
        raise RequestRefused(f"import {batch}: there is no such batch: import again")
    wire.make_directory(project.runs_dir, 0o700)
    for name in names:
        staged, target = place / name, project.runs_dir / Path(name).name
        if staged.is_dir() and not target.exists():
            os.rename(staged, target)
    wire.sync_directory(project.runs_dir)
    reach("import.moved")
    replayer = Replayer(project)
    new = [_read(replayer, name) for name in names if not _is_known(ledger, name)]
    ledger.import_runs(sorted(new, key=lambda run: (run.created_at, run.id)))
    # The list stays until the ledger has it on disk: whoever asked removes it.
    return f"{len(new)} imported" if len(new) == len(names) else f"{len(new)} imported, the others were here already"


def _is_known(ledger: Ledger, run_id: str) -> bool:
    try:
        return ledger.run(run_id).id == run_id
    except RunNotFound:
        return False


def _read(replayer: Replayer, run_id: str) -> Run:
    replay = replayer.replay(run_id)
    run = replay.run
    if run is None or not run.state.is_final or run.last.executor != IMPORTED:
        raise RequestRefused(
            f"{run_id}: cannot be imported: {'; '.join(replay.faults) or 'its directory is not whole'}"
        )
    # There is no block of results for it: those are of what was trained here.
    return replace(run, attempts=tuple(replace(each, reported=True) for each in run.attempts))
