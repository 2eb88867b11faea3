"""Which runs, versions, models or searches a command is about: what a person names, found in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import model_names

if TYPE_CHECKING:
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.comparison import Comparison
    from mlpipeline.observe.comparison_rows import Study
    from mlpipeline.project import Project
    from mlpipeline.run import Run

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person asks for: see `choosing`."""

    what: Sequence[str] = ()
    tags: Collection[str] = ()
    metric: str | None = None
    direction: str | None = None
    study: str | None = None
    each_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was found.

    Attributes:
        groups: of runs, each a row.
        named: ids of runs that were named by them.
        studies: the searches of their models.
        words: what has become of live runs, by their ids.
    """

    choice: Choice
    groups: list[list[Run]]
    named: frozenset[str]
    studies: list[Study]
    words: Mapping[str, str]

    def compared(self) -> Comparison:
        """Compares them by the metric that was asked for.

        Raises:
            UsageError: there is no such metric.
        """
        from mlpipeline.observe import comparison

        return comparison.compared(
            self.groups,
            metric=self.choice.metric,
            direction=self.choice.direction,
            studies=self.studies,
            named=self.named,
            words=self.words,
        )


def choosing(function: _Function) -> _Function:
    """Adds what is chosen, and by what it is compared, to a command: the fields of a Choice."""
    from mlpipeline.searches import DIRECTIONS

    words = click.argument("what", metavar="[MODEL[:VERSION]|RUN]...", nargs=-1, shell_complete=complete_model)
    metric = click.option("--metric", metavar="NAME", help="What is compared. Default: what a search compares by.")
    direction = click.option(
        "--direction",
        type=click.Choice(DIRECTIONS),
        help="Which values are better. Default: what the metric's name says.",
    )
    study = click.option("--study", metavar="NAME", help="Only the trials of a search: its name or `last`.")
    runs = click.option("--runs", "each_run", is_flag=True, help="A row for every run, in place of every version.")
    tags = click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="Only runs that have it; may be given again."
    )
    return words(tags(metric(direction(study(runs(function))))))


def choose(project: Project, choice: Choice) -> Chosen:
    """Finds what a person asks for; nothing named means everything in the project.

    Raises:
        RunNotFound: nothing is called so.
        AmbiguousRun: several ids begin so.
        UsageError: there is no such study.
    """
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.studies import find_study, studies_of

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        groups, named = _grouped(project, ledger, choice)
        words = words_of(project, ledger)
    studies = studies_of(project, dict.fromkeys(group[0].model for group in groups))
    if choice.study is not None:
        study = find_study(studies, choice.study)
        groups = [each for each in groups if each[0].model == study.model and each[0].version in study.trials]
        studies = [study]
    return Chosen(choice=choice, groups=groups, named=named, studies=studies, words=words)


def _grouped(project: Project, ledger: Ledger, choice: Choice) -> tuple[list[list[Run]], frozenset[str]]:
    """Returns groups of runs, each once, and the ids of those that are a group of their own."""
    from mlpipeline.observe.comparison_rows import by_version
    from mlpipeline.rundir import read_tags

    groups: list[list[Run]] = []
    named: set[str] = set()
    for word in choice.what or [""]:
        found, is_run = _found(project, ledger, word)
        if choice.tags:
            found = [run for run in found if set(choice.tags) <= set(read_tags(project.runs_dir / run.id))]
        if is_run or choice.each_run:
            groups += [[run] for run in found]
            named.update(run.id for run in found)
        else:
            groups += by_version(found)
    return list({tuple(run.id for run in group): group for group in groups}.values()), frozenset(named)


def words_of(project: Project, ledger: Ledger) -> dict[str, str]:
    """Returns what `status` says of the runs that live by the ledger: how far they are, or that they are lost."""
    if not ledger.live():
        return {}
    from mlpipeline.cli.setup import now, scheduler_line
    from mlpipeline.observe import status, view

    moment = now()
    seen = view.picture(status.gather(project, scheduler_line(project), moment, ended=0), moment)
    return {line.run.run: line.told for line in seen.running}


def _found(project: Project, ledger: Ledger, word: str) -> tuple[list[Run], bool]:
    """Returns the runs of a word, newest first, and whether it names a run by its id."""
    from mlpipeline.cli.setup import find_run

    if not word:
        return ledger.runs(), False
    model, _, version = word.partition(":")
    for name in model_names(project, model):
        if found := ledger.runs(model=name, version=version or None):
            return found, False
    run, _ = find_run(project, ledger, word)
    return [run], True
