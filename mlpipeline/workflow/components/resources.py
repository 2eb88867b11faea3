"""Resources as files of a project: where they lie, how they are written and read, and whose runs came to nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlpipeline import params, wire
from mlpipeline.config_text import near_or_known
from mlpipeline.errors import DataFault, UsageError
from mlpipeline.run import State
from mlpipeline.workflow import secrets
from mlpipeline.workflow.components import numbered
from mlpipeline.workflow.types.contract import Kind, Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DIRECTORY = "resources"
_MARKS = ("id", "created_at")


class Resources:
    """The resources of one project: `<outputs>/resources/<kind>/<name>/<n>.json`, never changed.

    Args:
        outputs: of the project.
    """

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.directory = outputs / DIRECTORY

    def add(self, draft: Resource) -> Resource:
        """Writes a resource, durably, and returns it with its id; `draft` has none yet.

        The same of the same run is written once: a step that is repeated after a kill makes no second version.
        """
        known = self._known(draft)
        if known is not None:
            return known
        number = numbered.add(self._home(draft.kind, draft.name), to_json(draft))
        return _with_id(draft, number)

    def _known(self, draft: Resource) -> Resource | None:
        if draft.run_id is None:
            return None
        told = {key: value for key, value in to_json(draft).items() if key not in _MARKS}
        for each in self.versions(draft.kind, draft.name):
            if {key: value for key, value in to_json(each).items() if key not in _MARKS} == told:
                return each
        return None

    def versions(self, kind: Kind, name: str) -> Iterator[Resource]:
        """Yields every version of a name, the latest first."""
        home = self._home(kind, name)
        for number in reversed(numbered.numbers(home)):
            yield from_json(numbered.read(home, number), number)

    def get(self, resource_id: str) -> Resource:
        """Returns one resource.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        kind, _, rest = resource_id.partition("-")
        name, _, number = rest.rpartition("-")
        if kind in list(Kind) and name and number.isdecimal():
            try:
                return from_json(numbered.read(self._home(Kind(kind), name), int(number)), int(number))
            except FileNotFoundError:
                pass
        raise UsageError(f"there is no resource {resource_id!r}.{near_or_known(resource_id, list(self._ids()))}")

    def _ids(self) -> Iterator[str]:
        for kind in Kind:
            for home in sorted(_entries(self.directory / kind)):
                for number in numbered.numbers(home):
                    yield from_json(numbered.read(home, number), number).id

    def _home(self, kind: Kind, name: str) -> Path:
        return self.directory / kind / numbered.file_name(name)

    def beside(self, resource: Resource, what: str) -> Path:
        """Returns the directory of what is kept with a resource: its reports, its metrics."""
        number = resource.id.rpartition("-")[2]
        return self._home(resource.kind, resource.name) / f"{number}.{what}"

    def is_good(self, resource: Resource, run_id: str | None) -> bool:
        """Whether a resource may be taken for a former version: made by no run, by this one, or one that succeeded.

        A run that failed, was stopped, is lost or still trains, or whose directory is gone, made nothing to go by.
        """
        if resource.run_id is None or resource.run_id == run_id:
            return True
        attempts = [each for each in _entries(self.outputs / "runs" / resource.run_id) if each.name.isdecimal()]
        last = max(attempts, key=lambda each: int(each.name), default=None)
        outcome = None if last is None else wire.read_json(last / wire.OUTCOME)
        return outcome is not None and outcome.get("state") == State.SUCCEEDED


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []


def _with_id(draft: Resource, number: int) -> Resource:
    from dataclasses import replace

    return replace(draft, id=f"{draft.kind}-{draft.name}-{number}")


def to_json(resource: Resource) -> dict[str, Any]:
    """Returns a resource as JSON holds it, without its id: that comes from where it lies."""
    return {
        "format": 1,
        "kind": str(resource.kind),
        "name": resource.name,
        "digest": resource.digest,
        "parents": list(resource.parents),
        "run_id": resource.run_id,
        "created_at": resource.created_at,
        "place": resource.place,
        "facts": dict(resource.facts),
    }


def from_json(content: Mapping[str, Any], number: int) -> Resource:
    """Returns the resource that lies under a number."""
    kind, name = Kind(content["kind"]), str(content["name"])
    return Resource(
        id=f"{kind}-{name}-{number}",
        kind=kind,
        name=name,
        digest=content["digest"],
        parents=tuple(content["parents"]),
        run_id=content["run_id"],
        created_at=content["created_at"],
        place=content["place"],
        facts=content["facts"],
    )


def plain_facts(facts: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Returns facts as JSON holds them: secrets are stars, what is no finite number is text."""
    told = {str(name): _plain(value) for name, value in facts.items()}
    shown: dict[str, Any] = secrets.shown({name: value for name, value in told.items() if value is not None}, hidden)
    return shown


def _plain(value: Any) -> Any:
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int):
        return value
    return str(value) if isinstance(value, str) else params.describe(value)


def check(name: object, digest: object, parents: Sequence[object]) -> None:
    """Checks what a resource is made of.

    Raises:
        DataFault: it has no name or digest, or a parent is none.
    """
    if not isinstance(name, str) or not name.strip():
        raise DataFault(f"a resource needs a name, not {name!r}: set model_name, or name the data")
    if not isinstance(digest, str) or not digest:
        raise DataFault(f"resource {name!r} needs the digest of its content, not {digest!r}")
    for each in parents:
        if not isinstance(each, Resource):
            raise DataFault(f"resource {name!r}: a parent is a Resource, not {type(each).__name__}")
