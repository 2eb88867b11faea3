"""What the listed models are: described by child processes, remembered by the content of their sources."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.execution.limits import signal_name
from mlpipeline.project import Project

_FORMAT = 2
_TAIL = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedVersion:
    """One version as the describing child saw it; `order` is its rank within the model."""

    name: str
    order: int
    suffix: str | None
    params: Mapping[str, Any]
    params_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a model's file holds, or why it cannot be used (`fault`).

    `files` maps project-relative sources to SHA-256 digests: the description holds as long as they do.
    """

    model: str
    fault: str | None = None
    has_model: bool = True
    sources: str = ""
    code_digest: str = ""
    versions: tuple[DescribedVersion, ...] = ()
    description: str = ""
    files: Mapping[str, str]
    heavy: tuple[str, ...] = ()
    traceback: str | None = None

    @classmethod
    def from_json(cls, model: str, answer: Mapping[str, Any]) -> Description:
        """Reads a describing child's answer."""
        return cls(
            model=model,
            fault=answer["fault"],
            has_model=answer.get("has_model", True),
            sources=answer.get("sources", ""),
            code_digest=answer.get("code_digest", ""),
            versions=tuple(DescribedVersion(**each) for each in answer["versions"]),
            description=answer.get("description", ""),
            files=answer.get("files", {}),
            heavy=tuple(answer.get("heavy", ())),
            traceback=answer.get("traceback"),
        )


@dataclass(slots=True, kw_only=True)
class _Child:
    model: str
    process: subprocess.Popen[bytes]
    descriptor: int
    directory: Path
    deadline: float
    files: dict[str, str]


class Catalog:
    """Describes models in the background, at most `parallel` at once, and remembers what it learnt.

    Args:
        project: whose models.
        keep: whether copied sources and descriptions are kept on disk; False for commands that only read.
        parallel: how many children at once.
    """

    def __init__(self, project: Project, *, keep: bool, parallel: int = 2) -> None:
        self.project = project
        self.keep = keep
        self.parallel = parallel
        self.known: dict[str, Description] = {}
        self.children: dict[str, _Child] = {}
        self.waiting: dict[str, str | None] = {}
        self._stats: dict[str, tuple[tuple[int, ...], str]] = {}
        self._load()

    @property
    def _file(self) -> Path:
        return self.project.outputs_dir / f"catalog-{self.project.host}.json"

    def _load(self) -> None:
        content = wire.read_json(self._file)
        if content is None or content.get("format") != _FORMAT or content.get("python") != sys.version:
            return
        for model, answer in content["models"].items():
            with contextlib.suppress(KeyError, TypeError):  # a cache of another make is no cache
                self.known[model] = Description.from_json(model, answer)

    def _save(self) -> None:
        if not self.keep:
            return
        models = {}
        for name, each in self.known.items():
            if each.fault is None:
                versions = [{key: getattr(v, key) for key in v.__slots__} for v in each.versions]
                models[name] = {key: getattr(each, key) for key in each.__slots__ if key != "model"} | {
                    "versions": versions
                }
        content = {"format": _FORMAT, "python": sys.version, "models": models}
        wire.write_json(self._file, content)

    def refresh(self, models: Iterable[str], python: Mapping[str, str | None]) -> None:
        """Starts describing what is unknown or has changed. Returns at once.

        Args:
            models: the listed models, in order.
            python: the interpreter of models that name one of their own.
        """
        for model in models:
            known = self.known.get(model)
            child = self.children.get(model)
            if child is not None:
                if not self._unchanged(child.files):
                    self._stop(child)
                    self.waiting[model] = python.get(model)
            elif known is not None and known.files and self._unchanged(known.files) and self._stored(known):
                self.waiting.pop(model, None)
            else:
                self.waiting[model] = python.get(model)
        self._start_waiting()

    def _stored(self, known: Description) -> bool:
        return not self.keep or known.fault is not None or (self.project.sources_dir / known.sources).is_dir()

    def _unchanged(self, files: Mapping[str, str]) -> bool:
        return all(self._digest(name) == digest for name, digest in files.items())

    def _digest(self, name: str) -> str:
        """Digests a live file; one whose inode, size and change times are as before is not read again."""
        path = self.project.root / name
        try:
            stat = path.stat()
            mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            before = self._stats.get(name)
            if before is None or before[0] != mark:
                before = (mark, hashlib.sha256(path.read_bytes()).hexdigest())
                self._stats[name] = before
        except OSError:
            return "missing"
        return before[1]

    def _start_waiting(self) -> None:
        for model in list(self.waiting):
            if len(self.children) >= self.parallel:
                return
            self._start(model, self.waiting.pop(model))

    def _start(self, model: str, python: str | None) -> None:
        main = self.project.models_dir / model
        directory = Path(tempfile.mkdtemp(prefix="mlpipeline-describe-"))
        name = os.path.relpath(main, self.project.root)
        request = {
            "root": str(self.project.root),
            "models_dir": str(self.project.models_dir),
            "main": str(main),
            "sources_dir": str(self.project.sources_dir) if self.keep else None,
            "answer": str(directory / "answer.json"),
            "parent": os.getpid(),
        }
        (directory / "request.json").write_text(json.dumps(request), "utf-8")
        environment = dict(os.environ) | dict(self.project.settings.env)
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        package_parent = str(Path(__file__).parents[2])
        code = (
            "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
            "from mlpipeline.execution.describe import main; main(sys.argv[2])"
        )
        interpreter = python or self.project.settings.python or sys.executable
        command = [interpreter, "-c", code, package_parent, str(directory / "request.json")]
        try:
            with (directory / "output").open("wb") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            self.known[model] = Description(
                model=model,
                fault=f"{model}: python = {interpreter}: {error.strerror}",
                files={name: self._digest(name)},
            )
            shutil.rmtree(directory, ignore_errors=True)
            return
        self.children[model] = _Child(
            model=model,
            process=process,
            descriptor=os.pidfd_open(process.pid),
            directory=directory,
            deadline=time.monotonic() + self.project.settings.describe_timeout_seconds,
            files={name: self._digest(name)},
        )

    def collect(self) -> list[Description]:
        """Takes the answers of children that ended or ran out of time. Returns what is new.

        Raises:
            OSError: if they cannot be kept for the next start; they are known nevertheless.
        """
        fresh = []
        for child in list(self.children.values()):
            timed_out = time.monotonic() >= child.deadline
            if child.process.poll() is None and not timed_out:
                continue
            description = self._conclude(child, timed_out=child.process.poll() is None)
            self._stop(child)
            self.known[child.model] = description
            fresh.append(description)
        self._start_waiting()
        if fresh:
            self._save()
        return fresh

    def _conclude(self, child: _Child, *, timed_out: bool) -> Description:
        answer = wire.read_json(child.directory / "answer.json")
        if answer is not None:
            return Description.from_json(child.model, {"files": child.files} | answer)
        output = (child.directory / "output").read_bytes()[-_TAIL:].decode("utf-8", "replace").strip()
        if timed_out:
            limit = self.project.settings.describe_timeout_seconds
            fault = (
                f"{child.model}: still importing after describe_timeout_seconds = {limit:g}: "
                "move work that takes long from the file's top level into pre_execution_hook"
            )
        else:
            fault = f"{child.model}: the process that imports it ended {_ended(child.process.returncode)}"
        return Description(model=child.model, fault=fault, traceback=output or None, files=child.files)

    def _stop(self, child: _Child) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        os.close(child.descriptor)
        shutil.rmtree(child.directory, ignore_errors=True)
        self.children.pop(child.model, None)

    def pending(self, models: Sequence[str]) -> frozenset[str]:
        """Returns which of the models are not described yet."""
        return frozenset(model for model in models if model in self.children or model in self.waiting)

    def descriptors(self) -> list[int]:
        """Returns file descriptors that become readable when a child ends."""
        return [child.descriptor for child in self.children.values()]

    def seconds_left(self) -> float | None:
        """Returns the time until the next child runs out of time."""
        times = [child.deadline for child in self.children.values()]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def directories(self, models: Iterable[str]) -> set[Path]:
        """Returns the directories whose files decide what these models are, to be watched."""
        found = {self.project.models_dir}
        for model in models:
            found.add((self.project.models_dir / model).parent)
            known = self.known.get(model)
            for name in known.files if known else ():
                found.add((self.project.root / name).parent)
        return {path.resolve() for path in found if path.is_dir()}

    def close(self) -> None:
        """Ends all children."""
        for child in list(self.children.values()):
            self._stop(child)


def _ended(status: int) -> str:
    if status < 0:
        return f"by {signal_name(-status)}: a native library crashed, or memory ran out"
    return f"with exit status {status}: the file must not end its process"
