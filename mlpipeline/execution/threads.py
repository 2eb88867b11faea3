"""How many threads the libraries of a run may use: those that are loaded already no longer ask the environment."""

from __future__ import annotations

import importlib.util
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEEDED = "threadpoolctl"
"""Without this package nothing native may be loaded before the worker's environment is known."""

_controllers: list[Any] = []


def can_limit() -> bool:
    """Whether native libraries can be told after they were loaded."""
    return importlib.util.find_spec(NEEDED) is not None


def find_loaded() -> None:
    """Finds the native libraries that this process has loaded, once for all that are forked from it."""
    if not can_limit():
        return
    before = dict(os.environ)
    from threadpoolctl import ThreadpoolController

    _controllers[:] = [ThreadpoolController()]
    for name in os.environ.keys() - before.keys():  # it sets one for itself, which would reach the workers
        del os.environ[name]


def limit(count: int) -> None:
    """Tells every library that is loaded; the environment has told those that come later.

    Args:
        count: threads of this process for one operation; at least 1.
    """
    for controller in _controllers:
        controller.limit(limits=count)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)
    if numexpr := sys.modules.get("numexpr"):
        numexpr.set_num_threads(count)
