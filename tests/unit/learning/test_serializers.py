"""Saved models: whole or not at all, compared with their digests, and loaded without running anything of theirs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import wiring
from mlpipeline.data.encoders import Norm, Static, Unique
from mlpipeline.data.transformers import String
from mlpipeline.errors import (
    ArtefactDamaged,
    ArtefactError,
    ArtefactTooNew,
    DataFault,
    MissingExtra,
    NotFitted,
    NotWritable,
    UnknownClass,
)
from mlpipeline.learning import EstimatorModel, classes, manifest, saving, serializers
from mlpipeline.learning.estimator import Training
from mlpipeline.learning.estimators import Naive, SKLearn, XGBoost
from tests.unit.learning.small_models import Paying, People, fitted, people


@pytest.fixture(autouse=True)
def _away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No project is here, so no fit is recorded."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    path = tmp_path / "artefact"
    assert serializers.save(fitted(), path, facts={"run": {"id": "r1", "model": "people.py"}}) == path
    return path


def rewritten(artefact: Path, **changes: Any) -> None:
    """Writes a manifest as a release would that says something else."""
    content = json.loads((artefact / "manifest.json").read_bytes()) | changes
    content["digest"] = manifest.digest(content)
    (artefact / "manifest.json").write_bytes(manifest.rendered(content))


def test_what_is_loaded_predicts_the_same(artefact: Path) -> None:
    model, found = fitted(), serializers.restore(artefact)
    assert found.encoding is not None
    x = found.encoding.encode_x(people())
    pd.testing.assert_frame_equal(x, model.encoding.encode_x(people()))
    np.testing.assert_array_equal(found.estimator.predict_proba(x), model.estimator.predict_proba(x))
    decoded = found.encoding.output_encoder.inverse_transform(found.estimator.predict(x))
    assert decoded.tolist() == [False] * 60


def test_the_manifest_tells_what_was_saved(artefact: Path) -> None:
    told = serializers.read_manifest(artefact)
    assert told["estimator"] == {
        "name": "naive",
        "class": "mlpipeline.learning.estimators.naive:Naive",
        "parameters": {"kind": None},
    }
    assert told["dataset"] == {"class": f"{People.__module__}:People"}
    assert told["run"] == {"id": "r1", "model": "people.py"}
    assert told["metric"]["name"] == "log_loss"
    assert told["metric"]["greater_is_better"] is False
    assert told["metric"]["value"] == told["metrics"]["validation"]["log_loss"]
    assert [column["name"] for column in told["schema"]["columns"]] == ["age", "town", "is_old"]
    assert told["inputs"] == ["age", "town"]
    assert told["libraries"]["numpy"] == np.__version__
    assert set(told["files"]) == {"encoding.json", "estimator.json"}


def test_every_flipped_byte_is_noticed_and_its_file_named(artefact: Path) -> None:
    for path in sorted(artefact.iterdir()):
        whole = path.read_bytes()
        for place in range(0, len(whole), 5):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(ArtefactDamaged, match=path.name):
                serializers.restore(artefact)
        path.write_bytes(whole)
    serializers.restore(artefact)


def test_a_missing_a_truncated_and_a_foreign_file_are_named(artefact: Path) -> None:
    path = artefact / "encoding.json"
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(ArtefactDamaged, match=r"encoding\.json: is missing"):
        serializers.restore(artefact)
    path.write_bytes(whole[:-10])
    with pytest.raises(ArtefactDamaged, match=rf"encoding\.json: has {len(whole) - 10:,} bytes, and {len(whole):,}"):
        serializers.restore(artefact)
    path.write_bytes(whole)
    (artefact / "estimator").mkdir()
    (artefact / "estimator" / "more.bin").touch()
    with pytest.raises(ArtefactDamaged, match=r"estimator/more\.bin: does not belong"):
        serializers.restore(artefact)


def test_a_link_to_a_directory_and_a_pipe_are_no_files(artefact: Path, tmp_path: Path) -> None:
    (artefact / "more").symlink_to(tmp_path)
    with pytest.raises(ArtefactDamaged, match="more: does not belong"):
        serializers.restore(artefact)
    (artefact / "more").unlink()
    (artefact / "encoding.json").unlink()
    os.mkfifo(artefact / "encoding.json")
    with pytest.raises(ArtefactError, match=r"encoding\.json: cannot be read \(is no file\)"):
        serializers.restore(artefact)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "", "a//b", "a\\b", "manifest.json"])
def test_a_manifest_cannot_name_files_elsewhere(artefact: Path, name: str) -> None:
    rewritten(artefact, files={name: {"sha256": "0", "bytes": 1}})
    with pytest.raises(ArtefactDamaged, match="outside of the model's directory"):
        serializers.read_manifest(artefact)


def test_a_newer_format_says_which_release_reads_it(artefact: Path) -> None:
    rewritten(artefact, format=2, mlpipeline="9.1.0")
    with pytest.raises(ArtefactTooNew, match=r"has format 2, .* up to 1: upgrade mlpipeline to 9\.1\.0"):
        serializers.restore(artefact)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "[" * 100_000, '{"format": "x", "files": {}}'])
def test_a_manifest_that_is_none_is_damaged(artefact: Path, text: str) -> None:
    (artefact / "manifest.json").write_text(text)
    with pytest.raises(ArtefactDamaged, match=r"manifest\.json"):
        serializers.read_manifest(artefact)


def test_a_directory_that_is_no_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"is no saved model, it has no manifest\.json"):
        serializers.restore(tmp_path)
    with pytest.raises(ArtefactError, match="there is nothing"):
        serializers.restore(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ArtefactError, match="is no directory"):
        serializers.restore(tmp_path / "file")


class Mine(Naive):
    """An estimator of a user's own."""


def test_a_class_of_the_user_is_found_when_it_is_imported_or_given(tmp_path: Path) -> None:
    serializers.save(fitted(estimator=Mine()), tmp_path / "a")
    assert isinstance(serializers.restore(tmp_path / "a").estimator, Mine)
    told = serializers.read_manifest(tmp_path / "a")
    assert told["estimator"]["name"] is None
    gone = told["estimator"] | {"class": "elsewhere.models:Mine"}
    rewritten(tmp_path / "a", estimator=gone)
    with pytest.raises(UnknownClass, match=r"elsewhere\.models:Mine.*there is .*:Mine.* classes=\[Mine\]"):
        serializers.restore(tmp_path / "a")
    assert isinstance(serializers.restore(tmp_path / "a", classes=[Mine]).estimator, Mine)
    rewritten(tmp_path / "a", estimator=gone | {"class": "elsewhere.models:Gone"})
    with pytest.raises(UnknownClass, match=r"never imported because a file says so: import elsewhere\.models first"):
        serializers.restore(tmp_path / "a")
    with pytest.raises(UnknownClass, match="is no class of estimators"):
        serializers.restore(tmp_path / "a", classes=[type("Gone", (), {})])


def test_a_registered_name_outlives_a_move_and_an_unknown_one_says_whose_it_was(artefact: Path) -> None:
    said = serializers.read_manifest(artefact)["estimator"]
    rewritten(artefact, estimator=said | {"class": "mlpipeline.old.place:Naive"})
    assert type(serializers.restore(artefact).estimator) is Naive
    rewritten(artefact, estimator={"name": "nave", "class": "elsewhere:Gone"})
    with pytest.raises(UnknownClass, match=r"saved by mlpipeline .*Did you mean .*naive"):
        serializers.restore(artefact)


def test_loading_imports_nothing_that_the_file_names(artefact: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('was run')")
    monkeypatch.syspath_prepend(tmp_path)
    said = serializers.read_manifest(artefact)["estimator"]
    for name in (None, "trap", "trap:Naive"):
        rewritten(artefact, estimator=said | {"name": name, "class": "trap:Naive"})
        with pytest.raises(UnknownClass):
            serializers.restore(artefact)


class Odd(People):
    """Takes columns in a way of its own."""

    def read_columns(self, frame: pd.DataFrame, names: Any) -> pd.DataFrame:
        return super().read_columns(frame.assign(age=frame["age"] * 2), names)


def test_a_dataset_with_a_way_of_its_own_has_to_be_given(tmp_path: Path) -> None:
    serializers.save(fitted(Odd()), tmp_path / "a")
    with pytest.raises(UnknownClass, match=r"a way of its own .*dataset=Odd\(\)"):
        serializers.restore(tmp_path / "a")
    found = serializers.restore(tmp_path / "a", dataset=Odd()).encoding
    pd.testing.assert_frame_equal(found.encode_x(people()), Odd().encoding.encode_x(people()))  # type: ignore[union-attr]


def test_tables_of_encoders_are_files_beside(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("Bonn 1 2\nUlm 3 4\n")

    class Embedded(People):
        def get_encoders(self) -> Any:
            return (Norm("age"), Static("town", tmp_path / "words.txt"))

    model = fitted(Embedded())
    serializers.save(model, tmp_path / "a")
    assert [path.suffix for path in (tmp_path / "a" / "tables").iterdir()] == [".arrow"]
    (tmp_path / "words.txt").unlink()
    found = serializers.restore(tmp_path / "a").encoding
    shutil.rmtree(tmp_path / "a")
    pd.testing.assert_frame_equal(found.encode_x(people()), model.encoding.encode_x(people()))  # type: ignore[union-attr]


def test_predictions_with_other_columns_say_which(artefact: Path) -> None:
    encoding = serializers.restore(artefact).encoding
    assert encoding is not None
    with pytest.raises(DataFault, match="no column 'town'"):
        encoding.encode_x(people()[["age"]])
    with pytest.raises(DataFault, match="'age' holds text"):
        encoding.encode_x(people().assign(age="old"))


class Broken(Naive):
    """Fails while it saves, after its first file."""

    def _save(self, directory: Path) -> dict[str, Any]:
        (directory / "part.bin").write_bytes(b"12")
        raise OSError(28, "No space left on device")

    def _fit(self, training: Training) -> None:
        super()._fit(training)


def test_what_fails_leaves_what_was_there(artefact: Path, tmp_path: Path) -> None:
    from mlpipeline.errors import DiskFull

    before = serializers.read_manifest(artefact)
    with pytest.raises(DiskFull, match="artefact: the disk is full"):
        serializers.save(fitted(estimator=Broken()), artefact)
    assert serializers.read_manifest(artefact) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artefact", "here"]


def test_a_saved_model_is_replaced_and_nothing_else_is(artefact: Path, tmp_path: Path) -> None:
    serializers.save(fitted(Paying(), metric="rmse"), artefact)
    assert serializers.read_manifest(artefact)["target"]["kind"] == "regression"
    serializers.restore(artefact)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artefact", "here"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(ArtefactError, match="is there already, and is no saved model"):
        serializers.save(fitted(), tmp_path / "full")
    with pytest.raises(ArtefactError, match="is no directory"):
        serializers.save(fitted(), tmp_path / "full" / "thesis.txt")


@pytest.mark.parametrize("at_once", [True, False])
def test_there_is_a_model_at_every_moment_of_a_replacement(
    artefact: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(saving, "_exchange", lambda one, other: False)
    seen = []

    def look(name: str, arguments: Any) -> None:
        if name == "shutil.rmtree":
            seen.append(serializers.read_manifest(artefact)["target"]["kind"])

    monkeypatch.setattr(shutil, "rmtree", _telling(shutil.rmtree, look))
    serializers.save(fitted(Paying(), metric="rmse"), artefact)
    assert set(seen) == {"regression"}
    assert sorted(path.name for path in artefact.parent.iterdir()) == ["artefact", "here"]


def _telling(function: Any, listener: Any) -> Any:
    def around(*arguments: Any, **named: Any) -> Any:
        listener("shutil.rmtree", arguments)
        return function(*arguments, **named)

    return around


def test_a_replacement_that_fails_leaves_the_former_model(artefact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = serializers.read_manifest(artefact)
    rename = os.rename

    def refuses(one: Any, other: Any) -> None:
        if str(other) == str(artefact) and Path(one, "manifest.json").exists() and not seen:
            seen.append(one)
            raise OSError(13, "Permission denied")
        rename(one, other)

    seen: list[Any] = []
    monkeypatch.setattr(saving, "_exchange", lambda one, other: False)
    monkeypatch.setattr(os, "rename", refuses)
    with pytest.raises(NotWritable, match="Permission denied"):
        serializers.save(fitted(Paying(), metric="rmse"), artefact)
    assert serializers.read_manifest(artefact) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(NotWritable, match="mend the permissions"):
        serializers.save(fitted(), tmp_path / "locked" / "a")


def test_a_file_where_a_directory_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable, match="cannot be written"):
        serializers.save(fitted(), tmp_path / "file" / "a")


def test_what_is_not_fitted_or_fits_into_no_file_is_refused(tmp_path: Path) -> None:
    model = fitted()
    model.estimator = Naive()
    with pytest.raises(NotFitted, match="before save"):
        serializers.save(model, tmp_path / "a")
    with pytest.raises(DataFault, match=r"facts\.what is object, which JSON cannot hold"):
        serializers.save(fitted(), tmp_path / "a", facts={"what": object()})
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_metrics_that_are_no_numbers_are_null(tmp_path: Path) -> None:
    model = fitted()
    model.metrics = {"validation": {"log_loss": float("nan"), "auc": np.float32(0.5)}}
    serializers.save(model, tmp_path / "a")
    told = serializers.read_manifest(tmp_path / "a")
    assert told["metrics"] == {"validation": {"log_loss": None, "auc": 0.5}}
    assert told["metric"]["value"] is None


def test_a_model_is_loaded_with_all_that_it_is_for(tmp_path: Path) -> None:
    model = EstimatorModel(dataset=People(), estimator=Naive(), metric="accuracy").fit()
    assert model.save(tmp_path / "a") == tmp_path / "a"
    assert model.upload("memory://whole/model") == "memory://whole/model"
    for place in (tmp_path / "a", str(tmp_path / "a"), (tmp_path / "a").as_uri(), "memory://whole/model"):
        found = EstimatorModel.load(place)
        pd.testing.assert_series_equal(found.predict(people()), model.predict(people()))
        pd.testing.assert_frame_equal(found.predict_proba(people()), model.predict_proba(people()))
        assert found.evaluate(people()) == model.evaluate(people())
        assert found.score(people()) == model.score(people())
        assert found.metric == model.metric
        assert found.metrics == model.metrics
    assert EstimatorModel.download("memory://whole/model", tmp_path / "b").predict(people()).eq(False).all()
    assert found.explain(people()).metric == "accuracy"
    with pytest.raises(DataFault, match="no column 'town'"):
        found.predict(people()[["age"]])
    with pytest.raises(DataFault, match="has no dataset"):
        found.fit()
    assert EstimatorModel.load(tmp_path / "a", dataset=People()).fit().evaluate() == model.evaluate()


class Kind(EstimatorModel):
    """A kind of model of a user's own."""


def test_a_model_of_a_kind_of_ones_own_is_loaded_by_it(tmp_path: Path) -> None:
    Kind(People(), Naive()).fit().save(tmp_path / "a")
    assert type(Kind.load(tmp_path / "a")) is Kind
    assert type(EstimatorModel.load(tmp_path / "a")) is EstimatorModel


class Tuned(Naive):
    """Has parameters of all sorts."""

    def __init__(self, *, kind: str | None = None, sizes: Any = (1, 2), rate: Any = 0.5, measure: Any = "mae") -> None:
        super().__init__(kind=kind)
        self.sizes = sizes
        self.rate = rate
        self.measure = measure


def test_parameters_come_back_as_they_were(tmp_path: Path) -> None:
    given = {"sizes": (3, np.float64(0.5), None), "rate": float("inf"), "measure": {"a": [1, "b"]}}
    serializers.save(fitted(estimator=Tuned(**given)), tmp_path / "a")
    assert serializers.restore(tmp_path / "a").estimator.get_params() == {"kind": None, **given}


def test_what_no_file_can_hold_is_told_and_has_its_default(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    serializers.save(fitted(estimator=Tuned(measure=max)), tmp_path / "a")
    found = serializers.restore(tmp_path / "a").estimator
    assert found.get_params()["measure"] == "mae"
    assert "measure was <built-in function max>, which no file can hold: set it before you fit again" in caplog.text


def test_a_parameter_that_the_class_has_lost_is_named_with_the_versions(tmp_path: Path) -> None:
    serializers.save(fitted(estimator=Tuned()), tmp_path / "a")
    with pytest.raises(ArtefactError, match=r"Tuned cannot be loaded .*Tuned has no parameter measure, rate, sizes"):
        serializers.restore(tmp_path / "a", classes=[type("Tuned", (Naive,), {})])


def test_an_estimator_of_scikit_learn_is_brought_by_its_own_file(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    serializers.save(fitted(estimator=SKLearn(LogisticRegression(C=0.5))), tmp_path / "a")
    found = serializers.restore(tmp_path / "a").estimator
    assert found.get_params()["sklearn"].C == 0.5


def test_an_estimator_whose_library_is_missing_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serializers.save(fitted(estimator=XGBoost(n_estimators=1)), tmp_path / "a")
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(MissingExtra, match=r"mlpipeline\[xgboost\]"):
        serializers.restore(tmp_path / "a")


def test_built_in_estimators_have_the_names_that_they_are_registered_by() -> None:
    registered = {name: target.partition(":")[2] for kind, name, target in wiring.BUILT_IN if kind == "estimator"}
    assert registered == classes._built_in()
    assert classes.name_of(XGBoost) == "xgboost"


class Doubled(Norm):
    """An encoder of a user's own."""


class Halved(String):
    """A transformer of a user's own."""


class Own(People):
    """Is encoded by these."""

    def get_encoders(self) -> Any:
        return (Doubled("age"), Unique(Halved("town", "lower")))


def test_encoders_and_transformers_that_have_moved_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(Own())
    with monkeypatch.context() as elsewhere:
        for kind in (Doubled, Halved):
            elsewhere.setattr(kind, "__module__", "models.former")
        serializers.save(model, tmp_path / "a")
    with pytest.raises(UnknownClass, match=r"encoding\.json: .*models\.former:Doubled.* import it first"):
        serializers.restore(tmp_path / "a")
    found = serializers.restore(tmp_path / "a", classes=[Doubled, Halved]).encoding
    assert found is not None
    pd.testing.assert_frame_equal(found.encode_x(people()), model.encoding.encode_x(people()))
