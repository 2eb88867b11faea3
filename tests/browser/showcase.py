"""A project as people have them: many models, some at work, some stalled, lost, held or faulty, and a search."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SHARED = '''
"""Trains nothing: draws the curves of a training."""
import math, os, random, signal, time
from mlpipeline import Model

class Simulated(Model):
    def train_model(self, input_fn, steps):
        has = self.current_version
        chance = random.Random(f"{has}")
        total, pause, rate = has.get("total", 60), has.get("pause", 0.001), has.get("rate", 0.1)
        print(f"{total} steps, rate {rate:.4g}", flush=True)
        slope = 0.02 / (abs(math.log10(rate) + 2) + 0.3)
        for step in self.run.steps(total=total, description="training"):
            loss = 2 * math.exp(-slope * step * 60 / total * 3) + 0.08 + chance.gauss(0, 0.02)
            accuracy = 0.97 - 0.85 * math.exp(-slope * step * 60 / total * 2) + chance.gauss(0, 0.004)
            self.run.record(step=step, loss=loss, validation_loss=loss * 1.15 + 0.02 * step / total,
                            validation_accuracy=accuracy)
            if step % 20 == 0:
                print(f"step {step}: loss {loss:.4f}, validation accuracy {accuracy:.4f}", flush=True)
            self.after(step)
            time.sleep(pause)
        self.accuracy = accuracy

    def after(self, step):
        pass

    def evaluate_model(self, input_fn, steps):
        return {"accuracy": round(self.accuracy, 4), "f1": round(self.accuracy - 0.013, 4)}
'''
_HEAD = "from simulated import *\nfrom mlpipeline import Versions\n\n"
_QUIET = "    def after(self, step):\n        if step == 90:\n            time.sleep(100_000)\n"
_GONE = (
    "    def after(self, step):\n        if step == 30:\n            os.kill(os.getppid(), signal.SIGKILL)\n"
    "            os.kill(os.getpid(), signal.SIGKILL)\n"
)
_RAISES = (
    '    def after(self, step):\n        if step == 25:\n            raise ValueError("loss is not finite: nan")\n'
)


def _model(versions: str, body: str = "    pass\n") -> str:
    return f"{_HEAD}class Net(Simulated):\n{body}\n\nMODEL = Net({versions})\n"


_LONG = "a-version-whose-name-somebody-made-of-all-its-parameters-lr0.003-wd0.0005-dropout0.25"
MODELS = {
    "vision/resnet.py": _model(
        'Versions(total=80).add("shallow", rate=0.1, depth=18).add("deep", rate=0.03, depth=50)'
        '.add("wide", rate=0.02, depth=34, width=128)'
    ),
    "vision/augmentation.py": _model(f'Versions(total=60).add("none", rate=0.05).add("{_LONG}", rate=0.003)'),
    "tabular/boosting.py": _model('Versions(total=50, replicates=3).add("plain", rate=0.1).add("tuned", rate=0.02)'),
    "tabular/baseline.py": _model('Versions(total=40).add("mean", rate=0.9)'),
    "text/tokenizer.py": _model('Versions().add("bytes", rate=0.02)', _RAISES),
    "audio/keywords.py": _model('Versions().add("small", rate=0.05)', _GONE),
    "text/embeddings.py": _model('Versions().add("frozen", rate=0.02, total=400, pause=0.05)', _QUIET),
    "vision/segmentation.py": _model(
        'Versions(pause=0.12).add("unet", rate=0.01, total=5200).add("unet-large", rate=0.004, total=9000)'
    ),
    "text/summaries-of-long-documents.py": _model('Versions(pause=0.2).add("base", rate=0.02, total=3000)'),
    "recommender/two_towers.py": _model('Versions(pause=0.3, total=1800).add("a", rate=0.03).add("b", rate=0.01)'),
    "forecast/demand.py": _model('Versions(pause=0.3, total=900).add("weekly", rate=0.02).add("daily", rate=0.01)'),
    "forecast/prices.py": "from simulated import *\n\nMODEL = Net(\n",
    "search/digits.py": _HEAD
    + "class Net(Simulated):\n    pass\n\nversions = Versions(total=60, pause=0.01)\nversions.search("
    '{"rate": (0.0001, 1.0, "log"), "depth": (2, 8), "width": [32, 64, 128]}, trials=50, '
    'metric="validation_loss", direction="minimize", sampler="random")\nMODEL = Net(versions)\n',
}
_QUICK = """[MLP]
use_blacklist = false

[WHITELISTED_MODELS]
# what the paper needs
vision/resnet.py
vision/augmentation.py
tabular/boosting.py
tabular/baseline.py = priority=1

# odd ones
text/tokenizer.py
audio/keywords.py = max_attempts=1
search/digits.py
forecast/prices.py
"""
_LONG_ONES = """text/embeddings.py = priority=5

# these take the whole night
vision/segmentation.py = priority=4
text/summaries-of-long-documents.py = priority=4
recommender/two_towers.py
forecast/demand.py = hold
"""
_SLOTS, _TRIALS = "6", 36
_COMMAND = (
    "import sys; from mlpipeline.observe import stalled; stalled.AFTER_SECONDS = 4.0; "
    "from mlpipeline.__main__ import main; sys.exit(main())"
)


class Showcase:
    """A project in a directory, its scheduler and its dashboard."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._processes: list[subprocess.Popen[str]] = []
        for name, text in {**MODELS, "simulated.py": SHARED}.items():
            path = root / "models" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / "mlp.config").write_text("[MLP]\nhost = workstation\ngrace_seconds = 2\n")
        (root / "models.config").write_text(_QUICK)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command, to which a run is stalled after a few seconds."""
        with open(self.root / "commands.log", "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, *arguments],
                cwd=self.root,
                stdout=subprocess.PIPE if arguments[0] == "dashboard" else log,
                stderr=log,
                text=True,
            )
        self._processes.append(process)
        return process

    def run(self, *arguments: str) -> Any:
        """Returns what a command says as JSON."""
        command = [sys.executable, "-m", "mlpipeline", *arguments, "--json"]
        return json.loads(subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, check=True).stdout)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 300) -> Any:
        """Waits."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, what
            time.sleep(0.5)
        return found

    def running(self) -> set[str]:
        """Returns the models that train now."""
        return {each["run"]["model"] for each in self.run("status")["running"] if each["now"] == "alive"}

    def dashboard(self, *options: str) -> str:
        """Starts one, and returns its link."""
        process = self.start("dashboard", "--port", "0", *options)
        assert process.stdout is not None
        return next("http://" + line.partition("http://")[2].split()[0] for line in process.stdout if "http://" in line)

    def prepare(self) -> None:
        """Trains what is short, and lets the scheduler die and another one adopt what is at work."""
        first = self.start("-r", "-u", "--watch", "-j", _SLOTS)
        self.until(lambda: sum(each["done"] for each in self.run("status")["studies"]) >= _TRIALS, "trials are done")
        with (self.root / "models.config").open("a") as file:
            file.write(_LONG_ONES)
        wanted = {"vision/segmentation.py", "text/embeddings.py", "text/summaries-of-long-documents.py"}
        self.until(lambda: wanted <= self.running(), "the long ones run")
        first.kill()
        first.wait()
        self.start("-r", "-u", "--watch", "-j", _SLOTS)
        self.until(lambda: self.run("status")["scheduler"]["running"], "another scheduler runs")
        newest = {each["version"]: each["run"] for each in self.run("history", "--limit", "0")["runs"]}
        for version, tag in (("deep", "paper"), ("wide", "paper"), ("tuned", "paper"), ("shallow", "baseline")):
            self.run("tag", newest[version], tag)

    def close(self) -> None:
        """Ends everything that was started."""
        live = self.run("status")["running"]
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
        for each in live:
            started = self.root / each["run"]["directory"] / "started.json"
            with contextlib.suppress(OSError, ValueError, KeyError):
                os.kill(json.loads(started.read_text())["pid"], signal.SIGTERM)


@contextlib.contextmanager
def showcase(root: Path) -> Iterator[Showcase]:
    """Gives one that is at work."""
    made = Showcase(root)
    try:
        made.prepare()
        yield made
    finally:
        made.close()
