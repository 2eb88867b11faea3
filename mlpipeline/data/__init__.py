"""Brings rows to a model: nothing is learnt outside the training split, and serving cannot differ from training."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.data.cached import Cache
    from mlpipeline.data.connection import Connection
    from mlpipeline.data.dataset import Dataset
    from mlpipeline.data.encoder import Encoder, tagged
    from mlpipeline.data.encoding import Encoding, Observations
    from mlpipeline.data.features import FeatureStore
    from mlpipeline.data.holdout import Holdout, TrainTestSplit
    from mlpipeline.data.named import Connections, connections
    from mlpipeline.data.schema import Schema
    from mlpipeline.data.split import Split
    from mlpipeline.data.store import Store, open_store
    from mlpipeline.data.streaming import Streaming
    from mlpipeline.data.synthetic import Portrait, look_alike
    from mlpipeline.data.time_series import TimeSeries
    from mlpipeline.data.transformer import Transformer

__all__ = [
    "Cache",
    "Connection",
    "Connections",
    "Dataset",
    "Encoder",
    "Encoding",
    "FeatureStore",
    "Holdout",
    "Observations",
    "Portrait",
    "Schema",
    "Split",
    "Store",
    "Streaming",
    "TimeSeries",
    "TrainTestSplit",
    "Transformer",
    "connections",
    "look_alike",
    "open_store",
    "tagged",
]

_HOMES = {
    "Cache": "cached",
    "Connection": "connection",
    "Connections": "named",
    "Dataset": "dataset",
    "Encoder": "encoder",
    "Encoding": "encoding",
    "FeatureStore": "features",
    "Holdout": "holdout",
    "Observations": "encoding",
    "Portrait": "synthetic",
    "Schema": "schema",
    "Split": "split",
    "Store": "store",
    "Streaming": "streaming",
    "TimeSeries": "time_series",
    "TrainTestSplit": "holdout",
    "Transformer": "transformer",
    "connections": "named",
    "look_alike": "synthetic",
    "open_store": "store",
    "tagged": "encoder",
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES, extra="data")
