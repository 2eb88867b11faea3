"""The command that draws: learning curves, bars, points, parallel coordinates; in the terminal or into a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.choosing import Chosen, choose, choosing
from mlpipeline.cli.setup import Setup, say, shared
from mlpipeline.observe import text

if TYPE_CHECKING:
    from mlpipeline.observe.charts import Chart, Parallel
    from mlpipeline.observe.curves import Curve
    from mlpipeline.project import Project
    from mlpipeline.run import Run

KINDS = ("curves", "bars", "scatter", "trials", "parallel")
_MOST_CURVES = 40
_WIDEST = 120


@click.command()
@choosing
@click.option("--kind", type=click.Choice(KINDS), help="Default: trials for a search, else curves, else bars.")
@click.option("--x", "address", metavar="PARAMETER", help="Of a scatter. Default: the first parameter that differs.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="A .png, .svg or .pdf.")
@shared
@click.pass_obj
def plot(
    setup: Setup,
    what: tuple[str, ...],
    tags: tuple[str, ...],
    metric: str | None,
    direction: str | None,
    study: str | None,
    each_run: bool,
    kind: str | None,
    address: str | None,
    output: Path | None,
) -> None:
    """Draw learning curves, or how versions compare; in letters, or into a file.

    Files need matplotlib: pip install 'mlpipeline[plots]'.

    \b
    mlpipeline plot digits.py:wide
    mlpipeline plot digits.py --metric validation_loss -o curves.png
    mlpipeline plot digits.py --study last --kind parallel -o search.svg
    mlpipeline plot digits.py --kind scatter --x estimator__max_depth
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.observe import text_chart
    from mlpipeline.observe.charts import Parallel

    if output is not None:
        from mlpipeline.observe import figures

        figures.check(output)
    if kind == "parallel" and output is None and not setup.json:
        raise UsageError("parallel coordinates need a file: add -o FILE.png, or see --kind scatter")
    project = setup.project()
    found = choose(project, what, each_run=each_run, study=study, tags=tags)
    if not found.groups:
        told = "no run has these tags" if tags else "no run is recorded yet"
        raise UsageError(f"{told}, so there is nothing to draw: see mlpipeline history")
    reader = _Reader(project)
    chart = _chart(reader, found, kind or _usual(reader, found, metric), metric, direction, address)
    if output is not None:
        figures.draw(chart, output)
    if setup.json:
        setup.emit({"format": 1, "file": None if output is None else str(output), "chart": asdict(chart)})
    elif output is not None:
        say(str(output))
    elif not isinstance(chart, Parallel):
        for line in text_chart.lines(chart, min(_WIDEST, shutil.get_terminal_size().columns)):
            say(line)


def _usual(reader: _Reader, found: Chosen, metric: str | None) -> str:
    """Returns the kind of chart that says most: a search's course, learning curves where there are any, else bars."""
    from mlpipeline.observe.results import recorded

    if found.studies and {group[0].model for group in found.groups} == {found.studies[0].model}:
        return "trials"
    curves = (reader.of(run) for _, run in _named(found))
    has_any = any((metric is None or recorded(metric, list(each))) for each in curves if each)
    return "curves" if has_any else "bars"


def _chart(
    reader: _Reader, found: Chosen, kind: str, metric: str | None, direction: str | None, address: str | None
) -> Chart | Parallel:
    from mlpipeline.errors import UsageError
    from mlpipeline.observe import charts

    if kind == "curves":
        return _curves(reader, found, metric)
    compared = found.compared(metric, direction)
    if kind == "scatter":
        if address is None and not compared.parameters:
            raise UsageError("all of these have the same parameters: say which one is meant, --x PARAMETER")
        return charts.scatter(compared, address or compared.parameters[0])
    if kind == "trials":
        return charts.trials(compared)
    return charts.bars(compared) if kind == "bars" else charts.parallel(compared)


def _named(found: Chosen) -> Iterator[tuple[str, Run]]:
    """Yields the runs with the names of their curves."""
    has_models = len({group[0].model for group in found.groups}) > 1
    for group in found.groups:
        for run in group:
            title = text.title(run.model, run.version) if has_models else run.version
            yield f"{title} {run.id}" if run.id in found.named else title, run


class _Reader:
    """Reads the curves of runs, of each run once: a million points take seconds."""

    def __init__(self, project: Project) -> None:
        self.root = project.root
        self._known: dict[str, dict[str, Curve]] = {}

    def of(self, run: Run) -> dict[str, Curve]:
        """Returns the curves of a run, by metric."""
        from mlpipeline.observe import curves

        if run.id not in self._known:
            self._known[run.id] = curves.of_run(self.root, run)
        return self._known[run.id]


def _curves(reader: _Reader, found: Chosen, metric: str | None) -> Chart:
    """Reads the curves of one metric, and leaves of each what a picture shows.

    Raises:
        UsageError: none of the runs recorded it.
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.observe import charts, curves
    from mlpipeline.observe.results import told_recorded

    runs = list(_named(found))
    read = [(name, reader.of(run)) for name, run in runs[:_MOST_CURVES]]
    known = list(dict.fromkeys(each for _, of_run in read for each in of_run))
    if not known:
        raise UsageError("none of these runs has recorded any metric: see self.run.record; --kind bars shows results")
    chosen = told_recorded(metric, known)
    drawn, odd = [], 0
    for name, of_run in read:
        if chosen in of_run:
            few = curves.downsampled(of_run[chosen])
            odd += len(of_run[chosen]) - len(of_run[chosen].finite)
            drawn.append((name, few.steps.tolist(), few.values.tolist()))
    notes = [f"{text.many(odd, 'value')} not finite, not drawn"] if odd else []
    notes += [f"{len(read) - len(drawn)} of the runs did not record it"] if len(drawn) < len(read) else []
    notes += [f"{len(runs) - _MOST_CURVES} more runs are not drawn"] if len(runs) > _MOST_CURVES else []
    return charts.curves(drawn, chosen, notes)
