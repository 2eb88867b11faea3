"""Estimators that are killed go on from their checkpoints: `mlpipeline --drill` says how exactly."""

from __future__ import annotations

from importlib.util import find_spec

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


MODEL = """
import numpy as np
import pandas as pd
from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import {kind}

class Rows(TrainTestSplit):
    def get_data(self):
        chance = np.random.default_rng(0)
        a = chance.normal(size=400)
        return pd.DataFrame({{"a": a, "b": chance.normal(size=400), "y": a + chance.normal(size=400) > 0}})

    def get_encoders(self):
        return (Norm("a"), Norm("b"))

    def get_output_encoder(self):
        return Boolean("y")

MODEL = EstimatorModel(Rows(), {kind}({arguments}))
"""


@pytest.mark.parametrize(
    ("kind", "library", "arguments"),
    [
        (
            "Keras",
            "tensorflow",
            "hidden_width=4, hidden_layers=1, batch_size=64, epochs=8, patience=None, dropout=0.3",
        ),
        ("XGBoost", "xgboost", "n_estimators=100, learning_rate=1.0, n_jobs=1, patience=3"),
    ],
)
def test_an_estimator_model_that_is_killed_goes_on(workshop: Workshop, kind: str, library: str, arguments: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    (workshop.models / "m.py").write_text(MODEL.format(kind=kind, arguments=arguments))
    (found,) = workshop.json("--drill", "m.py")["drills"]
    assert found["result"] in {"exact", "close"}, found
    assert 0 < found["checkpoint_step"] <= found["killed_step"] < found["steps"] < 20
