"""Builds what is planned: objects, each with its configuration and with the parts that it needs."""

from __future__ import annotations

from mlpipeline.workflow import checking
from mlpipeline.workflow.checks import Check, CheckLog
from mlpipeline.workflow.interface import public_methods
from mlpipeline.workflow.middleware import Method, Timings, hide, wrap
from mlpipeline.workflow.part import WIRING, Part, Shared, Wiring
from mlpipeline.workflow.planned import Plan, Planned
from mlpipeline.workflow.recorder import Recorder, Results
from mlpipeline.workflow.resolve import Config
from mlpipeline.workflow.wants import MISSING, wants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def build(plan: Plan, root: Part, *, collect: bool = False) -> Shared:
    """Makes the objects of a plan, each after those that it needs.

    Args:
        root: the runner; it is there already, and gets its attributes.
        collect: whether checks that fail are only kept.
    """
    shared = Shared(
        root=root,
        parts={},
        recorder=Recorder(),
        checks=CheckLog(collect=collect),
        timings=Timings(),
        directory=plan.sources.root,
        hidden=plan.hidden,
    )
    builder = _Builder(plan, shared)
    for planned in plan.order:
        try:
            builder.make(planned)
        except Exception as error:
            hide(error, plan.hidden)
            error.add_note(f"while {planned.name} was built, which {planned.place} declares")
            raise
    return shared


_MAIN = "main"


class _Builder:
    def __init__(self, plan: Plan, shared: Shared) -> None:
        self.plan = plan
        self.shared = shared
        self.results = Results(plan.sources.root / plan.cache_dir, shared.parts)
        self.checks: dict[tuple[tuple[str, ...], str, str], list[Check]] = {}
        of_steps = {id(each) for part in plan.root.walk() for s in part.steps or () for each in (*s.before, *s.after)}
        for check in plan.checks:
            if id(check) not in of_steps:  # those of a step hold for that call alone
                self.checks.setdefault((check.address, check.method, check.moment), []).append(check)

    def make(self, planned: Planned) -> None:
        kind = planned.kind
        if kind is None:  # a plan with such a part has faults, and is not built
            return
        parts = self.shared.parts
        part: Part = self.shared.root if not planned.address else kind.__new__(kind)
        parts[planned.address] = part
        uses = {name: None if need is None else parts[need.address] for name, need in planned.needs.items()}
        values = _values(planned, kind)
        keys = wants(kind).keys
        attributes = {name: each for name, each in values.items() if name in keys and not keys[name].in_constructor}
        part.__dict__.update(uses)
        part.__dict__.update(attributes)
        part.__dict__[WIRING] = Wiring(
            address=planned.address,
            config=Config(planned.scope),
            values=values,
            parent=None,
            shared=self.shared,
            given=frozenset((*uses, *attributes)),
            uses=tuple(each for each in uses.values() if each is not None),
            steps=planned.steps,
            inputs=planned.inputs,
        )
        if planned.address:
            part.__init__(**{name: each for name, each in values.items() if name not in attributes})  # type: ignore[misc]
        for child in planned.parts():  # they were built before it
            wiring: Wiring = parts[child.address].__dict__[WIRING]
            wiring.parent = part
        self._wrap(part, planned)

    def _wrap(self, part: Part, planned: Planned) -> None:
        names = dict.fromkeys(public_methods(type(part)))
        if hasattr(type(part), _MAIN):  # also where it is this package's own
            names[_MAIN] = None
        for name in names:
            wrap(
                Method(
                    part=part,
                    name=name,
                    shared=self.shared,
                    hidden=self.plan.hidden,
                    before=self.checks.get((planned.address, name, "before"), ()),
                    after=self.checks.get((planned.address, name, "after"), ()),
                    around=[each for each in self.plan.around if (planned.address, name) in each.methods],
                    results=self.results if (planned.address, name) in self.plan.cached else None,
                    sources=self.plan.sources,
                )
            )


def _values(planned: Planned, kind: type[Part]) -> dict[str, Any]:
    keys = wants(kind).keys
    found = {}
    for name, each in planned.values.items():
        annotation = keys[name].annotation if name in keys else MISSING
        found[name] = each.value if annotation is MISSING else checking.converted(each.value, annotation)
    return found
