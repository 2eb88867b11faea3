"""The trials of a tuner as runs of the project: recorded one by one, found again after a kill."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import params, plugins, wire
from mlpipeline.console import LOGGER
from mlpipeline.errors import LedgerError, MlpipelineError
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import State
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.trial import within
from mlpipeline.workflow.types.model import ModelTrainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SEARCH, DRAWN = "search", "drawn"
_ARTEFACT = "artefact"
_GROUP = "validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One set of hyper-parameters.

    Attributes:
        number: in its search, from 1.
        trainer: the name of the part that is fitted.
        parameters: its hyper-parameters.
        drawn: what the search drew, for it to go on from.
    """

    number: int
    trainer: str
    parameters: Mapping[str, Any]
    drawn: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the version of its run is called."""
        return f"trial-{self.number}"

    @property
    def told(self) -> str:
        """What it is, for a person."""
        return f"{self.trainer} {dict(self.parameters)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A trial that is over: its value, None where it failed; its trainer where it was fitted here; its directory."""

    trial: Trial
    value: float | None
    trainer: ModelTrainer | None = None
    directory: Path | None = None
    error: Exception | None = None


class Book:
    """Writes trials into the project's history, and finds those of the same search that have ended.

    Without a project, and in a rehearsal of the queue, nothing is written.

    Args:
        tuner: whose trials they are.
        search: the digest of all that decides what a trial gives.
        metric: by which trials are compared.
        kinds: classes of the trainers; where they are defined, the sources are.
    """

    def __init__(self, tuner: Part, search: str, metric: str, kinds: Mapping[str, type]) -> None:
        self.tuner, self.search, self.metric, self.kinds = tuner, search, metric, kinds
        self.project = _project(tuner)
        self.model = model_name(tuner)

    def done(self) -> list[Done]:
        """Returns the trials of this search that succeeded, by their numbers, each number once."""
        if self.project is None or not self.project.ledger_path.exists():
            return []
        try:
            with closing(Ledger.open_readonly(self.project.ledger_path)) as ledger:
                runs = ledger.runs(model=self.model, states={State.SUCCEEDED})
        except LedgerError as error:
            _log().warning("trials that ended before are not known: %s", error)
            return []
        found: dict[int, Done] = {}
        for run in runs:
            told = json.loads(run.params[DRAWN]) if run.params.get(SEARCH) == self.search else None
            value = (run.last.metrics.get(_GROUP) or {}).get(self.metric)
            if told is not None and isinstance(value, int | float):
                directory = self.project.root / run.last.directory
                trial = Trial(**told)
                found.setdefault(trial.number, Done(trial=trial, value=float(value), directory=directory))
        return [found[number] for number in sorted(found)]

    def carry_out(self, trial: Trial, fit: Callable[[Mapping[str, Any]], tuple[ModelTrainer, float]]) -> Done:
        """Fits a trial as a run of its own.

        Raises:
            NotWritable: the project's outputs cannot be written.
        """
        kind = self.kinds[trial.trainer]
        begin = plugins.load("learning", "by_hand")
        run = begin(self.project, self.tuner, self.model, (kind,), self._told(trial, kind), trial.name)
        try:
            with within(run.run):
                trainer, value = fit(trial.parameters)
            if not math.isfinite(value):
                raise MlpipelineError(f"{self.metric} is {value}: trials cannot be compared by it")
            warnings = _saved(trainer, run.directory)
        except BaseException as error:
            run.fail(error)
            if isinstance(error, Exception):
                return Done(trial=trial, value=None, error=error)
            raise
        run.succeed({_GROUP: {self.metric: float(value)}}, (trial.told, ""), warnings)
        return Done(trial=trial, value=float(value), trainer=trainer, directory=run.directory)

    def _told(self, trial: Trial, kind: type) -> dict[str, Any]:
        drawn = {name: getattr(trial, name) for name in ("number", "trainer", "drawn")}
        drawn["parameters"] = dict(trial.parameters)
        described = {name: params.describe(value) for name, value in trial.parameters.items()}
        outer = self.tuner.run.run_id
        more = {} if outer is None else {"workflow_run": outer}
        own = {"trainer": kind.__name__, SEARCH: self.search, DRAWN: json.dumps(drawn, default=repr)}
        return {**described, **more, **own}


def model_name(part: Part) -> str:
    """Returns what the model of a workflow is called in the history: as in the queue, as configured, as the runner."""
    configured = part.config.get("model_name")
    root = part
    while root.parent is not None:
        root = root.parent
    return part.run.model or str(configured or type(root).__name__)


def load(trainer: ModelTrainer, done: Done) -> ModelTrainer | None:
    """Returns the fitted trainer of a trial that ended before; None where its files are gone or damaged."""
    if done.directory is None or not (done.directory / _ARTEFACT).is_dir():
        return None
    try:
        return trainer.fresh(done.trial.parameters).load(done.directory / _ARTEFACT)
    except (MlpipelineError, OSError) as error:
        _log().warning("%s is fitted again: %s", done.trial.name, error)
        return None


def _saved(trainer: ModelTrainer, directory: Path | None) -> list[str]:
    if directory is None:
        return []
    try:
        trainer.save(directory / _ARTEFACT)
    except (MlpipelineError, OSError) as error:
        return [f"the model is fitted, and was not saved: {error}"]
    if (directory / _ARTEFACT).is_dir():
        wire.sync_directory(directory)
    return []


def _project(part: Part) -> Project | None:
    if part.run.is_test:
        return None
    if "MLP_SUPERVISOR" in os.environ and part.run.run_id is None:
        return None
    found = Project.load()
    return found if found.config_found else None


def _log() -> logging.Logger:
    return logging.getLogger(LOGGER)
