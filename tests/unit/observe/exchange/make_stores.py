"""Has the real tools write small stores: `python make_stores.py TOOL PYTHON TARGET`, PYTHON being of its environment.

The stores beside this file were written so, and what says something of the machine was taken out of them. With the
variable MLP_EXCHANGE_TOOLS (a directory for environments) the tests install the tools and write them anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = {
    "sacred": ("sacred==0.8.7", "setuptools<81"),
    "guild": ("guildai==0.9.0", "setuptools<81"),
    "ml_pipeline": ("mlpipeline==1.1a3",),
}
_GUILD_SAYS = (
    "comments", "exit_status", "flags", "id", "initialized", "label", "random_seed", "started", "stopped", "tags",
)  # fmt: skip

_SACRED = """
import os, signal, sys
from sacred import Experiment
from sacred.observers import FileStorageObserver
ex = Experiment("digits", save_git_info=False)
ex.observers.append(FileStorageObserver(sys.argv[1]))
@ex.config
def config():
    lr = 0.1
    net = {"width": 32, "layers": [1, 2]}
    how = "well"
@ex.main
def main(_run, lr, how):
    for step in range(3):
        _run.log_scalar("train.loss", 1.0 / (step + 1), step)
    _run.log_scalar("odd", float("nan"))
    if how == "badly":
        raise ValueError("no luck")
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "interrupted":
        raise KeyboardInterrupt
    return {"accuracy": 0.9, "note": "fine"} if how == "dict" else 0.75
ex.run(config_updates=eval(sys.argv[2]), options={"--comment": sys.argv[3]})
"""
_SACRED_RUNS = (
    ("{'seed': 7}", "the first one"),
    ("{'seed': 8, 'lr': 0.2, 'how': 'dict'}", ""),
    ("{'seed': 7, 'how': 'badly'}", ""),
    ("{'seed': 7, 'how': 'interrupted'}", ""),
    ("{'seed': 7, 'how': 'killed'}", ""),
)

_GUILD = """
lr = 0.1
how = "well"
for step in range(3):
    print("step: %i" % step)
    print("loss: %f" % (1 / (step + 1)))
if how == "badly":
    raise ValueError("no luck")
print("accuracy: 0.75")
"""
_GUILD_COMMANDS = (
    "run train.py -y lr=0.1 --random-seed 7",
    "run train.py -y lr=0.2 --random-seed 7 --label second",
    "run train.py -y how=badly --random-seed 7",
    "run train.py -y --stage --random-seed 7",
    "tag --add paper -y 2",
    "comment --add good -y 2",
)

_DIGITS = """
from mlpipeline.helper import Model, DataLoader
from mlpipeline.utils import Versions
class Loader(DataLoader):
    def __init__(self): self.summery = "a loader"
    def get_train_input(self, mode=None, **kw): return None
    def get_test_input(self, **kw): return None
    def get_train_sample_count(self): return 10
    def get_test_sample_count(self): return 4
class Digits(Model):
    def __init__(self, versions, **args):
        super().__init__(versions, **args)
        self.summery = "a model"
    def get_current_version(self): return self.v
    def pre_execution_hook(self, version, model_dir, exec_mode=None): self.v = version
    def get_trained_step_count(self): return None
    def train_model(self, input_fn, steps): return "trained"
    def evaluate_model(self, input_fn, steps): return {"accuracy": 0.75} if self.v["name"] == "wide" else 0.5
v = Versions(0.01, Loader(), 1, 10, model_dir_suffix="x", order=1)
v.addV("wide", custom_paramters={"hidden": 64})
v.addV("deep", custom_paramters={"hidden": 32})
MODEL = Digits(v)
"""
_BROKEN = """
from digits import *
class Broken(Digits):
    def train_model(self, input_fn, steps): raise ValueError("no luck")
v2 = Versions(0.01, Loader(), 1, 10, model_dir_suffix="y", order=1)
v2.addV("only")
MODEL = Broken(v2)
"""


def environment(cache: Path, tool: str) -> Path:
    """Makes the environment of a tool, unless it is there. Returns its interpreter."""
    place = cache / tool
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=True)
        install = [python, "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check", *REQUIREMENTS[tool]]
        subprocess.run(install, check=True)
        (place / "ready").touch()
    return python


def make(tool: str, python: Path, target: Path) -> Path:
    """Has a tool write its store below a directory. Returns what is named to `mlpipeline import`."""
    target.mkdir(parents=True, exist_ok=True)
    return {"sacred": _sacred, "guild": _guild, "ml_pipeline": _ml_pipeline}[tool](python, target)


def _run(words: list[str], place: Path, **variables: str) -> None:
    told = {"PATH": "/usr/bin:/bin", "HOME": str(place), "USER": "eva", **variables}
    subprocess.run(words, cwd=place, env=told, capture_output=True, timeout=300, check=False)  # some are to fail


def _sacred(python: Path, target: Path) -> Path:
    (target / "exp.py").write_text(_SACRED)
    for updates, comment in _SACRED_RUNS:
        _run([str(python), "exp.py", "runs", updates, comment], target)
    return target / "runs"


def _guild(python: Path, target: Path) -> Path:
    (target / "train.py").write_text(_GUILD)
    home = target.parent / "guild-home"
    home.mkdir()
    for command in _GUILD_COMMANDS:
        words = [str(python.with_name("guild")), *command.split()]
        _run(words, target, GUILD_HOME=str(home), PATH=f"{python.parent}:/usr/bin:/bin")
    return home


def _ml_pipeline(python: Path, target: Path) -> Path:
    models, programs = target / "models", target / "programs"
    models.mkdir()
    programs.mkdir()
    (models / "digits.py").write_text(_DIGITS)
    (models / "broken.py").write_text(_BROKEN)
    (target / "mlp.config").write_text("[MLP]\nmodels_dir = models\n")
    listed = "digits.py\nbroken.py\n"
    (target / "models.config").write_text(f"[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\n{listed}")
    child = programs / "_mlpipeline_subprocess"
    child.write_text(f'#!/bin/sh\nexec "{python}" -W ignore -m mlpipeline._pipeline_subprocess "$@"\n')
    child.chmod(0o755)
    path = f"{programs}:/usr/bin:/bin"
    _run([str(python), "-W", "ignore", "-m", "mlpipeline.pipeline", "-r", "-u"], target, PATH=path)
    return models / "outputs"


def scrub(tool: str, store: Path) -> None:
    """Takes out of a store what says something of the machine, and what no test needs."""
    if tool == "guild":
        shutil.rmtree(store / "cache", ignore_errors=True)
        for path in store.rglob("*"):
            is_said = path.parent.name != "attrs" or path.name in _GUILD_SAYS
            if path.is_file() and (not is_said or path.name in ("manifest", "output.index", "output")):
                path.unlink()
    if tool == "ml_pipeline":
        for path in store.glob("log-*"):
            path.unlink()


if __name__ == "__main__":
    made = make(sys.argv[1], Path(os.path.abspath(sys.argv[2])), Path(sys.argv[3]))
    scrub(sys.argv[1], made)
