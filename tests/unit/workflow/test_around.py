"""What a workflow puts around methods of its own."""

from __future__ import annotations

import pytest

from .conftest import WORKFLOW, Workbench

AUDIT = """
from mlpipeline.workflow import Component
class Audit(Component):
    def __init__(self, times: int = 1):
        self.seen, self.times = [], times
    def around(self, called, proceed):
        self.seen.append(("begins", called.name, called.args))
        for _ in range(self.times):
            returned = proceed()
        self.seen.append(("ends", called.name, returned))
        return returned
    def double(self, called, proceed):
        return 2 * proceed()
    def alone(self, called): ...
    def other(self): ...
"""


@pytest.fixture
def audited(bench: Workbench) -> Workbench:
    bench.write("components/audit.py", AUDIT)
    return bench


def around(items: str, more: str = "") -> str:
    return f"component: {{audit: Audit}}\naround:\n{items}{more}"


def test_calls_go_through_it_in_the_order_of_the_file(audited: Workbench) -> None:
    items = '  - {call: audit.around, methods: ["train.*"]}\n  - {call: audit.double, methods: ["*.fit"]}\n'
    runner = audited.load(WORKFLOW, around(items))
    assert runner.main() == {"mean": 4}
    assert runner.audit.seen == [
        ("begins", "train.train_model", ()),
        ("begins", "train.trainer.fit", ([1, 2, 3],)),
        ("ends", "train.trainer.fit", 4),
        ("ends", "train.train_model", {"mean": 4}),
    ]
    assert type(runner.train.trainer)().fit([2, 4]) == 3


def test_it_may_call_again_and_is_never_put_around_itself(audited: Workbench) -> None:
    more = "audit: {config: {times: 3}}\n"
    runner = audited.load(WORKFLOW, around('  - {call: audit.around, methods: ["*"]}\n', more))
    runner.train.trainer.fit([1])
    assert runner.timings.by_method["train.trainer.fit"].calls == 1
    assert [each[0] for each in runner.audit.seen] == ["begins", "ends"]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ("  - {call: audti.around, methods: [train.trainer.fit]}\n", "no part 'audti'. Did you mean 'audit'"),
        ("  - {call: audit.arund, methods: [train.trainer.fit]}\n", "Did you mean 'around'"),
        ("  - {call: audit.alone, methods: [train.trainer.fit]}\n", "alone(self, called, proceed)"),
        ("  - {call: audit.other, methods: [train.trainer.fit]}\n", "other(self, called, proceed)"),
        ("  - {call: audit.around, methods: [train.trainer.fti]}\n", "Did you mean 'train.trainer.fit'"),
        ("  - {call: audit.around, methods: [audit.*]}\n", "no method of this workflow"),
        ("  - {call: audit.around, methods: []}\n", "a list of methods"),
        ("  - {call: audit.around}\n", "a list of methods"),
        ("  - {call: audit.around, method: [train.trainer.fit]}\n", "Did you mean 'methods'"),
        ("  - audit.around\n", "is a mapping"),
        ("  call: audit.around\n", "around is a list"),
        ("  - {call: null, methods: [x]}\n", "there is no part"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(audited: Workbench, items: str, told: str) -> None:
    faults = audited.faults(WORKFLOW, around(items))
    assert any(told in fault and fault.startswith("w1.yaml:") for fault in faults), faults
