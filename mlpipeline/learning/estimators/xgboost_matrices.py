"""Tables and streams as XGBoost reads them, in memory that does not grow with the rows of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoding import Observations
from mlpipeline.learning import intake
from mlpipeline.learning.estimator import Training
from mlpipeline.learning.estimators import resources, tables

if TYPE_CHECKING:
    from mlpipeline.learning.estimators.xgboost import XGBoost

QUANTIZED_IN_MEMORY = 1 << 27
"""So many values of a stream are held as bins in memory, in 1 or 2 bytes each; with more, bins lie on disk."""
_PAGE_BYTES = 1 << 26
"""Bins on disk come in pages, of so many bytes before they are quantized: small pages cost time in every round."""


def matrices(estimator: XGBoost, training: Training, directory: str) -> tuple[Any, Any]:
    """Returns the training split and the validation split, which is None where there is none, as DMatrix.

    Args:
        estimator: what learns from them.
        training: what is learnt from.
        directory: where bins of streams lie that are too many for memory; it must last longer than the matrices.

    Raises:
        DataFault: a feature is no number, or infinite.
    """
    rows = training.validation
    if not training.is_streamed:
        train = _matrix(estimator, training.train, training.sample_weight, None)
    elif estimator.booster == "gblinear" or estimator.tree_method not in ("auto", "hist"):
        raise errors.ParameterError("XGBoost: a stream takes tree_method 'hist', and a booster of trees")
    else:
        train = _streamed(estimator, training, training.train, None, f"{directory}/train")
    if rows is None or isinstance(rows, Observations):
        return train, _validation(estimator, training, train)
    return train, _streamed(estimator, training, rows, train, f"{directory}/validation") if len(rows) else None


def predict(estimator: XGBoost, booster: Any, x: pd.DataFrame) -> Any:
    """Returns what the booster says of each row: numbers, the probability of the second class, or those of all."""
    is_linear = booster.attr("mlpipeline_booster") == "gblinear"
    has_categories = tables.check_numbers(estimator, x, takes_categories=True)
    if not (is_linear or has_categories):
        return booster.inplace_predict(tables.floats(x), validate_features=False)
    import xgboost

    return booster.predict(xgboost.DMatrix(_data(x), enable_categorical=True), validate_features=False)


def _validation(estimator: XGBoost, training: Training, train: Any) -> Any:
    rows = training.validation
    if rows is None:
        return None
    rows = tables.known(training.target, Observations(intake.features(estimator, rows.x), rows.y))
    return _matrix(estimator, rows, None, train) if len(rows.x) else None


def _matrix(estimator: XGBoost, rows: Observations, weight: np.ndarray | None, reference: Any) -> Any:
    import xgboost

    tables.check_numbers(estimator, rows.x, takes_categories=True)
    given: dict[str, Any] = {"data": _data(rows.x), "label": rows.y, "weight": weight, "enable_categorical": True}
    given |= {"nthread": resources.threads(estimator.n_jobs), "feature_types": _types(estimator, rows.x)}
    try:
        if estimator.booster == "gblinear" or estimator.tree_method not in ("auto", "hist"):
            return xgboost.DMatrix(**given)
        return xgboost.QuantileDMatrix(**given, max_bin=estimator.max_bin, ref=reference)
    except xgboost.core.XGBoostError:
        tables.check_finite(estimator, rows.x, takes_missing=True)  # it says that there are infinite values, not where
        raise


def _data(x: pd.DataFrame) -> pd.DataFrame:
    """Returns a table whose columns have names that XGBoost takes, whatever they are called."""
    return x.set_axis(_names(x.shape[1]), axis=1)


def _names(width: int) -> list[str]:
    return [f"f{place}" for place in range(width)]


def _types(estimator: XGBoost, x: pd.DataFrame) -> list[str]:
    pandas = [isinstance(dtype, pd.CategoricalDtype) and estimator.knows_categories for dtype in x.dtypes]
    return ["c" if own else told for own, told in zip(pandas, estimator.feature_types_, strict=True)]


def _streamed(estimator: XGBoost, training: Training, stream: Any, reference: Any, cache: str) -> Any:
    """Returns the bins of a stream, in memory where they are few, else on disk."""
    import xgboost

    class Pages(xgboost.DataIter):  # type: ignore[misc,unused-ignore]
        """Walks over the stream, again and again."""

        def reset(self) -> None:
            self._walk = _pages(estimator, training, stream)

        def next(self, input_data: Any) -> bool:
            page = next(self._walk, None)
            if page is None:
                return False
            types = estimator.feature_types_
            input_data(data=page.x, label=page.y, feature_names=_names(len(types)), feature_types=types)
            return True

    fits = len(stream) * len(estimator.feature_names_in_) <= QUANTIZED_IN_MEMORY
    pages = Pages(cache_prefix=None if fits else cache)
    kind = xgboost.QuantileDMatrix if fits else xgboost.ExtMemQuantileDMatrix
    nthread = resources.threads(estimator.n_jobs)
    return kind(pages, max_bin=estimator.max_bin, ref=reference, nthread=nthread, enable_categorical=True)


def _pages(estimator: XGBoost, training: Training, stream: Any) -> Iterator[Observations]:
    """Yields arrays of float32, batches put together until they are large enough."""
    held: list[Observations] = []
    for batch in stream:
        held.append(_learnable(estimator, training, batch))
        if sum(each.x.nbytes for each in held) >= _PAGE_BYTES:
            yield _joined(held)
            held = []
    if held:
        yield _joined(held)


def _learnable(estimator: XGBoost, training: Training, batch: Observations) -> Observations:
    rows = tables.known(training.target, Observations(intake.features(estimator, batch.x), batch.y))
    tables.check_numbers(estimator, rows.x)
    return Observations(tables.floats(rows.x), rows.y)


def _joined(held: list[Observations]) -> Observations:
    return Observations(np.concatenate([each.x for each in held]), np.concatenate([each.y for each in held]))
