"""Brings rows: connections, extracts, caches, datasets that split and encode without leaks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.data.cached import Cache
    from mlpipeline.data.connection import Connection
    from mlpipeline.data.named import Connections, connections
    from mlpipeline.data.store import Store, open_store

__all__ = ["Cache", "Connection", "Connections", "Store", "connections", "open_store"]

_HOMES = {
    "Cache": "cached",
    "Connection": "connection",
    "Connections": "named",
    "Store": "store",
    "connections": "named",
    "open_store": "store",
}


def __getattr__(name: str) -> Any:
    """Imports a public name on first use: who reads a file needs no database."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.data' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlpipeline.data.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
