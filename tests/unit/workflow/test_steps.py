"""Pipelines and runners without code."""

from __future__ import annotations

import pytest

from mlpipeline.errors import MlpipelineError

from .conftest import Workbench

STEPS = """
pipeline:
  train:
    - {call: source.read, as: data}
    - call: trainer.fit
      with: {data: $data.rows}
      as: fitted
      when: {value: $data.rows.size, above: 1}
    - {call: notifier.tell, with: {text: "${data.name}"}, when: $config.loud}
    - {call: notifier.tell, with: {text: [$fitted, $config.rate, {x: 1}]}, when: {not: $config.loud}}
    - {call: out.scores, with: {mean: $fitted}}
config: {loud: false, rate: 0.5}
train: {component: {source: Source, trainer: Mean, out: Out}}
component: {notifier: Printer}
"""

PARTS = """
from mlpipeline.workflow import Component
class Rows(list):
    @property
    def size(self): return len(self)
class Source(Component):
    count: int = 3
    def read(self):
        return {"rows": Rows(range(self.count)), "name": "numbers"}
class Out(Component):
    def scores(self, mean, **more):
        return {"mean": mean, **more}
    @staticmethod
    def plain(x, y=2):
        return x + y
"""


@pytest.fixture
def steps(bench: Workbench) -> Workbench:
    bench.write("components/steps.py", PARTS)
    return bench


def test_steps_call_parts_and_hand_results_on(steps: Workbench) -> None:
    runner = steps.load(STEPS)
    assert runner.main() == {"train": {"mean": 1}}
    assert runner.notifier.told == [[1, 0.5, {"x": 1}]]


def test_a_step_is_left_out_where_its_condition_does_not_hold(steps: Workbench) -> None:
    runner = steps.load(STEPS, "config: {loud: true}\ntrain: {source: {config: {count: 1}}}\n")
    assert runner.main() == {"train": {"mean": None}}
    assert runner.notifier.told == ["numbers"]


def test_a_runner_can_be_a_list_of_steps_and_give_inputs(steps: Workbench) -> None:
    text = """
    runner:
      - {call: source.read, as: data}
      - {call: train.main, with: {rows: $data.rows}, as: trained}
      - {call: out.scores, with: {mean: $trained, more: 1}}
    pipeline:
      train: [{call: trainer.fit, with: {data: $rows}}]
    train: {inputs: [rows], component: {trainer: Mean}}
    component: {source: Source, out: Out}
    """
    runner = steps.load(text)
    assert runner.main() == {"mean": 1, "more": 1}
    with pytest.raises(TypeError, match="train is called without rows"):
        runner.train.main()
    with pytest.raises(TypeError, match="train takes no x: list it in its inputs"):
        runner.train.main(rows=[1], x=3)


def test_static_methods_and_defaults_are_called_as_they_are(steps: Workbench) -> None:
    text = "component: {out: Out}\nrunner: [{call: out.plain, with: {x: 1}}]\n"
    assert steps.load(text).main() == 3
    assert "out.plain takes no 'z'" in steps.faults(text.replace("x: 1", "x: 1, z: 3"))[0]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{}", "a step is `call: part.method`"),
        ("3", "a step is `call: part.method`"),
        ("{call: fit}", "'fit' calls nothing that train can see"),
        ("{call: sourc.read}", "'sourc.read' calls nothing that train can see. Did you mean 'source'?"),
        ("{call: source.red}", "Source has no method 'red'. Did you mean 'read'?"),
        ("{call: source.__init__}", "__init__ is not public"),
        ("{call: source.address}", "Source has no method 'address'"),
        ("{call: source.read, wit: {}}", "'wit' means nothing in a step. Did you mean 'with'?"),
        ("{call: trainer.fit}", "train.trainer.fit needs 'data': give it in `with`"),
        ("{call: trainer.fit, with: {data: 1, dat: 2}}", "train.trainer.fit takes no 'dat'. Did you mean 'data'?"),
        ("{call: trainer.fit, with: [1]}", "with is a mapping of arguments"),
        ("{call: trainer.fit, with: {data: $later}}", "${later} leads to nothing"),
        ("{call: source.read, as: a.b}", "as gives the result a name"),
        ("{call: source.read, as: 3}", "as gives the result a name"),
        ("{call: source.read, when: {at_least: 3}}", "when is a value"),
        (
            "{call: source.read, when: {value: 3, atleast: 3}}",
            "there is no comparison 'atleast'. Did you mean 'at_least'?",
        ),
        ("{call: source.read, when: {value: 3, above: x}}", "above is 'x': it must be a number"),
        ("{call: source.read, when: {value: 3, among: x}}", "among takes a list"),
    ],
)
def test_a_faulty_step_is_told_with_its_place(steps: Workbench, step: str, told: str) -> None:
    text = f"pipeline:\n  train:\n    - {step}\ntrain: {{component: {{source: Source, trainer: Mean}}}}\n"
    found = steps.faults(text)
    assert any(told in each and each.startswith("w0.yaml:3:") for each in found), found


def test_an_empty_list_has_no_steps(steps: Workbench) -> None:
    assert "train has no steps" in steps.faults("pipeline: {train: []}\n")[0]
    assert (
        "inputs is a list of names"
        in steps.faults("pipeline: {train: [{call: s.read}]}\ncomponent: {s: Source}\ntrain: {inputs: [1]}\n")[0]
    )


def test_an_output_that_has_no_such_part_is_told_when_it_is_used(steps: Workbench) -> None:
    with pytest.raises(MlpipelineError, match=r"\$data\.row: no 'row' in it: it has rows, name"):
        steps.load(STEPS.replace("$data.rows}", "$data.row}")).main()


def test_a_runner_without_steps_or_main_says_what_is_missing(steps: Workbench) -> None:
    with pytest.raises(MlpipelineError, match="Runner has train without main"):
        steps.load("pipeline: {train: Train}\nconfig: {rows: [1]}\ncomponent: {trainer: Mean}\n").main()
    with pytest.raises(MlpipelineError, match="Runner has no pipelines"):
        steps.load("component: {trainer: Mean}\n").main()
