"""Optuna's side of a study: it proposes trials, and says which running ones are hopeless. Nothing of it is stored."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlpipeline import errors, wire


class OptunaStudy:
    """A study in memory, asked and told.

    Args:
        name: of the study; the hyperband pruner deals trials out by it.
        search: what is searched, as a description says it.
    """

    def __init__(self, name: str, search: Mapping[str, Any]) -> None:
        self.optuna: Any = errors.require("optuna", extra="tune")
        self.optuna.logging.set_verbosity(self.optuna.logging.ERROR)
        warnings.simplefilter("ignore")  # of experimental features, and of steps that were reported already
        self.search = search
        self.pruner = _pruner(self.optuna, search["pruner"])
        self.study = self.optuna.create_study(study_name=name, direction=search["direction"], pruner=self.pruner)
        self.space = {key: _distribution(self.optuna, each) for key, each in search["space"].items()}
        self.trials: dict[int, Any] = {}
        self.followed: dict[int, _Followed] = {}
        self.over: set[int] = set()
        self._given_up: set[int] = set()

    def add(self, number: int, drawn: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        """Takes up a trial that was drawn before; it counts as running until something else is heard."""
        made = self.optuna.trial.create_trial(
            state=self.optuna.trial.TrialState.RUNNING,
            params={name: _index(each) for name, each in drawn.items()},
            distributions=self.space,
            system_attrs=dict(attrs),
        )
        self.study.add_trial(made)
        newest = self.study.get_trials(deepcopy=False)[-1]
        self.trials[number] = self.optuna.trial.Trial(self.study, newest._trial_id)

    def draw(self, number: int, place: int, turn: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Proposes a trial.

        Args:
            number: what it will be called.
            place: how many came before it in this study.
            turn: how often the same trial was asked for before.

        Returns:
            what was drawn, and what Optuna wants to find with the trial later.
        """
        self.study.sampler = self._sampler(place, turn)
        trial = self.study.ask(self.space)
        self.trials[number] = trial
        kinds = self.search["space"]
        drawn = {
            name: {"choice": each} if kinds[name]["kind"] == "choice" else each for name, each in trial.params.items()
        }
        attrs = self.study._storage.get_trial(trial._trial_id).system_attrs
        return {name: drawn[name] for name in kinds}, json.loads(json.dumps(attrs, default=str))

    def _sampler(self, place: int, turn: int) -> Any:
        """Returns a sampler whose draws depend on the seed and the trial's place alone: it is the same after a kill."""
        text = f"mlpipeline search {self.search['seed']} {place} {turn}"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        samplers = self.optuna.samplers
        if self.search["sampler"] == "cmaes":
            errors.require("cmaes", extra="tune")
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        return samplers.TPESampler(seed=seed, constant_liar=True, multivariate=True, warn_independent_sampling=False)

    def drop(self, number: int) -> None:
        """Forgets a proposal: the very same was made before."""
        self.study.tell(self.trials.pop(number), state=self.optuna.trial.TrialState.FAIL)

    def rename(self, old: int, new: int) -> None:
        """Lets a trial be called otherwise."""
        if old != new:
            self.trials[new] = self.trials.pop(old)

    def hear(self, number: int, told: Mapping[str, Any]) -> None:
        """Learns how a trial stands: where its runs record, and its value when it is over."""
        if self.search["pruner"]:
            followed = self.followed.setdefault(number, _Followed(self.search["metric"]))
            followed.directories = list(told.get("directories") or ())
        if told["state"] == "open" or number in self.over:
            return
        if self.search["pruner"]:
            self._report(number)
        self.over.add(number)
        states, trial = self.optuna.trial.TrialState, self.trials[number]
        if told["state"] == "done" and told["value"] is not None:
            self.study.tell(trial, told["value"])
        else:
            self.study.tell(trial, state=states.PRUNED if told["state"] == "pruned" else states.FAIL)

    def _report(self, number: int) -> bool:
        """Reports what a trial has recorded since the last time. Returns whether the pruner gives it up."""
        trial, is_hopeless = self.trials[number], False
        for step, value in self.followed[number].news():
            trial.report(value, step)
            is_hopeless |= trial.should_prune()
        return is_hopeless

    def hopeless(self) -> list[int]:
        """Returns the running trials that are to be given up, each once."""
        running = [each for each in self.followed if each not in self.over and each not in self._given_up]
        found = [each for each in running if self._report(each)]
        self._given_up.update(found)
        return found


class _Followed:
    """The metrics of one trial as they are recorded, over all attempts of its run."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.mark = json.dumps(metric).encode()
        self.directories: list[str] = []
        self.offsets: dict[str, int] = {}
        self.step = -1

    def news(self) -> list[tuple[int, float]]:
        """Returns steps and values recorded since the last call; steps that were told before are left out."""
        found = []
        for directory in self.directories:
            for line in self._lines(os.path.join(directory, wire.METRICS)):
                row = json.loads(line)
                value, step = row["values"].get(self.metric), row["step"]
                if isinstance(value, str) or value is None:
                    continue  # NaN and infinities stand there as text
                step = self.step + 1 if step is None else step
                if step > self.step:
                    self.step = step
                    found.append((step, float(value)))
        return found

    def _lines(self, path: str) -> list[bytes]:
        try:
            with Path(path).open("rb") as file:
                file.seek(self.offsets.get(path, 0))
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content.rfind(b"\n") + 1
        self.offsets[path] = self.offsets.get(path, 0) + whole
        return [line for line in content[:whole].splitlines() if self.mark in line]


def _index(drawn: Any) -> Any:
    return drawn["choice"] if isinstance(drawn, Mapping) else drawn


def _distribution(optuna: Any, space: Mapping[str, Any]) -> Any:
    kinds = optuna.distributions
    if space["kind"] == "choice":
        return kinds.CategoricalDistribution(tuple(range(len(space["choices"]))))
    kind = kinds.IntDistribution if space["kind"] == "whole" else kinds.FloatDistribution
    return kind(space["low"], space["high"], log=space["log"])


def _pruner(optuna: Any, name: str | None) -> Any:
    pruners = optuna.pruners
    if name is None:
        return pruners.NopPruner()
    made = {"median": "MedianPruner", "hyperband": "HyperbandPruner", "halving": "SuccessiveHalvingPruner"}
    return getattr(pruners, made[name])()
