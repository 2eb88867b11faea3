"""A project whose workflows are exported: one is a list of steps, one of pipelines, one has code of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PARTS = """
from pathlib import Path
from mlpipeline.workflow import Component, Pipeline, Runner

def told(word):
    with open("calls.txt", "a") as file:
        file.write(word + " ")

class Rows(Component):
    train_data: str
    db_password: str = ""
    def read(self):
        told("read")
        return [float(word) for word in Path(self.train_data).read_text().split()]

class Mean(Component):
    rate: float = 1.0
    def fit(self, data):
        told("fit")
        if Path("fail_once").exists():
            Path("fail_once").unlink()
            raise RuntimeError("only once")
        self.mean = self.rate * sum(data) / len(data)
    def score(self, data):
        told("score")
        return {"mean": self.mean, "off": max(abs(each - self.mean) for each in data)}

class Reading(Pipeline):
    rows: Rows
    def main(self):
        return {"rows": len(self.rows.read())}

class Training(Pipeline):
    mean: Mean
    rows: Rows
    def main(self):
        data = self.rows.read()
        self.mean.fit(data)
        return self.mean.score(data)

class Mine(Runner):
    def main(self):
        return self.train.main()
"""
STEPS = """
component: {rows: Rows, mean: Mean}
config: {train_data: data.txt, rate: 2, epochs: 3, import: 1, json: 1}
runner:
  - {call: rows.read, as: data}
  - {call: mean.fit, with: {data: $data}}
  - {call: mean.score, with: {data: $data}, when: {value: $config.rate, above: 0}}
"""
PIPELINES = """
component: {rows: Rows, mean: Mean}
pipeline: {read: Reading, train: Training}
config: {train_data: data.txt}
"""


class Yard:
    """A project directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("mlp.config", "[MLP]\nhost = here\n")
        self.write("components/parts.py", PARTS)
        self.write("data.txt", "1 2 3")
        self.write("models/steps.yaml", STEPS.replace(", epochs: 3, import: 1, json: 1", ""))
        self.write("models/pipelines.yaml", PIPELINES)
        self.write("models/code.yaml", f"{PIPELINES}runner: Mine\n")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    @property
    def calls(self) -> list[str]:
        path = self.root / "calls.txt"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    """A project; what is imported of it is forgotten after the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    modules = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield Yard(tmp_path / "project")
    for name in set(sys.modules) - modules:
        module = sys.modules[name]
        places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
        if any(str(tmp_path) in place for place in places):
            del sys.modules[name]
