"""One component by itself, with what workflow files have for it."""

from __future__ import annotations

from typing import Any

import pytest

from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.workflow import Component, alone
from tests.unit.workflow.conftest import Workbench

FILE = """
runner: Unknown
pipeline: {train: Unknown}
config: {rate: 3, far: 4, elsewhere: 1, params: {rate: 0.5}}
train:
  component: {other: Last, trainer: Mean}
  trainer: {config: {epochs: $config.far}}
"""


def made(bench: Workbench, text: str, *settings: str, name: str = "Mean", basis: Any = Component) -> Any:
    return alone.component(name, basis, [bench.write("f.yaml", text)], settings=settings)


def test_values_come_from_config_and_from_the_section_that_declares_it(bench: Workbench) -> None:
    found = made(bench, FILE)
    assert (found.params, found.epochs) == ({"rate": 0.5}, 4)


def test_settings_lie_over_the_file(bench: Workbench) -> None:
    found = made(bench, FILE, "epochs=7", "params.depth=9")
    assert (found.params, found.epochs) == ({"rate": 0.5, "depth": 9}, 7)


def test_a_class_that_no_section_declares_has_what_is_under_config(bench: Workbench) -> None:
    assert made(bench, "config: {epochs: 5, elsewhere: 1}").epochs == 5


def test_without_a_file_there_are_settings_and_defaults(bench: Workbench) -> None:
    found = alone.component("Mean", Component, settings=["epochs=2"])
    assert (found.params, found.epochs) == ({"rate": 0.1, "depth": 3}, 2)


def test_values_of_the_environment_are_taken_as_they_are(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECTORY", "a$b${c}$$")
    text = "config: {data_dir: '${env:DIRECTORY}'}"
    assert made(bench, text, name="LocalDataConnector").data_dir == "a$b${c}$$"


@pytest.mark.parametrize(
    ("text", "settings", "told"),
    [
        ("config: {epochs: many}", (), "f.yaml:1:18: epochs is 'many': Mean takes a whole number"),
        ("component: {part: Mean}\npart: {config: {epoch: 1}}", (), "f.yaml:2:24: nobody reads the key 'epoch'"),
        ("config: {epochs: $config.no}", (), "f.yaml:1:18: ${config.no} leads to nothing"),
        ("config: [1", (), "f.yaml:2:1: did not find"),
        ("config: {params: {rat: 1}}", (), "there is no 'rat'. Did you mean 'rate'"),
        ("", ("epoch=1",), "nobody reads the key 'epoch'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    bench: Workbench, text: str, settings: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made(bench, text, *settings)
    assert told in str(caught.value)


def test_a_class_must_be_of_the_type_that_is_asked_for(bench: Workbench) -> None:
    class Other(Component):
        pass

    with pytest.raises(UsageError, match=r"Mean is no Other"):
        made(bench, "", basis=Other)
    with pytest.raises(ConfigurationError, match=r"there is no component 'Maen'. Did you mean 'Mean'"):
        made(bench, "", name="Maen")
