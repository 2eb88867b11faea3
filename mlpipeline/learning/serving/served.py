"""A saved model that is in memory and answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from mlpipeline.learning.serving.catalog import Offer
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.rows import Reader, Values

PREDICTIONS, PROBA = "predictions", "proba"
OUTPUTS = (PREDICTIONS, PROBA)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of rows.

    Attributes:
        rows: a value for each row, or a list of probabilities, as JSON can hold them.
        classes: what the probabilities are of, in their order; None for predictions.
    """

    rows: list[Any]
    classes: list[Any] | None = None


class Served:
    """One saved model in memory.

    Args:
        saved: where it came from.
        model: what was loaded: it has `encoding`, `estimator`, `predict(frame)` and `predict_proba(frame)`.
        row_limit: how many rows a request may have.
    """

    def __init__(self, saved: Offer, model: Any, row_limit: int) -> None:
        self.saved, self.name, self.manifest = saved, saved.name, saved.manifest
        self._model = model
        schema = model.encoding.schema
        self.reader = Reader((schema[name] for name in model.encoding.inputs), row_limit)
        self.outputs = tuple(model.encoding.output_inputs)
        self.has_proba = not model.estimator.target_.is_regression and model.estimator.has_proba
        self.kind = str(model.estimator.target_.kind)

    @property
    def key(self) -> str:
        """The model's name as keys of OpenAPI take it; never that of another model."""
        return "".join(each if each.isascii() and each.isalnum() else f"_{ord(each):x}_" for each in self.name)

    @property
    def run(self) -> str | None:
        """The run that has fitted it, as its manifest names it."""
        return self.saved.run

    def warm(self) -> None:
        """Predicts a row of missing values, so that whatever is made on first use is there; proves that it answers.

        Raises:
            MlpipelineError: it cannot predict.
        """
        row = [[None] for _ in self.reader.names]
        # The second time is cheaper: caches of the library are filled by then.
        for _ in range(2):
            self.answer(row, PREDICTIONS)
            if self.has_proba:
                self.answer(row, PROBA)

    def check_output(self, output: str) -> None:
        """Refuses an output that this model does not have."""
        if output not in OUTPUTS:
            raise Refusal(400, "unknown_output", f"output must be one of {', '.join(OUTPUTS)}")
        if output == PROBA and not self.has_proba:
            raise Refusal(400, "no_probabilities", f"model '{self.name}' has no probabilities of classes to give")

    def answer(self, values: Values, output: str) -> Answers:
        """Predicts rows."""
        frame = self.reader.frame(values)
        if output == PREDICTIONS:
            found = self._model.predict(frame)
            # A target of several columns: a list for each row.
            return Answers(plain(found.to_numpy() if getattr(found, "ndim", 1) > 1 else found))
        proba = self._model.predict_proba(frame)
        return Answers(plain(proba.to_numpy()), plain(proba.columns))


def plain(values: Any) -> list[Any]:
    """Returns an array as JSON can hold it: what is missing is null, moments are text, durations are seconds."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "f" and np.isfinite(values).all():
        return list(values.tolist())
    return [_plain(each) for each in values.tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_plain(each) for each in value]
    if value != value or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date) else str(value)
