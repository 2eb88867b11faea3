"""What a model may ask of the system while it trains: `self.run`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from mlpipeline import checkpoint as checkpoints
from mlpipeline import wire
from mlpipeline.console import LOGGER
from mlpipeline.errors import NotFinite
from mlpipeline.metrics import append, lines, number, whole
from mlpipeline.rehearsal import Rehearsal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, TypeVar

    T = TypeVar("T")

FLUSH_SECONDS = 0.5
CONTROL_SECONDS = 0.2
_NUMBERS = frozenset((int, float))
_ENDS = frozenset(("stop", "prune"))


class ExecutionModeKeys(StrEnum):
    """The mode that a model is executed in: TRAIN for real; TEST for one step, of which nothing is recorded."""

    TRAIN = "Train"
    TEST = "Test"


class RunContext:
    """One attempt, as the model that it trains sees it.

    Attributes:
        directory: the attempt's directory; None outside the queue, where nothing is written.
        model_dir: what the model keeps between runs; checkpoints lie there. None: there is nowhere to save.
        step: steps completed, the one in progress included.
        nan_guard: whether a metric that is no finite number ends the run; else it is a notice.
        notices: what a person should know of this run, for its record.
        yielded: the loop ended early, after a checkpoint, because the queue asked for room.
        pruned: it ended early, because other trials of its study were better by then.
        drill: what is planned for this attempt, where it is part of one.
    """

    # Written out: what makes dataclasses is slower to import than all the rest of a run's start.
    __slots__ = (
        *("_action", "_asked", "_control", "_flushed", "_lock", "_looped", "_polled", "_rows", "_saved", "_saved_at"),
        *("_saved_here", "attempt", "directory", "drill", "log", "mode", "model", "model_dir", "nan_guard", "notices"),
        *("params", "pruned", "replicate", "run_id", "seed", "step", "version", "yielded"),
    )

    def __init__(
        self,
        *,
        model: str = "",
        version: str = "",
        mode: ExecutionModeKeys = ExecutionModeKeys.TRAIN,
        directory: Path | None = None,
        model_dir: Path | None = None,
        seed: int = 0,
        replicate: int = 0,
        attempt: int = 1,
        run_id: str | None = None,
        params: Mapping[str, Any] | None = None,
        nan_guard: bool = False,
        drill: Rehearsal | None = None,
    ) -> None:
        self.model, self.version, self.mode = model, version, mode
        self.directory, self.model_dir = directory, model_dir
        self.seed, self.replicate, self.attempt, self.run_id = seed, replicate, attempt, run_id
        self.params: Mapping[str, Any] = {} if params is None else params
        self.nan_guard, self.drill = nan_guard, drill
        self.notices: list[str] = []
        self.step = 0
        self.log = logging.getLogger(LOGGER)
        self._rows: deque[tuple[float, int | None, dict[str, Any]]] = deque()
        self._lock = threading.Lock()
        self._flushed, self._saved_at, self._polled = time.time(), time.monotonic(), -1.0
        self.yielded = self.pruned = self._looped = self._saved_here = self._asked = False
        self._saved = None if model_dir is None else checkpoints.find(Path(model_dir))
        self._action: str | None = None
        self._control: tuple[int, int] | None = None

    @classmethod
    def detached(cls, model_dir: str | os.PathLike[str] | None = None) -> Self:
        """Returns a context for use by hand, in a notebook say: it writes nothing but checkpoints in `model_dir`."""
        return cls(model_dir=None if model_dir is None else Path(model_dir))

    @property
    def is_test(self) -> bool:
        """Whether this is test mode, in which loops end after one step."""
        return self.mode == ExecutionModeKeys.TEST

    def record(self, metrics: Any = None, *, step: int | None = None, **values: Any) -> None:
        """Records metrics of a step: `run.record(loss=loss, accuracy=accuracy)`, or a mapping of names to numbers.

        They are on disk within half a second of the next call, at every checkpoint, and at the end.

        Args:
            metrics: a mapping or a MetricContainer.
            step: defaults to the step of the loop in progress.
            values: more metrics, by name. Scalars of numpy, torch and TensorFlow are converted.

        Raises:
            MetricError: a value or the step is no number.
            NotFinite: a value is NaN or infinite, and the guard is on.
        """
        if step is not None and type(step) is not int:
            step = whole(step)
        if metrics is not None:
            told = metrics.to_dict() if hasattr(metrics, "to_dict") else metrics
            values = {**{str(key): value for key, value in dict(told).items()}, **values}
        for name, value in values.items():
            if type(value) not in _NUMBERS:
                values[name] = value = number(name, value)
            if value - value:  # NaN, for NaN and infinities alone
                self._not_finite(name, value, step)
        if self.directory is None:
            return
        now = time.time()
        self._rows.append((now, self.step if step is None and self._looped else step, values))
        if now - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def _not_finite(self, name: str, value: float, step: int | None) -> None:
        told = f"{name} is {value} at step {self.step if step is None else step}"
        if self.nan_guard:
            self.flush()
            raise NotFinite(f"{told}: a smaller learning rate may help; on_nan says what follows")
        if not any(each.startswith(f"{name} is ") for each in self.notices):
            self.notices.append(f"{told}: on_nan = fail would end such a run")

    def flush(self) -> None:
        """Writes what is recorded to `metrics.jsonl`, whole lines at once; where that fails, they are kept."""
        if self.directory is None:
            return
        with self._lock:
            self._flushed = time.time()
            rows = [self._rows.popleft() for _ in range(len(self._rows))]
            try:
                append(self.directory / wire.METRICS, lines(rows).encode())
            except OSError:
                self._rows.extendleft(reversed(rows))
                raise

    def close(self) -> None:
        """Writes what is still held back. The context can be used again afterwards."""
        self.flush()

    def steps(
        self,
        iterable: Iterable[Any] | None = None,
        *,
        total: int | None = None,
        description: str | None = None,
        initial: int | None = None,
    ) -> Iterator[Any]:
        """Yields the items one by one, shows progress, and ends early when asked to.

        Use it around the innermost loop. In test mode it ends after one item. When the queue asks for room, it ends
        after the next checkpoint; when it asks to stop or prunes the run, at once.

        Args:
            iterable: defaults to the numbers of the steps, from those done already on.
            total: end after so many items; by default all of them, `len(iterable)` where it has one.
            description: stands before the progress bar.
            initial: steps done before; defaults to those done by this context, else to the checkpoint's.
        """
        from mlpipeline import progress

        return progress.walk(self, iterable, total=total, description=description, initial=initial)

    def start_loop(self, initial: int | None) -> int:
        """Begins counting steps and returns how many are done already."""
        if initial is not None:
            self.step = initial
        elif not self._looped:
            self.step = self.checkpoint_step or 0
        self._looped = True
        return self.step

    def next_step(self, step: int) -> None:
        """Enters a step: it is the one in progress now."""
        self.step = step
        self._saved_here = False
        self._asked |= self.drill is not None and self.drill.wants_checkpoint(step, self.checkpoint_step)

    def tick(self, now: float) -> None:
        """Does what is due now and then: reads the queue's requests, writes metrics."""
        self._poll(now)
        if self._rows and time.time() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    @property
    def must_end(self) -> bool:
        """Whether the loop is to end before its next item, by the requests read so far."""
        if self.drill is not None and self.drill.is_over:
            return True
        action = self._action
        return action is not None and (action in _ENDS or (action == "yield" and not self._asked))

    @property
    def should_stop(self) -> bool:
        """Whether to end training now; for loops that do not use `steps`."""
        self._poll(time.monotonic())
        if is_over := self.must_end:
            self.cut_short()
        return is_over

    def cut_short(self) -> None:
        """Notes why the loop ends before its last item."""
        self.yielded, self.pruned = (self._action == each for each in ("yield", "prune"))

    @property
    def stop_reason(self) -> str | None:
        """What the queue asked for: "stop", "prune", "yield" or nothing."""
        return self._action

    @property
    def checkpoint_asked(self) -> bool:
        """Whether the queue waits for a checkpoint; the next call of `checkpoint` makes it."""
        self._poll(time.monotonic())
        return self._asked

    @property
    def checkpoint_step(self) -> int | None:
        """The step of the last complete checkpoint; None when there is none."""
        return None if self._saved is None else self._saved.step

    def checkpoint(
        self,
        save: Callable[[Path], object],
        *,
        step: int | None = None,
        every_seconds: float | None = None,
        name: str = "checkpoint",
    ) -> bool:
        """Makes a checkpoint and returns whether it did.

        `save` gets the path to write to, in a fresh directory. The former checkpoint stays valid until the new one is
        complete. Metrics recorded so far are on disk before it is.

        Args:
            save: writes a file, a directory, or several files that begin with the path.
            step: defaults to the step in progress, counted as done.
            every_seconds: save only when the last one is so old, when the queue asks for it, or in test mode.
            name: the path's last part, with the suffix that the library wants: "model.keras", "state.pt".

        Raises:
            ModelFault: `save` wrote nothing, or the name is none.
        """
        if self.model_dir is None:
            return False
        now = time.monotonic()
        self._poll(now)
        wanted = self._asked or self._action == "stop" or self.is_test
        if every_seconds is not None and not wanted and now - self._saved_at < every_seconds:
            return False
        self.flush()
        facts = {"step": self.step if step is None else int(step), "run": self.run_id, "attempt": self.attempt}
        facts |= {"seed": self.seed, "at": wire.utc_now()}
        self._saved = checkpoints.write(Path(self.model_dir), save, facts, name=name, sync=not self.is_test)
        self._saved_at = time.monotonic()
        self._asked, self._saved_here = False, self._looped
        return True

    def restore(self, load: Callable[[Path], T]) -> T | None:
        """Returns what `load` makes of the last complete checkpoint; None, without calling it, when there is none."""
        return None if self._saved is None else load(self._saved.path)

    def _poll(self, now: float) -> None:
        if self.directory is None or now - self._polled < CONTROL_SECONDS:
            return
        self._polled = now
        path = f"{self.directory}/{wire.CONTROL}"
        try:
            found = os.stat(path)
        except OSError:
            return
        signature = (found.st_mtime_ns, found.st_ino)
        if signature != self._control and (content := wire.read_json(path)) is not None:
            self._control = signature
            self._obey(content.get("action"))

    def _obey(self, action: object) -> None:
        if action == "checkpoint" and self._action is None:
            self._asked = True
        elif action == "yield" and self._action is None:
            self._action, self._asked = "yield", not self._saved_here
        elif action in _ENDS:
            self._action = str(action)
