"""One component, made as a workflow makes it; and a table with words, numbers, gaps and a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.workflow import load
from tests.unit.workflow.conftest import Workbench

Make = Callable[..., Any]


@pytest.fixture
def make(bench: Workbench) -> Make:
    """Makes a component of a class by its name, with values and other components by name."""

    def made(name: str, others: dict[str, str] | None = None, **values: Any) -> Any:
        return load({"component": {**(others or {}), "part": name}, "config": values}).part

    return made


@pytest.fixture
def passengers() -> pd.DataFrame:
    """A table like that of a ship's passengers: 200 rows."""
    draw = np.random.default_rng(0)
    age = np.where(draw.random(200) < 0.2, np.nan, draw.integers(1, 80, 200))
    return pd.DataFrame(
        {
            "passenger": np.arange(200) + 1000,
            "age": age,
            "fare": np.round(draw.gamma(2, 15, 200), 2),
            "town": draw.choice(["Southampton", "Cherbourg", "Queenstown"], 200, p=[0.7, 0.2, 0.1]),
            "survived": (draw.random(200) < 0.4).astype(int),
        }
    )
