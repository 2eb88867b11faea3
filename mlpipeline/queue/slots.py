"""Who gets the next free slot: models of equal priority share them. Decides, and touches nothing."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping

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
        self._wanted: dict[int, Wanted] = {}

    def add(self, place: int, wanted: Wanted) -> None:
        """Adds a wish. Those of a model come in the order in which they are to start.

        Args:
            place: its index in the plan.
            wanted: the wish.
        """
        rank = self.orders.rank(wanted.model, wanted.version)
        key = (rank, -wanted.options.priority, wanted.position, wanted.model)
        self._queues.setdefault(key, deque()).append(place)
        self._wanted[place] = wanted

    def _rest(self) -> list[int]:
        if not self.is_shared:
            return []  # the list's order
        found = [
            (*key[:2], self.running.get(key[3], 0) + number, key[2], place)
            for key, queue in self._queues.items()
            for number, place in enumerate(queue)
        ]
        return [place for *_, place in sorted(found)]

    def give(self, slots: int, start: Callable[[int, Wanted], bool]) -> list[int]:
        """Offers slots until none is left or nobody wants one.

        Args:
            slots: how many are free.
            start: is told the place and the wish; returns whether it took the slot. It is asked once for each wish.

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
                if start(place, self._wanted[place]):
                    slots -= 1
                    self.running[model] = count + 1
            if queue:
                heapq.heappush(heap, (rank, priority, self.running.get(model, 0), position, model))
        return asked + self._rest()
