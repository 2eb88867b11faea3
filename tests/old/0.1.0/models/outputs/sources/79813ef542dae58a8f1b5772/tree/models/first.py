"""Always succeeds."""

from data import Data

from mlpipeline.helper import Model
from mlpipeline.utils import Versions


class Steady(Model):
    def train_model(self, input_fn, steps):
        for step in self.run.steps(range(steps)):
            self.run.record(loss=1.0 / (step + 1))
        print("trained", steps, "steps")

    def evaluate_model(self, input_fn, steps):
        return {"accuracy": 0.75}


versions = Versions(0.1, Data(), 2, 2)
versions.add("small", width=8)
versions.add("wide", width=32)
MODEL = Steady(versions)
