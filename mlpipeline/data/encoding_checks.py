"""What may be put together to an encoding: encoders that do all that is asked of them, each by a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpipeline.errors import DataFault

LEARNER = ("fit", "transform", "inverse_transform", "inputs", "name", "feature_names")


def check_encoders(encoders: Sequence[Any], output_encoder: Any) -> None:
    """Refuses what cannot encode: there is one at least, each can do all that is asked of it, no two bear one name."""
    if not encoders:
        raise DataFault("get_encoders() gave no encoder: a model needs one feature at least")
    for encoder in (*encoders, *([] if output_encoder is None else [output_encoder])):
        lacks = [name for name in LEARNER if not hasattr(type(encoder), name) and not hasattr(encoder, name)]
        if isinstance(encoder, type) or lacks:
            raise DataFault(f"{encoder!r} is no encoder: give e.g. Unique('column'), from mlpipeline.data.encoders")
    check_names([encoder.name for encoder in encoders])


def check_workers(workers: Any) -> None:
    """Refuses what is no number of threads."""
    if not isinstance(workers, int) or workers < 1:
        raise DataFault(f"workers is {workers!r}: it must be a whole number of threads, 1 or more")


def check_names(names: Sequence[str]) -> None:
    """Refuses names of which two are alike."""
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise DataFault(f"two features are called {', '.join(twice)}: give one of their encoders another name=...")


def dated(encoder: Any, as_of: Any) -> Any:
    """Returns an encoder that measures up to a moment that stays the same when predicting."""
    if not getattr(encoder, "needs_as_of", False):
        return encoder
    if as_of is None:
        raise DataFault(
            f"{encoder!r} measures up to a moment: set as_of in the dataset, or the transformer's reference"
        )
    return encoder.at(as_of)
