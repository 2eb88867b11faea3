"""For tests of your own parts: what each kind of part must do, as classes for pytest to be inherited from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.testing.dataset import DatasetContract
    from mlpipeline.testing.encoder import EncoderContract
    from mlpipeline.testing.estimator import EstimatorContract
    from mlpipeline.testing.store import StoreContract
    from mlpipeline.testing.transformer import TransformerContract

__all__ = [
    "DatasetContract",
    "EncoderContract",
    "EstimatorContract",
    "StoreContract",
    "TransformerContract",
]

_HOMES = {
    "DatasetContract": "dataset",
    "EncoderContract": "encoder",
    "EstimatorContract": "estimator",
    "StoreContract": "store",
    "TransformerContract": "transformer",
}


def __getattr__(name: str) -> Any:
    """Imports a class on first use: each needs the libraries of its part."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.testing' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlpipeline.testing.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
