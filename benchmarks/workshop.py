"""Temporary projects to be measured, and processes to be timed."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.processes import directory, environment

MODEL = """from mlpipeline.helper import Model
from mlpipeline.utils import Versions
versions = Versions()
for number in range({count}):
    versions.add(f"v{{number}}", number=number)
class Nothing(Model):
    def train_model(self, input_fn, steps):
        pass
MODEL = Nothing(versions)
"""


@contextlib.contextmanager
def project(count: int, config: str = "") -> Iterator[Path]:
    """Makes a project with one model of `count` versions that do nothing."""
    with directory() as root:
        (root / "models").mkdir()
        (root / "models" / "nothing.py").write_text(MODEL.format(count=count))
        (root / "mlp.config").write_text("[MLP]\nhost = bench\n" + config)
        listed(root, "nothing.py")
        yield root


def listed(root: Path, *names: str) -> None:
    """Writes models.config by renaming it into place."""
    text = "[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\n" + "\n".join(names) + "\n[BLACKLISTED_MODELS]\n"
    (root / "new").write_text(text)
    (root / "new").rename(root / "models.config")


def command(*arguments: str) -> list[str]:
    """Returns the command line of this package."""
    return [sys.executable, "-m", "mlpipeline", *arguments]


def seconds(arguments: list[str], cwd: Path | None = None) -> float:
    """Runs a command to its end and returns the seconds it took."""
    start = time.perf_counter()
    subprocess.run(
        arguments, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    )
    return time.perf_counter() - start


def median(measure: Callable[[], float], times: int) -> float:
    """Returns the median of several measurements; the first, which warms caches, is left out."""
    measure()
    return statistics.median(measure() for _ in range(times))
