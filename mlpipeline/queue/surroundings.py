"""Gives every attempt the record of what it ran on, collected by a child process beside the training."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.project import Project

_PATIENCE_SECONDS = 20.0
_CODE = (
    "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.provenance import main; main(*sys.argv[2:])"
)


class Surroundings:
    """Collects interpreter, packages and git state once, and again when code has changed.

    Every attempt gets a link to the collection that was newest when it was submitted, so that a thousand attempts
    cost one file.
    """

    def __init__(self, project: Project, invocation: str, *, enabled: bool) -> None:
        self.project = project
        self.enabled = enabled
        self.stem = project.outputs_dir / "environments" / f"{project.host}-{invocation}"
        self.collections: list[tuple[Path, subprocess.Popen[bytes]]] = []
        self.waiting: list[tuple[Path, Path]] = []

    def collect(self) -> None:
        """Starts a new collection."""
        if not self.enabled:
            return
        path = self.stem.with_name(f"{self.stem.name}-{len(self.collections)}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        variables = ",".join(sorted(self.project.settings.env))
        command = [self.project.settings.python or sys.executable, "-c", _CODE, PACKAGE_PARENT]
        process = subprocess.Popen(
            [*command, str(self.project.root), str(path), variables],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.collections.append((path, process))

    def attach(self, directory: Path) -> None:
        """Promises the newest collection to an attempt."""
        if self.enabled and not self.collections:
            self.collect()
        if self.collections:
            self.waiting.append((self.collections[-1][0], directory / wire.ENVIRONMENT))
            self.keep_promises()

    def keep_promises(self) -> None:
        """Links what has been collected by now."""
        for _, process in self.collections:
            process.poll()  # an ended one would stay in the table of processes until somebody asks
        left = []
        for source, target in self.waiting:
            if source.exists():
                _link(source, target)
            else:
                left.append((source, target))
        self.waiting = left

    def close(self) -> None:
        """Waits for what is promised, and removes the files that attempts have links to."""
        for path, process in self.collections:
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.keep_promises()
            path.unlink(missing_ok=True)
        self.collections.clear()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        return  # the attempt's directory was removed meanwhile
    except OSError:
        shutil.copyfile(source, target)  # a file system without hard links
