"""Fits estimators to data: by hand, in a notebook, in the queue; what was fitted is saved, explained and served."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.learning.estimator_model import EstimatorModel

__all__ = ["EstimatorModel"]

_HOMES = {"EstimatorModel": "estimator_model"}


def __getattr__(name: str) -> Any:
    """Imports a class on first use, so that importing one module does not import all."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.learning' has no attribute {name!r}")
    from importlib import import_module

    from mlpipeline import errors

    errors.require("pandas", extra="learning")
    value = getattr(import_module(f"mlpipeline.learning.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
