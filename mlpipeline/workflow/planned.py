"""What is going to be built, before anything is: a tree of parts with their classes, values and needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlpipeline.workflow.levels import Level
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.resolve import Found, Scope
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.workflow.around import Around
    from mlpipeline.workflow.checks import Check
    from mlpipeline.workflow.steps import Step


@dataclass(slots=True, kw_only=True, eq=False)
class Planned:
    """One part.

    Attributes:
        address: its names from the runner down.
        kind: its class; None where that is faulty.
        place: where it is declared.
        origin: what it is there by, as far as the place does not say it: `default of OfflineTrain`.
        node: its own section of the configuration.
        children: what it declares, by name; None for what it leaves out with `none`.
        needs: what it uses, by attribute.
        values: its keys of the configuration, once they are verified.
        steps: of a pipeline without code.
        inputs: the names that its steps are given.
    """

    address: tuple[str, ...]
    level: Level
    kind: type[Part] | None
    place: Place
    node: Node
    scope: Scope
    parent: Planned | None
    children: dict[str, Planned | None] = field(default_factory=dict)
    needs: dict[str, Planned | None] = field(default_factory=dict)
    values: dict[str, Found] = field(default_factory=dict)
    steps: tuple[Step, ...] | None = None
    inputs: tuple[str, ...] = ()
    origin: str = ""

    @property
    def name(self) -> str:
        """Returns the address as messages have it."""
        return ".".join(self.address) or self.level.name

    def parts(self) -> Iterator[Planned]:
        """Yields what it declares."""
        yield from (child for child in self.children.values() if child is not None)

    def walk(self) -> Iterator[Planned]:
        """Yields this part and all below it."""
        yield self
        for child in self.parts():
            yield from child.walk()

    def is_declared(self, name: str) -> bool:
        """Whether this part, or one around it, declares the name, be it as left out."""
        return name in self.children or (self.parent is not None and self.parent.is_declared(name))

    def visible(self, name: str) -> Planned | None:
        """Returns the part that a name stands for here: its own, then those around it, the nearest first.

        A part does not see itself: beside it, a part of the same name further out is meant.
        """
        found = self.children.get(name)
        if name in self.children and found is not self:
            return found
        parent = self.parent
        while parent is not None:
            if name in parent.children and parent.children[name] not in (self, *self._above()):
                return parent.children[name]
            parent = parent.parent
        return None

    def _above(self) -> list[Planned]:
        found, parent = [], self.parent
        while parent is not None:
            found.append(parent)
            parent = parent.parent
        return found

    def names(self) -> list[str]:
        """Returns the names of all that is visible here."""
        above = [] if self.parent is None else self.parent.names()
        return list(dict.fromkeys([*(name for name, child in self.children.items() if child is not None), *above]))

    def reach(self, path: list[str]) -> Planned | None:
        """Returns the part at dotted names from here: the first as it is visible, the others as they are declared."""
        found: Planned | None = self
        for place, name in enumerate(path):
            if found is None:
                return None
            inner = found.children.get(name) or found.needs.get(name)
            found = inner or (found.visible(name) if place == 0 else None)
        return found


@dataclass(slots=True, kw_only=True, eq=False)
class Plan:
    """Everything that is to be built.

    Attributes:
        order: parts, each after those that it needs.
        checks: what is to be checked before and after methods, by address and method.
        cached: methods whose results are kept from run to run, as address and method; `cache_dir` says where.
        around: methods of parts that others go through, the outermost first.
        hidden: every secret text of the configuration.
    """

    root: Planned
    order: tuple[Planned, ...]
    sources: Sources
    environment: Mapping[str, str]
    checks: tuple[Check, ...] = ()
    cached: frozenset[tuple[tuple[str, ...], str]] = frozenset()
    around: tuple[Around, ...] = ()
    cache_dir: str = ".mlpipeline/cache"
    hidden: frozenset[str] = frozenset()
    description: str = ""
