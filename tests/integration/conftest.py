"""Real projects in temporary directories, run by real processes; models write their own ground truth."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlpipeline.ledger import Ledger
from tests.integration.small_disks import small_file_system

GENEROUS_SECONDS = float(os.environ.get("MLP_TEST_SECONDS", "60"))


def warm_process(scheduler: int) -> psutil.Process:
    """Returns the process of a scheduler that forks its runs.

    Another child, which looked at the environment, may have ended and not be collected yet: it has no command any more.
    """
    found = []
    for each in psutil.Process(scheduler).children():
        with contextlib.suppress(psutil.ZombieProcess):
            if "mlpipeline.execution.warm" in " ".join(each.cmdline()):
                found.append(each)
    (process,) = found
    return process


TRUTH = """
import json, os, time
from pathlib import Path
from mlpipeline.execution.limits import start_ticks
from mlpipeline.helper import Model, DataLoader
from mlpipeline.utils import Versions

ROOT = Path(__file__).resolve().parent.parent

WHO = {}  # run and attempt, once the training has begun

def truth(event, version, **more):
    row = {"event": event, "version": version, "pid": os.getpid(), "t": time.time(), "m": time.monotonic()}
    with (ROOT / "truth.jsonl").open("a") as file:
        file.write(json.dumps(row | WHO | more) + "\\n")

def others_alive(run):
    # Processes of the run that have begun and are still there, but for this one.
    path = ROOT / "truth.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    begun = {(row["pid"], row["ticks"]) for row in rows if row.get("run") == run and "ticks" in row}
    return [pid for pid, ticks in begun if pid != os.getpid() and start_ticks(pid) == ticks]

class Loader(DataLoader):
    def __init__(self, samples=4): self.samples = samples
    def get_train_input(self, mode=None, **kw): return "train"
    def get_test_input(self, **kw): return "test"
    def get_train_sample_count(self): return self.samples
    def get_test_sample_count(self): return 2

class Truthful(Model):
    def train_model(self, input_fn, steps):
        WHO.update(run=self.run.run_id, attempt=self.run.attempt)
        beside = others_alive(self.run.run_id)
        truth("train", self.run.version, ticks=start_ticks(os.getpid()), beside=beside)
        self.body(steps)
        truth("trained", self.run.version, asked=self.run.stop_reason)
    def body(self, steps): pass
    def evaluate_model(self, input_fn, steps):
        return {"steps": steps}
"""


class Workshop:
    """A project on disk and the processes that a test starts in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.models = root / "models"
        self.models.mkdir(parents=True)
        (self.models / "truthful.py").write_text(TRUTH)
        self.config("")
        self.processes: list[subprocess.Popen[str]] = []

    def config(self, text: str) -> None:
        """Writes mlp.config with short pauses."""
        (self.root / "mlp.config").write_text("[MLP]\nhost = here\ngrace_seconds = 2\n" + text)

    def model(self, name: str, body: str, versions: str = 'Versions(0.1, Loader(), 2, 1).add("one")') -> None:
        """Writes a model whose `body(self, steps)` is given."""
        lines = "\n".join(f"        {line}" for line in body.strip("\n").splitlines())
        path = self.models / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "from truthful import *\n\n"
            f"class Mine(Truthful):\n    def body(self, steps):\n{lines}\n\n"
            f"MODEL = Mine({versions})\n"
        )

    def list(self, *lines: str, test: bool = False) -> None:
        """Writes the models config, whole."""
        text = (
            "[MLP]\nuse_blacklist = false\n\n[WHITELISTED_MODELS]\n" + "\n".join(lines) + "\n\n[BLACKLISTED_MODELS]\n"
        )
        path = self.root / ("models_test.config" if test else "models.config")
        beside = path.with_suffix(".new")
        beside.write_text(text)
        beside.rename(path)

    def start(
        self, *arguments: str, failpoint: str = "", variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Starts the command line in the project, perhaps with a place at which it ends or waits."""
        process = subprocess.Popen(
            [sys.executable, "-m", "mlpipeline", *arguments],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "PYTHONDONTWRITEBYTECODE": "1",
                "COLUMNS": "200",
                "MLP_FAILPOINT": failpoint,
                **(variables or {}),
            },
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Runs the command line to its end. Returns exit status and everything printed."""
        process = self.start(*arguments, variables=variables)
        output, _ = process.communicate(timeout=GENEROUS_SECONDS * 2)
        return process.returncode, output

    def json(self, *arguments: str) -> Any:
        """Runs a command with --json and returns what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "mlpipeline", *arguments, "--json"],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=GENEROUS_SECONDS * 4,
            check=False,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def history(self) -> list[dict[str, Any]]:
        """The runs that the ledger holds, newest first, each with its attempts and what the last one says."""
        ledger = Ledger.open_readonly(self.outputs / "ledger-here.db")
        try:
            found = ledger.runs()
        finally:
            ledger.close()
        return [asdict(run.last) | asdict(run) | {"state": run.state.value} for run in found]

    def truth(self, event: str | None = None) -> list[dict[str, Any]]:
        """What the models say that happened."""
        path = self.root / "truth.jsonl"
        if not path.exists():
            return []
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [row for row in rows if event is None or row["event"] == event]

    @property
    def outputs(self) -> Path:
        return self.models / "outputs"

    def output(self, kind: str = "log") -> str:
        """The host's log or output file."""
        path = self.outputs / f"{kind}-here"
        return path.read_text() if path.exists() else ""

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Waits for a condition, generously; fails naming what never happened."""
        end = time.monotonic() + GENEROUS_SECONDS
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.02)
        raise AssertionError(f"never happened: {what}\n{self.output()}")

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for pid in self.left_behind():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def left_behind(self) -> list[int]:
        """Processes whose working directory is this project, but for this test's own."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                try:
                    if os.readlink(f"/proc/{name}/cwd").startswith(str(self.root)):
                        found.append(int(name))
                except OSError:
                    continue
        return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    with small_file_system(tmp_path / "disk") as path:
        yield path


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path.resolve() / "project")
    yield made
    made.close()
