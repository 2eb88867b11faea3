"""Which models are deployed: a directory for each in the project's outputs, with what is needed to find it again."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import DataFault, NotWritable
from mlpipeline.project import Project
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.types.contract import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER, FILE, MODEL = "deployments", "deployment.json", "model"
_MANIFEST = "manifest.json"
# Paths of the server's own, which no model can be called: see `mlpipeline.learning.serving.lineup`.
_RESERVED = frozenset(("docs", "healthz", "metrics", "openapi.json", "page.css"))
_LONGEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is known of a deployed model.

    Attributes:
        name: of the model.
        deployer: the class that deployed it.
        model: id of the resource.
        digest: of the saved model, as its manifest says.
        url: where it answers; None where it does not.
        handle: by which it is stopped: the id of a process, a container, a manifest.
        started: of a process, when it began, seconds since 1970; a process of the same id that began later is another.
    """

    name: str
    deployer: str
    model: str
    digest: str
    url: str | None = None
    handle: str | None = None
    started: float | None = None


def slug(name: str) -> str:
    """Returns a name of small letters, digits and dashes; names that differ stay different."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST]
    is_same = plain == name and plain not in _RESERVED
    return plain if is_same else f"{plain or 'model'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def home(part: Part | None, name: str) -> Path:
    """Returns the directory of a deployment, which need not be there."""
    return _outputs(part) / FOLDER / slug(name)


def read(directory: Path) -> Deployment | None:
    """Returns what is known of a deployment; None where there is none."""
    told: dict[str, Any] | None = wire.read_json(directory / FILE)
    return None if told is None else Deployment(**told)


def write(directory: Path, deployment: Deployment) -> None:
    """Notes a deployment, durably.

    Raises:
        NotWritable: the project's outputs cannot be written.
    """
    try:
        wire.make_directory(directory)
        wire.write_json(directory / FILE, asdict(deployment), sync=True)
    except OSError as error:
        raise NotWritable(f"{directory}: cannot be written ({error.strerror}): mend its permissions") from error


def every(outputs: Path) -> Iterator[Deployment]:
    """Yields the deployments of a project, by name."""
    for path in sorted((outputs / FOLDER).glob(f"*/{FILE}")):
        found = read(path.parent)
        if found is not None:
            yield found


def source(model: Resource) -> tuple[Path, str]:
    """Returns the directory of a saved model that can be served, and its digest as its manifest says.

    Raises:
        DataFault: (a ValueError) there is none, or it was saved by a trainer of one's own.
    """
    place = None if model.place is None else Path(model.place)
    if place is None or not place.is_dir():
        raise DataFault(f"{model.id} lies at {model.place}, which is no directory: keep the model first")
    told = wire.read_json(place / _MANIFEST)
    if told is None or "digest" not in told:
        raise DataFault(
            f"{model.id}: {place} has no {_MANIFEST}: what mlpipeline serves is saved by its own trainers, and reads "
            f"rows as they are, without a feature transformer"
        )
    return place, str(told["digest"])


def place_model(model: Resource, directory: Path) -> str:
    """Copies a saved model beside the one that is deployed, and puts it in its place at once; returns its digest.

    `directory/model` is a link, which is exchanged whole: whoever opens it finds one model or the other.
    """
    found, digest = source(model)
    kept = directory / "models" / digest
    try:
        wire.make_directory(kept.parent)
        if not kept.is_dir():
            part = kept.with_name(f".{digest[:8]}-{secrets.token_hex(4)}.part")
            shutil.copytree(found, part)
            os.rename(part, kept)
        point(directory, digest)
    except OSError as error:
        raise NotWritable(f"{directory}: cannot be written ({error.strerror}): mend its permissions") from error
    return digest


def point(directory: Path, digest: str) -> None:
    """Has `directory/model` be the model of a digest."""
    link = directory / f".{MODEL}-{secrets.token_hex(4)}"
    link.symlink_to(Path("models") / digest)
    os.replace(link, directory / MODEL)
    wire.sync_directory(directory)


def forget_others(directory: Path, digest: str) -> None:
    """Removes the models that are deployed no more."""
    for path in (directory / "models").iterdir():
        if path.name != digest:
            shutil.rmtree(path, ignore_errors=True)


def _outputs(part: Part | None) -> Path:
    directory = None if part is None else part.run.directory
    if directory is not None and len(Path(directory).resolve().parents) > 2:
        return Path(directory).resolve().parents[2]
    return Project.load().outputs_dir
