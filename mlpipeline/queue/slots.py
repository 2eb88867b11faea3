"""Who gets the next free slot: models of equal priority share them. Decides, and touches nothing."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from itertools import groupby

from mlpipeline.queue.orders import Orders
from mlpipeline.queue.verdicts import Wanted


class Sharing:
    """Wishes that could start now, by model, each model's in their own order.

    The next slot goes, within what people put first and then the highest priority, to the model with the fewest runs
    at that moment; among equals to the one that stands first in the list. With one slot that is the list's order.

    Args:
        running: how many runs of each model train now; None where there is one slot.
        orders: what people put first.
    """

    def __init__(self, running: Mapping[str, int] | None, orders: Orders) -> None:
        self.running = dict(running or {})
        self.is_shared = running is not None
        self.orders = orders
        self._queues: dict[tuple[int, int, int, str], deque[int]] = {}
        self._of_model: dict[str, deque[int]] = {}

    def add(self, place: int, wanted: Wanted) -> None:
        """Adds a wish. Those of a model come in the order in which they are to start.

        Args:
            place: its index in the plan.
            wanted: the wish.
        """
        # Without orders the versions of a model stand alike: asking once is enough.
        queue = None if self.orders.first else self._of_model.get(wanted.model)
        if queue is None:
            rank = self.orders.rank(wanted.model, wanted.version)
            key = (rank, -wanted.options.priority, wanted.position, wanted.model)
            queue = self._of_model[wanted.model] = self._queues.setdefault(key, deque())
        queue.append(place)

    def _rest(self) -> list[int]:
        if not self.is_shared:
            return []  # the list's order
        found: list[int] = []
        for _, tier in groupby(sorted(self._queues), key=lambda key: key[:2]):
            left = [(self.running.get(key[3], 0), self._queues[key]) for key in tier if self._queues[key]]
            level = min((count for count, _ in left), default=0)
            while left:
                found += [queue.popleft() for count, queue in left if count <= level]
                left = [each for each in left if each[1]]
                level += 1
        return found

    def give(self, slots: int, start: Callable[[int], bool]) -> list[int]:
        """Offers slots until none is left or nobody wants one.

        Args:
            slots: how many are free.
            start: is told a place; returns whether the wish there took the slot. It is asked once for each.

        Returns:
            places in the order in which slots came to them, or will come once runs have ended.
        """
        # A model's place changes with its runs only: nothing is looked through for every slot.
        heap = [(*key[:2], self.running.get(key[3], 0), *key[2:]) for key in self._queues]
        heapq.heapify(heap)
        asked: list[int] = []
        while slots > 0 and heap:
            rank, priority, count, position, model = heapq.heappop(heap)
            queue = self._queues[rank, priority, position, model]
            if count == self.running.get(model, 0):  # else it has started since, by another order to go first
                place = queue.popleft()
                asked.append(place)
                if start(place):
                    slots -= 1
                    self.running[model] = count + 1
            if queue:
                heapq.heappush(heap, (rank, priority, self.running.get(model, 0), position, model))
        return asked + self._rest()
