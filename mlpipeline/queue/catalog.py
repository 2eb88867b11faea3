"""What the listed models are: described by child processes, remembered by the content of their sources."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat as stat_module
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.execution.fingerprint import ALGORITHM
from mlpipeline.execution.snapshot import listing_digest
from mlpipeline.execution.warm_parent import WarmParent
from mlpipeline.project import Project
from mlpipeline.queue import describing

_FORMAT = 5
_MAKER = f"{ALGORITHM} of {sys.version}"  # digests by another algorithm are none of today's
_MOST_VANISHED = 2
_AT_ONCE = 2
"""So many children describe models at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedVersion:
    """One version as the describing child saw it; `order` is its rank within the model.

    Attributes:
        trial: of a search, by which metric, and what was drawn for it; None for a version that the file names.
    """

    name: str
    order: int
    suffix: str | None
    params: Mapping[str, Any]
    params_digest: str
    trial: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a model's file holds, or why it cannot be used (`fault`).

    `files` maps project-relative sources to SHA-256 digests: the description holds as long as they do.
    `former_digest` is that of the code by the algorithm of earlier releases.
    """

    model: str
    fault: str | None = None
    has_model: bool = True
    sources: str = ""
    code_digest: str = ""
    former_digest: str = ""
    versions: tuple[DescribedVersion, ...] = ()
    search: Mapping[str, Any] | None = None
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
            former_digest=answer.get("former_digest", ""),
            versions=tuple(DescribedVersion(**each) for each in answer["versions"]),
            search=answer.get("search"),
            description=answer.get("description", ""),
            files=answer.get("files", {}),
            heavy=tuple(answer.get("heavy", ())),
            traceback=answer.get("traceback"),
        )


def formers(known: Mapping[str, Description]) -> dict[str, str]:
    """Returns what digests of code are by the algorithm of earlier releases, by today's, where they differ."""
    found = {each.code_digest: each.former_digest for each in known.values() if each.former_digest}
    return {today: former for today, former in found.items() if today != former}


class Catalog:
    """Describes models in the background, a few at once, and remembers what it learnt.

    Args:
        project: whose models.
        keep: whether copied sources and descriptions are kept on disk; False for commands that only read.
        warm: what may fork them; None starts processes.
    """

    def __init__(self, project: Project, *, keep: bool, warm: WarmParent | None = None) -> None:
        self.project = project
        self.keep = keep
        self.known: dict[str, Description] = {}
        self.warm = warm
        self.children: dict[str, describing.Child] = {}
        self.vanished: dict[str, int] = {}
        self.waiting: dict[str, str | None] = {}
        self._directories: tuple[object, set[Path]] | None = None
        self._stats: dict[str, tuple[tuple[int, ...], str]] = {}
        self._load()

    @property
    def _file(self) -> Path:
        return self.project.outputs_dir / f"catalog-{self.project.host}.json"

    def _load(self) -> None:
        content = wire.read_json(self._file)
        if content is None or content.get("format") != _FORMAT or content.get("made_by") != _MAKER:
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
        content = {"format": _FORMAT, "made_by": _MAKER, "models": models}
        wire.write_json(self._file, content)

    def refresh(self, models: Iterable[str], python: Mapping[str, str | None]) -> None:
        """Notes what is unknown or has changed: `collect` has it described.

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
                is_directory = stat_module.S_ISDIR(stat.st_mode)
                content = listing_digest(path) if is_directory else hashlib.sha256(path.read_bytes()).hexdigest()
                before = (mark, content)
                self._stats[name] = before
        except OSError:
            return "missing"
        return before[1]

    def _start_waiting(self) -> None:
        for model in list(self.waiting):
            if len(self.children) >= _AT_ONCE:
                return
            self._start(model)

    def _start(self, model: str) -> None:
        name = os.path.relpath(self.project.models_dir / model, self.project.root)
        files = {name: self._digest(name)}
        warm = self.warm if self.vanished.get(model, 0) < _MOST_VANISHED else None
        try:
            child = describing.start(self.project, model, self.waiting[model], files, warm, keep=self.keep)
        except describing.CannotStart as error:
            self.known[model] = Description(model=model, fault=str(error), files=files)
        else:
            if child is None:
                return  # packages are being imported for it
            self.children[model] = child
        del self.waiting[model]

    def collect(self) -> list[Description]:
        """Takes the answers of children that ended or ran out of time, and starts what waits. Returns what is new.

        Raises:
            OSError: if they cannot be kept for the next start; they are known nevertheless.
        """
        fresh = []
        for child in [each for each in self.children.values() if each.is_over()]:
            answer = describing.answer(child, self.project.settings.describe_timeout_seconds)
            self._stop(child)
            if answer is None:
                self.vanished[child.model] = self.vanished.get(child.model, 0) + 1
                self.waiting.setdefault(child.model, None)
                continue
            self.known[child.model] = description = Description.from_json(child.model, answer)
            fresh.append(description)
        self._start_waiting()
        if fresh:
            self._save()
        return fresh

    def _stop(self, child: describing.Child) -> None:
        child.stop()
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
        basis = tuple((model, self.known.get(model)) for model in models)
        if self._directories is None or self._directories[0] != basis:
            found = {self.project.models_dir}
            for model, known in basis:
                found.add((self.project.models_dir / model).parent)
                found |= {(self.project.root / name).parent for name in known.files} if known else set()
            self._directories = basis, {path.resolve() for path in found}
        return {path for path in self._directories[1] if path.is_dir()}

    def close(self) -> None:
        """Ends all children."""
        for child in list(self.children.values()):
            self._stop(child)
