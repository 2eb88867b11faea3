"""Brings rows to a model: nothing is learnt outside the training split, and serving cannot differ from training."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.data.encoder import Encoder, tagged

__all__ = ["Encoder", "tagged"]

_HOMES = {
    "Encoder": "encoder",
    "tagged": "encoder",
}


def __getattr__(name: str) -> Any:
    """Imports a public name on first use, so that one part does not bring all the others."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.data' has no attribute {name!r}")
    from importlib import import_module

    from mlpipeline import errors

    errors.require("pandas", extra="data")
    value = getattr(import_module(f"mlpipeline.data.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
