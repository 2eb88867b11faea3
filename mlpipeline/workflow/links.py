"""Follows links in a configuration: `$a.b`, `${a.b}` and `${env:NAME}`; chained, in lists, and never in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.workflow import secrets, yaml_text
from mlpipeline.workflow.node import Node

WHOLE = re.compile(r"\$([A-Za-z_][\w-]*(?:\.[\w-]+)*)")
"""A whole value that is a link. `$5` and `$` are none."""
_PART = re.compile(r"\$\$|\$\{([^{}]*)\}?")
_ENVIRONMENT = "env:"
CONFIG = "config"


class Linker:
    """Follows the links of one configuration.

    Args:
        root: what links are looked up in.
        environment: variables by name.
        faults: gets what is wrong.

    Attributes:
        used: the paths that links lead to.
    """

    def __init__(self, root: Node, environment: Mapping[str, str], faults: list[Fault]) -> None:
        self.root = root
        self.environment = environment
        self.faults = faults
        self.used: set[tuple[str, ...]] = set()
        self._known: dict[int, tuple[Node, Node]] = {}
        self._open: list[tuple[int, str]] = []

    def resolve(self, node: Node) -> Node:
        """Returns the node with every link in it followed; what cannot be is a fault, and None in its place."""
        known = self._known.get(id(node))
        if known is not None:
            return known[1]
        if isinstance(node.value, str) and "$" not in node.value:
            return node
        if any(node_id == id(node) for node_id, _ in self._open):
            self._fault(node, f"a circle of links: {self._circle(node)}: give one of these a value")
            return node.with_value(None)
        self._open.append((id(node), node.value if isinstance(node.value, str) else ""))
        try:
            found = self._resolved(node)
        finally:
            self._open.pop()
        self._known[id(node)] = (node, found)  # the node is kept, since its id is
        return found

    def _resolved(self, node: Node) -> Node:
        value = node.value
        if type(value) is dict:
            return node.with_value({key: self.resolve(each) for key, each in value.items()})
        if type(value) is list:
            return node.with_value([self.resolve(each) for each in value])
        if not isinstance(value, str):
            return node
        if whole := WHOLE.fullmatch(value):
            return self._target(node, whole[1])
        braced = _PART.fullmatch(value)
        if braced and braced[1] is not None and value.endswith("}"):
            return self._target(node, braced[1].strip())
        return self._within(node)

    def _within(self, node: Node) -> Node:
        """Puts what links lead to into the text around them."""
        is_secret = node.secret

        def text(found: re.Match[str]) -> str:
            nonlocal is_secret
            if found[0] == "$$":
                return "$"
            if not found[0].endswith("}"):
                self._fault(node, f"'${{' without its '}}' in {shown(node.value, 80)!r}: close it, or write '$${{'")
                return ""
            target = self._target(node, found[1].strip())
            is_secret |= target.secret
            if isinstance(target.value, dict | list):
                self._fault(node, f"{found[0]} is no single value: let it stand alone, without text around it")
                return ""
            return "" if target.value is None else str(target.value)

        value = _PART.sub(text, node.value)
        return replace(node, value=value, secret=is_secret, origin=node.value if value != node.value else "")

    def _target(self, node: Node, address: str) -> Node:
        if address.startswith(_ENVIRONMENT):
            return self._variable(node, address.removeprefix(_ENVIRONMENT))
        found = self.find(address)
        if found is None:
            self._fault(node, f"${{{shown(address, 80)}}} leads to nothing.{self._near(address)}")
            return node.with_value(None)
        path, target = found
        self.used.add(path)
        resolved = self.resolve(target)
        is_secret = resolved.secret or any(secrets.is_secret(part) for part in path)
        return replace(resolved, place=node.place, secret=is_secret, origin=f"{node.value} at {target.place}")

    def _variable(self, node: Node, text: str) -> Node:
        name, comma, default = text.partition(",")
        name, default = name.strip(), default.strip()
        value = self.environment.get(name, default if comma else None)
        if value is None:
            told = "is not set: set it, or give a default as in ${env:" + name + ",value}"
            self._fault(node, f"the environment variable {shown(name, 80)} {told}")
            return node.with_value(None)
        is_secret = secrets.is_secret(name)
        read = value if is_secret else yaml_text.scalar(value)
        return replace(node, value=read, secret=is_secret, origin=f"environment {name}")

    def find(self, address: str) -> tuple[tuple[str, ...], Node] | None:
        """Finds what a dotted address leads to; the level `config` may be left out, items of lists have numbers."""
        path: list[str] = []
        found: Node = self.root
        for part in address.split("."):
            step = _step(found, part)
            if step is None:
                return None
            names, found = step
            path += names
        return tuple(path), found

    def _near(self, address: str) -> str:
        parts = address.split(".")
        for count in range(len(parts) - 1, -1, -1):
            found = self.find(".".join(parts[:count])) if count else ((), self.root)
            if found is not None:
                names = [str(name) for name in _names(found[1])]
                near = near_miss(parts[count], names)
                known = f" Known there: {', '.join(sorted(names)[:10])}" if names else ""
                return near or known
        return ""

    def _circle(self, node: Node) -> str:
        first = next(index for index, (node_id, _) in enumerate(self._open) if node_id == id(node))
        texts = [text for _, text in self._open[first:] if text]
        return " → ".join([*texts, texts[0]]) if texts else "a mapping that links to itself"

    def _fault(self, node: Node, message: str) -> None:
        place = node.place
        fault = place.fault(message)
        if fault not in self.faults:
            self.faults.append(fault)


def _step(node: Node, part: str) -> tuple[list[str], Node] | None:
    if type(node.value) is list:
        is_item = part.isdecimal() and int(part) < len(node.value)
        return ([part], node.value[int(part)]) if is_item else None
    inner = node.get(part)
    if inner is not None:
        return [part], inner
    config = node.get(CONFIG)
    inner = config.get(part) if config is not None else None
    return None if inner is None else ([CONFIG, part], inner)


def _names(node: Node) -> Iterator[object]:
    for key, inner in node.items():
        yield key
        if key == CONFIG:
            yield from (name for name, _ in inner.items())
