"""What estimators share that learn round by round: the loop, early stopping, checkpoints, and the history."""

from __future__ import annotations

import json
import numbers
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from mlpipeline import errors
from mlpipeline.context import RunContext
from mlpipeline.data.parameters import signature
from mlpipeline.learning.estimator import Estimator

CHECKPOINT_SECONDS = 60.0
_STATE = "history.json"

Values = Mapping[str, Mapping[str, float]]
"""Metrics by part, `train` and `validation`, and by name."""


class Engine(Protocol):
    """A library's model while it learns."""

    def update(self, number: int) -> None:
        """Learns one round more."""

    def evaluate(self, number: int) -> Values:
        """Returns the metrics after a round."""

    def keep(self) -> None:
        """Takes note that the model as it is now is the best so far."""

    def save(self, directory: Path) -> None:
        """Writes what is needed to go on from here."""

    def restore(self, directory: Path, done: int) -> None:
        """Goes on from what `save` wrote after so many rounds."""


@dataclass(slots=True, kw_only=True)
class History:
    """What a fit has measured so far, and which of its rounds was the best.

    Attributes:
        patience: how many rounds in a row may bring nothing; None where all rounds are to be learnt.
        greater_is_better: the direction of the metric that is selected by, which is the last one.
        best_round: of the validation split, counted from 0; the last round where there is none.
        best_score: its metric.
        rounds: how many were learnt.
        metrics: by part and name, a value for each round.
    """

    patience: int | None
    greater_is_better: bool = False
    best_round: int = -1
    best_score: float | None = None
    rounds: int = 0
    metrics: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def tell(self, values: Values) -> bool:
        """Takes in a round, and returns whether it is the best so far."""
        for part, found in values.items():
            for name, value in found.items():
                self.metrics.setdefault(part, {}).setdefault(name, []).append(value)
        self.rounds += 1
        selecting = list(values.get("validation", {}).values())
        if not selecting:
            self.best_round = self.rounds - 1
            return True
        if not self._is_better(selecting[-1]):
            return False
        self.best_round, self.best_score = self.rounds - 1, selecting[-1]
        return True

    @property
    def is_over(self) -> bool:
        """Whether patience is at its end."""
        if self.patience is None or not self.rounds:
            return False
        return self.rounds - 1 - self.best_round >= max(1, self.patience)

    def _is_better(self, value: float) -> bool:
        best = self.best_score
        if best is None or best != best:
            return best is None or value == value
        return value > best if self.greater_is_better else value < best


class Boosting(Estimator):
    """Learns round by round, and keeps the rounds up to the best one."""

    is_resumable: ClassVar[bool] = True

    n_estimators: int
    patience: int | None
    history_: dict[str, dict[str, list[float]]]
    best_iteration_: int
    best_score_: float | None

    @property
    def rounds(self) -> int:
        """The rounds of a fit that is not ended early."""
        return int(self.n_estimators)

    def _check(self) -> None:
        check_numbers(self)
        check_whole(self, "n_estimators", at_least=1)
        if self.patience is not None:
            check_whole(self, "patience", at_least=0)

    def _boost(self, run: RunContext, engine: Engine, *, greater_is_better: bool) -> None:
        """Learns all rounds that are not learnt already."""
        history = History(patience=self.patience, greater_is_better=greater_is_better)
        run.restore(lambda path: _restore(path, engine, history))
        done = history.rounds
        for number in () if history.is_over else run.steps(range(done, self.rounds), initial=done):
            engine.update(number)
            values = engine.evaluate(number)
            run.record({f"{part}_{name}": each for part, found in values.items() for name, each in found.items()})
            if history.tell(values):
                engine.keep()
            run.checkpoint(_saving(engine, history), every_seconds=CHECKPOINT_SECONDS)
            if history.is_over:
                break
        self._end(run, history)

    def _end(self, run: RunContext, history: History) -> None:
        self.history_ = history.metrics
        self.best_iteration_, self.best_score_ = history.best_round, history.best_score
        if history.best_score is None:
            run.log.info("%s: %d rounds, all kept: there are no rows to select by", self, history.rounds)
            return
        why = f"patience ({self.patience}) ended it" if history.is_over else "all that were wanted"
        kept, best = history.best_round + 1, history.best_score
        run.log.info("%s: %d rounds, %s; the best is kept, %d: %.6g", self, history.rounds, why, kept, best)


def check_whole(who: Estimator, name: str, *, at_least: int) -> None:
    """Refuses a parameter that is no whole number, or too small.

    Raises:
        ParameterError: names it.
    """
    value = getattr(who, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        kind = type(who).__name__
        raise errors.ParameterError(f"{kind}: {name} is {value!r}: it must be a whole number, {at_least} or more")


def check_numbers(who: Estimator) -> None:
    """Refuses parameters that are no numbers where the defaults are.

    Raises:
        ParameterError: names it.
    """
    for name, parameter in signature(type(who)).items():
        value, default = getattr(who, name), parameter.default
        if isinstance(default, bool) or not isinstance(default, int | float):
            continue
        if value is None and "None" in str(parameter.annotation):
            continue
        wanted = numbers.Integral if isinstance(default, int) else numbers.Real
        if isinstance(value, bool) or not isinstance(value, wanted):
            what = "a whole number" if isinstance(default, int) else "a number"
            raise errors.ParameterError(f"{type(who).__name__}: {name} is {value!r}: it must be {what}")


def _saving(engine: Engine, history: History) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        path.mkdir()
        engine.save(path)
        (path / _STATE).write_text(json.dumps(asdict(history)), "utf-8")

    return save


def _restore(path: Path, engine: Engine, history: History) -> None:
    known: dict[str, Any] = json.loads((path / _STATE).read_text("utf-8"))
    for name in ("best_round", "best_score", "rounds", "metrics"):
        setattr(history, name, known[name])
    engine.restore(path, history.rounds)
