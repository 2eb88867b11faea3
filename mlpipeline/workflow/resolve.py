"""Finds the value of a key for a part of a workflow: one way for validation, for look-up and for what is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from mlpipeline.workflow import node as nodes
from mlpipeline.workflow import secrets, yaml_text
from mlpipeline.workflow.node import Node, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "MLP_"
"""`MLP_TRAIN_DATA` in the environment is the key `train_data` of every part that has none nearer."""
QUEUE_VARIABLES = frozenset(
    f"{PREFIX}{name}"
    for name in ("DEVICES", "ENV", "FAILPOINT", "FENCE", "HANDOVER_SECONDS", "JOB", "MEMORY", "SUPERVISOR", "TOKEN")
)
"""What the queue tells its processes: a key `token` must not become the token of an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value and where it came from.

    Attributes:
        origin: for a person, e.g. `dev.yaml:3:5`, `environment MLP_RATE`, `default of XGBoostTrainer`.
        hidden: texts in it that must not be shown.
        place: where a fault of it is told.
        node: the value with the places of its parts, where it has any.
    """

    value: Any
    origin: str
    hidden: frozenset[str]
    place: Place
    node: Node | None = None

    def shown(self) -> Any:
        """Returns the value with its secrets as stars."""
        return secrets.shown(self.value, self.hidden)

    def leaves(self) -> list[tuple[tuple[str, ...], Any, str]]:
        """Returns every value in it that has no keys: its path, as it may be shown, and its origin."""
        return [
            (path, secrets.shown(value, self.hidden), origin)
            for path, value, origin in _leaves(self.node or nodes.from_plain(self.value, self.place), self.origin)
        ]


class Scope:
    """What one part of a workflow sees of the configuration.

    In this order: its own `config`, its parents', the nearest first; the environment; its class's defaults; its
    parents' class's defaults, the nearest first. `null` is a value like any other; a default of None is the last.

    Args:
        name: of the part, as messages have it.
        config: the part's own, links followed.
        defaults: those of its class.
        parent: the scope around it.
        environment: variables by name.
        changes: by key, what changes within its value, wherever that comes from.
    """

    __slots__ = ("changes", "config", "defaults", "environment", "name", "parent")

    def __init__(
        self,
        name: str,
        config: Mapping[str, Node],
        defaults: Mapping[str, Any],
        parent: Scope | None,
        environment: Mapping[str, str],
        changes: Mapping[str, Sequence[tuple[Sequence[str], Node]]] = MappingProxyType({}),
    ) -> None:
        self.changes = changes
        self.name = name
        self.config = config
        self.defaults = defaults
        self.parent = parent
        self.environment = environment

    def chain(self) -> Iterator[Scope]:
        """Yields this scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, key: str) -> Found | None:
        """Returns the value of a key; None where nobody gives one.

        Raises:
            ValueError: a change within it leads through a value that has no parts.
        """
        passed: list[Scope] = []
        found: Found | None = None
        for scope in self.chain():
            passed.append(scope)
            if key in scope.config:
                found = _of_node(key, scope.config[key])
                break
        found = found or self._variable(key) or self._default(key)
        for scope in reversed(passed):
            for within, node in scope.changes.get(key, ()):
                found = _changed(key, found, within, node)
        return found

    def _variable(self, key: str) -> Found | None:
        name = f"{PREFIX}{key.upper()}"
        text = None if name in QUEUE_VARIABLES else self.environment.get(name)
        if text is None:
            return None
        origin, is_secret = f"environment {name}", secrets.is_secret(key)
        value = text if is_secret else yaml_text.scalar(text)
        hidden = frozenset(secrets.collect(value, secret=is_secret))
        return Found(value=value, origin=origin, hidden=hidden, place=Place(origin))

    def _default(self, key: str) -> Found | None:
        givers = [scope for scope in self.chain() if key in scope.defaults]
        # None says that the class does without: what a class further out says is more.
        givers = [scope for scope in givers if scope.defaults[key] is not None] or givers
        if not givers:
            return None
        origin = f"default of {givers[0].name}"
        value = _copied(givers[0].defaults[key])
        hidden = frozenset(secrets.collect(value, secret=secrets.is_secret(key)))
        return Found(value=value, origin=origin, hidden=hidden, place=Place(origin))

    def keys(self) -> list[str]:
        """Returns every key that the configuration or a class gives a value, the nearest first."""
        known: dict[str, None] = {}
        for scope in self.chain():
            known |= dict.fromkeys((*scope.config, *scope.changes))
        for scope in self.chain():
            known |= dict.fromkeys(scope.defaults)
        return list(known)


def _of_node(key: str, node: Node) -> Found:
    hidden = frozenset(_hidden(key, node))
    return Found(value=node.plain(), origin=_origin(node), hidden=hidden, place=node.place, node=node)


def _origin(node: Node) -> str:
    return f"{node.place} ({node.origin})" if node.origin else str(node.place)


def _leaves(node: Node, origin: str) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    if not node.value or not node.is_mapping:
        yield (), node.plain(), origin
        return
    for key, inner in node.items():
        for path, value, where in _leaves(inner, _origin(inner)):
            yield (str(key), *path), value, where


def _hidden(key: Any, node: Node) -> set[str]:
    """Returns the texts in a node that must not be shown: by their keys, by where they came from, in URLs."""
    is_secret = node.secret or secrets.is_secret(str(key))
    if is_secret or not isinstance(node.value, dict | list):
        return secrets.collect(node.plain(), secret=is_secret)
    inner = node.items() if node.is_mapping else (("", each) for each in node.value)
    return {text for name, each in inner for text in _hidden(name, each)}


def _changed(key: str, found: Found | None, within: Sequence[str], node: Node) -> Found:
    """Lays a change over a part of a value.

    Raises:
        ValueError: the way leads through a value that has no parts.
    """
    before = Node({}, node.place) if found is None else found.node or nodes.from_plain(found.value, found.place)
    passed: Node | None = before
    for name in within:
        if passed is not None and not passed.is_mapping:
            raise ValueError(name)
        passed = passed.get(name) if passed is not None else None
    changed = _of_node(key, nodes.put(before, within, node))
    origin = changed.origin if found is None else f"{found.origin}, {node.place}"
    return replace(changed, origin=origin, place=node.place)


class Config(Mapping[str, "Any"]):
    """The configuration as a part sees it: `self.config["train_data"]`. Read only; printing it shows no secret."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getitem__(self, key: str) -> Any:
        found = self._scope.find(key)
        if found is None:
            raise KeyError(key)
        return found.value

    def __iter__(self) -> Iterator[str]:
        return iter(self._scope.keys())

    def __len__(self) -> int:
        return len(self._scope.keys())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._scope.find(key) is not None

    def origin(self, key: str) -> str:
        """Returns where a value came from.

        Raises:
            KeyError: there is no such key.
        """
        found = self._scope.find(key)
        if found is None:
            raise KeyError(key)
        return found.origin

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={found.shown()!r}" for key in self if (found := self._scope.find(key)) is not None)
        return f"Config({told})"


def _copied(value: Any) -> Any:
    """Copies plain containers: parts share no default that one of them could change."""
    if type(value) is dict:
        return {key: _copied(each) for key, each in value.items()}
    if type(value) in (list, set):
        return type(value)(_copied(each) for each in value)
    return value
