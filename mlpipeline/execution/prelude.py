"""What every attempt begins with, done once for nothing by a pair that waits for its order.

A forked process copies each page that it writes to, and Python writes to what it only reads. Who has gone the way once
has copied its pages; when the order comes, there is nothing left to wait for.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
from pathlib import Path

from mlpipeline import context
from mlpipeline.execution import environment, lifecycle, loader, memory, messages, preload, seeding, threads
from mlpipeline.execution.limits import become_subreaper
from mlpipeline.execution.snapshot import Place

_NAME = "mlpipeline_prelude"
_MODEL = b"""
from mlpipeline.helper import Model
from mlpipeline.utils import Versions

class Nothing(Model):
    def train_model(self, input_fn, steps): pass
    def evaluate_model(self, input_fn, steps): return {"value": 1.0}

MODEL = Nothing(Versions().add("nothing"))
"""


def supervisor() -> None:
    """Goes the way of a supervisor to its worker's start."""
    become_subreaper()
    memory.kernel_kills()
    json.dumps(environment.of_worker({"token": "", "threads": 1}, "/", ""))


def worker() -> None:
    """Goes the way of a worker to the first line of its model, and takes back what would be seen of it."""
    messages.install(Path(os.devnull))
    threads.limit(1)  # what a library has once started for more would stay, and be seen of a run that has one
    seeding.seed_all(0)
    del sys.meta_path[0]
    place = Place(root=Path("/"), models_dir=Path("/"), main=Path(f"/{_NAME}.py"))
    finder = loader.SourcesFinder(place, {f"{_NAME}.py": _MODEL}, lambda *_: None)
    model = loader.load_main(finder).MODEL
    version = model.versions.getVersion("nothing")
    model.run = context.RunContext(model=_NAME, version="nothing", params=version)
    lifecycle.call(model.pre_execution_hook, version, "/", exec_mode=model.run.mode)
    model.run.record(model.evaluate_model(None, 1))
    model.run.close()
    json.dumps({**lifecycle.Report().to_json(), "imported": preload.loaded_since(len(sys.modules))})
    del sys.modules[_NAME]
    linecache.cache.pop(f"/{_NAME}.py", None)
