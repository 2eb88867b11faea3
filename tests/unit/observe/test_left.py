"""What is left of a queue: reckoned and said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mlpipeline.durations import Estimate, Work
from mlpipeline.observe import left, text
from mlpipeline.observe.left import Left
from mlpipeline.observe.view import NextLine
from mlpipeline.queue.verdicts import FOR_A_SLOT
from tests.unit.sample_runs import NOW

LONG = Estimate(7800, 6600, 9600, 12)
CLOCK = text.clock(NOW + timedelta(seconds=7800), NOW)
LATE = Estimate(0, 0, 0, 12, is_late=True)


def test_a_queue_is_told_with_its_end_and_what_is_not_known_of_it() -> None:
    works = [Work(Estimate(60, 60, 60, 20), ("a.py", "v"), runs=2), Work(None, ("b.py", "v"), runs=3), Work(LATE)]
    found = left.of_queue(works, slots=1, now=NOW, is_closed=False)
    assert found == Left(Estimate(120, 120, 120), NOW + timedelta(seconds=120), 3, 1)
    assert left.sentence(found, NOW) == (
        f"About 2 min left, done around {text.clock(NOW + timedelta(seconds=120), NOW)}, "
        "+ 3 versions never timed, + 1 running longer than usual."
    )


def test_nothing_is_left_of_nothing() -> None:
    assert left.of_queue([], slots=1, now=NOW, is_closed=False) is None


@pytest.mark.parametrize(
    ("found", "is_served", "told"),
    [
        (
            Left(LONG, NOW + timedelta(seconds=7800), 0, 0),
            True,
            f"About 2 h 10 min (1 h 50 min to 2 h 40 min) left, done around {CLOCK}.",
        ),
        (Left(LONG, None, 0, 0), True, "About 2 h 10 min (1 h 50 min to 2 h 40 min) left, once the queue goes on."),
        (Left(LONG, None, 0, 0), False, "About 2 h 10 min (1 h 50 min to 2 h 40 min) of training."),
        (Left(None, None, 1, 0), True, "How long it takes is not known: 1 version never timed."),
        (Left(None, None, 0, 1), True, "How long it takes is not known: 1 running longer than usual."),
    ],
)
def test_what_is_left_is_said_in_a_sentence(found: Left, is_served: bool, told: str) -> None:
    assert left.sentence(found, NOW, is_served=is_served) == told


def test_a_queue_that_starts_nothing_has_no_end() -> None:
    found = left.of_queue([Work(LONG)], slots=1, now=NOW, is_closed=True)
    assert found is not None
    assert found.done_at is None
    assert found.takes is not None


def coming(version: str, reason: str = FOR_A_SLOT, verdict: str = "due") -> dict[str, Any]:
    return {"model": "a.py", "version": version, "verdict": verdict, "reason": reason}


def starts_of(status: dict[str, Any], *running: Estimate | None) -> list[float | None]:
    """Returns when what comes next starts, where each version takes a minute but for one that nobody knows."""
    minute = Estimate(60, 60, 60, 20)
    works = [Work(minute if name != "unknown" else None, ("a.py", name)) for name in ("b", "c", "d", "unknown")]
    _, found = left.ahead(status, [Work(each, ("a.py", "a")) for each in running], works, NOW)
    return [None if each is None else round(each.seconds, 3) for each in found]


def test_what_comes_next_starts_when_those_before_it_are_done() -> None:
    half, status = Estimate(30, 30, 30, 20), {"slots": 1, "next": [coming("b"), coming("c"), coming("d")]}
    assert starts_of(status, half) == [30, 90, 150]
    assert starts_of(status | {"slots": 2}, half, half) == [30, 30, 90]


def test_no_start_is_told_where_it_is_not_known() -> None:
    half = Estimate(30, 30, 30, 20)
    held = [coming("b", "held", "held"), coming("b"), coming("c", "waits for b.py", "waiting"), coming("d")]
    assert starts_of({"next": held}, half) == [None, 30, None, 90]
    assert starts_of({"next": [coming("b"), coming("unknown"), coming("c")]}, half) == [30, 90, None]
    assert starts_of({"next": [coming("b")], "closed": True}, half) == [None]
    assert starts_of({"next": [coming("b", "next"), coming("c")]}) == [None, 60]
    assert starts_of({"next": [coming("b")]}, None) == [None]
    assert starts_of({"next": [coming("b")]}, LATE) == [None]


def test_a_start_is_said_behind_the_reason() -> None:
    line = NextLine(model="a.py", version="b", replicate=0, verdict="due", reason=FOR_A_SLOT)
    assert left.reason(line) == "waits for a slot"
    assert left.reason(replace(line, starts=LONG)) == "waits for a slot, starts in about 2 h 10 min"


class Known:
    """Timings that know one version, and what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def estimate(self, *about: Any) -> Estimate | None:
        self.asked.append(about)
        return LONG if about[0] == "a.py" else None


def test_the_status_file_tells_what_is_open() -> None:
    timings: Any = Known()
    later = (NOW + timedelta(hours=1)).isoformat()
    status = {
        "open": [
            {"model": "a.py", "version": "v", "count": 2, "epochs": 5.0},
            {"model": "b.py", "version": "", "until": later},
        ]
    }
    assert left.works_of_status(status, timings, NOW) == [
        Work(LONG, ("a.py", "v"), runs=2),
        Work(None, ("b.py", ""), after=3600.0),
    ]
    assert timings.asked == [("a.py", "v", (5.0, None)), ("b.py", "", (None, None))]
    assert left.works_of_status({}, timings, NOW) == []


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (59.8, "1 min"), (98, "1 min 40 s"), (299, "5 min"), (3590, "1 h"),
     (7830, "2 h 10 min"), (86390, "24 h"), (100_000, "1 d 3 h")],
)  # fmt: skip
def test_an_estimate_is_no_more_exact_than_it_can_be(seconds: float, told: str) -> None:
    assert text.rough(seconds) == told


@pytest.mark.parametrize(
    ("span", "told"),
    [((13, 24, 45), "24 s (13-45)"), ((0.2, 0.5, 1), "0.5 s (0.2-1)"), ((246, 462, 840), "7.7 min (4.1-14)"),
     ((6600, 7800, 9600), "2.2 h (1.8-2.7)"), ((60, 60, 60), "60 s"), ((1e5, 2e5, 3e5), "2.3 d (1.2-3.5)")],
)  # fmt: skip
def test_an_estimate_fits_into_a_cell(span: tuple[float, float, float], told: str) -> None:
    assert text.between(*span) == told


def test_a_table_says_what_runs_longer_than_usual() -> None:
    assert left.of_one(LATE, is_running=True) == "longer than usual"
    assert left.of_one(LONG, is_running=True) == "2 h 10 min left"
    assert left.of_one(None) == ""
