"""What `doctor` finds out, and how it is told: facts, notes, and problems with what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """How much a finding matters: only a problem makes the command fail."""

    FINE = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a report.

    Attributes:
        area: what it is about.
        text: a sentence; of a problem also what to do.
    """

    area: str
    weight: Weight
    text: str


def fine(area: str, text: str) -> Finding:
    """Returns a fact."""
    return Finding(area=area, weight=Weight.FINE, text=text)


def note(area: str, text: str) -> Finding:
    """Returns something that may matter."""
    return Finding(area=area, weight=Weight.NOTE, text=text)


def problem(area: str, text: str) -> Finding:
    """Returns something that has to be mended."""
    return Finding(area=area, weight=Weight.PROBLEM, text=text)
