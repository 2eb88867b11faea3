"""The work that is given to every tool alike, and the trace that it leaves: when its first and its last line ran."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

KERAS_IMPORTS = """import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf"""
KERAS = """x = np.linspace(0, 1, 256, dtype="float32").reshape(-1, 1)
net = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1)])
net.compile(optimizer="sgd", loss="mse")
net.fit(x, 2 * x, epochs=2, batch_size=32, verbose=0)"""

SCRIPT = """import time
{preamble}
FIRST = time.time_ns()
{imports}
{body}
with open({stamps!r}, "a") as file:
    file.write(f"{{FIRST}} {{time.time_ns()}} script\\n")
"""
MODEL = """import time
{preamble}
FIRST = time.time_ns()
{imports}
from mlpipeline.helper import Model
from mlpipeline.utils import Versions
versions = Versions()
for number in range({count}):
    versions.add(f"v{{number:05d}}", number=number)
class Work(Model):
    def train_model(self, input_fn, steps):
{body}
        with open({stamps!r}, "a") as file:
            file.write(f"{{FIRST}} {{time.time_ns()}} {{self.run.version}}\\n")
MODEL = Work(versions)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run does.

    Attributes:
        name: for people.
        preamble: lines before its first line is noted.
        imports: lines at the top of the script.
        body: lines that do it.
    """

    name: str
    preamble: str = ""
    imports: str = ""
    body: str = "pass"

    def script(self, stamps: Path) -> str:
        """Returns it as a script."""
        return SCRIPT.format(preamble=self.preamble, imports=self.imports, body=self.body, stamps=str(stamps))

    def model(self, stamps: Path, count: int) -> str:
        """Returns it as a model with so many versions."""
        body = "\n".join(" " * 8 + line for line in self.body.splitlines())
        return MODEL.format(preamble=self.preamble, imports=self.imports, body=body, stamps=str(stamps), count=count)


NOTHING = Work(name="nothing")
TENSORFLOW = Work(name="TensorFlow", imports=KERAS_IMPORTS, body=KERAS)


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """One run: nanoseconds of its first and its last line, and its label."""

    first: int
    last: int
    label: str


def stamps_of(path: Path) -> list[Stamp]:
    """Returns what ran, in order."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return sorted(Stamp(int(first), int(last), label) for first, last, label in map(str.split, lines))


def gaps(stamps: list[Stamp]) -> list[float]:
    """Returns the milliseconds from each run's last line to the next one's first."""
    return [(after.first - before.last) / 1e6 for before, after in pairwise(stamps)]


def spacing(stamps: list[Stamp]) -> float:
    """Returns the milliseconds from one run's first line to the next one's, on average."""
    return (stamps[-1].first - stamps[0].first) / 1e6 / (len(stamps) - 1)


def write_script(work: Work, root: Path) -> list[str]:
    """Writes the work as a script and returns the command that runs it, by the interpreter of this benchmark."""
    (root / "work.py").write_text(work.script(root / "stamps"), "utf-8")
    return [sys.executable, str(root / "work.py")]
