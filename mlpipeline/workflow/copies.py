"""Another part like one of a workflow: the same place and configuration, and nothing of what that one has become."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from mlpipeline.workflow.interface import public_methods
from mlpipeline.workflow.middleware import Method, wrap
from mlpipeline.workflow.part import WIRING, Part, Wiring
from mlpipeline.workflow.wants import wants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    P = TypeVar("P", bound=Part)


def another(part: P, changes: Mapping[str, Any]) -> P:
    """Makes another part of the same class, with other values for some of its keys.

    It is no part of the workflow itself: checks, records and caches do not see it. Logging, timing and notes on errors
    do.

    Args:
        part: of a workflow, or made by hand; then the other one is a copy.
        changes: values by key; keys that the class does not read are left out.
    """
    wiring: Wiring | None = part.__dict__.get(WIRING)
    if wiring is None:
        made = copy.copy(part)
        made.__dict__.update(changes)
        return made
    wanted = wants(type(part))
    keys = wanted.keys
    values = {**wiring.values, **{name: each for name, each in changes.items() if name in keys or wanted.takes_any}}
    made = type(part).__new__(type(part))
    methods = public_methods(type(part))
    made.__dict__.update({name: part.__dict__[name] for name in wiring.given if name not in methods})
    attributes = {name: each for name, each in values.items() if name in keys and not keys[name].in_constructor}
    made.__dict__.update(attributes)
    made.__dict__[WIRING] = replace(wiring, values=values, given=frozenset(wiring.given) - set(methods))
    made.__init__(**{name: each for name, each in values.items() if name not in attributes})  # type: ignore[misc]
    for name in methods:
        wrap(Method(part=made, name=name, shared=wiring.shared))
    return made
