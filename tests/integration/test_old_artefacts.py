"""Models that old releases saved: loaded by this one, they predict what they predicted then."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.errors import ArtefactDamaged, MissingExtra
from mlpipeline.learning import EstimatorModel, serializers

OLD = Path(__file__).resolve().parents[1] / "old"
SAVED = sorted(path.parent for path in OLD.glob("*/artefacts/*/artefact"))


def named(path: Path) -> str:
    return f"{path.parents[1].name}-{path.name}"


def loaded(path: Path) -> EstimatorModel:
    try:
        return EstimatorModel.load(path / "artefact")
    except MissingExtra as error:
        pytest.skip(str(error))


def rows_of(path: Path) -> pd.DataFrame:
    return pd.read_json(io.StringIO((path / "rows.json").read_text("utf-8")), orient="table")


@pytest.mark.parametrize("path", SAVED, ids=named)
def test_it_predicts_what_it_predicted_when_it_was_saved(path: Path) -> None:
    model, rows = loaded(path), rows_of(path)
    expected: dict[str, Any] = json.loads((path / "expected.json").read_text("utf-8"))
    predicted = model.predict(rows)
    if expected["proba"] is None:
        np.testing.assert_allclose(predicted.to_numpy(dtype=float), expected["predicted"], rtol=1e-5)
    else:
        assert predicted.tolist() == expected["predicted"]
        np.testing.assert_allclose(model.predict_proba(rows), expected["proba"], atol=1e-5)
    found = model.evaluate(rows)  # a later release may know more scores
    assert {name: found[name] for name in expected["scores"]} == pytest.approx(expected["scores"], abs=1e-5)


@pytest.mark.parametrize("path", SAVED, ids=named)
def test_it_is_saved_again_as_it_was(path: Path, tmp_path: Path) -> None:
    model = loaded(path)
    model.save(tmp_path / "again")
    again, rows = EstimatorModel.load(tmp_path / "again"), rows_of(path)
    pd.testing.assert_series_equal(again.predict(rows), model.predict(rows))
    before, after = (serializers.read_manifest(each) for each in (path / "artefact", tmp_path / "again"))
    for key in ("schema", "estimator", "target", "metrics", "metric", "inputs", "output_inputs"):
        assert after[key] == before[key]


def test_every_kind_of_estimator_is_there() -> None:
    from mlpipeline.learning import estimators

    kept = {serializers.read_manifest(path / "artefact")["estimator"]["class"].rpartition(":")[2] for path in SAVED}
    # Prophet writes what its own release reads, and is no part of a release's promise.
    assert kept == set(estimators.__all__) - {"Prophet"}


@pytest.mark.parametrize("path", SAVED, ids=named)
def test_a_flipped_byte_in_any_of_its_files_is_noticed(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(path / "artefact", tmp_path / "copy"))
    for file in [each for each in copy.rglob("*") if each.is_file()]:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :])
        with pytest.raises(ArtefactDamaged, match=file.name):
            serializers.restore(copy)
        file.write_bytes(whole)
