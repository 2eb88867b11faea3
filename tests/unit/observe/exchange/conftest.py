"""Stores that the real tools wrote: recorded ones, or new ones where MLP_EXCHANGE_TOOLS names a place for the tools."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Desk, desk

from . import make_stores

__all__ = ["Desk", "desk"]

_STORES = Path(__file__).parent / "stores"
_RECORDED = {"sacred": "sacred", "guild": "guild", "ml_pipeline": "ml_pipeline/models/outputs"}


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def made(tool: str) -> Path:
        place = tmp_path_factory.mktemp(tool)
        cache = os.environ.get("MLP_EXCHANGE_TOOLS")
        if cache:
            return make_stores.make(tool, make_stores.environment(Path(cache), tool), place / "made")
        relative = _RECORDED[tool]
        shutil.copytree(_STORES / relative, place / relative)
        return place / relative

    return made
