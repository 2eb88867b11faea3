"""Makes trainers of classes that a workflow had once, for the models that they fitted."""

from __future__ import annotations

from mlpipeline.config_text import Fault
from mlpipeline.errors import MlpipelineError
from mlpipeline.workflow.classes import Classes, plugin_places
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.part import WIRING, Wiring
from mlpipeline.workflow.types import ModelTrainer, Resource
from mlpipeline.workflow.wants import wants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PARAMETERS = "params"
"""Facts of a model called `params.<name>` are its trainer's hyper-parameters."""
_LEVEL, _KEY = "component", "training_params"


def trainer(name: str, resource: Resource, like: ModelTrainer) -> ModelTrainer:
    """Returns a trainer of a class by name, not fitted: with the hyper-parameters of a model that it fitted once.

    Args:
        name: of the class; it is looked for where the workflow's classes are.
        resource: the model.
        like: a trainer of the workflow, whose configuration gives the other keys.

    Raises:
        MlpipelineError: there is no such class any more, or it needs keys that nobody gives.
    """
    kind = _class(name, resource, like)
    values: dict[str, Any] = {}
    for key in wants(kind).keys.values():
        if key.name == _KEY:
            values[_KEY] = _parameters(resource)
        elif key.name in like.config:
            values[key.name] = like.config[key.name]
        elif key.name in wants(kind).defaults:
            values[key.name] = key.default
        else:
            raise MlpipelineError(f"{resource.id} was fitted by {name}, which needs the key {key.name!r}: set it")
    attributes = {each for each in values if not wants(kind).keys[each].in_constructor}
    made = kind.__new__(kind)
    made.__dict__.update({each: values[each] for each in attributes})
    made.__init__(**{each: value for each, value in values.items() if each not in attributes})  # type: ignore[misc]
    return made


def _class(name: str, resource: Resource, like: ModelTrainer) -> type[ModelTrainer]:
    faults: list[Fault] = []
    wiring: Wiring | None = like.__dict__.get(WIRING)
    root: Any = None if wiring is None else wiring.shared.root
    found = None
    if root is not None:
        document = root.document
        places = plugin_places(document.sources, document.root.get("plugin_paths"), (_LEVEL,), faults)
        found = Classes(document.sources, places, faults).find(_LEVEL, Node(name, Place(resource.id)))
    if found is None or not issubclass(found, ModelTrainer):
        told = f": {faults[-1].message}" if faults else ""
        raise MlpipelineError(f"{resource.id} was fitted by {name}, which is no trainer here{told}")
    return found


def _parameters(resource: Resource) -> dict[str, Any]:
    """Returns hyper-parameters from their flat names."""
    found: dict[str, Any] = {}
    for address, value in resource.facts.items():
        first, *names = address.split(".")
        if first == PARAMETERS and names:
            inner = found
            for name in names[:-1]:
                inner = inner.setdefault(name, {})
            inner[names[-1]] = value
    return found
