"""What one notifying process hands on to the next: what it had seen, and what has not arrived yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mlpipeline.jsonable import jsonable
from mlpipeline.observe.notices import Key, Notice
from mlpipeline.observe.progress import number_of, time_of

LOOK_BACK = timedelta(days=1)
"""What ended longer ago, while nobody looked, is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What waits for one place that is told, and when that was told last."""

    waiting: tuple[Notice, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody who looked last had seen.

    Attributes:
        at: when that was; None for nobody.
        live: the attempts that had not ended then: their end is news whenever it was.
        told: attempts of which the end was seen, and is as young as that look.
        stalled: attempts that were told to have stalled.
    """

    at: datetime | None = None
    live: frozenset[Key] = frozenset()
    told: frozenset[Key] = frozenset()
    stalled: frozenset[Key] = frozenset()

    def since(self, start: datetime) -> datetime:
        """Returns from when on ends are news to who starts to look at a moment."""
        return start if self.at is None else min(start, max(self.at, start - LOOK_BACK))


def to_json(seen: Seen, boxes: Mapping[str, Outbox]) -> dict[str, Any]:
    """Returns both as what is written into a file."""
    content = {
        "format": 1,
        "at": seen.at,
        "live": sorted(seen.live),
        "told": sorted(seen.told),
        "stalled": sorted(seen.stalled),
        "places": {name: _told(box) for name, box in boxes.items()},
    }
    written: dict[str, Any] = jsonable(content)
    return written


def _told(box: Outbox) -> dict[str, Any]:
    waiting = [asdict(each) for each in box.waiting]
    return {"waiting": waiting, "left_out": dict(box.left_out), "sent_at": box.sent_at}


def from_json(content: Mapping[str, Any]) -> tuple[Seen, dict[str, Outbox]]:
    """Reads what was written; whatever of it cannot be read is left out."""
    places = content.get("places")
    return Seen(
        at=time_of(content.get("at")),
        live=_keys(content.get("live")),
        told=_keys(content.get("told")),
        stalled=_keys(content.get("stalled")),
    ), {str(name): _box(each) for name, each in (places.items() if isinstance(places, dict) else ())}


def _keys(told: Any) -> frozenset[Key]:
    pairs = told if isinstance(told, list) else []
    known = [each for each in pairs if isinstance(each, list) and len(each) == 2 and number_of(each[1]) is not None]
    return frozenset((str(run), int(number)) for run, number in known)


def _box(told: Any) -> Outbox:
    content = told if isinstance(told, dict) else {}
    left_out = content.get("left_out")
    counts = {kind: int(number_of(each) or 0) for kind, each in left_out.items()} if isinstance(left_out, dict) else {}
    return Outbox(
        waiting=tuple(_notices(content.get("waiting"))),
        left_out=counts,
        sent_at=time_of(content.get("sent_at")),
    )


def _notices(told: Any) -> Iterable[Notice]:
    for each in told if isinstance(told, list) else ():
        at = time_of(each.get("at")) if isinstance(each, dict) else None
        if at is not None:
            words = {name: str(each.get(name) or "") for name in ("kind", "text", "run", "model", "version")}
            numbers = {name: int(number_of(each.get(name)) or 0) for name in ("attempt", "replicate")}
            yield Notice(at=at, **words, **numbers)  # type: ignore[arg-type]
