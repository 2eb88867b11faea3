"""The kinds of estimators, each imported when it is first used: each needs a library of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.learning.estimators.naive import Naive

__all__ = ["Naive"]

_HOMES = {"Naive": "naive"}


def __getattr__(name: str) -> Any:
    """Imports an estimator on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.learning.estimators' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlpipeline.learning.estimators.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
