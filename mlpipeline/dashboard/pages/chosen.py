"""Which runs a page is about: those that were chosen, those of a search, or those that have some tags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlencode

from mlpipeline import wire
from mlpipeline.dashboard.pages import run as run_page
from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.errors import UsageError
from mlpipeline.ledger import Ledger
from mlpipeline.observe.comparison_rows import Study
from mlpipeline.observe.studies import find_study, studies_of
from mlpipeline.project import Project
from mlpipeline.run import Run
from mlpipeline.rundir import read_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What an address asks for.

    Attributes:
        runs: ids.
        model: only runs of it; whose search is meant.
        study: the name of a search, the beginning of one, or `last`.
        tags: only runs that have all of them.
    """

    runs: tuple[str, ...] = ()
    model: str = ""
    study: str = ""
    tags: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Returns it as the fields of a form."""
        single = (("model", self.model), ("study", self.study))
        found = [("run", each) for each in self.runs] + [pair for pair in single if pair[1]]
        return found + [("tag", each) for each in self.tags]

    @property
    def query(self) -> str:
        """Returns it as the query of an address."""
        return urlencode(self.pairs)


def runs_of(project: Project, choice: Choice, limit: int | None = None) -> list[Run]:
    """Returns the runs, newest first; of those that were chosen by their ids all, in their order.

    Raises:
        Refusal: there is no such run, or no such search.
    """
    if choice.runs:
        return [run_page.find(project, each)[0] for each in dict.fromkeys(choice.runs)]
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        found = ledger.runs(model=choice.model or None, limit=None if choice.tags or choice.study else limit)
    if choice.study:
        study = _study(project, choice, found)
        found = [run for run in found if run.model == study.model and run.version in study.trials]
    if choice.tags:
        tags = tags_of(project, found)
        found = [run for run in found if set(choice.tags) <= set(tags[run.id])]
    return found[:limit]


def _study(project: Project, choice: Choice, runs: Iterable[Run]) -> Study:
    models = [choice.model] if choice.model else dict.fromkeys(run.model for run in runs)
    try:
        return find_study(studies_of(project, models), choice.study)
    except UsageError as error:
        raise Refusal(404, str(error)) from error


def tags_of(project: Project, runs: Iterable[Run]) -> dict[str, list[str]]:
    """Returns the tags that people gave runs, by their ids."""
    directory = project.runs_dir
    has_some = {run.id: os.path.exists(f"{directory}/{run.id}/{wire.TAGS}") for run in runs}
    return {run: read_tags(directory / run) if tagged else [] for run, tagged in has_some.items()}


def tags_in_use(found: Iterable[Sequence[str]]) -> list[str]:
    """Returns each tag once, in alphabetical order."""
    return sorted({tag for tags in found for tag in tags})
