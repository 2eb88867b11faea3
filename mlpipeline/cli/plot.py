"""The command that draws: learning curves, bars, points, parallel coordinates; in the terminal or into a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.choosing import Choice, Chosen, choose, choosing
from mlpipeline.cli.setup import Setup, say, shared
from mlpipeline.observe import text

if TYPE_CHECKING:
    from mlpipeline.observe.charts import Chart, Parallel
    from mlpipeline.observe.curves import Curve
    from mlpipeline.run import Run

KINDS = ("curves", "bars", "scatter", "trials", "parallel")
_MOST_CURVES = 40
_WIDEST = 120


@click.command()
@choosing
@click.option("--kind", type=click.Choice(KINDS), help="Default: trials for a search, else curves, else bars.")
@click.option("--x", "address", metavar="PARAMETER", help="Of a scatter. Default: the first parameter that differs.")
@click.option("--log-x", is_flag=True, help="A logarithmic x axis.")
@click.option("--log-y", is_flag=True, help="A logarithmic y axis.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="A .png, .svg or .pdf.")
@shared
@click.pass_obj
def plot(
    setup: Setup, /, kind: str | None, address: str | None, log_x: bool, log_y: bool, output: Path | None, **choice: Any
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
    found = choose(project, Choice(**choice))
    if not found.groups:
        told = "no run has these tags" if found.choice.tags else "no run is recorded yet"
        raise UsageError(f"{told}, so there is nothing to draw: see mlpipeline history")
    chart = _Drawing(root=project.root, found=found, address=address, log_x=log_x, log_y=log_y).chart(kind)
    if output is not None:
        figures.draw(chart, output)
    if setup.json:
        setup.emit({"format": 1, "file": None if output is None else str(output), "chart": asdict(chart)})
    elif output is not None:
        say(str(output))
    elif not isinstance(chart, Parallel):
        for line in text_chart.lines(chart, min(_WIDEST, shutil.get_terminal_size().columns)):
            say(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """What is drawn, and over which axes. Curves of a run are read once: a million points take seconds."""

    root: Path
    found: Chosen
    address: str | None
    log_x: bool
    log_y: bool
    read: dict[str, dict[str, Curve]] = field(default_factory=dict)

    def chart(self, kind: str | None) -> Chart | Parallel:
        """Returns the chart of this kind, by default the one that says most.

        Raises:
            UsageError: there is nothing to draw.
        """
        from mlpipeline.errors import UsageError
        from mlpipeline.observe import charts

        kind = kind or self.usual()
        if kind == "curves":
            return self.curves()
        if kind in ("bars", "parallel") and (self.log_x or self.log_y):
            raise UsageError(f"--log-x and --log-y are of curves, scatter and trials: {kind} have no such axis")
        compared = self.found.compared()
        if kind == "bars":
            return charts.bars(compared)
        if kind == "parallel":
            return charts.parallel(compared)
        if kind == "trials":
            return charts.logarithmic(charts.trials(compared), x=self.log_x, y=self.log_y)
        if self.address is None and not compared.parameters:
            raise UsageError("all of these have the same parameters: say which one is meant, --x PARAMETER")
        drawn = charts.scatter(compared, self.address or compared.parameters[0])
        return charts.logarithmic(drawn, x=self.log_x, y=self.log_y)

    def usual(self) -> str:
        """Returns what says most: a search's course, learning curves where there are any, else bars."""
        from mlpipeline.observe.results import recorded

        found, metric = self.found, self.found.choice.metric
        if found.studies and {group[0].model for group in found.groups} == {found.studies[0].model}:
            return "trials"
        curves = (self.curves_of(run) for _, run in self.named())
        has_any = any((metric is None or recorded(metric, list(each))) for each in curves if each)
        return "curves" if has_any else "bars"

    def named(self) -> Iterator[tuple[str, Run]]:
        """Yields the runs with the names of their curves."""
        has_models = len({group[0].model for group in self.found.groups}) > 1
        for group in self.found.groups:
            for run in group:
                title = text.title(run.model, run.version) if has_models else run.version
                yield f"{title} {run.id}" if run.id in self.found.named else title, run

    def curves_of(self, run: Run) -> dict[str, Curve]:
        """Returns the curves of a run, by metric."""
        from mlpipeline.observe import curves

        if run.id not in self.read:
            self.read[run.id] = curves.of_run(self.root, run)
        return self.read[run.id]

    def curves(self) -> Chart:
        """Returns the curves of one metric, and of each what a picture shows.

        Raises:
            UsageError: none of the runs recorded it.
        """
        from mlpipeline.errors import UsageError
        from mlpipeline.observe import charts, curves
        from mlpipeline.observe.results import told_recorded

        runs = list(self.named())
        read = [(name, self.curves_of(run)) for name, run in runs[:_MOST_CURVES]]
        known = list(dict.fromkeys(each for _, of_run in read for each in of_run))
        if not known:
            raise UsageError(
                "none of these runs has recorded any metric: see self.run.record; --kind bars shows results"
            )
        chosen = told_recorded(self.found.choice.metric, known)
        drawn = [(name, of_run[chosen]) for name, of_run in read if chosen in of_run]
        shown = [(name, each.finite.positive(x=self.log_x, y=self.log_y)) for name, each in drawn]
        few = [(name, curves.downsampled(each, log_x=self.log_x, log_y=self.log_y)) for name, each in shown]
        finite = sum(len(each.finite) for _, each in drawn)
        odd = sum(len(each) for _, each in drawn) - finite
        notes = [f"{text.many(odd, 'value')} not finite, not drawn"] if odd else []
        notes += charts.hidden(finite - sum(len(each) for _, each in shown))
        notes += [f"{len(read) - len(drawn)} of the runs did not record it"] if len(drawn) < len(read) else []
        notes += [f"{len(runs) - _MOST_CURVES} more runs are not drawn"] if len(runs) > _MOST_CURVES else []
        points = [(name, each.steps.tolist(), each.values.tolist()) for name, each in few]
        return charts.logarithmic(charts.curves(points, chosen, notes), x=self.log_x, y=self.log_y)
