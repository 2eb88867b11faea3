"""What every attempt begins with, done once for nothing by a pair that waits for its order.

A forked process copies each page that it writes to, and Python writes to what it only reads. Who has gone the way once
has copied its pages; when the order comes, there is nothing left to wait for.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from mlpipeline.execution import environment, loader, memory, messages, seeding, threads
from mlpipeline.execution.limits import become_subreaper
from mlpipeline.execution.snapshot import Place

_NAME = "mlpipeline_prelude"


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
    finder = loader.SourcesFinder(place, {f"{_NAME}.py": b"class Model:\n    pass\n"}, lambda *_: None)
    loader.load_main(finder)
    del sys.modules[_NAME]
