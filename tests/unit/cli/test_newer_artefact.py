"""A model that a newer release saved: every way to it says which release reads it, and nothing else is in its way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlpipeline.cli.main import cli
from mlpipeline.errors import ArtefactError, ArtefactTooNew
from mlpipeline.learning import EstimatorModel, manifest, serializers, transfer
from mlpipeline.learning.estimators import Naive
from tests.unit.learning.stand_ins import People

SAID = "has format 2, and this release reads up to 1: upgrade mlpipeline to 9.1.0"
ROWS = "a,c\n1,x\n"


def fit() -> Path:
    model = EstimatorModel(People(), Naive())
    model.name = "people.py"
    return Path("models/outputs/runs", str(model.fit().run.run_id), "1", "artefact")


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words, input=ROWS, prog_name="mlpipeline")
    return done.exit_code, done.output


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a model that a newer release has saved, in a project of the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    place = fit()
    content = json.loads((place / "manifest.json").read_bytes()) | {"format": 2, "mlpipeline": "9.1.0", "soul": "new"}
    content["digest"] = manifest.digest(content)
    (place / "manifest.json").write_bytes(manifest.rendered(content))
    return place


def test_it_is_neither_loaded_nor_copied(newer: Path, tmp_path: Path) -> None:
    for use in (
        lambda: EstimatorModel.load(newer),
        lambda: serializers.load(newer),
        lambda: transfer.upload(newer, str(tmp_path / "up")),
        lambda: transfer.download(str(newer), tmp_path / "down"),
    ):
        with pytest.raises(ArtefactTooNew, match=SAID):
            use()
    assert not (tmp_path / "up").exists()
    assert not (tmp_path / "down").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "people"),
        ("predict", "people", "--run", "latest"),
        ("predict", "people", "--url", "PLACE"),
        ("serve", "people", "--port", "0"),
        ("serve", "people=PLACE", "--port", "0"),
        ("serve", "--port", "0"),
    ],
)
def test_a_command_says_which_release_reads_it(newer: Path, words: tuple[str, ...]) -> None:
    pytest.importorskip("uvicorn", reason="serving needs uvicorn: pip install 'mlpipeline[serving]'")
    status, said = run(*(word.replace("PLACE", str(newer)) for word in words))
    assert status in (1, 2)
    assert f"{newer}/manifest.json: {SAID}" in said
    assert "Traceback" not in said


def test_a_fit_beside_it_is_saved_and_predicts(newer: Path) -> None:
    place = fit()
    assert place != newer
    status, said = run("predict", "people")
    assert (status, said.startswith("y\n")) == (0, True), said


def test_a_model_is_saved_over_it_only_where_it_is_named(newer: Path) -> None:
    before = (newer / "manifest.json").read_bytes()
    mine = fit()
    with pytest.raises(ArtefactError, match="a saved model is there already"):
        transfer.upload(mine, str(newer))
    assert (newer / "manifest.json").read_bytes() == before
    transfer.upload(mine, str(newer), replace=True)
    EstimatorModel.load(newer)
