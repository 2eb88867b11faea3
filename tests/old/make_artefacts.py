"""Makes the saved models that stand for the present release, one of each estimator: with predictions to compare.

Run it before a release, from the root: `python -m tests.old.make_artefacts [NAME…]`. What is there stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import __version__
from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm, OneHot, Pass, Token, Unique
from mlpipeline.data.transformers import Log
from mlpipeline.learning import EstimatorModel, estimators

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 100_000
ROWS, FILE = "rows.json", "expected.json"


class Visits(TrainTestSplit):
    """Visits to a shop: numbers, text, dates, gaps."""

    def get_data(self) -> pd.DataFrame:
        numbers = np.arange(120)
        age = (numbers * 37) % 60 + 18.0
        return pd.DataFrame(
            {
                "age": np.where(numbers % 17 == 0, np.nan, age),
                "town": [(None, "Bonn", "Köln", "Ulm")[number % 4] for number in numbers],
                "words": [("red shoes", "blue hat", "red hat and scarf")[number % 3] for number in numbers],
                "spent": (numbers * 13) % 50 + age,
                "is_back": (age + 20 * (numbers % 3)) > 60,
            }
        )

    def get_encoders(self) -> Any:
        return (Norm(Log("age")), Unique("town"), OneHot("town", name="town_is"), Token("words", sequence_length=3))

    def get_output_encoder(self) -> Any:
        return Boolean("is_back")


class Spending(Visits):
    """What was spent: a number."""

    def get_output_encoder(self) -> Any:
        return Pass("spent")


class Towns(Visits):
    """Where visitors come from: many classes."""

    def get_data(self) -> pd.DataFrame:
        return super().get_data().dropna(subset="town")

    def get_encoders(self) -> Any:
        return (Norm("age"), Pass("spent", name="spent"))

    def get_output_encoder(self) -> Any:
        return Unique("town")


class Months(Visits):
    """A number for each month, for what looks ahead in time."""

    def get_data(self) -> pd.DataFrame:
        months = np.arange(72)
        moments = pd.date_range("2020-01-01", periods=72, freq="MS")
        return pd.DataFrame({"month": months, "moment": moments, "sold": 100 + months + 10.0 * (months % 12)})

    def split(self, frame: pd.DataFrame) -> Any:
        return np.split(np.arange(len(frame)), [48, 60])

    def get_encoders(self) -> Any:
        return Pass("month", name="month")

    def get_output_encoder(self) -> Any:
        return Pass("sold")


def models() -> dict[str, Any]:
    """Returns what makes each model, by name: so that a library that is missing spoils nothing but its own."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    few = {"n_estimators": 5}
    small = {"hidden_layers": 1, "hidden_width": 4, "embed_size": 2}
    return {
        "naive": lambda: EstimatorModel(Visits(), estimators.Naive()),
        "naive_regression": lambda: EstimatorModel(Spending(), estimators.Naive()),
        "xgboost": lambda: EstimatorModel(Visits(), estimators.XGBoost(**few)),
        "xgboost_regression": lambda: EstimatorModel(Spending(), estimators.XGBoost(**few)),
        "xgboost_multiclass": lambda: EstimatorModel(Towns(), estimators.XGBoost(**few)),
        "sklearn": lambda: EstimatorModel(
            Visits(), estimators.SKLearn(RandomForestClassifier(n_estimators=3, max_depth=3, random_state=0))
        ),
        "sklearn_histogram": lambda: EstimatorModel(
            Towns(), estimators.SKLearn(HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=4, random_state=0))
        ),
        "sklearn_regression": lambda: EstimatorModel(
            Spending(), estimators.SKLearn(make_pipeline(StandardScaler(), Ridge()))
        ),
        "lightgbm": lambda: EstimatorModel(Visits(), estimators.LightGBM(**few)),
        "catboost": lambda: EstimatorModel(Visits(), estimators.CatBoost(**few)),
        "holt_winters": lambda: EstimatorModel(Months(), estimators.HoltWinters()),
        "keras": lambda: EstimatorModel(Visits(), estimators.Keras(epochs=1, **small)),
        "keras_multiclass": lambda: EstimatorModel(Towns(), estimators.Keras(epochs=1, **small)),
    }


def main(names: list[str]) -> None:
    """Makes those of tests/old/<release>/artefacts that are not there."""
    folder = ROOT / "tests" / "old" / __version__ / "artefacts"
    for name, make in models().items():
        if (names and name not in names) or (folder / name).exists():
            continue
        # Away from the project of this repository, so that no fit is recorded there.
        with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
            made = Path(directory, name)
            _make(make(), made)
            _check(made)
            shutil.copytree(made, folder / name)
        print(f"{folder / name}: made. Add it with: git add --force {(folder / name).relative_to(ROOT)}")


def _make(model: EstimatorModel, directory: Path) -> None:
    model.fit()
    model._facts = {}  # commit and run of the machine that makes it
    model.save(directory / "artefact")
    rows = model.dataset.test_data.head(10)
    (directory / ROWS).write_text(rows.to_json(orient="table", index=False), "utf-8")
    proba = None if model.estimator.target_.is_regression else model.predict_proba(rows).to_numpy().tolist()
    expected = {"predicted": model.predict(rows).tolist(), "proba": proba, "scores": model.evaluate(rows)}
    (directory / FILE).write_text(json.dumps(expected), "utf-8")


def _check(directory: Path) -> None:
    files = [path for path in directory.rglob("*") if path.is_file()]
    if (size := sum(path.stat().st_size for path in files)) > MOST_BYTES:
        sys.exit(f"{directory.name} has {size:,} bytes, at most {MOST_BYTES:,} are kept")
    for path in files:
        for word in (str(ROOT), sys.prefix, str(Path.home()), tempfile.gettempdir()):
            if word != "/" and word.encode() in path.read_bytes():
                sys.exit(f"{path.relative_to(directory)}: names this machine: {word}")


if __name__ == "__main__":
    main(sys.argv[1:])
