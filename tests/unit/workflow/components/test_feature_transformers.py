"""Features of four kinds: learnt from the training part alone, under the rows' own index."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.errors import ConfigurationError, DataFault, NotFitted
from tests.unit.workflow.components.conftest import Make
from tests.unit.workflow.conftest import Workbench

SKLEARN = [
    {"transformer": "SimpleImputer", "transformer_columns": ["age"], "transformer_kwargs": {"strategy": "median"}},
    {"transformer": "OneHotEncoder", "transformer_columns": "town", "transformer_kwargs": {"handle_unknown": "ignore"}},
]
ENGINE = [
    {"transformer": "MeanMedianImputer", "transformer_columns": ["age"]},
    {"transformer": "OneHotEncoder", "transformer_columns": ["town"]},
]
ENCODERS = [{"encoder": "Norm", "column": "age"}, {"encoder": "OneHot", "column": "town"}]
LOCAL = """
class Scale:
    def __init__(self, column):
        self.column = column
    def fit(self, data, target):
        self.top = data[self.column].max()
    def transform(self, data):
        return data.assign(**{self.column: data[self.column] / self.top})
    def broken(self, data):
        return data.head(1)
"""
KINDS: dict[str, dict[str, Any]] = {
    "SklearnFeatureTransformer": {"transformers": SKLEARN},
    "FeatureEngineFeatureTransformer": {"transformers": ENGINE},
    "EncoderFeatureTransformer": {"encoders": ENCODERS},
    "LocalFeatureTransformer": {
        "feature_transformer_path": "scale.py", "transformer_class": "Scale", "transformer_config": {"column": "fare"},
    },
}  # fmt: skip


@pytest.fixture(params=KINDS)
def fitted(request: pytest.FixtureRequest, bench: Workbench, make: Make, passengers: pd.DataFrame) -> Any:
    if request.param.startswith("FeatureEngine"):
        pytest.importorskip("feature_engine", reason="feature-engine is not installed: mlpipeline[features]")
    bench.write("scale.py", LOCAL)
    made = make(request.param, **KINDS[request.param])
    with pytest.raises(NotFitted, match=r"call fit first"):
        made.transform(passengers)
    return made.fit(passengers.head(100).drop(columns="survived"), passengers["survived"].head(100))


def test_features_stand_under_the_index_of_the_rows(fitted: Any, passengers: pd.DataFrame) -> None:
    rows = passengers.drop(columns="survived").sample(frac=1, random_state=0).set_axis(range(500, 700))
    features = fitted.transform(rows)
    assert features.index.tolist() == rows.index.tolist()
    one_by_one = pd.concat([fitted.transform(rows.iloc[[place]]) for place in range(5)])
    pd.testing.assert_frame_equal(one_by_one, features.head(5), check_dtype=False)


def test_nothing_is_learnt_when_rows_are_transformed(fitted: Any, passengers: pd.DataFrame) -> None:
    rows = passengers.drop(columns="survived")
    before = fitted.transform(rows.head(50))
    fitted.transform(rows.assign(fare=rows["fare"] * 1000, age=99.0))
    pd.testing.assert_frame_equal(fitted.transform(rows.head(50)), before)


def test_a_fitted_one_can_be_kept(fitted: Any, passengers: pd.DataFrame) -> None:
    rows = passengers.drop(columns="survived")
    if "made" in vars(fitted):
        pytest.skip("a class of the user's own is theirs to keep")
    again = type(fitted).__new__(type(fitted))
    again.__dict__.update(pickle.loads(pickle.dumps(fitted.__getstate__())))
    again.__dict__.setdefault("remainder", "drop")
    pd.testing.assert_frame_equal(again.transform(rows), fitted.transform(rows))


def test_scikit_learn_s_stand_side_by_side(make: Make, passengers: pd.DataFrame) -> None:
    rows = passengers.drop(columns="survived")
    features = make("SklearnFeatureTransformer", transformers=SKLEARN).fit_transform(rows, passengers["survived"])
    towns = [f"town_{name}" for name in sorted(rows["town"].unique())]
    assert list(features.columns) == ["age", *towns, "passenger", "fare"]
    assert not features["age"].isna().any()
    expected = pd.get_dummies(rows["town"]).to_numpy(dtype=np.float64)
    np.testing.assert_array_equal(features[towns].to_numpy(), expected)


def test_text_of_feature_engine_comes_back_as_text(make: Make, passengers: pd.DataFrame) -> None:
    pytest.importorskip("feature_engine", reason="feature-engine is not installed: mlpipeline[features]")
    rare = {"transformer": "RareLabelEncoder", "transformer_columns": "town", "transformer_kwargs": {"n_categories": 1}}
    found = make("FeatureEngineFeatureTransformer", transformers=[rare]).fit_transform(passengers)
    assert found["town"].dtype == passengers["town"].dtype


def test_encoders_may_hand_other_columns_on(make: Make, passengers: pd.DataFrame) -> None:
    made = make("EncoderFeatureTransformer", encoders=ENCODERS, remainder="passthrough").fit(passengers)
    assert list(made.transform(passengers).columns)[-3:] == ["passenger", "fare", "survived"]


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("SklearnFeatureTransformer", {"transformers": [{"transformer": "StandardScalr"}]}, "mean 'StandardScaler'"),
        ("SklearnFeatureTransformer", {"transformers": [{"transformer": "Pipeline"}]}, "no transformer 'Pipeline'"),
        ("SklearnFeatureTransformer", {"transformers": [{"kind": "X"}]}, "write {transformer: Name"),
        (
            "SklearnFeatureTransformer",
            {"transformers": [{"transformer": "StandardScaler", "transformer_kwargs": {"with_men": 1}}]},
            "transformers of Sklearn.*: 0: StandardScaler has no 'with_men'. Did you mean 'with_mean'",
        ),
        ("EncoderFeatureTransformer", {"encoders": [{"encoder": "Nrom", "column": "a"}]}, "Did you mean 'Norm'"),
        ("EncoderFeatureTransformer", {"encoders": [{"encoder": "Norm", "columns": "a"}]}, "Norm cannot be made"),
        ("EncoderFeatureTransformer", {"encoders": [{"column": "a"}]}, "write {encoder: Norm, column: age}"),
    ],
)
def test_what_cannot_be_made_is_told_at_once(make: Make, name: str, values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        make(name, **values)


@pytest.mark.parametrize("name", ["SklearnFeatureTransformer", "EncoderFeatureTransformer"])
def test_a_column_that_is_not_there_is_named(make: Make, passengers: pd.DataFrame, name: str) -> None:
    made = make(name, **KINDS[name])
    with pytest.raises(DataFault, match=r"no column 'town'. Did you mean 'towns'"):
        made.fit(passengers.rename(columns={"town": "towns"}))
    made.fit(passengers)
    with pytest.raises(DataFault, match=r"no column 'town'. Did you mean 'towns'"):
        made.transform(passengers.rename(columns={"town": "towns"}))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"transformer_class": "Scal"}, "has no 'Scal'. Did you mean 'Scale'"),
        ({"transformer_config": {"columns": "fare"}}, "Scale cannot be made"),
        ({"transform_func": "no"}, "Scale has no method 'no': define it, or set transform_func"),
    ],
)
def test_what_is_wrong_with_a_class_is_told(bench: Workbench, make: Make, values: dict[str, Any], told: str) -> None:
    bench.write("scale.py", LOCAL)
    with pytest.raises(ConfigurationError, match=told):
        make("LocalFeatureTransformer", **{**KINDS["LocalFeatureTransformer"], **values})


def test_rows_that_a_class_loses_are_told(bench: Workbench, make: Make, passengers: pd.DataFrame) -> None:
    bench.write("scale.py", LOCAL)
    made = make("LocalFeatureTransformer", **KINDS["LocalFeatureTransformer"], transform_func="broken")
    with pytest.raises(DataFault, match=r"for 200 rows: return a pandas DataFrame with the same rows"):
        made.fit_transform(passengers)
