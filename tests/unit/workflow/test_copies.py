"""A trainer's copy has its own hyper-parameters, and nothing of what the other has learnt; the workflow's is kept."""

from __future__ import annotations

import pytest

from .conftest import Workbench

TRAINERS = """
from mlpipeline.workflow import Pipeline, Runner
from mlpipeline.workflow.types import ModelTrainer

class ByConstructor(ModelTrainer):
    def __init__(self, problem_type, training_params):
        self.problem_type, self.training_params, self.model = problem_type, training_params, None
    def fit(self, data):
        self.model = dict(self.training_params)
        return self
    def predict(self, data): return self.model
    def save(self, directory): ...
    def load(self, directory): return self

class ByAnnotation(ByConstructor):
    problem_type: str
    training_params: dict
    def __init__(self):
        self.model = None

class Fits(Pipeline):
    model_trainer: ModelTrainer
    def main(self):
        best = self.model_trainer.fresh({"depth": 9}).fit(None)
        return self.model_trainer.become(best).predict(None)
"""
FILE = """
pipeline: {train: Fits}
config: {problem_type: classification}
train:
  component: {model_trainer: ByConstructor}
  model_trainer: {config: {training_params: {rate: 0.5, depth: 3}}}
"""


def test_a_copy_is_made_with_other_values_and_becomes_the_workflows_own(bench: Workbench) -> None:
    bench.write("components/trainers.py", TRAINERS)
    for name in ("ByConstructor", "ByAnnotation"):
        runner = bench.load(FILE.replace("ByConstructor", name))
        own = runner.train.model_trainer
        fresh = own.fresh({"depth": 9})
        assert (fresh is own, fresh.model, fresh.parent) == (False, None, own.parent)
        assert fresh.training_params == {"rate": 0.5, "depth": 9}
        assert own.parameters == {"rate": 0.5, "depth": 3}
        assert runner.main() == {"train": {"rate": 0.5, "depth": 9}}
        assert own.parameters == {"rate": 0.5, "depth": 9}
        # Once more: nothing of the last choice but what it chose.
        assert own.fresh().training_params == {"rate": 0.5, "depth": 9}
        assert own.fresh().model is None


def test_methods_of_a_copy_are_timed_and_tell_where_they_fail(bench: Workbench) -> None:
    bench.write("components/trainers.py", TRAINERS.replace("self.model = dict(", "self.model = int("))
    runner = bench.load(FILE)
    with pytest.raises(TypeError) as caught:
        runner.train.model_trainer.fresh({"depth": 9}).fit(None)
    assert caught.value.__notes__ == ["in train.model_trainer.fit"]
    assert runner.timings.by_method["train.model_trainer.fit"].calls == 1


CACHED = """
pipeline: {train: Fits}
cache: {dir: kept, methods: [train.model_trainer.fit]}
train: {component: {model_trainer: NaiveTrainer}}
"""
FITS = """
import pandas as pd
from mlpipeline.workflow import Pipeline
from mlpipeline.workflow.types import ModelTrainer, Splits

class Fits(Pipeline):
    model_trainer: ModelTrainer
    def main(self):
        rows = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "b", "b", "b"]})
        self.model_trainer.fit(Splits(target="y", train=rows))
        return float(self.model_trainer.predict_proba(rows)["b"].iloc[0])
"""


def test_a_cached_fit_leaves_a_fitted_trainer(bench: Workbench) -> None:
    bench.write("components/trainers.py", FITS)
    assert [bench.load(CACHED).main() for _ in range(2)] == [{"train": 0.75}] * 2
    kept = list((bench.root / "kept").glob("*.pickle"))
    assert len(kept) == 1
