"""What a newcomer waits for: from `git clone` to the first trained result, and a new project that is tried once.

What is downloaded is downloaded before, into the benchmarks' cache, and installed from there without a network. What is
cloned is the last commit; its environment begins empty.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Unavailable, cache
from benchmarks.figures import Series
from benchmarks.peers import WARM
from benchmarks.peers.tool import Tool

CLONED = "`git clone` -> first trained result, downloads excluded"
CORES = "the same: time of cores"
TRIED = "`mlpipeline init`, then `mlpipeline`"
ROOT = Path(__file__).resolve().parents[2]
_PIP = ("-I", "-m", "pip", "--disable-pip-version-check", "--quiet")
_STEPS = "clone, environment, installation, new project, both of its versions trained"
_SECONDS = 600


class Newcomer(Tool):
    """This repository, to somebody who has Python and git."""

    key, name, cheap = "mlpipeline", WARM.name, True

    def prepare(self) -> None:
        """Downloads the packages of the core, and what pip builds a checkout with; once for each list of them."""
        if shutil.which("git") is None or not (ROOT / ".git").exists():
            raise Unavailable("git is not installed, or this is no clone")
        if (self._wheels() / "whole").exists():
            return
        command = [sys.executable, *_PIP, "download", "--dest", str(self._wheels()), *self._requirements()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        if done.returncode:
            raise Unavailable("the packages of the core cannot be downloaded")
        (self._wheels() / "whole").touch()

    def _requirements(self) -> list[str]:
        read = configparser.ConfigParser()
        read.read(ROOT / "setup.cfg", "utf-8")
        return [*read["options"]["install_requires"].split(), "setuptools>=68"]

    def _wheels(self) -> Path:
        made_of = "\n".join([sys.version, *self._requirements()])
        return cache() / f"wheels-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    def readings(self) -> Iterator[Reading]:
        """Does once what README says, then tries a second project."""
        with processes.directory() as root:
            variables = processes.environment(root)
            python, program = str(root / "venv" / "bin" / "python"), str(root / "venv" / "bin" / "mlpipeline")
            packages = ["--no-index", "--find-links", str(self._wheels())]
            before = os.times()
            took = processes.run(["git", "clone", "--quiet", str(ROOT), "clone"], root, variables)
            took += processes.run([sys.executable, "-I", "-m", "venv", "venv"], root, variables)
            took += processes.run([python, *_PIP, "install", *packages, "./clone"], root, variables)
            took += processes.run([program, "init", "first"], root, variables)
            took += processes.run([program, "-r", "-u"], root / "first", variables)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            tried = processes.run([program, "init", "second"], root, variables)
            tried += processes.run([program], root / "second", variables)
        yield Reading(measure=CLONED, unit="s", values=(took,), note=_STEPS)
        yield Reading(measure=CORES, unit="s", values=(spent,), note="user and system, of all that was waited for")
        yield Reading(measure=TRIED, unit="s", values=(tried,), note="one step of both versions")


def measure(bench: Bench) -> Iterator[Series]:
    """Measures that as often as is asked for."""

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Newcomer)
        yield from tool.readings()

    yield from bench.alternate("beginning", CLONED, [Newcomer()], bench.settings.times(3, 1), once)
