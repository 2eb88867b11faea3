"""Which metrics a workflow tells, and by which of them it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlpipeline.workflow import scoring
from mlpipeline.workflow.types import ModelTrainer, Splits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    import pandas as pd

    from mlpipeline.workflow.scoring import ProblemType

    class Measured(Protocol):
        """What reads the keys that say how models are measured."""

        problem_type: ProblemType | None
        metrics: list[str] | None
        perf_metric: str | None


_REPORTING = ("test", "validation", "train")
_PREDICTION, _PROBABILITY = "prediction", "prediction_proba_"


def faults(values: Mapping[str, Any]) -> dict[str, str]:
    """Returns what is wrong with the keys `metrics` and `perf_metric`: see `Part.value_faults`."""
    problem = values.get("problem_type")
    given = {"metrics": values.get("metrics") or [], "perf_metric": [values.get("perf_metric") or ""]}
    told = {
        key: scoring.metric_faults([each for each in names if isinstance(each, str) and each], problem)
        for key, names in given.items()
    }
    return {key: message for key, message in told.items() if message}


def names(data: Splits, part: Measured) -> list[str]:
    """Returns the metrics that are told: those of `metrics`, else the usual ones; `perf_metric` among them."""
    chosen = part.metrics or scoring.default_metrics(data, part.problem_type)
    return list(dict.fromkeys([*chosen, *([part.perf_metric] if part.perf_metric else [])]))


def deciding_name(data: Splits, part: Measured) -> str:
    """Returns the metric by which models are compared: `perf_metric`, else the first of all."""
    return part.perf_metric or names(data, part)[0]


def deciding(data: Splits, model: ModelTrainer, part: Measured, order: Sequence[str] = _REPORTING) -> float:
    """Returns the value that decides, of the first part in an order that has rows."""
    frame = next(frame for name in order for found, frame in data.parts() if found == name and len(frame))
    name = deciding_name(data, part)
    return scoring.scores_of(model, data, frame, [name], part.problem_type)[name]


def of_predictions(rows: pd.DataFrame, target: str, metrics: Sequence[str] | None, part: Measured) -> dict[str, float]:
    """Returns the metrics of rows that have their prediction and, by now, their truth.

    Those that need probabilities are left out where the rows have none.
    """
    data = Splits(target=target, train=rows)
    wanted = list(metrics or names(data, part))
    predicted, truth = rows[_PREDICTION], rows[target]
    if not scoring.is_class(data, part.problem_type):
        return scoring.compare(truth, predicted, None, wanted, None)
    by_name = {name: name.removeprefix(_PROBABILITY) for name in rows.columns if str(name).startswith(_PROBABILITY)}
    classes = {str(each): each for each in [*truth.dropna().unique(), *predicted.dropna().unique()]}
    proba = None
    if by_name and set(classes) <= set(by_name.values()):
        proba = rows[list(by_name)].rename(columns={name: classes.get(text, text) for name, text in by_name.items()})
    return scoring.compare(truth, predicted, proba, wanted, truth)
