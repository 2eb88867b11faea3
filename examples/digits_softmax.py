"""Reads handwritten digits with softmax regression, in NumPy alone: the example to begin with.

A run takes a fraction of a second. What to see here:

- `Versions(...)` holds what all versions share; each `.add(name, ...)` is one version, trained in a process of its own.
- The queue calls the methods of the class, the hooks, in the order in which they stand here.
- `steps` is how many batches are left to train: all of them at first, none when the checkpoint is the last step's,
  one in test mode.
- `self.run.steps` counts, shows a progress bar, and ends early when the queue asks. `self.run.record` keeps curves.
- `self.run.checkpoint` saves and `self.run.restore` loads. Everything that the next step depends on is in the
  checkpoint: an interrupted training ends with the very same weights as one that was left alone.

Try it: `mlpipeline digits_softmax.py` (one step of each version), then `mlpipeline -r -u digits_softmax.py`.
"""

import numpy as np
from digits_data import Digits, batches

from mlpipeline import Model, Versions


def softmax(scores):
    """Turns rows of scores into rows of probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))  # less the largest: exp never overflows
    return powers / powers.sum(axis=1, keepdims=True)


class Softmax(Model):
    """One matrix of weights from pixels to digits, trained by stochastic gradient descent with momentum."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        """Begins with weights of zero, or where the last checkpoint stands."""
        self.weights = np.zeros((65, 10))  # 64 pixels and a constant
        self.velocity = np.zeros_like(self.weights)
        saved = self.run.restore(np.load)
        if saved is not None:
            self.weights, self.velocity = saved["weights"], saved["velocity"]

    def train_model(self, input_fn, steps):
        """Trains for so many batches. `input_fn` is what the loader's `get_train_input` returned."""
        images, labels = input_fn
        start = self.get_trained_step_count() or 0  # by default the step of the checkpoint
        batch_size = self.current_version["batch_size"]
        chosen = batches(len(labels), batch_size, self.run.seed, start)
        for batch in self.run.steps(chosen, total=steps, description="softmax"):
            loss = self.learn(images[batch], labels[batch])
            self.run.record(loss=loss)
            self.run.checkpoint(self.save, name="weights.npz", every_seconds=10)
        self.run.checkpoint(self.save, name="weights.npz")

    def evaluate_model(self, input_fn, steps):
        """Returns metrics; called with the train input, then with the held-out one. `steps` is how many to look at."""
        images, labels = input_fn[0][:steps], input_fn[1][:steps]
        odds = self.probabilities(images)[np.arange(len(labels)), labels]
        right = self.probabilities(images).argmax(axis=1) == labels
        return {"accuracy": right.mean(), "loss": -np.log(odds).mean()}

    def post_execution_hook(self, version, model_dir, exec_mode=None):
        """Adds a line to the block of results."""
        self.add_to_summary(f"softmax regression, largest weight {np.abs(self.weights).max():.2f}")

    def probabilities(self, images):
        """Returns a row of ten probabilities for each image."""
        return softmax(images @ self.weights[:-1] + self.weights[-1])

    def learn(self, images, labels):
        """Takes one step down the gradient and returns the loss before it."""
        probabilities = self.probabilities(images)
        odds = probabilities[np.arange(len(labels)), labels]
        error = (probabilities - np.eye(10)[labels]) / len(labels)
        gradient = np.vstack([images.T @ error, error.sum(axis=0)])
        self.velocity = (
            self.current_version["momentum"] * self.velocity - self.current_version["learning_rate"] * gradient
        )
        self.weights = self.weights + self.velocity
        return -np.log(odds).mean()

    def save(self, path):
        """Writes all that training goes on from to a path that the queue gives."""
        np.savez(path, weights=self.weights, velocity=self.velocity)


versions = Versions(dataloader=Digits(), batch_size=32, epochs=30, momentum=0.0)
versions.add("plain", learning_rate=0.5)
versions.add("gentle", learning_rate=0.1)
versions.add("momentum", learning_rate=0.1, momentum=0.9)

MODEL = Softmax(versions)
