"""Fits trees to a dataset by hand, in a project, and says how long that took, and how much of it the books took.

Called with the number of rows and of trees, in an empty directory; writes seconds as JSON into `said`.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io  # noqa: F401 - imported once a process: what it takes is no part of a fit
from sklearn.ensemble import HistGradientBoostingClassifier

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm, Unique
from mlpipeline.execution import by_hand
from mlpipeline.learning import EstimatorModel, keeping
from mlpipeline.learning.estimators import SKLearn

NUMBERS = [f"number{place}" for place in range(8)]
# What a fit does beside reading, encoding, learning and scoring; what it does meanwhile is added below.
BOOKS = (
    (by_hand, "project_here"),
    (by_hand, "begin"),
    (keeping, "keep"),
    (by_hand.RecordedFit, "succeed"),
)


class Rows(TrainTestSplit):
    """Ten columns, of which two are words."""

    rows = 0

    def get_data(self):
        random = np.random.default_rng(0)
        frame = pd.DataFrame(random.normal(size=(self.rows, 8)), columns=NUMBERS)
        words = np.array([f"word{number}" for number in range(100)])
        frame["one"], frame["two"] = random.choice(words, self.rows), random.choice(words, self.rows)
        frame["answer"] = frame["number0"] * frame["number1"] + random.normal(size=self.rows) > 0
        return frame

    def get_encoders(self):
        return (*map(Norm, NUMBERS), Unique("one"), Unique("two"))

    def get_output_encoder(self):
        return Boolean("answer")


def timed(function, name, spent):
    """Returns the function, which adds what it takes."""

    def around(*arguments, **named):
        begin = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - begin

    return around


def watched(manager, spent):
    """Returns the context manager, which adds what it takes before and after its body."""

    @contextlib.contextmanager
    def around(*arguments):
        begin = time.perf_counter()
        with manager(*arguments):
            spent["noting_data"] = time.perf_counter() - begin
            yield
            end = time.perf_counter()
        spent["noting_data"] += time.perf_counter() - end

    return around


def main(rows, trees):
    """Fits once, and writes what it took."""
    Path("mlp.config").write_text("[MLP]\nhost = here\n", "utf-8")
    Rows.rows = rows
    books = {}
    for holder, name in BOOKS:
        setattr(holder, name, timed(getattr(holder, name), name, books))
    keeping.noting_data = watched(keeping.noting_data, books)
    learner = HistGradientBoostingClassifier(max_iter=trees, early_stopping=False, max_leaf_nodes=63)
    model = EstimatorModel(Rows(), SKLearn(learner))
    model.dataset.encoding, model.dataset.encoded_training_data  # noqa: B018 - read and encoded beforehand
    begin = time.perf_counter()
    model.fit()
    Path("said").write_text(json.dumps({"total": time.perf_counter() - begin, "books": books}), "utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
