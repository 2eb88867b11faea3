"""Is one version better, or was it lucky? Each is trained from two seeds, and they are compared.

What to see here:

- `replicates=2` in models.config trains each version from two seeds: `self.run.seed` is what differs.
- `mlpipeline compare` shows the mean over the seeds and how far they lie apart. Two seeds show that there is luck, and
  three are the fewest that say more: write `replicates=5`, run the queue again, and only the new seeds are trained.
- `mlpipeline compare --runs` shows every run; `mlpipeline diff RUN RUN` says what differs between two of them.

Try it, in this directory: `mlpipeline -r -u`, then `mlpipeline compare`.
"""

import numpy as np

from mlpipeline import Model, Versions

STEPS = 300


def points(count, seed):
    """Returns points on two arms of a spiral, shape (count, 2), and which arm each is on, -1 or 1."""
    random = np.random.default_rng(seed)
    arm, along = random.choice([-1, 1], count), random.uniform(0.3, 1, count)
    angle = 4 * along + np.pi * (arm > 0)
    place = along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return place + random.normal(0, 0.04, (count, 2)), arm


class Spiral(Model):
    """Random features and a linear model on top: what is drawn decides much, the fewer there are the more."""

    def train_model(self, input_fn, steps):
        random = np.random.default_rng(self.run.seed)
        width = self.current_version["width"]
        self.directions, self.shifts = random.normal(0, 5, (2, width)), random.uniform(0, 2 * np.pi, width)
        self.weights = np.zeros(width)
        x, arm = points(300, seed=1)
        features = self.features(x)
        for _ in self.run.steps(total=STEPS):
            error = features @ self.weights - arm
            self.weights -= 0.5 * features.T @ error / len(arm)
            self.run.record(loss=np.mean(error**2))

    def evaluate_model(self, input_fn, steps):
        x, arm = points(1000, seed=2)
        return {"accuracy": np.mean(np.sign(self.features(x) @ self.weights) == arm)}

    def features(self, x):
        return np.cos(x @ self.directions + self.shifts)


MODEL = Spiral(Versions().grid(width=[8, 12, 64]))
