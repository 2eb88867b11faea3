"""Plans a workflow: from its configuration to the tree of what is to be built, with everything that is wrong."""

from __future__ import annotations

import keyword
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow import addresses, around, cached, check_reader, levels, steps, verify
from mlpipeline.workflow.classes import Classes, plugin_places, require_class
from mlpipeline.workflow.document import INCLUDE, Document
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.levels import FRAMEWORK, NONE, RESERVED, Level
from mlpipeline.workflow.links import CONFIG, Linker
from mlpipeline.workflow.node import Node, Place, put
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.planned import Plan, Planned
from mlpipeline.workflow.resolve import Config, Scope
from mlpipeline.workflow.steps import StepPipeline
from mlpipeline.workflow.wants import wants

ROOT_KEYS = frozenset(("versions", "search", INCLUDE, "plugin_paths", FRAMEWORK, "cache", around.AROUND, "description"))
_MOST_FAULTS = 50
Setting = tuple[Sequence[str], Node]


def plan(
    document: Document,
    kind: type[Part],
    *,
    overrides: Iterable[Setting] = (),
    environment: Mapping[str, str] | None = None,
) -> Plan:
    """Plans what a configuration describes. Builds nothing, and changes nothing that it is given.

    Args:
        document: what was read.
        kind: the runner's class.
        overrides: values at addresses that lie over the document, e.g. a version's.
        environment: variables; by default those of this process.

    Raises:
        ConfigurationError: with every fault there is.
    """
    if document.faults:  # what is wrong with the files themselves would only be told again, in other words
        raise ConfigurationError(faults=document.faults)
    variables = dict(os.environ if environment is None else environment)
    overrides = list(overrides)
    planner = _Planner(document, variables, overrides)
    root = planner.tree(kind)
    if planner.defaults:  # as if they stood in the file: addresses, sections and links lead to them
        for path, node in planner.defaults:
            document = replace(document, root=put(document.root, path, node))
        planner = _Planner(document, variables, overrides)
        root = planner.tree(kind)
    found = planner.plan(root)
    if planner.faults:
        raise ConfigurationError(faults=_in_order(planner.faults))
    return found


def runner_class(document: Document, default: type[Part], basis: type[Part]) -> type[Part]:
    """Returns the class that `runner:` names, derived from the basis; else the default one.

    Raises:
        ConfigurationError: it cannot be had.
    """
    if document.faults:
        raise ConfigurationError(faults=document.faults)
    planner = _Planner(document, dict(os.environ), ())
    node = planner.root.get(planner.level.name)
    if node is None or type(node.value) is list:
        return default
    found = planner.class_of(planner.level, planner.linker.resolve(node))
    if found is not None and (told := require_class(found, basis, planner.level.name)):
        planner.fault(node.place, told)
    if found is None or planner.faults:
        raise ConfigurationError(faults=_in_order(planner.faults))
    return found


class _Planner:
    def __init__(self, document: Document, environment: dict[str, str], overrides: Iterable[Setting]) -> None:
        self.document = document
        self.environment = environment
        self.faults: list[Fault] = []
        self.level = levels.read(document.root.get(FRAMEWORK), self.faults)
        settings: list[Setting] = [(address.split("."), node) for address, node in document.settings]
        self.root, self.changes = addresses.apply(document.root, self.level, [*settings, *overrides])
        self.linker = Linker(self.root, environment, self.faults)
        names = dict.fromkeys(level.name for level in self.level.walk())
        paths = self.root.get("plugin_paths")
        places = plugin_places(document.sources, paths and self.linker.resolve(paths), names, self.faults)
        self.classes = Classes(document.sources, places, self.faults)
        self.defaults: list[tuple[Sequence[str], Node]] = []

    def tree(self, kind: type[Part]) -> Planned:
        """Returns the parts that are declared, and in `defaults` what classes have beside them."""
        declared = self.root.get(self.level.name)
        place = Place(self.document.files[-1], 1, 1) if self.document.files else self.root.place
        place = declared.place if declared is not None else place
        self._check_class(self.level, kind, place)
        root = self._part((), self.level, kind, place, None)
        for part in root.walk():
            self._add_defaults(part)
        return root

    def plan(self, root: Planned) -> Plan:
        declared = self.root.get(self.level.name)
        for part in root.walk():
            self._check_keys(part)
        for part in root.walk():
            part.inputs = steps.inputs(part, self.faults) if part.kind is StepPipeline else ()
        if declared is not None and type(declared.value) is list:
            root.steps = steps.read(declared, root, self.linker, self.faults)
        self._read_steps(root)
        order = verify.verify(root, self.linker, self.faults)
        found = check_reader.read(root, self.linker, self.classes, self.faults)
        kept, directory = cached.read(root, self.linker, self.faults)
        wrapped = around.read(root, self.linker, self.faults)
        description = self.root.get("description")
        return Plan(
            root=root,
            order=order,
            sources=self.document.sources,
            environment=self.environment,
            checks=found,
            cached=kept,
            around=wrapped,
            cache_dir=directory,
            hidden=frozenset(text for part in root.walk() for each in part.values.values() for text in each.hidden),
            description=str(description.value) if description is not None else "",
        )

    def _part(
        self, address: tuple[str, ...], level: Level, kind: type[Part] | None, place: Place, parent: Planned | None
    ) -> Planned:
        node = self.root.at(address) or Node({}, place)
        if not node.is_mapping and node.value is not None:
            self.fault(node.place, f"{'.'.join(address)} is the section of a {level.name}: write keys below it")
            node = Node({}, place)
        defaults = {} if kind is None else wants(kind).defaults
        scope = Scope(
            kind.__name__ if kind is not None else ".".join(address),
            self._config(node),
            defaults,
            None if parent is None else parent.scope,
            self.environment,
            self.changes.get(address, {}),
        )
        part = Planned(address=address, level=level, kind=kind, place=place, node=node, scope=scope, parent=parent)
        if kind is not None:
            for told in wants(kind).faults:
                self.fault(place, told)
        for inner in level.inner:
            self._section(part, inner, node.get(inner.name))
        return part

    def _add_defaults(self, part: Planned) -> None:
        """Adds the parts that a class has by default, outer ones first: those within see them, and need no own."""
        kind = part.kind
        if kind is None:
            return
        for name, class_name in _defaults(kind, part.scope).items():
            need = wants(kind).needs.get(name)
            if need is None or part.is_declared(name):
                continue
            level = next((each for each in part.level.inner if issubclass(need.types[0], each.basis)), None)
            section = None if level is None else part.node.get(level.name)
            is_section = section is None or section.value is None or section.is_mapping
            if level is not None and is_section:  # another framework may have no such level
                node = Node(class_name, part.place, f"default of {kind.__name__}")
                self.defaults.append(((*part.address, level.name, name), node))
                part.children[name] = self._child(part, name, level, self.class_of(level, node), part.place)

    def _config(self, node: Node) -> dict[str, Node]:
        config = node.get(CONFIG)
        if config is None or config.value is None:
            return {}
        if not config.is_mapping:
            self.fault(config.place, "config is no mapping: write `key: value` below it")
            return {}
        return {str(key): self.linker.resolve(each) for key, each in config.items()}

    def _section(self, part: Planned, level: Level, section: Node | None) -> None:
        """Plans what a section (`component:`, `pipeline:`) declares."""
        if section is None or section.value is None:
            return
        if not section.is_mapping:
            self.fault(section.place, f"{level.name} is no mapping: write `name: Class` below it")
            return
        for key, declared in section.items():
            name = str(key)
            if not self._may_be_called(part, name, declared.place):
                continue
            if type(declared.value) is list:
                part.children[name] = self._child(part, name, level, StepPipeline, declared.place)
                continue
            resolved = self.linker.resolve(declared)
            if resolved.value == NONE:
                part.children[name] = None
            else:
                kind = self.class_of(level, resolved)
                child = part.children[name] = self._child(part, name, level, kind, declared.place)
                child.origin = declared.origin

    def _child(self, part: Planned, name: str, level: Level, kind: type[Part] | None, place: Place) -> Planned:
        return self._part((*part.address, name), level, kind, place, part)

    def class_of(self, level: Level, node: Node) -> type[Part] | None:
        """Returns the class that a level's section names, if it is one and keeps its interface."""
        found = self.classes.find(level.name, node)
        return found if found is not None and self._check_class(level, found, node.place) else None

    def _check_class(self, level: Level, kind: type, place: Place) -> bool:
        basis = Part if level is self.level else level.basis
        told = require_class(kind, basis, level.name)
        faults = [told] if told else [f"{kind.__name__} {fault}" for fault in interface_faults(kind)]
        for fault in faults:
            self.fault(place, fault)
        return not faults

    def _may_be_called(self, part: Planned, name: str, place: Place) -> bool:
        level_names = {level.name for level in self.level.walk()}
        told = None
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            told = "it becomes an attribute: use letters, digits and underscores"
        elif name in RESERVED or name in level_names:
            told = "that word means something else in a workflow file: choose another"
        elif name in part.children:
            told = "is declared twice here: each name stands for one part"
        elif part.kind is not None and hasattr(part.kind, name) and name not in wants(part.kind).needs:
            told = f"{part.kind.__name__} has a {name} of its own: choose another name"
        if told is not None:
            self.fault(place, f"{shown(name)!r}: {told}")
        return told is None

    def _check_keys(self, part: Planned) -> None:
        """Tells keys of a part's section that mean nothing."""
        sections = {level.name for level in part.level.inner}
        known = sections | set(part.children) | {CONFIG, "checks"}
        known |= ROOT_KEYS | {self.level.name} if part.parent is None else {"inputs"}
        for key, node in part.node.items():
            if key not in known:
                parts = " or ".join(f"`{each}:`" for each in sorted(sections))
                hint = f" Values belong under `{CONFIG}:`" + (f", parts are declared under {parts}" if parts else "")
                near = near_miss(str(key), known if node.is_mapping else known - set(part.children))
                self.fault(node.place, f"{shown(str(key))!r} means nothing in {part.name}.{near or hint}")

    def _read_steps(self, root: Planned) -> None:
        for part in root.walk():
            for inner in part.level.inner:
                for name, declared in (part.node.get(inner.name) or part.node.with_value({})).items():
                    child = part.children.get(str(name))
                    if child is not None and type(declared.value) is list:
                        child.steps = steps.read(declared, child, self.linker, self.faults)

    def fault(self, place: Place, message: str) -> None:
        self.faults.append(place.fault(message))


def _defaults(kind: type[Part], scope: Scope) -> Mapping[str, str]:
    try:
        return kind.default_parts(Config(scope))
    except ValueError:  # a change of what has no parts, which is told when values are verified
        return {}


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Returns each fault once, in the order of the lines."""
    found = list(dict.fromkeys(faults))
    found.sort(key=lambda fault: (fault.file, fault.line or 0, fault.column or 0))
    more = (
        [Fault(found[0].file, None, f"and {len(found) - _MOST_FAULTS} faults more")]
        if len(found) > _MOST_FAULTS
        else []
    )
    return found[:_MOST_FAULTS] + more
