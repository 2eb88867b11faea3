"""Reads handwritten digits with a convolutional network in PyTorch: `pip install 'mlpipeline[torch,sklearn]'`.

What to see here:

- PyTorch is imported where it is used. The file is imported once more to be described, and that stays quick so.
- A checkpoint is the network and the optimizer. The batch follows from seed and step alone. So a training that was
  interrupted ends with the very weights of one that was not: `mlpipeline --drill` proves it.
- `self.run.record(loss=loss)` takes a tensor of one number; `mlpipeline plot` draws it.

Try it, in this directory: `mlpipeline`, `mlpipeline --drill`, `mlpipeline -r -u`, `mlpipeline compare`.
"""

from functools import cache

import numpy as np

from mlpipeline import DataLoader, Model, Versions


@cache
def digits():
    """Returns the 1,797 digits of scikit-learn, float32 of shape (rows, 1, 8, 8) between 0 and 1, and their labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.images[:, None] / 16).astype("float32"), found.target.astype("int64")


class Digits(DataLoader):
    """Every fifth digit is held out."""

    def part(self, held_out):
        images, labels = digits()
        chosen = (np.arange(len(labels)) % 5 == 0) == held_out
        return images[chosen], labels[chosen]

    def get_train_input(self, mode=None, **options):
        return self.part(held_out=False)

    def get_test_input(self, **options):
        return self.part(held_out=True)

    def get_train_sample_count(self):
        return len(self.part(held_out=False)[1])

    def get_test_sample_count(self):
        return len(self.part(held_out=True)[1])


class Network(Model):
    """One convolution, pooled, and a linear layer."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        """Builds the network, and loads the last checkpoint where there is one."""
        import torch
        from torch import nn

        torch.manual_seed(self.run.seed)
        filters = version["filters"]
        self.network = nn.Sequential(
            nn.Conv2d(1, filters, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(filters * 9, 10)
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=version["learning_rate"])
        saved = self.run.restore(torch.load)
        if saved is not None:
            self.network.load_state_dict(saved["network"])
            self.optimizer.load_state_dict(saved["optimizer"])

    def train_model(self, input_fn, steps):
        import torch

        images, labels = map(torch.from_numpy, input_fn)
        start = self.get_trained_step_count() or 0
        for step in self.run.steps(range(start, start + steps), total=steps):
            batch = np.random.default_rng((self.run.seed, step)).integers(
                0, len(labels), self.current_version["batch_size"]
            )
            loss = torch.nn.functional.cross_entropy(self.network(images[batch]), labels[batch])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.run.record(loss=loss)
            self.run.checkpoint(self.save, name="network.pt", every_seconds=10)
        self.run.checkpoint(self.save, name="network.pt")

    def evaluate_model(self, input_fn, steps):
        import torch

        images, labels = input_fn
        with torch.no_grad():
            found = self.network(torch.from_numpy(images)).argmax(dim=1).numpy()
        return {"accuracy": np.mean(found == labels)}

    def save(self, path):
        import torch

        torch.save({"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}, path)


MODEL = Network(Versions(dataloader=Digits(), batch_size=64, epochs=8, learning_rate=0.01).grid(filters=[4, 16]))
