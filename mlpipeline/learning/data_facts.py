"""What the data of a fit were: rows of each part, schema, a digest of the content, the first rows."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.dataset import Dataset
from mlpipeline.data.row_hash import hash_rows
from mlpipeline.data.split import PARTS
from mlpipeline.data.streaming import Streaming

_HEAD, _LONGEST = 3, 80


def gathered(dataset: Dataset) -> dict[str, Any]:
    """Returns what is recorded of the data that a model was fitted to, as JSON can hold it.

    The digest is of the rows' content, whatever their order, and of which part each is in.
    """
    head = next(iter(dataset.training_data)) if isinstance(dataset, Streaming) else dataset.training_data
    return {
        "dataset": f"{type(dataset).__module__}.{type(dataset).__qualname__}",
        "rows": dict(dataset.row_counts),
        "digest": _digest(dataset),
        "schema": dataset.schema.to_dict(),
        "features": len(dataset.encoding.feature_names),
        "head": _head(head),
    }


def _digest(dataset: Dataset) -> str:
    if isinstance(dataset, Streaming):
        return dataset.spool.directory.name
    found = [_digest_of(getattr(dataset, f"{part}_data")) for part in PARTS]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:32]


def _digest_of(frame: pd.DataFrame) -> list[int]:
    hashes = hash_rows(frame)
    return [len(hashes), int(hashes.sum(dtype=np.uint64)), int(np.bitwise_xor.reduce(hashes, initial=np.uint64(0)))]


def _head(frame: pd.DataFrame) -> list[dict[str, str | None]]:
    rows = frame.head(_HEAD)
    return [
        {str(name): None if _is_missing(value) else str(value)[:_LONGEST] for name, value in row.items()}
        for row in rows.to_dict("records")
    ]


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))
