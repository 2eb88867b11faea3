"""An EstimatorModel by hand: fitted, asked, scored; what it refuses; what its versions say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import Versions, params
from mlpipeline.data.encoders import Norm, OneHot, Pass, Unique
from mlpipeline.errors import DataFault, ModelFault, NotFitted, ParameterError, UnknownOption, VersionsError, WrongType
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive

from .stand_ins import Chunks, People, Slope, dataset, people

pytestmark = pytest.mark.usefixtures("nowhere")


def fitted(**options: Any) -> EstimatorModel:
    return EstimatorModel(People(), Slope(epochs=30), **options).fit()


def test_it_is_fitted_scored_and_predicts_values_under_the_index_of_the_frame() -> None:
    model = fitted()
    frame = people(50, seed=9).set_index("id")
    found = model.predict(frame)
    assert (found.name, found.dtype, found.index.equals(frame.index)) == ("y", bool, True)
    assert (found == frame["y"]).mean() == model.evaluate(frame)["accuracy"] > 0.65
    assert model.metrics.keys() == {"train", "validation", "test"}
    assert model.evaluate() == model.metrics["test"]
    assert model.score() == model.metrics["test"]["auc"]
    assert model.metric is not None
    assert model.metric.name == "auc"


def test_probabilities_have_a_column_for_each_class_by_its_name() -> None:
    frame = people(5).set_index("id")
    found = fitted().predict_proba(frame)
    assert list(found.columns) == [False, True]
    assert found.index.equals(frame.index)
    assert np.allclose(found.sum(axis=1), 1)


def test_classes_have_the_names_that_the_target_had() -> None:
    frame = people().assign(y=lambda rows: np.where(rows["y"], "yes", "no"))
    model = EstimatorModel(dataset(frame, Unique("y")), Slope(epochs=20)).fit()
    assert list(model.predict_proba(frame).columns) == ["no", "yes"]
    assert set(model.predict(frame)) == {"no", "yes"}


def test_a_target_of_one_column_for_each_class_is_decoded() -> None:
    frame = people().assign(y=lambda rows: np.where(rows["a"] > 1, "high", np.where(rows["a"] < -0.5, "low", "middle")))
    model = EstimatorModel(dataset(frame, OneHot("y")), Naive()).fit()
    assert set(model.predict(frame)) == {frame["y"].mode()[0]}
    assert sorted(model.predict_proba(frame).columns) == ["high", "low", "middle"]


def test_numbers_are_predicted_in_the_units_of_the_target() -> None:
    frame = people().assign(y=lambda rows: rows["a"] * 10 + 500)
    model = EstimatorModel(dataset(frame, Norm("y")), Naive()).fit()
    assert 490 < model.predict(frame).iloc[0] < 510
    with pytest.raises(DataFault, match="predicts numbers"):
        model.predict_proba(frame)


def test_changes_by_address_stay() -> None:
    model = EstimatorModel(People(), Slope())
    assert model.fit(epochs=5, estimator__learning_rate=0.5, dataset__subsample=100) is model
    assert isinstance(model.estimator, Slope)
    assert (model.estimator.epochs, model.estimator.learning_rate, len(model.dataset)) == (5, 0.5, 100)
    model.fit()
    assert (model.estimator.epochs, len(model.dataset)) == (5, 100)


def test_the_same_fit_gives_the_same_model_and_leaves_the_given_parts_alone() -> None:
    given = Slope()
    one, other = EstimatorModel(People(), given).fit(), EstimatorModel(People(), given).fit()
    assert one.metrics == other.metrics
    assert given.random_state is None
    assert "target_" not in vars(given)


def test_a_change_that_cannot_be_leaves_the_model_as_it_was() -> None:
    model = fitted()
    before = model.metrics
    with pytest.raises(ParameterError, match="Did you mean 'estimator__epochs'"):
        model.fit(estimator__learning_rate=0.1, estimator__epoch=3)
    assert model.metrics is before
    assert isinstance(model.estimator, Slope)
    assert model.estimator.learning_rate == 1.0


def test_hooks_of_the_model_and_of_the_estimator_are_called() -> None:
    said: list[Any] = []

    class Loud(Slope):
        def before_fit(self) -> None:
            said.append("estimator fits")

        def after_predict(self, result: np.ndarray) -> None:
            said.append(len(result))

    class Mine(EstimatorModel):
        def before_fit(self, epochs: int | None = None) -> None:
            said.append(epochs)

        def after_score(self, result: float) -> None:
            said.append(result)

    model = Mine(People(), Loud(epochs=2)).fit(epochs=4)
    model.predict(people(7))
    score = model.score()
    assert said == [4, "estimator fits", 7, score]


def test_rows_are_weighted_by_a_column() -> None:
    frame = people(200)
    doubled = pd.concat([frame, frame[frame["y"]]]).reset_index(drop=True)
    plain = EstimatorModel(dataset(doubled), Naive()).fit()
    heavy = frame.assign(weight=np.where(frame["y"], 2.0, 1.0))
    weighted = EstimatorModel(dataset(heavy), Naive(), weight="weight").fit()
    assert weighted.predict_proba(frame).iloc[0, 1] == pytest.approx(plain.predict_proba(frame).iloc[0, 1], abs=0.05)
    assert (
        weighted.predict_proba(frame).iloc[0, 1]
        > EstimatorModel(dataset(frame), Naive()).fit().predict_proba(frame).iloc[0, 1]
    )


def test_streamed_rows_are_learnt_and_scored_in_batches() -> None:
    streamed, whole = EstimatorModel(Chunks(spool_dir="spools"), Naive()).fit(), EstimatorModel(People(), Naive()).fit()
    assert streamed.metrics["test"].keys() == whole.metrics["test"].keys()
    for name, value in whole.metrics["test"].items():
        assert streamed.metrics["test"][name] == pytest.approx(value, abs=1e-6)


def test_classes_that_training_has_not_shown_are_wrong_and_are_not_selected_by(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = people(300).assign(y=lambda rows: rows["y"].astype(int))
    data = dataset(frame, Pass("y"))
    data.validation_data.loc[:4, "y"] = 7
    data.test_data.loc[:, "y"] = 7
    model = EstimatorModel(data, Slope(kind="binary")).fit()
    assert "5 of 30 rows to select by have a class that no row for training has" in caplog.text
    assert model.metrics["test"] == {"accuracy": 0.0}


@pytest.mark.parametrize(
    ("frame", "output", "told"),
    [
        (
            people().assign(y=lambda rows: rows["y"].astype(object).where(rows["id"] > 9)),
            None,
            r"the target 'y' is miss",
        ),
        (people().drop(columns="y"), None, "column.* 'y'"),
        (people().assign(y=True), None, "one class only"),
        (
            people().assign(y=lambda rows: rows["a"].where(rows["id"] > 9)),
            Norm("y"),
            r"the target 'y' is missing in \d+",
        ),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(frame: pd.DataFrame, output: Any, told: str) -> None:
    with pytest.raises(DataFault, match=told):
        EstimatorModel(dataset(frame, output), Naive()).fit()


def test_a_streamed_target_that_is_missing_is_refused() -> None:
    class Holes(Chunks):
        def get_data(self) -> Any:
            yield people().assign(y=lambda rows: rows["y"].astype(object).where(rows["id"] > 9))

    with pytest.raises(DataFault, match="the target 'y' is missing in 2"):
        EstimatorModel(Holes(spool_dir="spools"), Naive()).fit()
    with pytest.raises(DataFault, match="come in batches, which cannot be weighted"):
        EstimatorModel(Chunks(spool_dir="spools"), Naive(), weight="weight").fit()


def test_a_dataset_without_encoders_is_refused() -> None:
    class Bare(People):
        def get_encoders(self) -> Any:
            return ()

    class Aimless(People):
        def get_output_encoder(self) -> Any:
            return None

    class Unfinished(People):
        get_encoders = People.__mro__[2].get_encoders  # type: ignore[attr-defined]

    for kind, error, told in (
        (Bare, DataFault, "gave no encoder"),
        (Aimless, DataFault, "Aimless has no output encoder"),
        (Unfinished, ModelFault, "define get_encoders"),
    ):
        with pytest.raises(error, match=told):
            EstimatorModel(kind(), Naive()).fit()


@pytest.mark.parametrize(
    ("column", "told"), [("no", "has no such column. It has id"), ("c", "no numbers"), ("a", "below 0")]
)
def test_weights_that_are_none_are_refused(column: str, told: str) -> None:
    with pytest.raises(DataFault, match=told):
        EstimatorModel(People(), Naive(), weight=column).fit()


def test_before_the_fit_nothing_can_be_asked() -> None:
    model = EstimatorModel(People(), Naive())
    for ask in (
        lambda: model.predict(people()),
        model.evaluate,
        model.score,
        model.save,
        lambda: model.explain(people()),
    ):
        with pytest.raises(NotFitted, match="call fit first"):
            ask()


def test_rows_that_cannot_be_read_are_refused() -> None:
    model = fitted()
    with pytest.raises(DataFault, match="'a'"):
        model.predict(people().drop(columns="a"))
    with pytest.raises(WrongType, match="'a' holds text"):
        model.predict(people().assign(a="x"))
    with pytest.raises(WrongType, match="give a DataFrame, with a, c"):
        model.predict([{"a": 1, "c": "a"}])  # type: ignore[arg-type]
    with pytest.raises(DataFault, match="the target 'y' is missing: scores compare with it"):
        model.evaluate(people().drop(columns="y"))


def test_a_metric_is_one_that_there_is_for_the_target() -> None:
    assert fitted(metric="log_loss").score() < 0.7
    with pytest.raises(UnknownOption, match="Did you mean 'accuracy'"):
        EstimatorModel(People(), Naive(), metric="accurac")
    with pytest.raises(UnknownOption, match="no score 'rmse' for binary"):
        fitted(metric="rmse")


def test_a_model_that_was_loaded_has_no_dataset_to_be_fitted_to() -> None:
    model = EstimatorModel(None, Slope())
    with pytest.raises(DataFault, match="has no dataset: load it with one"):
        model.fit()


def test_versions_say_all_that_is_trained() -> None:
    versions = Versions(epochs=7).grid(estimator__learning_rate=[0.1, 0.2], dataset__subsample=100)
    model = EstimatorModel(People(), Slope(), versions, weight="weight")
    first, second = model.versions
    assert (first["estimator"].learning_rate, first["estimator"].epochs) == (0.1, 7)
    assert first["dataset"] is second["dataset"]
    assert first.described()["dataset"]["arguments"] == {"subsample": 100}
    assert first.described()["weight"] == "weight"
    assert first.digest != second.digest
    assert params.digest(first.described()) == first.digest


def test_the_parameters_of_the_parts_count_for_the_fingerprint() -> None:
    def digest(estimator: Any, data: Any = None) -> str:
        (version,) = EstimatorModel(data or People(), estimator).versions
        return str(version.digest)

    assert digest(Slope()) == digest(Slope(epochs=3))
    assert digest(Slope()) != digest(Slope(epochs=4))
    assert digest(Slope()) != digest(Slope(), People(split_seed=2))


def test_an_unknown_parameter_of_a_version_is_told_when_the_model_is_made() -> None:
    for given, told in (
        ({"estimator__learning_rat": 1.0}, "version 'v': .*Did you mean 'estimator__learning_rate'"),
        ({"learning_rats": 1.0}, "Did you mean 'learning_rate'|Did you mean 'estimator__learning_rate'"),
        ({"weight": "weight"}, "version 'v': there is no parameter 'weight'"),
        ({"estimator__epochs": "many"}, "version 'v': estimator__epochs is 'many': it must be int"),
    ):
        with pytest.raises(ParameterError, match=told):
            EstimatorModel(People(), Slope(), Versions().add("v", **given))
    with pytest.raises(VersionsError, match="leave dataloader out"):
        EstimatorModel(People(), Slope(), Versions(dataloader=People()).add("v"))


def test_a_subclass_may_have_parameters_of_its_own() -> None:
    class Mine(EstimatorModel):
        PARAMETERS = ("mood",)

    (version,) = Mine(People(), Slope(), Versions().add("v", mood="good")).versions
    assert version.mood == "good"


def test_a_version_added_later_is_one_of_the_model() -> None:
    versions = Versions().add("first")
    model = EstimatorModel(People(), Slope(), versions)
    versions.add("second", epochs=9)
    model.versions.add("third", estimator__epochs=11)
    assert [version["estimator"].epochs for version in model.versions] == [3, 9, 11]
    assert model.versions.getVersion("second") is model.versions["second"]


def test_a_version_may_have_an_estimator_of_its_own() -> None:
    model = EstimatorModel(People(), Slope(), Versions().add("naive", estimator=Naive()).add("slope"))
    assert [type(version["estimator"]) for version in model.versions] == [Naive, Slope]


def test_making_a_model_reads_no_rows_and_loads_no_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import sys\n"
        "from mlpipeline import Versions\n"
        "from mlpipeline.data import TrainTestSplit\n"
        "from mlpipeline.learning import EstimatorModel\n"
        "from mlpipeline.learning.estimators import Naive\n"
        "class Rows(TrainTestSplit):\n"
        "    def get_data(self): raise SystemExit('rows were read')\n"
        "model = EstimatorModel(Rows(), Naive(), Versions().grid(dataset__subsample=[1, 2]))\n"
        "print([version.described() for version in model.versions] and 'described')\n"
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'xgboost', 'skops'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:2] == ["described", "[]"], done.stderr
