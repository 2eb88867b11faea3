"""The levels of a workflow, and which may stand in which: runner, pipelines and components, or those of
`integration_framework`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlpipeline.config_text import Fault, shown
from mlpipeline.workflow.component import Component
from mlpipeline.workflow.node import Node
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.pipeline import Pipeline

FRAMEWORK = "integration_framework"
NONE = "none"
"""Written instead of a class: this part is left out on purpose."""
RESERVED = frozenset(
    (
        "config",
        "checks",
        "inputs",
        "versions",
        "search",
        "include",
        "plugin_paths",
        "cache",
        "around",
        "description",
    )
)
_BASES: dict[str, type[Part]] = {"component": Component, "pipeline": Pipeline}
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its name, which is that of its section in the file, and the levels in it."""

    name: str
    inner: tuple[Level, ...] = ()

    @property
    def basis(self) -> type[Part]:
        """The class that the level's classes are derived from."""
        return _BASES.get(self.name, Part)

    def walk(self) -> Iterator[Level]:
        """Yields this level and all in it."""
        yield self
        for level in self.inner:
            yield from level.walk()


DEFAULT = Level("runner", (Level("component"), Level("pipeline", (Level("component"),))))


def read(node: Node | None, faults: list[Fault]) -> Level:
    """Reads `integration_framework: {runner: {component: , pipeline: {component: }}}`; by default the usual levels."""
    if node is None or node.value is None:
        return DEFAULT
    before = len(faults)
    levels = _levels(node, faults, 0)
    if len(levels) != 1 and len(faults) == before:
        names = ", ".join(level.name for level in levels) or "nothing"
        faults.append(node.place.fault(f"{FRAMEWORK} has {names} at its top: it must be one level, that of the runner"))
    return levels[0] if len(faults) == before else DEFAULT


def _levels(node: Node, faults: list[Fault], depth: int) -> tuple[Level, ...]:
    if node.value is None:
        return ()
    if not node.is_mapping or depth > _DEEPEST:
        faults.append(
            node.place.fault(f"{FRAMEWORK} holds levels in levels: write each as `name:` with those in it below")
        )
        return ()
    found = []
    for key, inner in node.items():
        name = str(key)
        if not name.isidentifier() or name in RESERVED:
            faults.append(inner.place.fault(f"{shown(name)!r} cannot be the name of a level: choose another word"))
        else:
            found.append(Level(name, _levels(inner, faults, depth + 1)))
    return tuple(found)
