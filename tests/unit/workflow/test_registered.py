"""Every part that comes with this package can be loaded, keeps the interface of its type, and says what it needs."""

from __future__ import annotations

import inspect

import pytest

from mlpipeline import plugins
from mlpipeline.errors import MissingExtra
from mlpipeline.wiring import BUILT_IN
from mlpipeline.workflow import Component, Pipeline, Runner
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.wants import wants

BASES = {"component": Component, "pipeline": Pipeline, "runner": Runner}
PARTS = [(kind, name) for kind, name, _ in BUILT_IN if kind in BASES]


@pytest.mark.parametrize(("kind", "name"), PARTS, ids=[name for _, name in PARTS])
def test_a_registered_part_keeps_its_interface(kind: str, name: str) -> None:
    try:
        found = plugins.load(kind, name)
    except MissingExtra as error:
        pytest.skip(str(error))
    assert found.__name__ == name
    assert issubclass(found, BASES[kind])
    assert interface_faults(found) == ()
    assert wants(found).faults == ()
    assert not inspect.isabstract(found)
    assert inspect.getdoc(found)
    if kind == "component":  # it is one of a type
        assert any(inspect.isabstract(each) for each in found.__mro__ if each is not Component)


def test_a_fault_of_an_interface_is_seen() -> None:
    from mlpipeline.workflow.components.ledger_tracker import LedgerTracker

    class Wrong(LedgerTracker):
        def find(self, kind: object) -> list[object]:  # type: ignore[override]
            return []

    assert interface_faults(Wrong) != ()
