"""A training that is killed, and goes on as if nothing had happened: `python power_cut.py` does it, in this directory.

What to see here:

- A checkpoint holds all that the next step depends on: the position, and the state of the random generator.
- `self.run.steps` counts from where the checkpoint stands: of 600 steps, those that were done are not done again.
- Both versions are the same walk. `power_cut.py` kills one of them in the middle, and both end at the same place.
"""

import pickle
import time

import numpy as np

from mlpipeline import Model, Versions

STEPS = 600


class Walk(Model):
    """A random walk, which forgets nothing."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        """Begins at zero, or where the last checkpoint stands."""
        saved = self.run.restore(lambda path: pickle.loads(path.read_bytes()))
        self.done, self.place, self.random = saved or (0, 0.0, np.random.default_rng(7))

    def train_model(self, input_fn, steps):
        for _ in self.run.steps(total=STEPS - self.done):
            self.place += self.random.normal()
            self.done += 1
            time.sleep(self.current_version["seconds"])  # a real training takes its time, too
            self.run.record(place=self.place)
            self.run.checkpoint(self.save, every_seconds=0.2)
        self.run.checkpoint(self.save)

    def evaluate_model(self, input_fn, steps):
        return {"place": self.place}

    def save(self, path):
        path.write_bytes(pickle.dumps((self.done, self.place, self.random)))


MODEL = Walk(Versions().add("killed", seconds=0.005).add("left_alone", seconds=0.0))
