"""Where a server looks: the runs of a project, the best or the latest of each model, and places named by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.errors import UsageError
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive
from mlpipeline.learning.serving.catalog import Catalog, parse
from mlpipeline.project import Project
from tests.unit.learning.serving.conftest import Guests, Linear


def test_words_name_models_and_places() -> None:
    assert parse(["a", "b=s3://bucket/b", "c=dir=1"]) == (["a"], {"b": "s3://bucket/b", "c": "dir=1"})
    for words in (["a", "a"], ["a", "a=b"], ["a=b", "a=c"]):
        with pytest.raises(UsageError, match="'a' is there twice"):
            parse(words)
    for word in ("=b", "a=", ""):
        with pytest.raises(UsageError, match="NAME=PLACE"):
            parse([word])


def test_the_best_and_the_latest_of_a_project_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    project = Project.load(tmp_path)
    assert Catalog(project).look() == []
    good = EstimatorModel(Guests(), Linear(), metric="log_loss")
    good.fit()
    (first,) = Catalog(project).look()
    assert first.run is not None
    assert first.manifest["estimator"]["class"].endswith(":Linear")
    naive = EstimatorModel(Guests(), Naive(), metric="log_loss").fit()
    best = min((good, naive), key=lambda model: model.metrics["validation"]["log_loss"])
    (chosen,) = Catalog(project).look()
    assert chosen.manifest["metrics"]["validation"] == best.metrics["validation"]
    (latest,) = Catalog(project, (), "latest").look()
    assert latest.manifest["estimator"]["name"] == "naive"
    assert latest.stamp != first.stamp
    (named,) = Catalog(project, [first.name], first.run).look({first.stamp})
    assert named == first
    stamps = {first.stamp, latest.stamp}
    for stamp in stamps:
        for which in ("best", "latest"):
            (left,) = Catalog(project, (), which).look({stamp})
            assert {left.stamp, stamp} == stamps
    assert Catalog(project).look(stamps) == [chosen], "where there is no other one"
    found = Catalog(project, [first.name], places={"guests": str(place)}).look()
    assert [each.name for each in found] == [first.name, "guests"]
    assert [each.name for each in Catalog(project, places={"guests": str(place)}).look()] == ["guests"]
    with pytest.raises(UsageError, match="no saved model 'nobody'"):
        Catalog(project, ["nobody"]).look()
