"""Reads handwritten digits with a small perceptron, in the spelling of scripts written for ml-pipeline.

Such scripts run unchanged, and this one shows what they look like: `mlpipeline.helper` and `mlpipeline.utils`, `addV`
with `custom_paramters`, a model that keeps its own weights in `model_dir`, and work at the top level of the module.
For a script of your own, `digits_softmax.py` is the better pattern: `self.run` there does what is written out here.

What to see here:

- `model_dir` is the directory that the queue keeps for a version: what is saved there is there the next time.
- `get_trained_step_count` says how much of the work is in it; the queue calls `train_model` with the steps left.
- `allow_delete_model_dir` lets the queue call `clean_model_dir` when the directory holds the weights of other code.
  Without it, they are renamed aside. Old weights never pass as a new result.
- `MetricContainer` keeps running means, `add_to_summery` adds to the block of results, `MODEL_DIR_SUFFIX` names the
  model directory.
"""

import os
import shutil

import digits_data
import numpy as np

from mlpipeline.helper import DataLoader, Model
from mlpipeline.utils import ExecutionModeKeys, MetricContainer, Versions, log, version_parameters

HIDDEN = "hidden"


class DigitsLoader(DataLoader):
    def __init__(self, **args):
        super().__init__(**args)
        self.summery = "digits that ship with scikit-learn\n"

    def get_train_input(self, mode=ExecutionModeKeys.TRAIN, **kargs):
        return digits_data.split()[0]

    def get_test_input(self, **kargs):
        return digits_data.split()[1]

    def get_train_sample_count(self):
        return len(digits_data.split()[0][1])

    def get_test_sample_count(self):
        return len(digits_data.split()[1][1])

    def get_dataloader_summery(self, **kargs):
        return self.summery


class Perceptron(Model):
    def __init__(self, versions, **args):
        super().__init__(versions, **args)
        self.current_version = None

    def get_current_version(self):
        return self.current_version

    def pre_execution_hook(self, version, model_dir, exec_mode=ExecutionModeKeys.TEST):
        self.current_version = version
        self.file = os.path.join(model_dir, "weights.npz")
        self.steps_done = 0
        if os.path.exists(self.file):
            with np.load(self.file) as saved:
                self.steps_done = int(saved["steps_done"])
                self.weights = [saved["first"], saved["second"]]
        else:
            random = np.random.default_rng(1)
            hidden = version[HIDDEN]
            self.weights = [random.normal(0, 0.2, (65, hidden)), random.normal(0, 0.2, (hidden + 1, 10))]
        self.log(f"{version[version_parameters.NAME]} in mode {exec_mode}: {self.steps_done} steps done before")

    def get_trained_step_count(self):
        return self.steps_done

    def train_model(self, input_fn, steps):
        images, labels = input_fn
        batch_size = self.current_version[version_parameters.BATCH_SIZE]
        steps_in_epoc = len(labels) // batch_size
        metrics = MetricContainer(["loss", "accuracy"], track_average_epoc_count=5)
        batches = digits_data.batches(len(labels), batch_size, seed=1, start=self.steps_done)
        for _ in range(steps):
            batch = next(batches)
            loss, right = self.learn(images[batch], labels[batch])
            metrics.loss.update(loss, count=batch_size)
            metrics.accuracy.update(right, count=batch_size)
            self.steps_done += 1
            if self.steps_done % steps_in_epoc == 0:
                metrics.log_metrics(log_to_file=False, complete_epoc=True)
                metrics.reset_epoc()
                self.save()
        self.save()
        return metrics.log_metrics(log_to_file=False)

    def evaluate_model(self, input_fn, steps):
        images, labels = input_fn
        metrics = MetricContainer(["accuracy"])
        right = self.forward(images[:steps])[1].argmax(axis=1) == labels[:steps]
        metrics.accuracy.update(int(right.sum()), count=len(right))
        self.add_to_summery(f"accuracy on {steps} digits: {metrics.accuracy.avg():.4f}")
        return metrics

    def clean_model_dir(self, model_dir):
        shutil.rmtree(model_dir)

    def save(self):
        # Beside and renamed: a kill while this writes leaves the former file whole.
        with open(f"{self.file}.part", "wb") as file:
            np.savez(file, steps_done=self.steps_done, first=self.weights[0], second=self.weights[1])
        os.replace(f"{self.file}.part", self.file)

    def forward(self, images):
        first, second = self.weights
        hidden = np.tanh(images @ first[:-1] + first[-1])
        powers = np.exp(hidden @ second[:-1] + second[-1])
        return hidden, powers / powers.sum(axis=1, keepdims=True)

    def learn(self, images, labels):
        first, second = self.weights
        hidden, probabilities = self.forward(images)
        error = (probabilities - np.eye(10)[labels]) / len(labels)
        below = (error @ second[:-1].T) * (1 - hidden**2)
        rate = self.current_version[version_parameters.LEARNING_RATE]
        second -= rate * np.vstack([hidden.T @ error, error.sum(axis=0)])
        first -= rate * np.vstack([images.T @ below, below.sum(axis=0)])
        loss = -np.log(probabilities[np.arange(len(labels)), labels]).sum()
        return float(loss), int((probabilities.argmax(axis=1) == labels).sum())


log("setting up the perceptrons")
dataloader = DigitsLoader()
versions = Versions(0.5, dataloader, batch_size=32, epoc_count=20)
versions.addV("narrow", custom_paramters={HIDDEN: 16}, model_dir_suffix="perceptron-narrow")
versions.addV("wide", custom_paramters={HIDDEN: 64}, model_dir_suffix="perceptron-wide", order=-1)

MODEL = Perceptron(versions=versions, allow_delete_model_dir=True)
