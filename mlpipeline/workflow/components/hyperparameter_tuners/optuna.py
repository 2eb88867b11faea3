"""The tuner that draws by what earlier trials gave, by Optuna."""

from __future__ import annotations

import time
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mlpipeline import errors, params
from mlpipeline.execution.optuna_study import OptunaStudy
from mlpipeline.searches import Choice
from mlpipeline.workflow.components.hyperparameter_tuners.search import Draws, SearchTuner, Spaces
from mlpipeline.workflow.components.hyperparameter_tuners.trials import Done, Trial

_TRAINER = "trainer"
_TURNS = 20


class OptunaTuner(SearchTuner):
    """Draws trials by what those before them gave: by the tree-structured Parzen estimator (Bergstra et al., 2011).

    Attributes:
        num_trials: how many, failed ones included; fewer where the space holds no more.
        optuna_timeout: seconds after which no trial is begun any more.
        sampler: tpe or cmaes.
    """

    num_trials: int = 100
    optuna_timeout: float | None = None
    sampler: str = "tpe"

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the samplers, and the names of metrics."""
        return ("tpe", "cmaes") if key == "sampler" else super().known_names(key)

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which of the keys cannot be."""
        number = values.get("num_trials", 1)
        wrong = {"num_trials": f"is {number}: give 1 or more"} if isinstance(number, int) and number < 1 else {}
        return {**super().value_faults(values), **wrong}

    def describe_search(self) -> Mapping[str, Any]:
        """More trials continue a search."""
        return {"seed": self.seed, "sampler": self.sampler}

    def draws(self, spaces: Spaces, direction: str, known: list[Done]) -> Draws:
        """Returns the draws of a study that knows how earlier trials ended."""
        errors.require("optuna", extra="tune")
        deadline = None if self.optuna_timeout is None else time.monotonic() + self.optuna_timeout
        return _Study(spaces, direction, known, self, deadline)


class _Study(Draws):
    """One study over all trainers: which one it is, is a choice too; a parameter's name says whose it is."""

    def __init__(
        self, spaces: Spaces, direction: str, known: list[Done], tuner: OptunaTuner, deadline: float | None
    ) -> None:
        self._space: dict[str, Any] = {_TRAINER: Choice(tuple(spaces))}
        self._space |= {f"{name}.{key}": each for name, space in spaces.items() for key, each in space.items()}
        described = {name: each.described() for name, each in self._space.items()}
        search = {"space": described, "direction": direction, "sampler": tuner.sampler, "seed": tuner.seed}
        with _quiet():
            self._study = OptunaStudy("workflow", {**search, "pruner": None, "metric": ""})
        self._most, self._deadline = tuner.num_trials, deadline
        self._seen: set[str] = set()
        self._next = 1
        for done in known:
            with _quiet():
                self._study.add(done.trial.number, done.trial.drawn["drawn"], done.trial.drawn["attrs"])
            self._seen.add(_mark(done.trial))
            self.hear(done)
            self._next = max(self._next, done.trial.number + 1)
        self._count = len(known)

    def propose(self) -> Trial | None:
        if self._count >= self._most or (self._deadline is not None and time.monotonic() >= self._deadline):
            return None
        for turn in range(_TURNS):
            with _quiet():
                drawn, attrs = self._study.draw(self._next, self._count, turn)
            trial = self._trial(drawn, attrs)
            if _mark(trial) not in self._seen:
                self._seen.add(_mark(trial))
                self._next += 1
                self._count += 1
                return trial
            self._study.drop(self._next)
        return None  # the space seems to hold no other one

    def hear(self, done: Done) -> None:
        state = "failed" if done.value is None else "done"
        with _quiet():
            self._study.hear(done.trial.number, {"state": state, "value": done.value})

    def _trial(self, drawn: Mapping[str, Any], attrs: Mapping[str, Any]) -> Trial:
        values = {name: each.value(drawn[name]) for name, each in self._space.items()}
        trainer = str(values[_TRAINER])
        own = {name.removeprefix(f"{trainer}."): value for name, value in values.items() if name != _TRAINER}
        mine = {name: own[name] for name in own if f"{trainer}.{name}" in self._space}
        return Trial(number=self._next, trainer=trainer, parameters=mine, drawn={"drawn": drawn, "attrs": attrs})


@contextmanager
def _quiet() -> Iterator[None]:
    """Leaves the warnings of this process as they are: a study mutes all of them, as becomes a process of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of samplers that may change in later releases
        yield


def _mark(trial: Trial) -> str:
    return params.digest([trial.trainer, params.describe(dict(trial.parameters))])
