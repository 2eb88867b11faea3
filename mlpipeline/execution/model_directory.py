"""The directory that a model keeps between runs: whose weights lie in it, and what becomes of a stranger's."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from mlpipeline import wire
from mlpipeline.checkpoint import OWNER
from mlpipeline.errors import ModelDirError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def prepare(model: Any, model_dir: Path, spec: dict[str, Any]) -> str:
    """Makes the directory ready for an attempt and returns what was done, for the record.

    Training resumes only in a directory that the same fingerprint and seed wrote: old weights never pass as a new
    result. Anything else is cleaned by the model's own word where it allows that, and renamed aside where not.

    Raises:
        ModelDirError: when the directory cannot be made or written.
    """
    mine = {
        "fingerprint": f"{spec['code_digest']}-{spec['params_digest']}",
        "seed": spec["seed"],
        "run": spec["run_id"],
    }
    try:
        done = _make_room(model, model_dir, mine, fresh=bool(spec["fresh"]), rerun_on=spec.get("rerun_on", "code"))
        wire.make_directory(model_dir)
        wire.write_json(model_dir / OWNER, mine, sync=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelDirError(f"{model_dir}: cannot be written ({reason}): mend its permissions or the disk") from error
    return done


def _make_room(model: Any, model_dir: Path, mine: dict[str, Any], *, fresh: bool, rerun_on: str) -> str:
    if not model_dir.exists() or not any(model_dir.iterdir()):
        return "new"
    theirs = wire.read_json(model_dir / OWNER) or {}
    if theirs.get("run") == mine["run"]:
        return "continued"
    if not fresh and _same(theirs, mine, rerun_on):
        return "continued"
    if model.allow_delete_model_dir:
        model.clean_model_dir(str(model_dir))
        return "cleaned by the model"
    aside = _aside(model_dir, str(theirs.get("fingerprint", "unknown")))
    os.rename(model_dir, aside)
    return f"earlier content kept as {aside.name}"


def _same(theirs: dict[str, Any], mine: dict[str, Any], rerun_on: str) -> bool:
    if theirs.get("seed") != mine["seed"]:
        return False
    if rerun_on == "never":
        return True
    part = 1 if rerun_on == "params" else 0
    return str(theirs.get("fingerprint", "")).split("-")[part:] == str(mine["fingerprint"]).split("-")[part:]


def _aside(model_dir: Path, fingerprint: str) -> Path:
    stem = model_dir.with_name(f"{model_dir.name}.old-{fingerprint}")
    tries = itertools.chain([stem], (stem.with_name(f"{stem.name}.{n}") for n in itertools.count(2)))
    return next(path for path in tries if not path.exists())


def clear(model_dir: Path) -> None:
    """Empties a temporary model directory before a test run."""
    import shutil

    shutil.rmtree(model_dir, ignore_errors=True)
    model_dir.mkdir(parents=True, exist_ok=True)
