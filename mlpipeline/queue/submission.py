"""Turns what the plan wants into an attempt on disk: run, directory, spec, copied sources."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlpipeline import run as runs
from mlpipeline import wire
from mlpipeline.errors import NotWritable
from mlpipeline.execution import machine
from mlpipeline.failpoints import reach
from mlpipeline.policy import Action, Policy, find
from mlpipeline.project import Project, component
from mlpipeline.queue.catalog import DescribedVersion, Description
from mlpipeline.queue.plan import Wanted

_NAN = {"on_nan": Policy(action=Action.IGNORE)}
"""A figure that is no number is a warning, unless somebody says what should follow."""


def model_dir_name(model: str, version: str, suffix: str | None, replicate: int) -> str:
    """Returns the name of a model directory: model, suffix or version, and `-s<k>` for further seeds.

    Whatever a name may hold, the result is one path component, different for different models.
    """
    name = component(model, suffix or version)
    return name if replicate == 0 else f"{name}-s{replicate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What one invocation of the queue gives to every submission.

    Attributes:
        fresh: train from scratch (no history); a retry of the same run still continues.
        testing: test mode.
        executor: the executor's name.
        drill: what a drill has planned for the attempt, as `Rehearsal` takes it.
    """

    project: Project
    invocation: str
    executor: str
    threads: int
    fresh: bool
    testing: bool
    drill: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An attempt that no ledger knows yet."""

    run: runs.Run
    attempt: runs.Attempt
    directory: Path
    heavy: bool = False


def draft(occasion: Occasion, wanted: Wanted, description: Description, earlier: runs.Run | None) -> Prepared:
    """Makes a new attempt; nothing is written yet.

    Args:
        occasion: of this invocation.
        wanted: what is to be trained.
        description: of its model; a further attempt uses the sources of its first one instead.
        earlier: the run that is tried again, None for a new one.
    """
    version = next(each for each in description.versions if each.name == wanted.version)
    now = datetime.now(UTC)
    run = earlier or _new_run(occasion, wanted, description, version, now)
    number = len(run.attempts) + 1
    directory = occasion.project.runs_dir / run.id / str(number)
    attempt = runs.Attempt(
        run_id=run.id,
        number=number,
        token=secrets.token_hex(16),
        state=runs.State.SUBMITTED,
        executor=occasion.executor,
        directory=occasion.project.relative(directory),
        submitted_at=now,
        changes=_changes(occasion, wanted, run),
    )
    grown = replace(run, attempts=(*run.attempts, attempt), retry_asked=False)
    return Prepared(run=grown, attempt=attempt, directory=directory)


def _changes(occasion: Occasion, wanted: Wanted, run: runs.Run) -> dict[str, Any]:
    """Returns the parameters that differ from the version's: those of the last attempt, and what a policy changes."""
    if not run.attempts:
        return {}
    last, changes = run.last, dict(run.last.changes)
    if last.state in (runs.State.FAILED, runs.State.LOST):
        change = find(last.cause, wanted.options.policies, occasion.project.settings.policies).change
        if change is not None and not run.retry_asked:
            value = change.applied({**run.params, **changes}.get(change.name))
            changes |= {change.name: value} if value is not None else {}
    return changes


def write(
    occasion: Occasion,
    wanted: Wanted,
    prepared: Prepared,
    devices: Sequence[Mapping[str, Any]] | None = None,
    memory: int = 0,
) -> None:
    """Writes the directory of a new attempt, durably.

    Args:
        occasion: of this invocation.
        wanted: what is to be trained.
        prepared: the attempt.
        devices: that it has; None where it may take what it finds.
        memory: how many bytes it is reckoned to need; 0 where nobody knows.

    Raises:
        OSError: when the disk is full or not writable; nothing was promised then.
        NotWritable: when something ran there of which the ledger knows nothing.
    """
    directory = prepared.directory
    _make(directory)
    spec = _spec(occasion, wanted, prepared.run, prepared.attempt, directory)
    spec["heavy"] = prepared.heavy
    spec |= {"devices": devices, "gpu_memory": wanted.options.gpu_memory, "memory_need": memory}
    (directory / wire.SOURCES).symlink_to(spec["sources_path"])
    wire.write_json(directory / wire.SPEC, spec, sync=True)
    wire.sync_directory(directory.parent)
    if prepared.attempt.number == 1:
        wire.sync_directory(occasion.project.runs_dir)
    reach("scheduler.written")


def _make(directory: Path) -> None:
    if directory.exists():
        if any((directory / name).exists() for name in (wire.STARTED, wire.OUTCOME)):
            raise NotWritable(
                f"{directory}: has run, but the ledger does not know it: `mlpipeline fsck --rebuild` makes the ledger "
                "again from the run directories"
            )
        # A scheduler was stopped, or ran out of space, before the attempt was recorded: nothing was started.
        shutil.rmtree(directory)
    directory.mkdir(parents=True)


def _new_run(
    occasion: Occasion, wanted: Wanted, description: Description, version: DescribedVersion, now: datetime
) -> runs.Run:
    return runs.Run(
        id=runs.new_run_id(now, secrets.token_bytes(5)),
        model=wanted.model,
        version=wanted.version,
        replicate=wanted.replicate,
        seed=wanted.seed,
        sources=description.sources,
        code_digest=description.code_digest,
        params_digest=version.params_digest,
        params=dict(version.params),
        invocation=occasion.invocation,
        model_dir=wanted.model_dir,
        created_at=now,
        retry_asked=False,
        attempts=(),
    )


def _spec(occasion: Occasion, wanted: Wanted, run: runs.Run, attempt: runs.Attempt, directory: Path) -> dict[str, Any]:
    project, options = occasion.project, wanted.options
    settings = project.settings
    copy = project.sources_dir / run.sources
    root = os.path.relpath(project.root, directory)
    return {
        "format": 1,
        "run_id": run.id,
        "attempt": attempt.number,
        "token": attempt.token,
        "model": run.model,
        "version": run.version,
        "mode": "test" if occasion.testing else "execution",
        "replicate": run.replicate,
        "seed": run.seed,
        "sources": run.sources,
        "sources_path": os.path.relpath(copy, directory),
        "python_path": _python_path(project, run, directory, copy),
        "root": root,
        "models_dir": os.path.relpath(project.models_dir, project.root),
        "model_dir": os.path.relpath(project.model_dirs / run.model_dir, project.root),
        "params": run.params,
        "params_digest": run.params_digest,
        "code_digest": run.code_digest,
        "invocation": run.invocation,
        "created_at": run.created_at.isoformat(),
        "fresh": occasion.fresh,
        "rerun_on": settings.rerun_on,
        "threads": options.threads or occasion.threads,
        "cores": machine.cores(),
        "timeout_seconds": options.timeout_seconds or settings.timeout_seconds,
        "grace_seconds": settings.grace_seconds,
        "python": options.python or settings.python,
        "variables": sorted(settings.env),
        "executor": occasion.executor,
        "submitted_at": attempt.submitted_at.isoformat(),
        "changes": dict(attempt.changes),
        "gpus": options.gpus,
        "memory_limit": options.memory or settings.memory_limit,
        "memory_limit_by": settings.memory_limit_by,
        "output_limit": settings.output_limit,
        "nan_guard": find(runs.Cause.NAN, options.policies, settings.policies, _NAN).action is not Action.IGNORE,
        "drill": dict(occasion.drill),
        "trial": None if wanted.trial is None else dict(wanted.trial),
    }


def _python_path(project: Project, run: runs.Run, directory: Path, copy: Path) -> list[str]:
    """Where child interpreters of the run find the copied modules, relative to the attempt's directory."""
    models_dir = os.path.relpath(project.models_dir, project.root)
    places = [Path(models_dir, run.model).parent, Path(models_dir), Path()]
    tree = copy / "tree"
    found = [os.path.relpath(tree / place, directory) for place in places]
    return list(dict.fromkeys(found))
