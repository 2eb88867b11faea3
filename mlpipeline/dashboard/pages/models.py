"""The page of models: what is listed, with its faults, and the latest result of each version that has run."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mlpipeline import selection, trials
from mlpipeline.dashboard.lookout import Lookout
from mlpipeline.dashboard.pages.frame import fault_of, frame
from mlpipeline.ledger import Ledger
from mlpipeline.observe import view
from mlpipeline.observe.view import RunLine
from mlpipeline.selection import Listed

TEMPLATE = "models.html"
_RUNS = 5000
VERSIONS, TRIALS = 12, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A model.

    Attributes:
        listed: how it is listed; None where it is not.
        fault: what is wrong with it.
        latest: the newest run of each version and seed, those that ran last; `more` others are left out.
        counts: its runs, by state.
        studies: its search.
    """

    name: str
    listed: Listed | None
    fault: str
    latest: tuple[RunLine, ...]
    more: int
    counts: dict[str, int]
    studies: tuple[trials.Progress, ...]


def content(lookout: Lookout, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the page shows."""
    seen, project = lookout.look(), lookout.project
    listed = selection.read(project, test=False)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        runs = ledger.runs(limit=_RUNS)
    latest: dict[str, dict[tuple[str, int], RunLine]] = {each.model: {} for each in listed.models}
    counts: dict[str, dict[str, int]] = {}
    for run in runs:
        latest.setdefault(run.model, {}).setdefault((run.version, run.replicate), view.run_line(run, seen.now))
        of_model = counts.setdefault(run.model, {})
        of_model[run.state.value] = of_model.get(run.state.value, 0) + 1
    searched = {each.model for each in seen.picture.studies}

    def most(name: str) -> int:
        return TRIALS if name in searched else VERSIONS

    known = {each.model: each for each in listed.models}
    cards = [
        Card(
            name=name,
            listed=known.get(name),
            fault=(known[name].fault if name in known else "") or fault_of(seen, name),
            latest=tuple(lines.values())[: most(name)],
            more=max(0, len(lines) - most(name)),
            counts=counts.get(name, {}),
            studies=tuple(each for each in seen.picture.studies if each.model == name),
        )
        for name, lines in latest.items()
    ]
    more = {"cards": cards, "faults": [str(each) for each in listed.faults], "is_cut": len(runs) == _RUNS}
    return frame(seen, title="Models", here="/models", live="/live/models", is_read_only=is_read_only) | more
