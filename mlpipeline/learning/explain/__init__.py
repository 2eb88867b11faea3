"""Says why a model predicts what it predicts: what it rests on, and what each value adds to a prediction."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mlpipeline.learning.explain.contributions import Contributions, contributions
from mlpipeline.learning.explain.importance import Importance, importance

__all__ = ["PERMUTATION", "Contributions", "Importance", "contributions", "explain", "importance"]

PERMUTATION = "permutation"
"""The method that asks how much worse a model gets where values are shuffled; what `explain` does by default."""


def explain(
    model: Any, frame: pd.DataFrame | None = None, *, method: str = PERMUTATION, **options: Any
) -> Importance | Contributions:
    """Explains a fitted model.

    Args:
        model: is fitted.
        frame: rows as they are before encoding; by default the validation split.
        method: "permutation" says what the model rests on, see `importance`; "xgboost", "shap" and "auto" say what each
            value adds to each prediction, see `contributions`.
        options: of `importance` or `contributions`.

    Raises:
        UnknownOption: (a ValueError) there is no such method.
    """
    return (
        importance(model, frame, **options)
        if method == PERMUTATION
        else contributions(model, frame, method=method, **options)
    )
