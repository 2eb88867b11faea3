"""Fits estimators to data: by hand, in a notebook, in the queue; what was fitted is saved, explained and served."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.learning.estimator_model import EstimatorModel

__all__ = ["EstimatorModel"]

_HOMES = {"EstimatorModel": "estimator_model"}

__getattr__, __dir__ = lazily.names(__name__, _HOMES, extra="learning")
