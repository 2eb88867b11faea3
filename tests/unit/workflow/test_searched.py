"""The section `search` of a workflow file becomes the search of its versions, or faults with their places."""

from __future__ import annotations

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.searches import Between, Choice
from mlpipeline.workflow import space

from .conftest import WORKFLOW, Workbench

SEARCH = """
search:
  space:
    train__trainer__params__rate: {low: .01, high: .3, log: true}
    train__trainer__params__depth: [3, 5]
    train__trainer__epochs: {low: 1, high: 4}
  trials: 20
  metric: validation__rocauc
  sampler: random
"""


def test_a_fault_in_a_space_is_told_with_its_place(bench: Workbench) -> None:
    text = "search: {space: {train__trainer__params__dept: [1, 2]}, trials: 2, metric: validation__f1}\n"
    runner = bench.load(WORKFLOW, text)
    with pytest.raises(ConfigurationError, match=r"w1.yaml:1:\d+: .*there is no 'dept'. Did you mean 'depth'"):
        runner.verify_versions()


def test_ranges_and_lists_become_a_search(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW + SEARCH)
    found = runner.versions.searched
    assert found is not None
    assert found.space["train__trainer__params__rate"] == Between(0.01, 0.3, False, True)
    assert found.space["train__trainer__params__depth"] == Choice((3, 5))
    assert found.space["epoc_count" if "epoc_count" in found.space else "train__trainer__epochs"] == Between(1, 4, True)
    assert (found.trials, found.direction, found.sampler, len(runner.versions)) == (20, "maximize", "random", 0)
    runner.verify_versions()


def test_a_trial_is_built_with_what_was_drawn(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW + SEARCH, lazy=True)
    drawn = {"train__trainer__params__rate": 0.2, "train__trainer__params__depth": {"choice": 1}}
    runner.current_version = runner.versions.trial("trial-1", {**drawn, "train__trainer__epochs": 2})
    trainer = runner.train.trainer
    assert (trainer.params, trainer.epochs) == ({"rate": 0.2, "depth": 5}, 2)


def test_versions_stay_beside_a_search(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW + SEARCH + "versions: {deep: {train__trainer__params__depth: 9}}\n")
    assert [version.name for version in runner.versions] == ["deep"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("trials: 20", "trial: 20", "search: there is no key 'trial'. Did you mean 'trials'?"),
        ("sampler: random", "sampler: randon", "there is no sampler 'randon'. Did you mean 'random'?"),
        ("metric: validation__rocauc", "metric: joy", "is more of the metric 'joy' better or worse?"),
        ("low: .01", "lo: .01", "there is no 'lo' in a space. Did you mean 'low'?"),
        ("[3, 5]", "[]", "the list of values is empty"),
        ("trials: 20", "trials: many", "trials is 'many'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(bench: Workbench, old: str, new: str, expected: str) -> None:
    faults = bench.faults(WORKFLOW + SEARCH.replace(old, new))
    assert any(expected in fault and fault.startswith("w0.yaml:") for fault in faults), faults


def test_an_address_that_leads_nowhere_is_a_fault_of_the_file(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW + SEARCH.replace("depth: [3", "dept: [3"), lazy=True)
    with pytest.raises(ConfigurationError, match=r"there is no 'dept'\. Did you mean 'depth'\?"):
        runner.verify_versions()
    assert "search is a mapping" in bench.faults(WORKFLOW + "search: 3\n")[0]
    assert "space is a mapping" in bench.faults(WORKFLOW + "search: {trials: 3}\n")[0]


def test_a_fixed_value_is_a_space_of_one() -> None:
    assert space.read({"a": 3, "b": "text", "c": {"choices": [1, 2]}}) == {
        "a": Choice((3,)),
        "b": Choice(("text",)),
        "c": Choice((1, 2)),
    }
