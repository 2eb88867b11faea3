"""For tests of your own parts: what each kind of part must do, as classes for pytest to be inherited from."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.testing.dataset import DatasetContract
    from mlpipeline.testing.encoder import EncoderContract
    from mlpipeline.testing.estimator import EstimatorContract
    from mlpipeline.testing.executor import ExecutorContract
    from mlpipeline.testing.store import StoreContract
    from mlpipeline.testing.transformer import TransformerContract

__all__ = [
    "DatasetContract",
    "EncoderContract",
    "EstimatorContract",
    "ExecutorContract",
    "StoreContract",
    "TransformerContract",
]

_HOMES = {
    "DatasetContract": "dataset",
    "EncoderContract": "encoder",
    "EstimatorContract": "estimator",
    "ExecutorContract": "executor",
    "StoreContract": "store",
    "TransformerContract": "transformer",
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES)
