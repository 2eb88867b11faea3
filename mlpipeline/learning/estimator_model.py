"""A model made of a dataset and an estimator: fitted by hand, in a notebook, in the queue, and served."""

from __future__ import annotations

from typing import Any

from mlpipeline.learning.estimator import Estimator
from mlpipeline.model import Model
from mlpipeline.versions import Versions


class EstimatorModel(Model):
    """Fits an estimator to a dataset.

    Args:
        dataset: where rows come from, and how they become numbers.
        estimator: what learns from them.
        versions: of the queue; their parameters have addresses, `estimator__max_depth`, `dataset__subsample`.
    """

    def __init__(self, dataset: Any, estimator: Estimator, versions: Versions | None = None) -> None:
        super().__init__(Versions() if versions is None else versions)
        self.dataset = dataset
        self.estimator = estimator
