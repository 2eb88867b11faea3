"""What tuners share: spaces from the configuration, trials side by side, the best of them."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from mlpipeline import params
from mlpipeline.config_text import near_or_known
from mlpipeline.console import LOGGER
from mlpipeline.errors import DataFault, MlpipelineError, ParameterError, VersionsError
from mlpipeline.searches import Between, Choice, is_better
from mlpipeline.workflow import content, scoring, space
from mlpipeline.workflow.components.hyperparameter_tuners import trials
from mlpipeline.workflow.components.hyperparameter_tuners.trials import Book, Done, Trial
from mlpipeline.workflow.part import WIRING, Part
from mlpipeline.workflow.types.contract import Splits
from mlpipeline.workflow.types.model import HyperparameterTuner, ModelTrainer

Fit = Callable[[Mapping[str, Any]], tuple[ModelTrainer, float]]
Spaces = Mapping[str, Mapping[str, Choice | Between]]
OWN = "model_trainer"


class SearchTuner(HyperparameterTuner):
    """Tries hyper-parameters out, several at a time, and returns the best trainer.

    Each trial is a run of the project, called `trial-1`, `trial-2` …, with its parameters and its metric. A search that
    was ended goes on with the trials that are not done: the same trainer, configuration, rows and space are one search.

    Attributes:
        search_space: by hyper-parameter a list of values, a range `{low: .01, high: .3, log: true}`, or one value.
        trainers: several trainers that compete, instead of `search_space`: by the name of the part, its space.
        perf_metric: by which trials are compared, on the validation part; its direction is known. By default the first
            of `metrics`, else accuracy, or rmse.
        num_jobs: so many trials at a time, in threads.
        seed: of all draws.
    """

    model_trainer: ModelTrainer | None
    search_space: dict[str, Any] | None = {}  # noqa: RUF012 - a default, which addresses lead into
    trainers: dict[str, dict[str, Any]] | None = {}  # noqa: RUF012 - likewise
    perf_metric: str | None = None
    metrics: list[str] | None = None
    problem_type: str | None = None
    model_name: str | None = None
    num_jobs: int = 1
    seed: int = 0

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the names of metrics."""
        return scoring.metric_names() if key in ("perf_metric", "metrics") else None

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which of the keys cannot be, as spaces that are none."""
        found: dict[str, str] = {}
        if values.get("search_space") and values.get("trainers"):
            found["trainers"] = "there is a search_space as well: each of the trainers has its own, leave that out"
        elif not values.get("search_space") and not values.get("trainers"):
            found["search_space"] = "there is none: give the values or the range of a hyper-parameter"
        for key in ("search_space", "trainers"):
            try:
                cls.check_spaces(_spaces({key: values.get(key)}))
            except (VersionsError, AttributeError) as error:
                found[key] = str(error)
        jobs = values.get("num_jobs", 1)
        if isinstance(jobs, int) and jobs < 1:
            found["num_jobs"] = f"is {jobs}: give 1 or more"
        return found

    @classmethod
    def check_spaces(cls, spaces: Spaces) -> None:
        """Refuses spaces that this kind of search cannot walk through.

        Raises:
            VersionsError: (a ValueError) the parameter is named.
        """

    @abstractmethod
    def draws(self, spaces: Spaces, direction: str, known: list[Done]) -> Draws:
        """Returns what proposes trials.

        Args:
            spaces: by the name of the trainer.
            direction: minimize or maximize.
            known: trials that ended before.
        """

    def describe_search(self) -> Mapping[str, Any]:
        """Returns what makes this search another one than one of the same space, for its digest."""
        return {"seed": self.seed}

    def tune(self, data: Splits, fit: Fit) -> ModelTrainer:
        """Returns the best trainer, fitted: the workflow's own, where it is one of those that competed.

        Raises:
            ParameterError: (a ValueError) a trainer has no such hyper-parameter; nothing was fitted.
            MlpipelineError: there is nothing to search, or every trial failed; the first one's error is the cause.
        """
        spaces = _spaces({"search_space": self.search_space, "trainers": self.trainers})
        if not spaces:
            raise ParameterError("search_space: there is none: give the values or the range of a hyper-parameter")
        parts = {name: self._part(name) for name in spaces}
        metric = scoring.deciding(data, self.perf_metric, self.metrics, self.problem_type)
        self._check(spaces, parts, data)
        kinds = {name: type(fit) if part is None else type(part) for name, part in parts.items()}
        book = Book(self, self._digest(data, spaces, parts, metric), metric, kinds)
        known = book.done()
        if known:
            _log().info("%d trials of this search were done before: they are not repeated", len(known))
        draws = self.draws(spaces, scoring.direction(metric), known)
        fits = {name: self._fit_of(name, part, fit, data, metric) for name, part in parts.items()}
        done = [*known, *self._carried_out(draws, book, fits)]
        return self._best(done, scoring.direction(metric), parts, fits)

    def _part(self, name: str) -> ModelTrainer | None:
        if name == OWN:
            return self.model_trainer
        found = None
        owner = self.parent
        while owner is not None and found is None:
            found = vars(owner).get(name)
            owner = owner.parent
        if not isinstance(found, ModelTrainer):
            raise ParameterError(f"trainers: there is no trainer {name!r}: declare it under `component:`")
        return found

    def _check(self, spaces: Spaces, parts: Mapping[str, ModelTrainer | None], data: Splits) -> None:
        self.check_spaces(spaces)
        for name, part in parts.items():
            known = None if part is None else type(part).known_names("training_params")
            for parameter in spaces[name]:
                if known is not None and parameter not in known:
                    told = f"{type(part).__name__} has no hyper-parameter {parameter!r}."
                    raise ParameterError(f"search_space: {told}{near_or_known(parameter, known)}")
        if data.validation is None or not len(data.validation):
            raise DataFault("there is no validation part to compare trials by: have the splitter make one")

    def _fit_of(self, name: str, part: ModelTrainer | None, fit: Fit, data: Splits, metric: str) -> Fit:
        if part is None or name == OWN or data.validation is None:
            return fit
        selecting = data.validation

        def other(parameters: Mapping[str, Any]) -> tuple[ModelTrainer, float]:
            trainer = part.fresh(parameters).fit(data)
            return trainer, scoring.scores_of(trainer, data, selecting, [metric], self.problem_type)[metric]

        return other

    def _carried_out(self, draws: Draws, book: Book, fits: Mapping[str, Fit]) -> Iterator[Done]:
        if self.run.is_test:
            draws = _OneOf(draws)
        if self.num_jobs == 1:
            while (trial := draws.propose()) is not None:
                yield _told(draws, book.carry_out(trial, fits[trial.trainer]))
            return
        with ThreadPoolExecutor(self.num_jobs, thread_name_prefix="trial") as pool:
            open_: set[Future[Done]] = set()
            while True:
                while len(open_) < self.num_jobs and (trial := draws.propose()) is not None:
                    open_.add(pool.submit(book.carry_out, trial, fits[trial.trainer]))
                if not open_:
                    return
                ended, open_ = wait(open_, return_when=FIRST_COMPLETED)
                for each in ended:
                    yield _told(draws, each.result())

    def _best(
        self, done: list[Done], direction: str, parts: Mapping[str, ModelTrainer | None], fits: Mapping[str, Fit]
    ) -> ModelTrainer:
        best: Done | None = None
        for each in done:
            if each.value is not None and is_better(each.value, None if best is None else best.value, direction):
                best = each
        if best is None:
            first = next((each.error for each in done if each.error is not None), None)
            raise MlpipelineError(f"none of {len(done)} trials succeeded: {first}") from first
        _log().info("the best of %d trials is %s: %s, %.6g", len(done), best.trial.name, best.trial.told, best.value)
        part = parts[best.trial.trainer]
        trainer = best.trainer or (None if part is None else trials.load(part, best))
        if trainer is None:
            trainer, _ = fits[best.trial.trainer](best.trial.parameters)
        return trainer if part is None else part.become(trainer)

    def _digest(self, data: Splits, spaces: Spaces, parts: Mapping[str, ModelTrainer | None], metric: str) -> str:
        told: dict[str, Any] = {"class": type(self).__name__, "metric": metric, **self.describe_search()}
        told["space"] = {
            name: {key: each.described() for key, each in space_.items()} for name, space_ in spaces.items()
        }
        told["data"] = content.of_value(data)
        told["trainers"] = {name: None if part is None else _part_digest(part) for name, part in parts.items()}
        return params.digest(told)


class Draws:
    """Proposes trials, and hears how they ended."""

    def propose(self) -> Trial | None:
        """Returns the next trial; None where there are no more."""
        raise TypeError(f"{type(self).__name__} has no propose(self): define it")

    def hear(self, done: Done) -> None:
        """Learns how a trial ended."""


class _OneOf(Draws):
    """A rehearsal: the first trial alone."""

    def __init__(self, draws: Draws) -> None:
        self._draws: Draws | None = draws

    def propose(self) -> Trial | None:
        draws, self._draws = self._draws, None
        return None if draws is None else draws.propose()


def _told(draws: Draws, done: Done) -> Done:
    if done.error is not None:
        if isinstance(done.error, ParameterError):  # the next trial would say the same
            raise done.error
        _log().warning(
            "%s (%s) failed: %s: %s", done.trial.name, done.trial.told, type(done.error).__name__, done.error
        )
    else:
        _log().info("%s (%s): %.6g", done.trial.name, done.trial.told, done.value)
    draws.hear(done)
    return done


def _spaces(given: Mapping[str, Any]) -> dict[str, dict[str, Choice | Between]]:
    if given.get("trainers"):
        return {name: space.read(each or {}) for name, each in given["trainers"].items()}
    return {OWN: space.read(given["search_space"])} if given.get("search_space") else {}


def _part_digest(part: Part) -> list[Any]:
    wiring = part.__dict__.get(WIRING)
    plan = None if wiring is None else getattr(wiring.shared.root, "plan", None)
    source = ""
    if plan is not None:
        with suppress(content.NoContent):
            source = content.of_class(type(part), plan.sources)
    values = part.__dict__ if wiring is None else wiring.values
    plain = {name: value for name, value in values.items() if not name.startswith("_")}
    return [type(part).__name__, source, params.describe(plain)]


def _log() -> logging.Logger:
    return logging.getLogger(LOGGER)
