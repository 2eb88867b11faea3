"""The runner as a model: its versions, its metrics, and when it is built."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError, VersionsError
from mlpipeline.model import Model
from mlpipeline.workflow import Runner, load
from mlpipeline.workflow.numbers import metrics

from .conftest import WORKFLOW, Workbench

VERSIONS = """
versions:
  deep: {train__trainer__params__depth: 9, order: 2}
  long: {epochs: 7, order: 1, model_dir_suffix: l}
  other: {train__component__trainer: Last, train__rows: [4, 5], config__rows: [1]}
  plain:
"""


def test_a_runner_is_a_model_with_the_versions_of_its_file(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, VERSIONS)
    assert isinstance(runner, Model)
    assert [version.name for version in runner.versions] == ["other", "long", "plain", "deep"]
    assert runner.versions["long"].suffix == "l"
    assert runner.steps_for(runner.versions["long"], None) == 1


@pytest.mark.parametrize(
    ("name", "params", "epochs", "result"),
    [
        ("deep", {"rate": 0.1, "depth": 9}, 1, 2),
        ("long", {"rate": 0.1, "depth": 3}, 7, 2),
        ("plain", {"rate": 0.1, "depth": 3}, 1, 2),
    ],
)
def test_a_version_changes_what_its_addresses_name(
    bench: Workbench, name: str, params: dict[str, float], epochs: int, result: float
) -> None:
    runner = bench.load(WORKFLOW, VERSIONS, version=name)
    assert (runner.train.trainer.params, runner.train.trainer.epochs, runner.main()) == (
        params,
        epochs,
        {"mean": result},
    )


def test_a_version_may_name_another_class(bench: Workbench) -> None:
    assert bench.load(WORKFLOW, VERSIONS, version="other").main() == {"mean": 5}


def test_the_queue_sets_a_version_and_may_change_its_parameters(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, VERSIONS, lazy=True)
    runner.current_version = runner.versions["long"]
    assert runner.train.trainer.epochs == 7
    runner.current_version = runner.versions["long"].changed({"epoc_count": 3})
    assert runner.train.trainer.epochs == 3
    runner.current_version = runner.versions["deep"].changed({"rows": [8]})
    assert (runner.train.trainer.epochs, runner.train_model(None, 1)) == (1, {"mean": 8})


def test_a_lazy_runner_builds_nothing_until_a_part_is_used(bench: Workbench) -> None:
    bench.write(
        "components/marks.py",
        "from pathlib import Path\nfrom mlpipeline.workflow import Component\n"
        "class Marks(Component):\n    def __init__(self): Path('built').touch()\n",
    )
    runner = bench.load("component: {marks: Marks}\n", lazy=True)
    runner.verify_versions()
    assert not Path("built").exists()
    assert runner.marks.address == "marks"
    assert Path("built").exists()


def test_a_constructor_that_raises_leaves_nothing_half_built(bench: Workbench) -> None:
    bench.write(
        "components/fails.py",
        "from pathlib import Path\nfrom mlpipeline.workflow import Component\n"
        "class Fails(Component):\n    def __init__(self):\n"
        "        if not Path('ready').exists(): raise OSError('not ready')\n",
    )
    runner = bench.load("component: {fails: Fails}\n", lazy=True)
    for _ in range(2):
        with pytest.raises(OSError, match="not ready"):
            runner.fails  # noqa: B018
    Path("ready").touch()
    assert runner.fails.address == "fails"


def test_the_faults_of_all_versions_are_told_together(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, "versions: {a: {x: 1}, b: {train__y: 2}, c: {rows: [1]}}\n", lazy=True)
    with pytest.raises(ConfigurationError) as caught:
        runner.verify_versions()
    assert [str(fault).split(" of ")[0] for fault in caught.value.faults] == [
        "w1.yaml:1:19: nobody reads the key 'x'",
        "w1.yaml:1:37: nobody reads the key 'y'",
    ]


def test_an_unknown_version_names_the_known_ones(bench: Workbench) -> None:
    with pytest.raises(VersionsError, match="known are deep, long, other, plain"):
        bench.load(WORKFLOW, VERSIONS, version="dep")


def test_a_class_of_ones_own_takes_a_file_a_mapping_or_several(bench: Workbench) -> None:
    class Mine(Runner):
        factor: int = 1

        def main(self) -> float:
            return self.factor * float(self.train.train_model()["mean"])

    text = "pipeline: {train: Train}\ncomponent: {trainer: Mean}\nconfig: {rows: [1, 2]}\n"
    path = bench.write("dev.yaml", text)
    assert Mine("dev.yaml").main() == 1.5
    assert Mine(path, settings=["factor=2"]).main() == 3
    assert Mine(conf=[path, {"config": {"rows": [4], "factor": 3}}]).main() == 12
    assert load(path, default=Mine).main() == 1.5


def test_numbers_of_what_a_workflow_returns_are_its_metrics() -> None:
    numpy = pytest.importorskip("numpy")
    returned = {
        "f1": 0.5,
        "n": 3,
        "is_good": True,
        "text": "x",
        "model": object(),
        "deep": {"a": numpy.float32(2), "b": {}},
    }
    assert metrics(returned) == {"f1": 0.5, "n": 3, "deep__a": 2}
    assert metrics({"text": "x"}) is None
    assert metrics(3) == 3
    assert metrics(None) is None
    assert metrics([1, 2]) is None
    assert math.isnan(metrics(math.nan))
