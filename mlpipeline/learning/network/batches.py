"""Observations, all at once or as a stream -> batches for TensorFlow, in an order that the epoch determines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from mlpipeline import errors
from mlpipeline.data.encoding import Observations
from mlpipeline.learning.network.feed import Feed, Packed
from mlpipeline.learning.network.runtime import libraries

BLOCK_ROWS = 65_536
"""Rows that are handed to TensorFlow at once, which cuts them into batches."""

Learnable = Callable[[np.ndarray], np.ndarray]
"""Makes of the target, as the estimator has it, what the loss takes."""
Random = np.random.Generator | None


class Source(Protocol):
    """Rows that can be walked over again and again."""

    rows: int

    def blocks(self, random: Random) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields codes, numbers, target, and weights where there are some; shuffled by a generator."""


class Table:
    """Rows that are in memory; those of classes that the training split has not shown are left out.

    Args:
        feed: packs the features.
        observations: whose target is as `Target.learnable` gives it.
        learnable: makes of the target what the loss takes.
        weight: of shape (rows,), on whatever scale; None where all rows count alike.
    """

    def __init__(
        self, feed: Feed, observations: Observations, learnable: Learnable, weight: np.ndarray | None = None
    ) -> None:
        self.columns = [*_packed(feed, observations), learnable(np.asarray(observations.y))]
        if weight is not None:
            # A mean of 1: the loss stays comparable, and so does what a learning rate means.
            self.columns.append((weight / weight.mean()).astype(np.float32))
        if (known := _known(np.asarray(observations.y))) is not None and not known.all():
            self.columns = [each[known] for each in self.columns]
        self.rows = len(self.columns[0])

    def blocks(self, random: Random) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields all rows; shuffled, they are drawn from the whole table."""
        order = None if random is None else random.permutation(self.rows)
        for start in range(0, self.rows, BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            rows = part if order is None else order[part]
            yield tuple(each[rows] for each in self.columns)


class Flow:
    """Rows of a stream, one of its pieces in memory at a time; shuffled, they are drawn from within a piece.

    Args:
        feed: packs the features.
        stream: of observations, whose target is as `Target.learnable` gives it.
        learnable: makes of the target what the loss takes.
        is_whole: whether no row is of a class that the training split has not shown; else the stream is walked over
            once to count them.
    """

    def __init__(self, feed: Feed, stream: Any, learnable: Learnable, *, is_whole: bool) -> None:
        self._feed, self._stream, self._learnable = feed, stream, learnable
        self.rows = len(stream) if is_whole else sum(_count(each) for each in stream)

    def blocks(self, random: Random) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the rows of each piece."""
        for observations in self._stream:
            columns = [*_packed(self._feed, observations), self._learnable(observations.y)]
            if (known := _known(observations.y)) is not None and not known.all():
                columns = [each[known] for each in columns]
            order = None if random is None else random.permutation(len(columns[0]))
            yield tuple(columns if order is None else [each[order] for each in columns])


def source(
    part: Any, feed: Feed, learnable: Learnable, weight: np.ndarray | None = None, *, is_whole: bool = False
) -> Source:
    """Returns the rows of a part, observations or a stream of them; see `Table` and `Flow`."""
    if isinstance(part, Observations):
        return Table(feed, part, learnable, weight)
    return Flow(feed, part, learnable, is_whole=is_whole)


def dataset(source: Source, feed: Feed, batch_size: int, random: Callable[[], Random], faults: list[Exception]) -> Any:
    """Returns a tf.data.Dataset of (inputs, target[, weight]).

    Args:
        source: of rows.
        feed: takes packed features apart.
        batch_size: rows of a batch; the last one may have fewer.
        random: asked at the beginning of each walk.
        faults: gets what a walk raises, of which TensorFlow would only say that something was raised.
    """
    tf = libraries().tf
    first = next(iter(source.blocks(None)))
    signature = tuple(tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in first)

    def inputs(codes: Any, numbers: Any, *others: Any) -> tuple[Any, ...]:
        return (feed.split(codes, numbers), *others)

    def walk() -> Iterator[tuple[np.ndarray, ...]]:
        try:
            yield from source.blocks(random())
        except Exception as error:
            faults.append(error)
            raise

    found = tf.data.Dataset.from_generator(walk, output_signature=signature)
    found = found.rebatch(batch_size).map(inputs)
    counted = found.apply(tf.data.experimental.assert_cardinality(-(-source.rows // batch_size)))
    return counted.prefetch(4)


def _packed(feed: Feed, observations: Observations) -> Packed:
    """Packs the features by their names, whatever their order is."""
    x = observations.x.set_axis([str(each) for each in observations.x.columns], axis=1)
    missing = [name for name in feed.columns if name not in x.columns]
    if missing:
        raise errors.DataFault(
            f"the feature {', '.join(map(repr, missing))} is missing in the rows to validate by: add it"
        )
    return feed.packed(x if list(x.columns) == feed.columns else x[feed.columns])


def _known(target: np.ndarray) -> np.ndarray | None:
    """Returns which rows are of a known class; None where the target is a number."""
    known: np.ndarray | None = target >= 0 if target.dtype.kind == "i" else None
    return known


def _count(observations: Observations) -> int:
    known = _known(np.asarray(observations.y))
    return len(observations.x) if known is None else int(known.sum())
