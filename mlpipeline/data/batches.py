"""Cuts streams of frames, or of observations, into pieces of one size or at the ends of groups; and shuffles them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numpy as np
import pandas as pd

from mlpipeline.data.encoding import Observations
from mlpipeline.data.row_hash import hash_rows

Rows = TypeVar("Rows", pd.DataFrame, Observations)


def resized(blocks: Iterator[Rows], size: int, *, keep_index: bool = False) -> Iterator[Rows]:
    """Yields the same rows in pieces of one size; the last may be smaller.

    Args:
        blocks: pieces of any size.
        size: rows.
        keep_index: leave the index as it is; else the rows of each piece are numbered from 0.
    """
    held: list[Rows] = []
    rows = 0
    for block in blocks:
        begin, count = 0, length(block)
        while rows + count - begin >= size:
            end = begin + size - rows
            yield _joined([*held, _slice(block, begin, end)], keep_index)
            held, rows, begin = [], 0, end
        if begin < count:
            held.append(_slice(block, begin, count))
            rows += count - begin
    if held:
        yield _joined(held, keep_index)


def at_groups(frames: Iterator[pd.DataFrame], size: int, group_by: str) -> Iterator[pd.DataFrame]:
    """Yields rows in pieces of `size` or more that end where a group does; rows of a group must come side by side."""
    held = pd.DataFrame()
    for frame in frames:
        held = pd.concat([held, frame], ignore_index=True) if len(held) else frame
        groups = hash_rows(held, (group_by,))
        ends = np.flatnonzero(groups[1:] != groups[:-1]) + 1  # the last group may go on in the next frame
        begin = 0
        while (place := np.searchsorted(ends, begin + size)) < len(ends):
            yield held.iloc[begin : ends[place]].reset_index(drop=True)
            begin = int(ends[place])
        held = held.iloc[begin:].reset_index(drop=True)
    if len(held):
        yield held


def ahead(blocks: Iterator[Rows]) -> Iterator[Rows]:
    """Yields the same blocks; the next one is made in a thread while the caller works on this one."""
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        waiting = pool.submit(next, blocks, end)
        while (block := waiting.result()) is not end:
            waiting = pool.submit(next, blocks, end)
            yield cast(Rows, block)


def ordered(groups: int, seed: int | None) -> Iterator[tuple[int, np.random.Generator | None]]:
    """Yields the numbers of groups, shuffled where there is a seed, and with it what shuffles the rows of each."""
    random = None if seed is None else np.random.default_rng(seed)
    for number in range(groups) if random is None else random.permutation(groups):
        yield int(number), random


def shuffled(block: Rows, random: np.random.Generator) -> Rows:
    """Returns the rows in another order."""
    order = random.permutation(length(block))
    if isinstance(block, Observations):
        return Observations(block.x.take(order), None if block.y is None else block.y[order])
    return block.take(order)


def length(block: pd.DataFrame | Observations) -> int:
    """Returns the number of rows."""
    return len(block.x) if isinstance(block, Observations) else len(block)


def _slice(block: Rows, begin: int, end: int) -> Rows:
    if isinstance(block, Observations):
        return Observations(block.x.iloc[begin:end], None if block.y is None else block.y[begin:end])
    return block.iloc[begin:end]


def _joined(pieces: list[Rows], keep_index: bool) -> Rows:
    first = pieces[0]
    if isinstance(first, Observations):
        y = first.y if first.y is None or len(pieces) == 1 else np.concatenate([piece.y for piece in pieces])
        return Observations(_frame([piece.x for piece in pieces], keep_index), y)
    return _frame(pieces, keep_index)


def _frame(pieces: list[pd.DataFrame], keep_index: bool) -> pd.DataFrame:
    if len(pieces) > 1:
        return pd.concat(pieces, ignore_index=not keep_index)
    return pieces[0] if keep_index else pieces[0].reset_index(drop=True)
