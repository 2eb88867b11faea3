"""What tests need that an extra brings."""

from __future__ import annotations

import importlib.util
import os

import pytest


def need(module: str, extra: str) -> None:
    """Skips the test where an extra is missing; in CI that is a failure."""
    if importlib.util.find_spec(module) is None:
        reason = f"{module} is not installed: pip install '.[{extra}]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
