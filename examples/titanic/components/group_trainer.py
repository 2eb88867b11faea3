"""A trainer of one's own: the share of each group, e.g. of the women of the first class."""

import json

import pandas as pd

from mlpipeline.workflow import ModelTrainer


class GroupTrainer(ModelTrainer):
    """Predicts for each row what most rows of its group were; for a group that was not seen, what most rows were.

    Args:
        training_params: `columns`, whose values make the groups.
    """

    def __init__(self, training_params: dict[str, list[str]]):
        self.columns = training_params["columns"]

    @classmethod
    def known_names(cls, key):
        return ("columns",) if key == "training_params" else None

    def fit(self, data):
        self.shares = data.truth().groupby(self.group_of(data.train)).mean().to_dict()
        self.overall = float(data.truth().mean())
        return self

    def group_of(self, data):
        return data[self.columns].astype(str).agg("/".join, axis=1)

    def predict(self, data):
        return (self.predict_proba(data)[1] >= 0.5).astype(int)

    def predict_proba(self, data):
        positive = self.group_of(data).map(self.shares).fillna(self.overall).astype(float)
        return pd.DataFrame({0: 1 - positive, 1: positive})

    def save(self, directory):
        (directory / "groups.json").write_text(json.dumps([self.columns, self.shares, self.overall]))

    def load(self, directory):
        self.columns, self.shares, self.overall = json.loads((directory / "groups.json").read_text())
        return self
