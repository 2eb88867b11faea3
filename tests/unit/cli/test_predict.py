"""`mlpipeline predict`: rows of files and of stdin, by a saved model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from mlpipeline.cli.main import cli
from mlpipeline.learning import EstimatorModel, serializers
from mlpipeline.learning.estimators import Naive
from tests.unit.learning.small_models import fitted
from tests.unit.learning.stand_ins import People


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A saved model, beside which the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    serializers.save(fitted(), tmp_path / "saved", facts={"run": {"id": "r1", "model": "people.py"}})
    return "saved"


class Done(NamedTuple):
    """What came of a command."""

    status: int
    stdout: str
    stderr: str


def predict(*arguments: str, text: str = "") -> Done:
    done = CliRunner().invoke(cli, ["predict", "people", *arguments], input=text, prog_name="mlpipeline")
    return Done(done.exit_code, done.stdout, done.stderr)


def test_a_file_and_stdin_give_the_same(place: str, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("age,town\n30,Ulm\n,Bonn\n")
    by_file = predict("new.csv", "--url", place)
    assert by_file.status == 0, by_file
    assert by_file.stdout == "is_old\nFalse\nFalse\n"
    assert predict("--url", place, text="age,town\n30,Ulm\n,Bonn\n").stdout == by_file.stdout
    rows = [{"age": 30, "town": "Ulm"}, {"age": None, "town": "Bonn"}]
    by_json = predict("--url", place, "--format", "json", "--json", text=json.dumps(rows))
    assert json.loads(by_json.stdout) == [{"is_old": False}, {"is_old": False}]


def test_probabilities_have_a_column_for_each_class(place: str, tmp_path: Path) -> None:
    done = predict("--url", place, "--proba", "-o", "out.json", text="age,town\n30,Ulm\n")
    assert (done.status, done.stdout) == (0, "")
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert row.keys() == {"False", "True"}
    assert sum(row.values()) == pytest.approx(1.0)
    assert {path.name for path in tmp_path.iterdir()} == {"mlp.config", "saved", "out.json"}


def test_where_the_best_is_damaged_the_next_one_predicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    runs = []
    for _ in range(2):
        model = EstimatorModel(People(), Naive())
        model.name = "people.py"
        runs.append(model.fit().run.run_id)
    first, second = (tmp_path / "models" / "outputs" / "runs" / str(run) / "1" / "artefact" for run in runs)
    text = "a,c\n1,x\n"
    whole = predict(text=text)
    assert (whole.status, whole.stderr) == (0, ""), whole
    damaged = next(path for path in second.iterdir() if path.name == "encoding.json")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    done = predict(text=text)
    assert (done.status, done.stdout) == (0, whole.stdout), done
    assert f"the best model is left out, the next one is taken: {damaged}" in done.stderr
    chosen = predict("--run", str(runs[1]), text=text)
    assert (chosen.status, str(damaged) in chosen.stderr, chosen.stdout) == (1, True, "")
    (first / "encoding.json").write_bytes(b"")
    none = predict("--run", "latest", text=text)
    assert none.status == 1
    assert re.search(r"no saved model of people(\.py)? is whole: ", none.stderr)
    assert none.stderr.rstrip().endswith("copy the model again, or train again")


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (("--url", "saved"), "age\n30\n", "no column 'town'"),
        (("--url", "saved"), "age,town\nold,Ulm\n", "line 2, column 'age'"),
        (("--url", "nowhere"), "age,town\n30,Ulm\n", "there is nothing"),
        (("new.csv", "--url", "saved"), "", "new.csv: cannot be read"),
        (("--url", "saved", "-o", "out.xlsx"), "", "give --format"),
        (("--url", "saved", "-o", "no/out.csv"), "age,town\n30,Ulm\n", "cannot be written"),
        ((), "age,town\n30,Ulm\n", "no saved model 'people'"),
    ],
)
def test_what_is_wrong_is_said(place: str, arguments: tuple[str, ...], text: str, said: str) -> None:
    done = predict(*arguments, text=text)
    assert done.status in (1, 2)
    assert said in done.stderr
    assert done.stdout == ""
