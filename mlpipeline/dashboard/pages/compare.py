"""The pages that put runs side by side: a list to choose from, and table, curves and charts of what was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from mlpipeline.dashboard.lookout import Lookout
from mlpipeline.dashboard.pages import chosen
from mlpipeline.dashboard.pages import run as run_page
from mlpipeline.dashboard.pages.chosen import Choice
from mlpipeline.dashboard.pages.frame import frame
from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.errors import UsageError
from mlpipeline.jsonable import jsonable
from mlpipeline.observe import charts, comparison, comparison_table, curves, view
from mlpipeline.observe.comparison import Comparison
from mlpipeline.observe.comparison_rows import by_version
from mlpipeline.observe.studies import studies_of
from mlpipeline.project import Project
from mlpipeline.run import Run

LIST, TEMPLATE = "runs.html", "compare.html"
LISTED = 1000
MOST = 100
STUDIES = 20
_CURVES = 8


def listing(lookout: Lookout, choice: Choice, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns the newest runs to choose from; those of one model, or with some tags, where these are named."""
    seen, project = lookout.look(), lookout.project
    runs = chosen.runs_of(project, choice, LISTED)
    tags = chosen.tags_of(project, runs)
    return frame(seen, title="Compare", here="/compare", is_read_only=is_read_only) | {
        "runs": [view.run_line(each, seen.now) for each in runs],
        "total": sum(seen.picture.runs.values()),
        "model": choice.model,
        "tags": tags,
        "tags_in_use": chosen.tags_in_use(tags.values()),
        "studies": studies_of(project, dict.fromkeys(run.model for run in runs))[:STUDIES],
    }


def content(lookout: Lookout, choice: Choice, *, metric: str, by: str, is_read_only: bool = False) -> dict[str, Any]:
    """Returns runs side by side.

    Args:
        lookout: at the project.
        choice: which runs.
        metric: what decides; empty for the one that says most.
        by: a row for each `run`, or for each `version`.
        is_read_only: nothing may be asked.

    Raises:
        Refusal: there is no such run, search or metric, or there are too many runs.
    """
    seen, project = lookout.look(), lookout.project
    if len(choice.runs) > MOST:
        raise Refusal(400, f"at most {MOST} runs can be compared here: mlpipeline compare takes any number")
    runs = chosen.runs_of(project, choice)
    whole = _compared(project, runs, metric=metric, by=by)
    found = replace(whole, rows=whole.rows[:MOST])
    title = f"Search of {choice.model or 'a model'}" if choice.study else "Compare"
    return frame(seen, title=title, here="/compare", is_read_only=is_read_only) | {
        "found": found,
        "table": comparison_table.table(found)[0],
        "metric": found.metric,
        "by": by,
        "choice": choice,
        "left_out": len(whole.rows) - len(found.rows),
        "charts": _curves(project, _as_shown(found, runs)) | _charts(found),
    }


def _compared(project: Project, runs: Sequence[Run], *, metric: str, by: str) -> Comparison:
    groups = by_version(runs) if by == "version" else [[run] for run in runs]
    several = Counter((run.model, run.version) for run in runs)
    named = () if by == "version" else [run.id for run in runs if several[run.model, run.version] > 1]
    studies = studies_of(project, dict.fromkeys(run.model for run in runs))
    try:
        return comparison.compared(groups, metric=metric or None, studies=studies, named=named)
    except UsageError as error:
        raise Refusal(400, str(error)) from error


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


def _curves(project: Project, runs: Sequence[Run]) -> dict[str, Any]:
    """Returns by metric the curves of the first runs, what these are called, and how many others have none here.

    `place` is a run's color, the same in all charts.
    """
    is_one_model = len({run.model for run in runs}) == 1
    several = Counter((run.model, run.version) for run in runs)
    found: dict[str, list[dict[str, Any]]] = {}
    names = []
    for place, run in enumerate(runs[:_CURVES]):
        name = run.version if is_one_model else f"{run.model}:{run.version}"
        names.append(f"{name} {run.id[-6:]}" if several[run.model, run.version] > 1 else name)
        for metric, told in run_page.told(curves.of_run(project.root, run)).items():
            found.setdefault(metric, []).append({"name": names[-1], "place": place, **told})
    return {"curves": found, "names": names, "without_curves": max(0, len(runs) - _CURVES)}
