"""What people read of a search: how many trials there are, and which is the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a search is.

    Attributes:
        study: its name; an edit of the search makes another one.
        drawn: how many trials there are; `done`, `failed` and `pruned` of them are over.
        is_exhausted: the space holds no other trial.
        best: the version with the best value, and that value.
    """

    model: str
    study: str
    metric: str
    direction: str
    sampler: str
    trials: int
    drawn: int = 0
    done: int = 0
    failed: int = 0
    pruned: int = 0
    is_exhausted: bool = False
    best: tuple[str, float] | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Progress:
        """Reads what `to_json` made."""
        best = content.get("best")
        return cls(**{**content, "best": None if best is None else (str(best[0]), float(best[1]))})

    def to_json(self) -> dict[str, Any]:
        """Returns it for the status file and for programs."""
        return asdict(self)

    @property
    def is_open(self) -> bool:
        """Whether trials are still to be drawn."""
        return self.drawn < self.trials and not self.is_exhausted


def sentence(found: Progress) -> str:
    """Says how far a search is: `Search of m.py (tpe): 17 of 200 trials drawn, 15 done; best loss 0.83 (trial-9)`."""
    counts = [(found.done, "done"), (found.failed, "failed"), (found.pruned, "pruned")]
    told = "".join(f", {count} {word}" for count, word in counts if count)
    end = ", and there are no others" if found.is_exhausted else ""
    drawn = f"{found.drawn} of {found.trials} trials drawn{told}{end}"
    return f"Search of {found.model} ({found.sampler}): {drawn}; {best(found)}"


def of_trial(place: int, found: Progress) -> str:
    """Says which trial of a search a version is."""
    return f"It is trial {place} of {found.trials} of the search; {best(found)}."


def best(found: Progress) -> str:
    """Says which trial is the best so far."""
    if found.best is None:
        return f"no value of '{found.metric}' yet"
    so_far = "" if found.done + found.failed + found.pruned >= found.trials else " so far"
    return f"best {found.metric}{so_far} {found.best[1]:.6g} ({found.best[0]})"
