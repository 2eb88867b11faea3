"""What executors share whose attempts an engine places on machines of its own: an engine only places and ends jobs.

Everything else goes through the attempt's directory on a file system that all machines see: the supervisor there
(`node.py`) makes `node.json`, which only one can, beats by touching it, and writes the outcome once.
"""

from __future__ import annotations

import os
import sys
import time
from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from mlpipeline import wire
from mlpipeline.execution import burial
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.execution.node import BEAT_SECONDS
from mlpipeline.execution.node_verdict import ABANDON

_GLANCE_SECONDS = 0.5
"""So soon is looked for outcomes where one has just come; then after twice that, and so on."""
SOONEST_SECONDS = 0.05
SHARE = 20.0
"""A look, or a question, that took a second is followed by the next after so many seconds at the earliest."""


class Stage(StrEnum):
    """How far an engine says that a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Ending(NamedTuple):
    """How an engine says that a job ended which left no outcome: as `outcome.json` says it."""

    state: str
    cause: str
    message: str


class Sight(NamedTuple):
    """What an engine says about a job.

    Attributes:
        stage: how far it is; UNKNOWN where the engine answers and does not know it.
        reason: why it waits, in words.
        ending: how it ended; None where the engine does not say.
        is_certain: whether the engine has seen to it that no process of the job is left.
    """

    stage: Stage
    reason: str = ""
    ending: Ending | None = None
    is_certain: bool = False


UNSEEN = Sight(Stage.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long things may take, in seconds.

    Attributes:
        poll: between two questions to the engine; one question is for all attempts.
        unknown: so long an engine that answers may not know a job before that counts as lost: one that was restarted
            takes a while to know everything again.
        lease: so long a supervisor may not beat before it counts as dead.
        linger: so long an ended job's outcome may take to be seen here, over a network's file system.
    """

    poll: float = 5.0
    unknown: float = 60.0
    lease: float = 30.0
    linger: float = 5.0


@dataclass(slots=True)
class Handed:
    """What this scheduler knows of one attempt. Times are of the monotonic clock.

    Attributes:
        answered: whether the engine was asked about it at all by now.
        since: when the engine first said what it says now.
        beat: when `node.json` was touched last, by its file system's clock; None where there is no such file.
        beat_since: when that was seen to change last.
        is_buried: whether it was given up: then nobody waits for its silence any more.
    """

    sight: Sight = UNSEEN
    answered: bool = False
    since: float = field(default_factory=time.monotonic)
    beat: int | None = None
    beat_since: float = field(default_factory=time.monotonic)
    is_buried: bool = False


class RemoteExecutor(Executor):
    """Follows attempts by what an engine says and by their directories.

    Subclasses hand attempts over (`submit`, `flush`), ask the engine in `tend` and tell `see` what it said, and end
    jobs.
    """

    is_here = False
    title = "the engine"
    """What people call the engine."""
    setting = "time"
    """The setting that allows a job more time."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.handed: dict[Path, Handed] = {}
        self._moved: set[Path] = set()
        self._look_at = 0.0
        self._glance_at, self._glance_pause = 0.0, patience.poll

    @property
    def look_seconds(self) -> float:  # type: ignore[override]
        """How long the queue may sleep before something is to be looked at."""
        if self._glance_pause >= self.patience.poll:
            return self.patience.poll
        return max(SOONEST_SECONDS, self._glance_at - time.monotonic())

    @abstractmethod
    def end(self, directory: Path) -> None:
        """Has the engine end a job, or take it out of its queue; where there is none, nothing happens. May be called
        again, and returns before it is done."""

    def note(self, directory: Path, *, sync: bool = True, **facts: Any) -> dict[str, Any]:
        """Writes `engine.json`: what the engine gives the attempt, and what finds its job again."""
        told = {"name": self.title, "python": ".".join(map(str, sys.version_info[:2])), "setting": self.setting} | facts
        wire.write_json(directory / wire.ENGINE, told, sync=sync)
        return told

    def hand(self, directory: Path) -> Handed:
        """Begins to follow an attempt."""
        return self.handed.setdefault(directory, Handed())

    def see(self, directory: Path, sight: Sight) -> None:
        """Takes what the engine says about an attempt. What it never asked about stays as it is."""
        handed = self.handed[directory]
        if not handed.answered or handed.sight.stage is not sight.stage:
            handed.since = time.monotonic()
            self._moved.add(directory)
        if sight.stage is not Stage.WAITING:  # it may have written something
            self._moved.add(directory)
        handed.sight, handed.answered = sight, True

    def adopt(self, directory: Path) -> Life:
        """Follows an attempt of an earlier scheduler; whether it lives is known once the engine has answered."""
        self.hand(directory)
        self._moved.add(directory)
        return Life.UNKNOWN

    def moved(self) -> Collection[Path]:
        """Returns what the engine told of since the last call, and what it has been silent about for too long."""
        found, self._moved = self._moved, set()
        return found

    def look_around(self, *, is_answering: bool = True) -> None:
        """Has everything looked at, once in a while, that may have written something: an engine need not answer.

        Args:
            is_answering: whether it does; else what it last said to wait may have begun, and be over.
        """
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + self.patience.poll
            idle = Stage.WAITING if is_answering else None
            self._moved.update(path for path, each in self.handed.items() if each.sight.stage is not idle)
        if self._glance_pause < self.patience.poll and now >= self._glance_at:
            self._glance(now)

    def _glance(self, now: float) -> None:
        """Looks for outcomes while runs end one after the other: short ones are over before an engine says so."""
        ended = [path for path in self.handed if os.path.exists(path / wire.OUTCOME)]
        self._moved.update(ended)
        after = time.monotonic()
        pause = _GLANCE_SECONDS if ended else 2 * self._glance_pause
        self._glance_pause = min(self.patience.poll, max(pause, (after - now) * SHARE))
        self._glance_at = after + self._glance_pause

    def life(self, directory: Path) -> Life:
        """Says whether an attempt lives: GONE only where nothing of it can write any more."""
        handed = self.hand(directory)
        if not handed.answered:
            return Life.UNKNOWN
        if handed.sight.stage in (Stage.WAITING, Stage.RUNNING):
            return Life.ALIVE
        if self._is_over(directory, handed):
            return Life.GONE
        self._moved.add(directory)
        return Life.UNKNOWN

    def _is_over(self, directory: Path, handed: Handed) -> bool:
        """Whether a job that has ended, or is not known any more, may be given up."""
        if handed.is_buried:
            return True
        self._look_at_beat(directory, handed)
        now = time.monotonic()
        if handed.sight.stage is Stage.ENDED and (handed.sight.is_certain or handed.beat is None):
            return now - handed.since >= self.patience.linger
        if handed.sight.stage is Stage.UNKNOWN and now - handed.since < self.patience.unknown:
            return False
        silent = now - max(handed.beat_since, handed.since)
        return handed.beat is None or silent >= self.patience.lease

    def _look_at_beat(self, directory: Path, handed: Handed) -> None:
        """Looks whether the supervisor has beaten. Clocks of machines differ: only that it changed counts."""
        try:
            os.listdir(directory)  # a network file system looks anew
            beat = os.stat(directory / wire.NODE).st_mtime_ns
        except OSError:
            return
        if beat != handed.beat:
            handed.beat, handed.beat_since = beat, time.monotonic()
            if handed.sight.stage in (Stage.ENDED, Stage.UNKNOWN) and not handed.sight.is_certain:
                self._abandon(directory)

    def _abandon(self, directory: Path) -> None:
        """Asks a supervisor to go that lives, and that the engine does not know any more."""
        if (wire.read_json(directory / wire.CONTROL) or {}).get("action") not in ("cancel", "interrupt", ABANDON):
            wire.write_json(directory / wire.CONTROL, {"action": ABANDON, "at": wire.utc_now()}, sync=True)

    def reasons(self) -> Mapping[Path, str]:
        """Returns why attempts wait, in the engine's words."""
        return {path: each.sight.reason for path, each in self.handed.items() if each.sight.reason}

    def ask(self, directory: Path, action: str) -> None:
        """Writes the wish where the supervisor and the worker read it; ends the job where it has not begun or must not
        go on."""
        wire.write_json(directory / wire.CONTROL, {"action": action, "at": wire.utc_now()}, sync=True)
        handed = self.hand(directory)
        is_waiting = handed.sight.stage is Stage.WAITING and not (directory / wire.NODE).exists()
        if action in ("cancel", "interrupt") or (action == "yield" and is_waiting):
            self.end(directory)

    def forget(self, directory: Path) -> None:
        """Lets go of an attempt whose outcome was recorded."""
        self.handed.pop(directory, None)
        self._moved.discard(directory)
        if self._glance_pause >= self.patience.poll and self.handed:  # where one has ended, others may
            self._glance_pause = _GLANCE_SECONDS
            self._glance_at = time.monotonic() + _GLANCE_SECONDS

    def bury(self, directory: Path, token: str) -> bool:
        """Gives an attempt up: it cannot begin any more, and what it still writes counts for nothing.

        Returns False as long as a supervisor of it beats.
        """
        handed = self.hand(directory)
        self.end(directory)
        directory.mkdir(parents=True, exist_ok=True)
        claim = {"token": token, "buried": True, "at": wire.utc_now()}
        if not wire.write_json_once(directory / wire.NODE, claim):
            told = wire.read_json(directory / wire.NODE) or {}
            if not told.get("buried") and not self._is_over(directory, handed):
                return False
        if wire.read_json_patiently(directory / wire.OUTCOME) is None:
            outcome = burial.succeeded(directory, token) or self._lost(directory, token, handed.sight)
            wire.write_json_once(directory / wire.OUTCOME, outcome)
        handed.is_buried = True
        return True

    def _lost(self, directory: Path, token: str, sight: Sight) -> dict[str, object]:
        action = (wire.read_json(directory / wire.CONTROL) or {}).get("action")
        has_begun = (directory / wire.STARTED).exists()
        if action == "cancel":
            found = Ending("cancelled", "cancelled", "cancelled on request")
        elif action == "interrupt" or (action == "yield" and not has_begun):
            text = "ended because the queue was told to stop; it goes on when the queue does"
            found = Ending("cancelled", "interrupted", text)
        else:
            found = sight.ending or self._unexplained(directory, has_begun=has_begun)
        return burial.ended(directory, token, *found)

    def _unexplained(self, directory: Path, *, has_begun: bool) -> Ending:
        again = "tried again from its last checkpoint while attempts are left"
        if has_begun:
            node = (wire.read_json(directory / wire.NODE) or {}).get("node") or "its node"
            return Ending("lost", "lost_supervisor", f"nothing is heard of it from {node}; {again}")
        return Ending("lost", "lost_supervisor", f"{self.title} does not know it any more; {again}")


def silence() -> float:
    """Returns how long a living supervisor may be silent at most, in seconds: a lease must be longer."""
    return 3 * BEAT_SECONDS
