"""Where nothing could be seen of it, the interpreter is not taken apart; else it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAVE = """
import importlib.util, os, sys
from mlpipeline.execution import ending
from mlpipeline.execution.loader import SourcesLoader
from pathlib import Path
def quick(status):
    os.write(1, b"quick")
    os._exit(status)
ending._exit = quick
end = ending.Ending()
def module(name, loader):
    spec = importlib.util.spec_from_loader(name, loader)
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    return made
project = module("project", SourcesLoader("project", Path("project.py"), b""))
SOURCE
end.leave(3)
"""
SLOW = {
    "an open file": "project.file = open('/dev/null', 'w')",
    "a finalizer": "class Told:\n    def __del__(self): pass\nproject.told = Told()",
    "a finalizer of what holds nothing": (
        "class Told:\n    __slots__ = ()\n    def __del__(self): pass\nproject.told = Told()"
    ),
    "a generator": "project.numbers = (each for each in [1, 2]); next(project.numbers)",
    "a library": "module('library', None).__spec__.loader = object()",
    "a thread": ("import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()"),
}


def left(source: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", LEAVE.replace("SOURCE", source)], stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stdout


def test_what_nobody_can_see_is_left_out() -> None:
    assert left("import colorsys\nproject.model = [1]; project.model.append(project)") == (3, "quick")


@pytest.mark.parametrize("what", SLOW)
def test_where_something_is_to_be_ended_the_end_is_the_ordinary_one(what: str) -> None:
    assert left(SLOW[what]) == (3, "")
