"""Reads the checks of a workflow: which functions and thresholds belong before and after which methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.workflow import conditions, interface
from mlpipeline.workflow.checks import Check
from mlpipeline.workflow.classes import Classes
from mlpipeline.workflow.links import Linker
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.planned import Planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_FUNCTION = "check"
_MOMENTS = ("before", "after")
_KEYS = ("function", "metric", "on_failure")
_ON_FAILURE = ("fail", "warn")


def read(root: Planned, linker: Linker, classes: Classes, faults: list[Fault]) -> tuple[Check, ...]:
    """Reads every check of a workflow: those of sections and those of steps."""
    reader = _Reader(linker, classes, faults)
    found: list[Check] = []
    for part in root.walk():
        found += reader.section(part)
        if part.steps is not None:
            part.steps = tuple(step if step.checks is None else reader.of_step(part, step) for step in part.steps)
            found += [check for step in part.steps for check in (*step.before, *step.after)]
    return tuple(found)


class _Reader:
    def __init__(self, linker: Linker, classes: Classes, faults: list[Fault]) -> None:
        self.linker = linker
        self.classes = classes
        self.faults = faults

    def fault(self, place: Place, message: str) -> None:
        self.faults.append(place.fault(message))

    def section(self, part: Planned) -> Iterator[Check]:
        node = part.node.get("checks")
        if node is None or node.value is None:
            return
        if not node.is_mapping:
            self.fault(node.place, "checks is a mapping of methods: `train.split_data: {after: [...]}`")
            return
        for key, inner in node.items():
            *path, method = str(key).split(".")
            target = part.reach(path) if path else part
            told = _method_fault(part, target, path, method)
            if told is not None or target is None:
                self.fault(inner.place, f"check of {shown(str(key))!r}: {told}")
            else:
                yield from self._moments(inner, target.address, method)

    def of_step(self, part: Planned, step: Any) -> Any:
        found = list(self._moments(step.checks, step.address, step.method))
        before = tuple(check for check in found if check.moment == "before")
        return replace(step, before=before, after=tuple(check for check in found if check.moment == "after"))

    def _moments(self, node: Node, address: tuple[str, ...], method: str) -> Iterator[Check]:
        for key, each in node.items():
            if key not in _MOMENTS:
                self.fault(each.place, f"{shown(str(key))!r} is no moment: checks stand under before or after")
                continue
            for item in each.value if type(each.value) is list else [each]:
                check = self._check(self.linker.resolve(item), address, method, str(key))
                if check is not None:
                    yield check
        if not node.is_mapping:
            self.fault(node.place, "write `before: [...]` and `after: [...]` below the method")

    def _check(self, node: Node, address: tuple[str, ...], method: str, moment: str) -> Check | None:
        given = {"function": node} if isinstance(node.value, str) else dict(node.items())
        action = given.get("on_failure")
        if action is not None and action.value not in _ON_FAILURE:
            self.fault(action.place, f"on_failure is {' or '.join(_ON_FAILURE)}, not {shown(str(action.value))!r}")
        check = Check(
            address=address,
            method=method,
            moment=moment,
            name="",
            warns=action is not None and action.value == "warn",
            place=node.place,
        )
        if "function" in given:
            return self._with_function(check, given)
        bounds = conditions.read({key: each for key, each in given.items() if key not in _KEYS}, self.faults)
        if not bounds or moment == "before":
            told = "thresholds stand under after" if bounds else "a check is FILE:FUNCTION, or a metric with a bound"
            self.fault(node.place, told)
            return None
        metric = str(given["metric"].value) if "metric" in given else ""
        return replace(check, name=" ".join([metric, *map(str, bounds)]).strip(), metric=metric, bounds=bounds)

    def _with_function(self, check: Check, given: Mapping[str, Node]) -> Check | None:
        for key, node in given.items():
            if key not in ("function", "on_failure"):
                self.fault(node.place, f"{shown(str(key))!r} does not go with a function")
        node = given["function"]
        file, _, name = str(node.value).partition(":")
        path = self._file(file, node.place)
        function = None if path is None else self._function(path, name or DEFAULT_FUNCTION, node.place)
        if path is None or function is None:
            return None
        label = f"{self.classes.sources.relative(path)}:{name or DEFAULT_FUNCTION}"
        return replace(check, name=label, function=function)

    def _file(self, name: str, place: Place) -> Path | None:
        sources = self.classes.sources
        bases = (sources.root / Path(place.file).parent, sources.root)
        if any(not sources.contains(base / name) for base in bases):
            self.fault(place, f"{shown(name)} lies outside the project {sources.root}: copy it into the project")
            return None
        path = next((base / name for base in bases if sources.is_file(base / name)), None)
        if path is None or path.suffix != ".py":
            self.fault(place, f"there is no Python file {shown(name)!r} in the project: write FILE.py:FUNCTION")
            return None
        return path

    def _function(self, path: Path, name: str, place: Place) -> Callable[..., Any] | None:
        sources = self.classes.sources
        try:
            module = sources.load(path)
        except (Exception, SystemExit) as error:  # whatever a user's file raises is told as the fault of that file
            self.fault(place, f"the check cannot be loaded: {self.classes.told(error, path)}")
            return None
        found = getattr(module, name, None)
        if not callable(found):
            names = [key for key, each in vars(module).items() if callable(each) and not key.startswith("_")]
            self.fault(
                place, f"there is no function {shown(name)!r} in {sources.relative(path)}.{near_miss(name, names)}"
            )
            return None
        return found  # type: ignore[no-any-return]


def _method_fault(part: Planned, target: Planned | None, path: list[str], method: str) -> str | None:
    if target is None:
        return f"there is no part {'.'.join(path)!r}.{near_miss(path[0], part.names())}"
    if target.kind is None:  # told already
        return None
    if method == "main" and (target.steps is not None or target.parent is None):
        return None
    return interface.method_faults(target.kind, method)
