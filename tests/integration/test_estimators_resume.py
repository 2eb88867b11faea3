"""Estimators that are killed go on from their checkpoints: `mlpipeline --drill` says how exactly."""

from __future__ import annotations

import pytest

from .conftest import Workshop

FIT = """
import numpy as np
import pandas as pd
from mlpipeline.learning.estimators import {kind}

chance = np.random.default_rng(0)
x = pd.DataFrame(chance.normal(size=(200, 3)), columns=list("abc"))
y = (x["a"] + chance.normal(size=200) > 0).astype(int)
fitted = {kind}(n_estimators=30, patience=None, n_jobs=1, {more})
fitted.fit(x[:150], y[:150], validation=(x[150:], y[150:]), run=self.run)
"""


@pytest.mark.parametrize(
    ("kind", "more", "results"),
    [
        ("XGBoost", "subsample=0.5, colsample_bytree=0.7", {"exact"}),
        ("LightGBM", "", {"exact", "close"}),
    ],
)
def test_a_boosted_fit_that_is_killed_goes_on(workshop: Workshop, kind: str, more: str, results: set[str]) -> None:
    pytest.importorskip(kind.lower(), reason=f"{kind} is not installed")
    workshop.model("m.py", FIT.format(kind=kind, more=more), 'Versions(0.1, Loader(30), 1, 1).add("one")')
    (found,) = workshop.json("--drill", "m.py")["drills"]
    assert found["result"] in results, found
    assert (found["steps"], found["checkpoint_step"], found["killed_step"]) == (20, 10, 13)
