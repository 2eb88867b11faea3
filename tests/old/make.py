"""Makes the project that stands for the present release: run for real, then stripped of what names this machine.

Run it once, before a release, from the root: `python -m tests.old.make`.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from mlpipeline import __version__
from mlpipeline.execution.limits import boot_id

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 200_000

DATA = '''"""What the models of this project learn from."""

from mlpipeline.helper import DataLoader


class Data(DataLoader):
    def __init__(self, samples=4):
        self.samples = samples

    def get_train_input(self, mode=None, **kw):
        return [1.0] * self.samples

    def get_test_input(self, **kw):
        return [1.0, 1.0]

    def get_train_sample_count(self):
        return self.samples

    def get_test_sample_count(self):
        return 2
'''
STEADY = '''"""Always succeeds."""

from data import Data

from mlpipeline.helper import Model
from mlpipeline.utils import Versions


class Steady(Model):
    def train_model(self, input_fn, steps):
        for step in self.run.steps(range(steps)):
            self.run.record(loss=1.0 / (step + 1))
        print("trained", steps, "steps")

    def evaluate_model(self, input_fn, steps):
        return {"accuracy": 0.75}


versions = Versions(0.1, Data(), 2, 2)
versions.add("small", width=8)
versions.add("wide", width=32)
MODEL = Steady(versions)
'''
SHAKY = '''"""One version fails always, the other one at its first attempt."""

from data import Data

from mlpipeline.helper import Model
from mlpipeline.utils import Versions


class Shaky(Model):
    def train_model(self, input_fn, steps):
        if self.run.version == "broken" or self.run.attempt == 1:
            raise ValueError("the loss is no number")

    def evaluate_model(self, input_fn, steps):
        return {"accuracy": 0.5}


versions = Versions(0.1, Data(), 2, 1)
versions.add("broken")
versions.add("second_time")
MODEL = Shaky(versions)
'''


def main() -> None:
    """Makes tests/old/<release>; what is there already is never made again."""
    target = ROOT / "tests" / "old" / __version__
    if target.exists():
        sys.exit(f"{target}: is there already, and what a release wrote never changes")
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory).resolve() / "project"
        _live(project)
        _strip(project)
        _check(project)
        shutil.copytree(project, target, symlinks=True)
    print(f"{target}: made. Add it with: git add --force {target.relative_to(ROOT)}")


def _live(project: Path) -> None:
    """Runs the project through what a ledger has to remember."""
    models = project / "models"
    models.mkdir(parents=True)
    (project / "mlp.config").write_text("[MLP]\nhost = here\n")
    (models / "data.py").write_text(DATA)
    (models / "first.py").write_text(STEADY)
    (models / "shaky.py").write_text(SHAKY)
    _list(project, "first.py")
    _mlpipeline(project, 0, "-r", "-u")
    _list(project, "first.py", "shaky.py")
    _mlpipeline(project, 1, "-r", "-u")
    failed = json.loads(_mlpipeline(project, 0, "history", "shaky.py:second_time", "--json"))["runs"][0]["run"]
    _mlpipeline(project, 0, "retry", failed)
    _mlpipeline(project, 1, "-r", "-u")
    _mlpipeline(project, 0, "mv", "first.py", "steady.py")
    (models / "first.py").rename(models / "steady.py")
    _list(project, "steady.py", "shaky.py")
    _mlpipeline(project, 1, "-r", "-u")


def _list(project: Path, *models: str) -> None:
    listed = "\n".join(models)
    text = f"[MLP]\nuse_blacklist = false\n\n[WHITELISTED_MODELS]\n{listed}\n\n[BLACKLISTED_MODELS]\n"
    (project / "models.config").write_text(text)


def _mlpipeline(project: Path, status: int, *words: str) -> str:
    nobody = {"LOGNAME": "somebody", "USER": "somebody"}
    environment = {**os.environ, **nobody, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "mlpipeline", *words]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != status:
        sys.exit(f"mlpipeline {' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _strip(project: Path) -> None:
    """Takes out the names of this machine, its paths and its packages; closes the ledger into one file."""
    with closing(sqlite3.connect(project / "models" / "outputs" / "ledger-here.db")) as ledger:
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in project.rglob("environment.json"):
        path.write_text(json.dumps(_plain(json.loads(path.read_text())), indent=1))
    for path in _files(project):
        if path.suffix != ".db":
            path.write_bytes(_anonymous(path.read_bytes(), project))


def _plain(environment: dict[str, Any]) -> dict[str, Any]:
    return environment | {"executable": "/usr/bin/python3", "platform": "Linux", "packages": {}, "cores": 2}


def _anonymous(content: bytes, project: Path) -> bytes:
    # Without the interpreter's whole name, no other one takes the cached descriptions for its own.
    names = {
        str(project): "/project",
        str(ROOT): "/mlpipeline",
        boot_id(): "00000000",
        json.dumps(sys.version)[1:-1]: platform.python_version(),
    }
    for name, instead in names.items():
        content = content.replace(name.encode(), instead.encode())
    return content


def _check(project: Path) -> None:
    """Proves that the set is small, whole and nobody's."""
    files = _files(project)
    if (size := sum(path.stat().st_size for path in files)) > MOST_BYTES:
        sys.exit(f"the set has {size} bytes, at most {MOST_BYTES} are kept")
    names = {platform.node(), getpass.getuser(), str(Path.home()), sys.prefix, tempfile.gettempdir(), str(ROOT)}
    for name in names - {"root"}:  # also the name of a key
        word = re.compile(rb"(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])")
        for path in files:
            if word.search(path.read_bytes()):
                sys.exit(f"{path.relative_to(project)}: names this machine: {name}")
    if odd := [path.name for path in files if path.name.endswith(("-wal", "-shm", ".pyc"))]:
        sys.exit(f"these should not be kept: {', '.join(odd)}")


def _files(project: Path) -> list[Path]:
    return sorted(path for path in project.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main()
