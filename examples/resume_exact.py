"""Resumes exactly: killed at any step, it ends with the very numbers of a training that was left alone.

Its checkpoint holds all that the next step depends on: the weights, the momentum and the state of the random generator
that draws the batches. `mlpipeline --drill resume_exact.py` proves it, with a real kill -9 in the middle.
`resume_close.py` and `resume_broken.py` are this model with a rounded checkpoint, and with a forgotten one.
"""

import pickle

import numpy as np

from mlpipeline import DataLoader, Model, Versions


class Line(DataLoader):
    """Points near a plane, the same ones each time."""

    def points(self, count, seed):
        """Returns inputs and what is to be predicted of them."""
        random = np.random.default_rng(seed)
        inputs = random.normal(size=(count, 4))
        return inputs, inputs @ [1.0, -2.0, 3.0, 0.5] + 0.1 * random.normal(size=count)

    def get_train_input(self, mode=None, **kwargs):
        return self.points(320, seed=1)

    def get_test_input(self, **kwargs):
        return self.points(80, seed=2)

    def get_train_sample_count(self):
        return 320

    def get_test_sample_count(self):
        return 80


class Regression(Model):
    """Linear regression by stochastic gradient descent with momentum."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        self.weights, self.velocity = np.zeros(4), np.zeros(4)
        self.random = np.random.default_rng(self.run.seed)
        saved = self.run.restore(self.load)
        if saved is not None:
            self.weights, self.velocity, self.random = saved

    def train_model(self, input_fn, steps):
        inputs, targets = input_fn
        for _ in self.run.steps(total=steps):
            batch = self.random.integers(len(targets), size=self.current_version["batch_size"])
            error = inputs[batch] @ self.weights - targets[batch]
            self.velocity = 0.5 * self.velocity - 0.1 * inputs[batch].T @ error / len(batch)
            self.weights = self.weights + self.velocity
            self.run.record(loss=np.mean(error**2))
            self.run.checkpoint(self.save, every_seconds=10)
        self.run.checkpoint(self.save)

    def evaluate_model(self, input_fn, steps):
        inputs, targets = input_fn
        return {"loss": np.mean((inputs @ self.weights - targets) ** 2)}

    def save(self, path):
        path.write_bytes(pickle.dumps((self.weights, self.velocity, self.random)))

    def load(self, path):
        return pickle.loads(path.read_bytes())


MODEL = Regression(Versions(dataloader=Line(), batch_size=32, epochs=5).add("plain"))
