"""Running means, per epoch and over a window of epochs; and how a recorded row of metrics is written."""

from __future__ import annotations

import json
import math
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from mlpipeline.console import log
from mlpipeline.errors import MetricError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


class Metric:
    """A running mean, its mean over the current epoch, and the means of the last epochs.

    Args:
        track_average_epoc_count: how many past epochs the window holds.

    Raises:
        MetricError: (a ValueError) the window is below 1.
    """

    def __init__(self, track_average_epoc_count: int = 1) -> None:
        count = track_average_epoc_count
        if not _is_number(count, int) or count < 1:
            raise MetricError(f"track_average_epoc_count is {count!r}: give a whole number from 1 on")
        self.track_average_epoc_count = count
        self._window: deque[float] = deque(maxlen=count)
        self.value: float = 0
        self.count: float = 0
        self.epoc_value: float = 0
        self.epoc_count: float = 0

    def update(self, value: float, count: float = 1) -> None:
        """Adds a value that is the sum over `count` items.

        Raises:
            MetricError: the value is no int or float, or the count is negative.
        """
        if not _is_number(value, float):
            raise MetricError(f"a metric takes int or float, not {type(value).__name__}: convert it, e.g. value.item()")
        if not _is_number(count, float) or count < 0:
            raise MetricError(f"count is {count!r}: give how many items the value sums over")
        self.value += value
        self.count += count
        self.epoc_value += value
        self.epoc_count += count

    def reset(self) -> None:
        """Starts the running mean again; the epoch's goes on."""
        self.value = self.count = 0

    def reset_epoc(self) -> None:
        """Ends an epoch: its mean enters the window, and a new one starts."""
        self._window.append(self.avg_epoc())
        self.epoc_value = self.epoc_count = 0

    def avg(self) -> float:
        """Returns the mean since the last reset; 0 when nothing was added."""
        return self.value / self.count if self.count else 0

    def avg_epoc(self) -> float:
        """Returns the mean of this epoch; 0 when nothing was added."""
        return self.epoc_value / self.epoc_count if self.epoc_count else 0

    def get_tracking_average(self) -> float:
        """Returns the mean over the window; 0 until it is half full."""
        if not self._window or len(self._window) < self.track_average_epoc_count / 2:
            return 0
        return sum(self._window) / len(self._window)

    def get_tracking_delta(self) -> float:
        """Returns by how much the epochs' mean changed over the window; 0 until it is full."""
        if len(self._window) < self.track_average_epoc_count:
            return 0
        return self._window[-1] - self._window[0]

    def get_tracking_stdev(self) -> float:
        """Returns the sample standard deviation over the window; 0 for fewer than two epochs."""
        if len(self._window) < 2:
            return 0
        mean = sum(self._window) / len(self._window)
        return math.sqrt(sum((each - mean) ** 2 for each in self._window) / (len(self._window) - 1))

    def __repr__(self) -> str:
        return f"Metric(avg={self.avg():.6g}, avg_epoc={self.avg_epoc():.6g})"


class MetricContainer(Mapping[str, Metric]):
    """Metrics by name: `container.loss.update(0.3)`, `container["loss"].avg()`.

    Args:
        metrics: names, or mappings `{"metrics": [names], "track_average_epoc_count": n}`.
        track_average_epoc_count: the window of those that do not say their own.

    Raises:
        TypeError: metrics is no list of one of these.
        MetricError: a name is already that of a method.
    """

    _metrics: dict[str, Metric]

    def __init__(self, metrics: list[Any] | None = None, track_average_epoc_count: int = 1) -> None:
        found: dict[str, Metric] = {}
        for names, window in _sets(metrics, track_average_epoc_count):
            found.update({name: Metric(window) for name in names})
        if taken := [name for name in found if hasattr(type(self), name)]:
            raise MetricError(
                f"metrics cannot be called {', '.join(taken)}: these are the container's own words, choose others"
            )
        object.__setattr__(self, "_metrics", found)

    def __getitem__(self, name: str) -> Metric:
        return self._metrics[str(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def __getattr__(self, name: str) -> Metric:
        if name == "_metrics" or name.startswith("__"):
            raise AttributeError(name)  # asked by copy and pickle before there is anything
        if name in self._metrics:
            return self._metrics[name]
        raise AttributeError(f"no metric {name!r}: there are {', '.join(self) or 'none'}")

    def __setattr__(self, name: str, value: object) -> None:
        if name == "_metrics":  # given back by copy and pickle
            object.__setattr__(self, name, value)
            return
        if not isinstance(value, Metric):
            raise TypeError(f"{name!r} must be a Metric, not {type(value).__name__}: use {name}.update(value)")
        self._metrics[name] = value

    def reset(self, names: Iterable[str] | None = None) -> None:
        """Starts the running means again, of all or of the named."""
        for name in self._chosen(names):
            self[name].reset()

    def reset_epoc(self, names: Iterable[str] | None = None) -> None:
        """Ends the epoch of all or of the named."""
        for name in self._chosen(names):
            self[name].reset_epoc()

    def log_metrics(
        self,
        names: Iterable[str] | None = None,
        log_to_file: bool = True,
        complete_epoc: bool = False,
        items_per_row: int = 3,
        charachters_per_row: int = 50,
    ) -> str:
        """Logs the means in rows, and returns the rows as text."""
        rows: list[list[str]] = [[]]
        for name in self._chosen(names):
            mean = self[name].avg_epoc() if complete_epoc else self[name].avg()
            item = f"{name}: {mean:.4f}"
            length = sum(len(each) + 4 for each in rows[-1]) + len(item)
            if rows[-1] and (len(rows[-1]) >= items_per_row or length > charachters_per_row):
                rows.append([])
            rows[-1].append(item)
        lines = ["    ".join(row) for row in rows if row]
        for line in lines:
            log(line, log_to_file=log_to_file)
        return "\n".join(lines)

    def to_dict(self) -> dict[str, float]:
        """Returns the means: since the last reset, or the epoch's where nothing was added since."""
        return {name: metric.avg() if metric.count else metric.avg_epoc() for name, metric in self.items()}

    def __repr__(self) -> str:
        return f"MetricContainer({', '.join(f'{name}={mean:.6g}' for name, mean in self.to_dict().items())})"

    def _chosen(self, names: Iterable[str] | None) -> list[str]:
        if names is None:
            return list(self)
        chosen = [names] if isinstance(names, str) else [str(name) for name in names]
        if unknown := [name for name in chosen if name not in self._metrics]:
            raise MetricError(f"no metric {', '.join(unknown)}: there are {', '.join(self) or 'none'}")
        return chosen


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, int | kind) and not isinstance(value, bool)


def _sets(metrics: Any, window: int) -> list[tuple[list[str], int]]:
    """Returns names and their window, whichever way they were given."""
    if metrics is None:
        return []
    wanted = "metrics must be a list of names, or of {'metrics': [names], 'track_average_epoc_count': n}"
    if not isinstance(metrics, list):
        raise TypeError(f"{wanted}, not a {type(metrics).__name__}")
    if all(isinstance(each, str | int) for each in metrics):
        return [([str(each) for each in metrics], window)]
    sets = []
    for each in metrics:
        names = each.get("metrics") if isinstance(each, Mapping) else None
        if not isinstance(names, list | tuple):
            raise TypeError(f"{wanted}; found {each!r}")
        sets.append(([str(name) for name in names], each.get("track_average_epoc_count", window)))
    return sets


def number(name: str, value: Any) -> float:
    """Returns a single number of whatever library, numpy, torch or TensorFlow, as a float.

    Raises:
        MetricError: it is none.
    """
    kind = type(value).__name__
    if (detach := getattr(value, "detach", None)) is not None:
        value = detach()  # PyTorch warns of each loss that is read with its gradient, which nobody wants here
    if isinstance(value, str | bytes) or len(getattr(value, "shape", ())) > 0:
        raise MetricError(f"metric {name!r} is a {kind}: record single numbers, for example value.mean()")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise MetricError(f"metric {name!r} is a {kind}: record single numbers") from error


def whole(step: Any) -> int:
    """Returns a step that a library counted, as its own kind of number, as an int.

    Raises:
        MetricError: it is none.
    """
    try:
        return int(step)
    except (TypeError, ValueError, OverflowError) as error:
        raise MetricError(f"step is {step!r}: give a whole number") from error


def lines(rows: Iterable[tuple[float, int | None, dict[str, Any]]]) -> str:
    """Returns rows of metrics (time, step, values) as lines of `metrics.jsonl`; infinities become texts."""
    # Written by hand: json.dumps takes as long as all the rest of `record` several times over.
    told: list[str] = []
    names, template = None, ""
    for at, step, values in rows:
        if (these := tuple(values)) != names:
            names, template = these, _template(these)
        numbers: Iterable[object] = values.values()
        for value in values.values():
            if value - value:  # NaN, for NaN and infinities alone
                numbers = [each if each - each == 0 else _Text(each) for each in values.values()]
                break
        second = int(at)
        number = "null" if step is None else step
        told.append(template % (_second(second), (at - second) * 1000, number, *numbers))
    return "".join(told)


class _Text:
    """A number that JSON does not know, told as a text."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f'"{self.value!r}"'


def _template(names: Iterable[str]) -> str:
    """Returns what all rows of these metrics have in common: a loop records the same ones in every step."""
    told = ", ".join(json.dumps(name).replace("%", "%%") + ": %r" for name in names)
    return '{"t": "%s.%03d+00:00", "step": %s, "values": {' + told + "}}\n"


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def append(path: Path, content: bytes) -> None:
    """Adds lines to a file of metrics.

    Raises:
        OSError: a part of them may stand there.
    """
    if not content:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)
