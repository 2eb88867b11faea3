"""Pipelines without code: lists of steps, each a call of a part's method, read from YAML and carried out."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.errors import MlpipelineError
from mlpipeline.workflow import conditions, interface
from mlpipeline.workflow.conditions import Bound
from mlpipeline.workflow.links import WHOLE, Linker
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.part import WIRING, Part, Wiring
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.planned import Planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.workflow.checks import Check

_KEYS = ("call", "with", "as", "when", "checks")
_NOT = "not"


@dataclass(frozen=True, slots=True)
class Output:
    """Stands for what an earlier step returned, or for a part of it."""

    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Whether a step is taken: a value that is true, or keeps bounds."""

    value: Any
    bounds: tuple[Bound, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call: of what, with what, under which name its result goes on, and under which condition.

    Attributes:
        address: of the part.
        checks: the node of its checks; `before` and `after` once it is read.
    """

    address: tuple[str, ...]
    method: str
    arguments: Mapping[str, Any]
    name: str | None
    when: When | None
    place: Place
    checks: Node | None = None
    before: tuple[Check, ...] = ()
    after: tuple[Check, ...] = ()

    def __str__(self) -> str:
        return f"{'.'.join(self.address)}.{self.method}"


class StepPipeline(Pipeline):
    """A pipeline that is a list of steps. `main` takes its `inputs` and returns what the last step returned."""

    _is_framework = True

    def main(self, **inputs: Any) -> Any:
        """Takes the steps in order."""
        return run(self, inputs)


def run(part: Part, inputs: Mapping[str, Any], count: int | None = None) -> Any:
    """Takes a part's steps in order, or the first `count` of them, and returns what the last one returned."""
    wiring: Wiring = part.__dict__[WIRING]
    if unknown := [name for name in inputs if name not in wiring.inputs]:
        raise TypeError(f"{part.address} takes no {', '.join(unknown)}: list it in its inputs")
    if missing := [name for name in wiring.inputs if name not in inputs]:
        raise TypeError(f"{part.address} is called without {', '.join(missing)}")
    values, last = dict(inputs), None
    for step in (wiring.steps or ())[:count]:
        taken = step.when is None or _is_taken(step.when, values)
        last = _take(step, wiring, values) if taken else None
        if step.name is not None:
            values[step.name] = last
    return last


def _take(step: Step, wiring: Wiring, values: Mapping[str, Any]) -> Any:
    shared = wiring.shared
    called = shared.parts[step.address]
    arguments = {name: _filled(each, values) for name, each in step.arguments.items()}
    for check in step.before:
        shared.checks.run(check, called, (), arguments)
    returned = shared.recorder.call(called, step.method, arguments)
    for check in step.after:
        shared.checks.run(check, called, (returned,), arguments)
    return returned


def _is_taken(when: When, values: Mapping[str, Any]) -> bool:
    value = _filled(when.value, values)
    taken = all(bound.holds(value) for bound in when.bounds) if when.bounds else bool(value)
    return taken is not when.negated


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, Output):
        try:
            return conditions.inside(values[template.name], template.path)
        except KeyError as error:
            raise MlpipelineError(f"${template.name}.{template.path}: {error.args[0]}") from None
    if isinstance(template, dict):
        return {key: _filled(each, values) for key, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values) for each in template]
    return template


def inputs(part: Planned, faults: list[Fault]) -> tuple[str, ...]:
    """Reads `inputs: [data, …]` of a pipeline's section."""
    node = part.node.get("inputs")
    names = [] if node is None else node.plain()
    if not isinstance(names, list) or not all(isinstance(name, str) and name.isidentifier() for name in names):
        place = part.place if node is None else node.place
        faults.append(place.fault("inputs is a list of names"))
        return ()
    return tuple(names)


def read(declared: Node, part: Planned, linker: Linker, faults: list[Fault]) -> tuple[Step, ...]:
    """Reads a list of steps; what is wrong becomes a fault."""
    reader = _Reader(part, linker, faults)
    found = [reader.step(node) for node in declared.value]
    if not found:
        reader.fault(declared.place, f"{part.name} has no steps: write `- call: part.method`")
    return tuple(step for step in found if step is not None)


class _Reader:
    def __init__(self, part: Planned, linker: Linker, faults: list[Fault]) -> None:
        self.part = part
        self.linker = linker
        self.faults = faults
        self.names = set(part.inputs)

    def fault(self, place: Place, message: str) -> None:
        self.faults.append(place.fault(message))

    def step(self, node: Node) -> Step | None:
        call = node.get("call")
        if not node.is_mapping or call is None or not isinstance(call.value, str):
            self.fault(node.place, "a step is `call: part.method`, with `with`, `as`, `when` and `checks` where needed")
            return None
        for key, each in node.items():
            if key not in _KEYS:
                self.fault(each.place, f"{shown(str(key))!r} means nothing in a step.{near_miss(str(key), _KEYS)}")
        found = self._method(call)
        arguments = self._arguments(node.get("with"), found)
        when = self._when(node.get("when"))
        name = self._name(node.get("as"))
        if found is None or found[0].kind is None:
            return None
        target, method = found
        return Step(
            address=target.address,
            method=method,
            arguments=arguments,
            name=name,
            when=when,
            place=node.place,
            checks=node.get("checks"),
        )

    def _method(self, call: Node) -> tuple[Planned, str] | None:
        *path, method = str(call.value).split(".")
        target = self.part.reach(path) if path else None
        if target is None:
            names = self.part.names()
            near = near_miss(path[0], names) if path else ""
            self.fault(call.place, f"{shown(call.value)!r} calls nothing that {self.part.name} can see.{near}")
            return None
        told = None if target.kind is None else _method_fault(target, method)
        if told is not None:
            self.fault(call.place, told)
            return None
        return target, method

    def _arguments(self, node: Node | None, found: tuple[Planned, str] | None) -> dict[str, Any]:
        if node is not None and node.value is not None and not node.is_mapping:
            self.fault(node.place, "with is a mapping of arguments: `with: {data: $data}`")
            return {}
        items = {} if node is None else {str(key): each for key, each in node.items()}
        if found is not None and found[0].kind is not None:
            place = self.part.place if node is None else node.place
            for message in _argument_faults(found[0], found[1], items):
                self.fault(place, message)
        return {name: self._template(each) for name, each in items.items()}

    def _template(self, node: Node) -> Any:
        """Returns a value in which earlier outputs stand for themselves, and links are followed."""
        if node.is_mapping:
            return {key: self._template(each) for key, each in node.items()}
        if type(node.value) is list:
            return [self._template(each) for each in node.value]
        if isinstance(node.value, str):
            text = node.value
            bare = f"${text[2:-1]}" if text.startswith("${") and text.endswith("}") else text
            whole = WHOLE.fullmatch(bare)
            first, _, rest = (whole[1] if whole else "").partition(".")
            if first in self.names:
                return Output(first, rest)
        return self.linker.resolve(node).plain()

    def _name(self, node: Node | None) -> str | None:
        if node is None:
            return None
        if not isinstance(node.value, str) or not node.value.isidentifier():
            self.fault(node.place, f"as gives the result a name of letters, digits and underscores, not {node.value!r}")
            return None
        self.names.add(node.value)
        return node.value

    def _when(self, node: Node | None) -> When | None:
        if node is None:
            return None
        if not node.is_mapping:
            return When(value=self._template(node))
        if set(node.value) == {_NOT}:
            return When(value=self._template(node.value[_NOT]), negated=True)
        value = node.get("value")
        if value is None:
            self.fault(node.place, "when is a value, `{not: value}`, or `{value: $scores.f1, at_least: 0.8}`")
            return None
        bounds = {key: self.linker.resolve(each) for key, each in node.items() if key != "value"}
        return When(value=self._template(value), bounds=conditions.read(bounds, self.faults))


def _method_fault(target: Planned, method: str) -> str | None:
    if target.kind is None or (issubclass(target.kind, StepPipeline) and method == "main"):
        return None
    return interface.method_faults(target.kind, method)


def _argument_faults(target: Planned, method: str, given: Iterable[str]) -> list[str]:
    """Tells arguments that a method does not take, and those that it is called without."""
    names = list(given)
    if target.kind is None:
        return []
    if issubclass(target.kind, StepPipeline):
        wanted, required, takes_any = list(target.inputs), list(target.inputs), False
    else:
        found = interface.parameters(inspect.getattr_static(target.kind, method, None)) or []
        plain = [each for each in found if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
        takes_any = any(each.kind is each.VAR_KEYWORD for each in found)
        wanted, required = [each.name for each in plain], [each.name for each in plain if each.default is each.empty]
    whose = f"{target.name}.{method}"
    told = [f"{whose} takes no {name!r}.{near_miss(name, wanted)}" for name in names if name not in wanted]
    missing = [f"{whose} needs {name!r}: give it in `with`" for name in required if name not in names]
    return missing + ([] if takes_any else told)
