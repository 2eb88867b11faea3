"""What came of a standard workflow, as a person reads it: a table of metrics, and where everything lies."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlpipeline.workflow.part import Part
from mlpipeline.workflow.types import MetadataTracker, Resource, Splits
from mlpipeline.workflow.wants import wants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WIDTH = 100
_DIGEST = 12


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run of a workflow has made so far.

    Attributes:
        metrics: by part and name.
        jobs: the predictions, and where they were saved.
        standing: what became of the model: the champion, waiting for approval, or not promoted.
        answers_at: where the model was deployed.
    """

    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    model: Resource | None = None
    splits: Splits | None = None
    jobs: list[tuple[Resource, str | None]] = field(default_factory=list)
    standing: str = ""
    answers_at: str | None = None


def text(outcome: Outcome, runner: Any) -> str:
    """Returns the table, and line by line model, predictions, lineage, and the parts that were left out."""
    name = "" if outcome.model is None else outcome.model.name
    lines = [table(outcome.metrics, name), *_places(outcome, runner)]
    if left_out := _left_out(runner):
        lines.append(f"left out     {', '.join(left_out)}: declare what you want under component:")
    return "\n".join(lines)


def table(metrics: Mapping[str, Mapping[str, float]], title: str) -> str:
    """Returns metrics as a table: a row for each, a column for each part."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    drawn.add_column("metric")
    for part in metrics:
        drawn.add_column(part, justify="right")
    for name in dict.fromkeys(name for found in metrics.values() for name in found):
        values = (found.get(name) for found in metrics.values())
        drawn.add_row(name, *("" if value is None else f"{value:.4f}" for value in values))
    stream = io.StringIO()
    Console(file=stream, width=_WIDTH).print(drawn)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines() if line.strip())


def _places(outcome: Outcome, runner: Any) -> Iterator[str]:
    model, tracker = outcome.model, runner.metadata_tracker
    if model is None:
        return
    yield f"model        {_told(model)}{f', {outcome.standing}' if outcome.standing else ''}"
    for job, saved in outcome.jobs:
        yield f"predictions  {_told(job)}{f', saved as {_short(saved)}' if saved else ''}"
    if outcome.answers_at is not None:
        yield f"answers at   {outcome.answers_at}"
    for each in _made(outcome, tracker):
        parents = " + ".join(each.parents)
        yield f"lineage      {each.id} ({each.digest[:_DIGEST]}){f' <- {parents}' if parents else ''}"
    yield f"records      {_short(tracker.place)}"


def _made(outcome: Outcome, tracker: MetadataTracker) -> list[Resource]:
    """Returns the predictions, the model, and all that they were made from, each once."""
    lasts = [job for job, _ in outcome.jobs] or ([] if outcome.model is None else [outcome.model])
    found = [*lasts, *(each for last in lasts for each in tracker.lineage(last))]
    return list({each.id: each for each in found}.values())


def _told(resource: Resource) -> str:
    return resource.id + (f" at {_short(resource.place)}" if resource.place else "")


def _short(place: str) -> str:
    """Returns a path from the working directory where it lies below that; a URL as it is."""
    path = Path(place)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else place


def _left_out(runner: Part) -> list[str]:
    """Returns the parts that pipelines would use and do not have."""
    found = []
    for name in ("process", "train", "deploy", "predict"):
        pipeline = runner.__dict__.get(name)
        if pipeline is None:
            found.append(name)
            continue
        needs = wants(type(pipeline)).needs
        found += [f"{name}.{each}" for each in needs if pipeline.__dict__.get(each) is None]
    return found
