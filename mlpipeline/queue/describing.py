"""The child processes that describe models: forked where that can be, else started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.execution import preload, snapshot
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.errand import Errand
from mlpipeline.execution.limits import signal_name
from mlpipeline.execution.orders import DESCRIBE
from mlpipeline.execution.warm_parent import Answer, WarmParent
from mlpipeline.project import Project

_TAIL = 2000
_CODE = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.execution.describe import main; main(sys.argv[2])"
)


class _Started:
    """A child process of this one."""

    def __init__(self, command: list[str], output: Path, environment: dict[str, str]) -> None:
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True
            )
        self.descriptor = os.pidfd_open(self.process.pid)

    def poll(self) -> int | None:
        return self.process.poll()

    def vanished(self) -> bool:
        return False

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass(slots=True, kw_only=True)
class Child:
    """A process that describes one model.

    Attributes:
        files: what it is to describe, by digests, as far as that is known beforehand.
    """

    model: str
    process: _Started | Errand
    directory: Path
    deadline: float
    files: dict[str, str]

    @property
    def descriptor(self) -> int:
        """Becomes readable when the process ends."""
        return self.process.descriptor

    def is_over(self) -> bool:
        """Whether it has ended or run out of time."""
        return time.monotonic() >= self.deadline or self.process.poll() is not None

    def stop(self) -> None:
        """Ends the process and removes what it wrote."""
        self.process.kill()
        os.close(self.descriptor)
        shutil.rmtree(self.directory, ignore_errors=True)


class CannotStart(Exception):
    """A model's own interpreter cannot be started."""


def start(
    project: Project, model: str, python: str | None, files: dict[str, str], warm: WarmParent | None, *, keep: bool
) -> Child | None:
    """Starts to describe a model. Returns None where packages are still being imported for it: ask again.

    Args:
        project: whose model.
        model: its name.
        python: the interpreter, where it names one of its own.
        files: see `Child`.
        warm: what may fork; None starts a process.
        keep: whether the sources are to be copied.

    Raises:
        CannotStart: with the reason.
    """
    interpreter = python or project.settings.python
    directory = Path(tempfile.mkdtemp(prefix="mlpipeline-describe-"))
    request = directory / "request.json"
    environment = dict(os.environ) | dict(project.settings.env)
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    told = {
        "root": str(project.root),
        "models_dir": str(project.models_dir),
        "main": str(project.models_dir / model),
        "sources_dir": str(project.sources_dir) if keep else None,
        "answer": str(directory / "answer.json"),
        "parent": None,
        "environment": environment,
    }
    request.write_text(json.dumps(told), "utf-8")
    pid: int | Answer = Answer.COLD
    if warm is not None and interpreter is None:
        pid = warm.submit(DESCRIBE, str(request), heavy=bool(imports(project, model)))
    if pid is Answer.LATER:
        shutil.rmtree(directory)
        return None
    process: _Started | Errand
    if pid is Answer.COLD:
        request.write_text(json.dumps(told | {"parent": os.getpid()}), "utf-8")
        command = [interpreter or sys.executable, "-c", _CODE, PACKAGE_PARENT, str(request)]
        try:
            process = _Started(command, directory / "output", environment)
        except OSError as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise CannotStart(f"{model}: python = {interpreter}: {error.strerror}") from error
    else:
        process = Errand(pid, request)
    deadline = time.monotonic() + project.settings.describe_timeout_seconds
    return Child(model=model, process=process, directory=directory, deadline=deadline, files=files)


def imports(project: Project, model: str) -> tuple[str, ...]:
    """Returns the heavy modules that a model's sources import, by reading them alone."""
    place = snapshot.Place(root=project.root, models_dir=project.models_dir, main=project.models_dir / model)
    try:
        return preload.imported_by(snapshot.closure(place))
    except OSError:
        return ()  # who describes it will say what is wrong with the file


def answer(child: Child, limit_seconds: float) -> dict[str, Any] | None:
    """Returns what a child that is over has answered, or why it has not; None where it was ended by nobody's fault.

    Args:
        child: see `Child.is_over`.
        limit_seconds: what it was given.
    """
    status = child.process.poll()
    found = wire.read_json(child.directory / "answer.json")
    if found is not None:
        return {"files": child.files} | found
    if status is not None and child.process.vanished():
        return None
    try:
        output = (child.directory / "output").read_bytes()[-_TAIL:].decode("utf-8", "replace").strip()
    except FileNotFoundError:
        output = ""
    if status is None:
        fault = (
            f"{child.model}: still importing after describe_timeout_seconds = {limit_seconds:g}: "
            "move work that takes long from the file's top level into pre_execution_hook"
        )
    else:
        fault = f"{child.model}: the process that imports it ended {_ended(status)}"
    return {"fault": fault, "traceback": output or None, "files": child.files, "versions": []}


def _ended(status: int) -> str:
    if status < 0:
        return f"by {signal_name(-status)}: a native library crashed, or memory ran out"
    return f"with exit status {status}: the file must not end its process"
