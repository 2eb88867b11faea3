"""Standing orders of people: what is held, what goes first, whether the queue is paused. Kept until they are undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mlpipeline import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who ordered it, and when."""

    at: datetime
    by: str

    def __str__(self) -> str:
        return f"by {self.by} since {self.at.astimezone():%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Everything that is ordered now. Targets are `MODEL` or `MODEL:VERSION`.

    Attributes:
        holds: what does not start.
        first: what starts before all others, the newest order first; each ends when nothing of it waits any more.
        paused: set while nothing starts.
    """

    holds: Mapping[str, Order] = field(default_factory=dict)
    first: Mapping[str, Order] = field(default_factory=dict)
    paused: Order | None = None

    def held(self, model: str, version: str) -> str:
        """Returns the target of the order that keeps a version from starting, empty where there is none."""
        return next((name for name in (model, f"{model}:{version}") if name in self.holds), "") if self.holds else ""

    def rank(self, model: str, version: str) -> int:
        """Returns a version's place among what goes first, 0 the first of all; the same large number for all others."""
        if not self.first:
            return 0
        places = (place for place, name in enumerate(self.first) if name in (model, f"{model}:{version}"))
        return next(places, len(self.first))

    def rank_of_model(self, model: str) -> int:
        """Returns the best place that any version of a model may have."""
        places = (place for place, name in enumerate(self.first) if name.partition(":")[0] == model)
        return next(places, len(self.first))

    def with_hold(self, target: str, order: Order) -> Orders:
        """Adds a hold; one that stands stays as it is."""
        return replace(self, holds={**self.holds, target: self.holds.get(target, order)})

    def without_hold(self, target: str) -> Orders:
        """Takes a hold away; that of a model takes those of its versions along."""
        versions = f"{target}:"
        left = {name: each for name, each in self.holds.items() if name != target and not name.startswith(versions)}
        return replace(self, holds=left)

    def with_pause(self, order: Order | None) -> Orders:
        """Pauses the queue, or lets it go on; a pause that stands stays as it is."""
        return replace(self, paused=order and (self.paused or order))

    def with_first(self, target: str, order: Order) -> Orders:
        """Puts something before all others."""
        return replace(self, first={target: order, **self.without_first({target}).first})

    def without_first(self, targets: set[str]) -> Orders:
        """Forgets what has had its turn."""
        return replace(self, first={name: each for name, each in self.first.items() if name not in targets})


def read(path: Path) -> Orders:
    """Reads the file; no file, no orders.

    Raises:
        ValueError: it is damaged, which no crash of ours can do; the message says what to do.
    """
    content = wire.read_json(path)
    if content is None:
        if path.exists():
            raise ValueError(f"{path}: is damaged: remove it, and hold, pause or put first again what it held")
        return Orders()
    try:
        paused = content.get("paused")
        return Orders(
            holds={str(name): _order(each) for name, each in content["holds"].items()},
            first={str(name): _order(each) for name, each in content["first"].items()},
            paused=None if paused is None else _order(paused),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: is not understood ({error}): remove it, and give its orders again") from error


def _order(content: Mapping[str, Any]) -> Order:
    return Order(at=datetime.fromisoformat(content["at"]), by=str(content["by"]))


def write(path: Path, orders: Orders) -> None:
    """Keeps the orders, durably.

    Raises:
        OSError: nothing has changed.
    """
    content = asdict(orders)
    for each in (*content["holds"].values(), *content["first"].values(), *filter(None, [content["paused"]])):
        each["at"] = each["at"].isoformat()
    wire.write_json(path, {"format": 1, **content}, sync=True)
