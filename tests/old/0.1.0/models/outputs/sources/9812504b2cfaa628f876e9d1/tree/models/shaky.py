"""One version fails always, the other one at its first attempt."""

from data import Data

from mlpipeline.helper import Model
from mlpipeline.utils import Versions


class Shaky(Model):
    def train_model(self, input_fn, steps):
        if self.run.version == "broken" or self.run.attempt == 1:
            raise ValueError("the loss is no number")

    def evaluate_model(self, input_fn, steps):
        return {"accuracy": 0.5}


versions = Versions(0.1, Data(), 2, 1)
versions.add("broken")
versions.add("second_time")
MODEL = Shaky(versions)
