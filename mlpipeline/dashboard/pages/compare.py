"""The pages that put runs side by side: a list to choose from, and table, curves and charts of what was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from mlpipeline.dashboard.pages import run as run_page
from mlpipeline.dashboard.pages.frame import frame, look
from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.errors import UsageError
from mlpipeline.ledger import Ledger
from mlpipeline.observe import charts, comparison, comparison_table, curves, view
from mlpipeline.observe.comparison import Comparison
from mlpipeline.observe.view import jsonable
from mlpipeline.project import Project
from mlpipeline.run import Run

LIST, TEMPLATE = "runs.html", "compare.html"
LISTED = 1000
MOST = 100
_CURVES = 20


def listing(project: Project, *, model: str = "", is_read_only: bool = False) -> dict[str, Any]:
    """Returns the newest runs to choose from, those of one model where it is named."""
    seen = look(project)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        runs = ledger.runs(model=model or None, limit=LISTED)
        total = sum(ledger.counts().values())
    return frame(seen, title="Compare", here="/compare", is_read_only=is_read_only) | {
        "runs": [view.run_line(each, seen.now) for each in runs],
        "total": total,
        "model": model,
    }


def content(
    project: Project, references: Sequence[str], *, metric: str, by: str, is_read_only: bool = False
) -> dict[str, Any]:
    """Returns runs side by side.

    Args:
        project: whose.
        references: ids.
        metric: what decides; empty for the one that says most.
        by: a row for each `run`, or for each `version`.
        is_read_only: nothing may be asked.

    Raises:
        Refusal: there is no such run or metric, or there are too many.
    """
    if len(references) > MOST:
        raise Refusal(400, f"at most {MOST} runs can be compared here: mlpipeline compare takes any number")
    runs = [run_page.find(project, each)[0] for each in dict.fromkeys(references)]
    groups = comparison.by_version(runs) if by == "version" else [[run] for run in runs]
    several = Counter((run.model, run.version) for run in runs)
    named = () if by == "version" else [run.id for run in runs if several[run.model, run.version] > 1]
    try:
        found = comparison.compared(groups, metric=metric or None, named=named)
    except UsageError as error:
        raise Refusal(400, str(error)) from error
    seen = look(project)
    return frame(seen, title="Compare", here="/compare", is_read_only=is_read_only) | {
        "found": found,
        "table": comparison_table.table(found)[0],
        "metric": found.metric,
        "by": by,
        "references": [run.id for run in runs],
        "charts": {"curves": _curves(project, _as_shown(found, runs)), **_charts(found)},
    }


def _as_shown(found: Comparison, runs: Sequence[Run]) -> list[Run]:
    """Returns runs in the order of the rows, so that all charts give a row the same color."""
    places = {run: place for place, run in enumerate(each for row in found.rows for each in row.runs)}
    return sorted((run for run in runs if run.id in places), key=lambda run: places[run.id])


def _charts(found: Comparison) -> dict[str, Any]:
    try:
        drawn = {
            "parallel": asdict(charts.parallel(found)),
            "scatter": {each: asdict(charts.scatter(found, each)) for each in found.parameters},
        }
    except UsageError as error:
        return {"parallel": None, "scatter": {}, "fault": str(error)}
    return {name: jsonable(each) for name, each in drawn.items()} | {"fault": ""}


def _curves(project: Project, runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """Returns by metric the curves of the first runs; those of a version look alike."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs[:_CURVES]:
        for name, told in run_page.told(curves.of_run(project.root, run)).items():
            label = f"{run.model}:{run.version} {run.id[-6:]}"
            found.setdefault(name, []).append({"name": label, **told})
    return found
