"""What is measured, one module for each kind of question."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.bench import Bench
from benchmarks.figures import Series
from benchmarks.groups import (
    beginning,
    cache,
    comparing,
    composing,
    dashboard,
    empty,
    encoding,
    engines,
    estimators,
    growth,
    idle,
    latency,
    learning,
    queue,
    recording,
    reliability,
    search,
    serving,
    streaming,
    threads,
    training,
    watching,
)

GROUPS: dict[str, Callable[[Bench], Iterator[Series]]] = {
    "beginning": beginning.measure,
    "queue": queue.measure,
    "recording": recording.measure,
    "encoding": encoding.measure,
    "estimators": estimators.measure,
    "empty": empty.measure,
    "training": training.measure,
    "latency": latency.measure,
    "threads": threads.measure,
    "growth": growth.measure,
    "cache": cache.measure,
    "watching": watching.measure,
    "comparing": comparing.measure,
    "composing": composing.measure,
    "dashboard": dashboard.measure,
    "idle": idle.measure,
    "reliability": reliability.measure,
    "streaming": streaming.measure,
    "learning": learning.measure,
    "search": search.measure,
    "serving": serving.measure,
    "engines": engines.measure,
}
