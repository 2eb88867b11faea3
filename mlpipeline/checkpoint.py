"""The last complete checkpoint in a model's directory: written whole, named by `checkpoint.json`, found again.

Each checkpoint is a directory of its own, `checkpoint-<step>.saved`. What is being written is named `….part` and
becomes `….saved` when complete; `checkpoint.json` then flips to it, and the one before is removed. A kill at any moment
leaves the old one or the new one, and a file that names it.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import ModelFault
from mlpipeline.failpoints import reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE = "checkpoint.json"
OWNER = ".mlpipeline.json"
"""Says which fingerprint and seed wrote a model's directory."""
_OURS = r"checkpoint-\d{6,}(\.\d+)?\.(saved|part)"


class Checkpoint:
    """A complete checkpoint: where it lies and what wrote it.

    Attributes:
        path: what was given to `save`, for `load`; some libraries take it as the beginning of several file names.
    """

    __slots__ = ("facts", "path", "step")

    def __init__(self, *, path: Path, step: int, facts: dict[str, Any]) -> None:
        self.path = path
        self.step = step
        self.facts = facts


def find(model_dir: Path) -> Checkpoint | None:
    """Returns the last complete checkpoint; None when there is none. Changes nothing."""
    facts = wire.read_json(model_dir / FILE)
    if facts is None or not isinstance(facts.get("name"), str) or not isinstance(facts.get("step"), int):
        return None
    path = model_dir / facts["name"]
    return Checkpoint(path=path, step=facts["step"], facts=facts) if path.parent.is_dir() else None


def write(
    model_dir: Path, save: Callable[[Path], object], facts: dict[str, Any], *, name: str, sync: bool = True
) -> Checkpoint:
    """Lets `save` write a checkpoint and makes it the last one.

    Args:
        model_dir: where checkpoints of the model lie.
        save: gets a path in a fresh directory, and writes a file, a directory or several files that begin so.
        facts: what `checkpoint.json` says beside the name; has "step".
        name: the last part of that path, with the suffix that the library wants.
        sync: whether it must outlast a power cut.

    Raises:
        ModelFault: `save` wrote nothing, or the name cannot be a file's.
    """
    if not name or name != os.path.basename(name) or name.startswith("."):
        raise ModelFault(f"checkpoint name {name!r}: give a plain file name such as 'checkpoint.keras'")
    step = int(facts["step"])
    stem = f"checkpoint-{step:06d}"
    stems = itertools.chain([stem], (f"{stem}.{n}" for n in itertools.count(2)))
    final = next(each for stem in stems if not (each := model_dir / f"{stem}.saved").exists())
    part = final.with_suffix(".part")
    _remove(part)
    part.mkdir(parents=True)
    try:
        save(part / name)
        if not any(part.iterdir()):
            raise ModelFault(f"checkpoint: save wrote nothing to {part / name}: write to the path that it is given")
        if sync:
            _sync_tree(part)
    except BaseException:
        _remove(part)
        raise
    reach("checkpoint.written")
    _stay_away(part)
    part.rename(final)
    reach("checkpoint.renamed")
    told = facts | {"name": f"{final.name}/{name}"}
    wire.write_json(model_dir / FILE, told, sync=sync)
    _remove_others(model_dir, final.name)
    return Checkpoint(path=final / name, step=step, facts=told)


def _stay_away(part: Path) -> None:
    """Ends this process where its attempt was given up: the directory is another attempt's by now.

    Elsewhere nobody could end it in time: its machine was cut off, say, and has come back.
    """
    fence = os.environ.get(wire.FENCE)
    if fence and os.path.exists(fence):
        _remove(part)
        os._exit(wire.GIVEN_UP)


def _remove_others(model_dir: Path, kept: str) -> None:
    for entry in os.scandir(model_dir):
        if entry.name != kept and re.fullmatch(_OURS, entry.name):
            _remove(entry.path)


def _remove(path: str | Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _sync_tree(directory: Path) -> None:
    for folder, _, files in os.walk(directory):
        for file in files:
            wire.sync_file(os.path.join(folder, file))
        wire.sync_directory(folder)
