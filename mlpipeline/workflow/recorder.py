"""Keeps results of calls by content: of a run's steps, so that it goes on where it was killed, and between runs."""

from __future__ import annotations

import io
import logging
import os
import pickle
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from mlpipeline import wire
from mlpipeline.console import LOGGER
from mlpipeline.errors import MlpipelineError
from mlpipeline.workflow import content, signing
from mlpipeline.workflow.part import WIRING, Part
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOTHING: Any = object()


class Results:
    """Results of calls in a directory, one file each, that appear whole.

    With what a call returned goes what the part and all that it uses have become by it, so that a trainer whose `fit`
    is not called again is fitted. Parts themselves are kept by their place in the workflow. The files are pickles,
    which could run anything: so each is signed, and only what this user has written is read.

    Args:
        directory: is made when it is needed.
        parts: those of the workflow, by address.
    """

    def __init__(self, directory: Path, parts: Mapping[tuple[str, ...], Part]) -> None:
        self.directory = directory
        self.parts = parts

    def load(self, key: str) -> Any:
        """Returns what a call returned, and makes the parts what they were after it; NOTHING where it is not kept."""
        found = read_record(self._path(key), self.parts)
        if found is NOTHING:
            return NOTHING
        returned, states = found
        for address, state in states.items():
            part = self.parts[address]
            for name in part.__getstate__():
                del part.__dict__[name]
            part.__dict__.update(state)
        return returned

    def save(self, key: str, part: Part, returned: Any) -> None:
        """Keeps what a call returned.

        Raises:
            NoContent: it cannot be pickled.
            MlpipelineError: the key that signs is not this user's alone.
            OSError: it cannot be written.
        """
        states = {tuple(content.wiring(each).address): each.__getstate__() for each in content.reach(part)}
        write_record(self._path(key), (returned, states))

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.pickle"


def read_record(path: Path, parts: Mapping[tuple[str, ...], Part] = MappingProxyType({})) -> Any:
    """Returns what a file keeps; NOTHING where there is none, it is damaged, or somebody else wrote it.

    Args:
        path: the file.
        parts: of the workflow, by address; what is kept may refer to them.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return NOTHING
    signature, payload = data[: signing.SIGNATURE_BYTES], data[signing.SIGNATURE_BYTES :]
    if not signing.is_signed(payload, signature):
        _log().warning("%s is damaged, or somebody else's: the call is made again", path)
        return NOTHING
    try:
        return _Unpickler(io.BytesIO(payload), parts).load()
    except Exception as error:  # a class may have moved or changed since: anything may be raised
        _log().warning("%s cannot be read (%s: %s): the call is made again", path, type(error).__name__, error)
        return NOTHING


def write_record(path: Path, value: Any) -> None:
    """Writes a value into a file, signed, durably and whole.

    Raises:
        NoContent: it cannot be pickled.
        MlpipelineError: the key that signs is not this user's alone.
        OSError: it cannot be written.
    """
    buffer = io.BytesIO()
    try:
        _Pickler(buffer).dump(value)
    except Exception as error:  # pickling a stranger's object may raise anything
        raise content.NoContent(f"{type(error).__name__}: {error}".splitlines()[0]) from error
    payload = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.part")
    with beside.open("wb") as file:
        file.write(signing.sign(payload) + payload)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    wire.sync_directory(path.parent)


class _Pickler(pickle.Pickler):
    """Keeps parts of the workflow by their address."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Part) and WIRING in value.__dict__:
            return ("part", content.wiring(value).address)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, parts: Mapping[tuple[str, ...], Part]) -> None:
        super().__init__(file)
        self.parts = parts

    def persistent_load(self, pid: Any) -> Part:
        return self.parts[pid[1]]


class Recorder:
    """Calls methods, and keeps nothing: outside the queue there is nothing to go on with."""

    def call(self, part: Part, method: str, arguments: Mapping[str, Any]) -> Any:
        """Calls a step of a list of steps."""
        return getattr(part, method)(**arguments)

    def around(self, part: Part, method: str, function: Callable[..., Any], args: Any, keywords: Any) -> Any:
        """Calls a method of a pipeline."""
        return function(*args, **keywords)


class StepRecorder(Recorder):
    """Keeps the result of each step of one run, and does not repeat a step whose result is kept.

    A step is what a runner calls of a pipeline, or a call in a list of steps; what happens within one is not kept by
    itself. The same call made twice in a run is two steps.

    Args:
        results: those of this run alone.
        sources: where code is read.
    """

    def __init__(self, results: Results, sources: Sources) -> None:
        self.results = results
        self.sources = sources
        self._seen: Counter[str] = Counter()
        self._thread = threading.get_ident()
        self._is_within = False

    def call(self, part: Part, method: str, arguments: Mapping[str, Any]) -> Any:
        """Calls a step of a list of steps, or gives its kept result. A list within a list has steps of its own."""
        function = getattr(part, method)
        if content.wiring(part).steps is not None:
            return function(**arguments)
        return self.around(part, method, function, (), arguments)

    def around(self, part: Part, method: str, function: Callable[..., Any], args: Any, keywords: Any) -> Any:
        """Calls a method of a pipeline, or gives its kept result."""
        if self._is_within or threading.get_ident() != self._thread or content.wiring(part).steps is not None:
            return function(*args, **keywords)
        told = f"{part.address}.{method}"
        key = self._key(part, method, args, keywords, told)
        kept = NOTHING if key is None else self.results.load(key)
        if kept is not NOTHING:
            _log().info("%s was done before this run was interrupted: its result is taken from the record", told)
            return kept
        self._is_within = True
        try:
            returned = function(*args, **keywords)
        finally:
            self._is_within = False
        if key is not None:
            _keep(self.results, key, part, returned, told)
        return returned

    def _key(self, part: Part, method: str, args: Any, keywords: Any, told: str) -> str | None:
        try:
            digest = content.of_call(part, method, args, keywords, self.sources)
        except content.NoContent as error:
            _log().warning("%s is not recorded, and is repeated if this run is interrupted: %s", told, error)
            return None
        self._seen[digest] += 1
        return f"{digest}-{self._seen[digest]}"


def cached(
    results: Results, sources: Sources, part: Part, method: str, function: Callable[..., Any]
) -> Callable[..., Any]:
    """Returns a function that gives a kept result where the same call was made before, in whichever run."""
    told = f"{part.address}.{method}"

    def call(*args: Any, **keywords: Any) -> Any:
        try:
            key = content.of_call(part, method, args, keywords, sources)
        except content.NoContent as error:
            raise MlpipelineError(f"{told} cannot be cached: {error}: take it out of cache: methods:") from error
        kept = results.load(key)
        if kept is not NOTHING:
            _log().info("%s: taken from the cache", told)
            return kept
        returned = function(*args, **keywords)
        _keep(results, key, part, returned, told)
        return returned

    return call


def _keep(results: Results, key: str, part: Part, returned: Any, told: str) -> None:
    try:
        results.save(key, part, returned)
    except content.NoContent as error:
        _log().warning("the result of %s is not kept: %s", told, error)


def _log() -> logging.Logger:
    return logging.getLogger(LOGGER)
