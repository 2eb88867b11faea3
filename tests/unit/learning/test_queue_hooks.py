"""What the queue calls of an EstimatorModel, without the queue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpipeline import RunContext, Versions
from mlpipeline.learning import EstimatorModel

from .stand_ins import People, Slope

pytestmark = pytest.mark.usefixtures("serializers")


def executed(model: EstimatorModel, directory: Path, *, name: str = "v", seed: int = 7) -> EstimatorModel:
    """Does what a worker does."""
    directory.mkdir(exist_ok=True)
    version = model.versions.getVersion(name)
    model_dir = directory / "model_dir"
    model_dir.mkdir(exist_ok=True)
    model.run = RunContext(directory=directory, model_dir=model_dir, seed=seed, run_id="r", version=name)
    loader = version["dataloader"]
    model.pre_execution_hook(version, str(model_dir))
    assert model.steps_for(version, loader) == 4
    if (model.get_trained_step_count() or 0) < 4:
        model.train_model(loader.get_train_input(), 4)
    for rows in (loader.get_train_input(), loader.get_validation_input(), loader.get_test_input()):
        model.evaluate_model(rows, 1)
    model.post_execution_hook(version, str(model_dir))
    return model


def model() -> EstimatorModel:
    return EstimatorModel(People(), Slope(), Versions().add("v", epochs=4, dataset__subsample=200))


def test_a_version_is_trained_scored_and_saved(tmp_path: Path) -> None:
    done = executed(model(), tmp_path / "1")
    assert done.metrics.keys() == {"train", "validation", "test"}
    assert done.estimator.get_params()["random_state"] == 7
    assert len(done.dataset) == 200
    saved = json.loads((tmp_path / "1" / "artefact" / "manifest.json").read_text())
    assert saved["run"]["id"] == "r"
    assert (tmp_path / "1" / "tensorboard" / "train").is_dir()


def test_what_is_trained_already_is_scored_from_its_checkpoint(tmp_path: Path) -> None:
    first = executed(model(), tmp_path / "1")
    for place in (tmp_path / "1" / "artefact", tmp_path / "1" / "tensorboard"):
        place.rename(place.with_name(f"{place.name}-before"))
    again = executed(model(), tmp_path / "1")
    assert again.metrics == first.metrics
    assert again.estimator is not first.estimator


def test_beginning_anew_gives_a_fresh_estimator_and_the_same_rows(tmp_path: Path) -> None:
    done = executed(model(), tmp_path / "1")
    estimator, data = done.estimator, done.dataset
    done.pre_execution_hook(done.versions["v"], str(tmp_path))
    assert done.dataset is data
    assert done.estimator is not estimator
    assert "target_" not in vars(done.estimator)


def test_the_loader_counts_what_the_version_reads() -> None:
    made = model()
    version = made.versions["v"]
    made.pre_execution_hook(version, "")
    loader = version["dataloader"]
    counts = loader.get_train_sample_count(), loader.get_validation_sample_count(), loader.get_test_sample_count()
    assert counts == (160, 20, 20)
    assert loader.get_dataloader_summery() == "People: 200 rows (160 training, 20 validation, 20 test), 2 features"


def test_a_part_without_rows_is_not_scored() -> None:
    made = EstimatorModel(People(fractions=(1.0, 0.0, 0.0)), Slope(), Versions().add("v"))
    version = made.versions["v"]
    made.pre_execution_hook(version, "")
    loader = version["dataloader"]
    assert (loader.get_validation_input(), loader.get_test_input()) == (None, None)
    assert made.evaluate_model(None, 1) is None
    made.train_model(loader.get_train_input(), 3)
    assert made.evaluate_model(loader.get_train_input(), 1).keys() >= {"auc"}
