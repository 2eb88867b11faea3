"""What a queue with history does, in its simplest form: one run for each key, and a list of states for each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

SLOTS = 2
LIMIT = 2
LIVE = ("submitted", "running")
RETRIABLE = ("failed", "cancelled", "interrupted", "lost")
VERSIONS: Mapping[str, tuple[str, ...]] = {"a.py": ("one", "two"), "b.py": ("one",), "c.py": ("one", "two")}


class Key(NamedTuple):
    """A wish, and the run that answers it."""

    model: str
    version: str
    replicate: int
    code: str


class Entry(NamedTuple):
    """A line of the list."""

    model: str
    hold: bool = False
    priority: int = 0
    replicates: int = 1
    max_attempts: int = LIMIT
    after: str = ""

    def written(self) -> str:
        """Returns the line."""
        parts = [f"priority={self.priority}", f"replicates={self.replicates}", f"max_attempts={self.max_attempts}"]
        parts += ["hold"] if self.hold else []
        parts += [f"after={self.after}"] if self.after else []
        return f"{self.model} = {', '.join(parts)}"


@dataclass
class ModelRun:
    """A run: the state of each attempt, and whether somebody said retry since the last one ended."""

    states: list[str] = field(default_factory=list)
    retry: bool = False

    @property
    def state(self) -> str:
        return self.states[-1]

    def counted(self) -> int:
        return sum(state not in ("cancelled", "interrupted", "yielded") for state in self.states)


@dataclass
class Expected:
    """The stages of one turn: as it was, with what ended, and with what was started, in this order."""

    before: dict[Key, ModelRun]
    ended: dict[Key, ModelRun]
    after: dict[Key, ModelRun]
    started: list[Key]


class QueueModel:
    """Predicts what one turn of the scheduler makes of the list, the code and what happened to the processes."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.code = dict.fromkeys(VERSIONS, "1")
        self.runs: dict[Key, ModelRun] = {}
        self.retries: list[Key] = []

    def turn(self, truth: Mapping[Key, str]) -> Expected:
        """Returns what a turn does.

        Args:
            truth: what the processes of live runs have come to: `running` or how they ended.
        """
        before = deepcopy(self.runs)
        ended = deepcopy(self.runs)
        for key in self.retries:
            ended[key].retry = ended[key].retry or ended[key].state in RETRIABLE
        for key, state in truth.items():
            if ended[key].state in LIVE:
                ended[key].states[-1] = state
        after = deepcopy(ended)
        started = list(self._due(ended))
        for key in started:
            run = after.setdefault(key, ModelRun())
            run.states.append("submitted")
            run.retry = False
        return Expected(before, ended, after, started)

    def _due(self, runs: Mapping[Key, ModelRun]) -> Iterator[Key]:
        live = [key for key, run in runs.items() if run.state in LIVE]
        training, used = [key.model for key in live], {_directory(key) for key in live}
        able = [(e, key) for e, key in self._wanted() if self._may(e, runs) and _is_due(e, runs.get(key))]
        while len(training) < SLOTS:
            left = [pair for pair in able if _directory(pair[1]) not in used]
            if not left:
                return
            _, key = min(left, key=lambda pair: (-pair[0].priority, training.count(pair[1].model)))
            used.add(_directory(key))
            training.append(key.model)
            yield key

    def _wanted(self) -> Iterator[tuple[Entry, Key]]:
        for entry in self.entries:
            for key in self._keys(entry):
                yield entry, key

    def _keys(self, entry: Entry) -> list[Key]:
        code = self.code[entry.model]
        if code == "broken":
            return []
        seeds = range(entry.replicates)
        return [Key(entry.model, version, seed, code) for seed in seeds for version in VERSIONS[entry.model]]

    def _may(self, entry: Entry, runs: Mapping[Key, ModelRun]) -> bool:
        if entry.hold:
            return False
        if not entry.after:
            return True
        keys = [key for other in self.entries if other.model == entry.after for key in self._keys(other)]
        return bool(keys) and all(key in runs and runs[key].state == "succeeded" for key in keys)


def _directory(key: Key) -> str:
    return f"{key.model} {key.version} {key.replicate}"


def _is_due(entry: Entry, run: ModelRun | None) -> bool:
    if run is None or run.state in ("yielded", "interrupted"):
        return True
    if run.state == "succeeded" or run.state in LIVE:
        return False
    return run.retry or (run.state == "lost" and run.counted() < entry.max_attempts)
