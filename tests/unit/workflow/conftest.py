"""Small workflows in temporary projects."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow import Runner, load

PARTS = """
from abc import abstractmethod
from mlpipeline.workflow import Component, Pipeline, Runner, side_effects

class Trainer(Component):
    @abstractmethod
    def fit(self, data): ...

class Mean(Trainer):
    def __init__(self, params: dict[str, float] = {"rate": 0.1, "depth": 3}, epochs: int = 1):
        self.params, self.epochs, self.model = params, epochs, None
    def fit(self, data):
        self.model = sum(data) / len(data)
        return self.model
    @classmethod
    def known_names(cls, key):
        return ("rate", "depth", "seed") if key == "params" else None

class Last(Trainer):
    def fit(self, data):
        return data[-1]

class Notifier(Component):
    @abstractmethod
    def tell(self, text): ...

class Printer(Notifier):
    def __init__(self):
        self.told = []
    @side_effects
    def tell(self, text):
        self.told.append(text)

class Train(Pipeline):
    trainer: Trainer
    notifier: Notifier | None
    rows: list[float]
    def train_model(self):
        fitted = self.trainer.fit(self.rows)
        if self.notifier is not None:
            self.notifier.tell(fitted)
        return {"mean": fitted}

class My(Runner):
    def main(self):
        return self.train.train_model()
"""

WORKFLOW = """
runner: My
pipeline: {train: Train}
config: {rows: [1, 2, 3]}
train:
  component: {trainer: Mean}
"""


class Workbench:
    """A project on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("mlp.config", "")
        self.write("components/parts.py", PARTS)
        self.write("w.yaml", WORKFLOW)

    def write(self, name: str, text: str) -> Path:
        """Writes a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def load(self, *texts: str, **options: Any) -> Runner:
        """Loads `w.yaml`, or files with these texts, laid over one another."""
        files = [self.write(f"w{number}.yaml", text) for number, text in enumerate(texts)] or [self.root / "w.yaml"]
        return load(files, **options)

    def faults(self, *texts: str, **options: Any) -> list[str]:
        """Loads, and returns what is wrong, line by line."""
        with pytest.raises(ConfigurationError) as caught:
            self.load(*texts, **options)
        return [str(fault) for fault in caught.value.faults] or [str(caught.value)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A project with a few parts, and the working directory in it."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    for name in [name for name in os.environ if name.startswith("MLP_")]:
        monkeypatch.delenv(name)
    return Workbench(root)
