"""Explainers of models: what a model rests on, and what each value of a row adds to its prediction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import plugins
from mlpipeline.errors import DataFault
from mlpipeline.workflow import scoring
from mlpipeline.workflow.components import places
from mlpipeline.workflow.components.model_trainers.estimator_trainer import trained
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import TEST, TRAIN, VALIDATION, Finding, Report, Splits
from mlpipeline.workflow.types.model import ModelExplainer, ModelTrainer


class PermutationExplainer(ModelExplainer):
    """Explains any trainer by asking it again and again.

    What a model rests on is how much worse its metric gets where a column is shuffled (Breiman, Random Forests, 2001).
    What a value adds are Shapley values, drawn as Štrumbelj and Kononenko do (2014): columns of a row take the place of
    another row's one after the other, in random order.

    Attributes:
        perf_metric: which metric gets worse; by default the first of `metrics`, else accuracy, or rmse.
        repeats: how often each column is shuffled, and how many orders are drawn.
        most_rows: more rows than these are drawn from, for what a model rests on.
        local_dir: where pictures are written.
        seed: of all that is drawn.
    """

    perf_metric: str | None = None
    metrics: list[str] | None = None
    problem_type: str | None = None
    local_dir: str | None = None
    repeats: int = 5
    most_rows: int = 2_000
    seed: int = 0

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the names of metrics."""
        return scoring.metric_names() if key in ("perf_metric", "metrics") else None

    @side_effects
    def get_feature_importance(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns how much worse the metric gets for each column, the most important first; with a picture."""
        metric = scoring.deciding(data, self.perf_metric, self.metrics, self.problem_type)
        rows = _drawn(reporting(data), self.most_rows, self.seed)
        table = self._importance(data, model, rows, metric)
        place = places.new_file(self, self.local_dir, "feature_importance", ".png")
        _bars(place, table, f"Importance by {len(rows):,} shuffled rows", f"how much worse {metric} gets")
        findings = [
            Finding(name=str(name), value=float(row.importance), message=f"± {row.deviation:.3g} {metric}")
            for name, row in zip(table.index, table.itertuples(), strict=True)
        ]
        return Report(name="feature_importance", findings=tuple(findings), path=str(place))

    def _importance(self, data: Splits, model: ModelTrainer, rows: pd.DataFrame, metric: str) -> pd.DataFrame:
        def score(frame: pd.DataFrame) -> float:
            return scoring.scores_of(model, data, frame, [metric], self.problem_type)[metric]

        chance, plain = np.random.default_rng(self.seed), score(rows)
        sign = 1.0 if scoring.direction(metric) == "maximize" else -1.0
        found: dict[str, tuple[float, float]] = {}
        for name in rows.columns.drop(data.target):
            values = [sign * (plain - score(_shuffled(rows, name, chance))) for _ in range(self.repeats)]
            found[name] = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        table = pd.DataFrame.from_dict(found, orient="index", columns=["importance", "deviation"])
        return table.sort_values("importance", ascending=False, kind="stable")

    def get_explanations(self, data: pd.DataFrame, model: ModelTrainer) -> pd.DataFrame:
        """Returns what each value adds to the prediction of its row, beside the other rows given.

        Predictions are numbers; of two classes the probability of the second; of more, that of the one predicted.

        Returns:
            shape (rows, columns), under the same index; a row sums to its prediction less the mean of those
            that were drawn beside it.
        """
        ask = _asked(model, data)
        chance = np.random.default_rng(self.seed)
        total = pd.DataFrame(0.0, index=data.index, columns=data.columns)
        for _ in range(self.repeats):
            others = chance.permutation(len(data))
            order = chance.permutation(len(data.columns))
            # There and back: what the order favors is evened out.
            for columns in (data.columns[order], data.columns[order[::-1]]):
                total += _walked(data, others, columns, ask)
        return total / (2 * self.repeats)


class ShapExplainer(ModelExplainer):
    """Explains trainers over mlpipeline's estimators by Shapley values: XGBoost's own, else those of shap.

    Attributes:
        most_rows: more rows than these are drawn from, for what a model rests on.
        local_dir: where pictures are written.
        seed: of all that is drawn.
    """

    local_dir: str | None = None
    most_rows: int = 100
    seed: int = 0

    @side_effects
    def get_feature_importance(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns the mean size of what each column adds, the greatest first; with a picture of all rows.

        Raises:
            MissingExtra: shap is not installed, and the model is none of XGBoost.
            DataFault: (a ValueError) the trainer is not over one of mlpipeline's estimators.
        """
        rows = reporting(data).drop(columns=data.target)
        told = self._told(rows, model, min(self.most_rows, len(rows)))
        place = places.new_file(self, self.local_dir, "feature_importance", ".png")
        told.summary_plot(place)
        findings = [
            Finding(name=str(name), value=float(size), message=f"mean size of contributions ({told.unit})")
            for name, size in told.table()["size"].items()
        ]
        return Report(name="feature_importance", findings=tuple(findings), path=str(place))

    def get_explanations(self, data: pd.DataFrame, model: ModelTrainer) -> pd.DataFrame:
        """Returns what each column adds: to a number; of two classes to the second; of more, to the one that is most
        probable. XGBoost tells classes in log-odds.

        Returns:
            shape (rows, columns), under the same index.
        """
        told = self._told(data, model, len(data))
        which = told.predicted.argmax(axis=1)
        values = told.values[np.arange(len(data)), which, :]
        return pd.DataFrame(values, index=data.index, columns=list(told.encoders))

    def _told(self, rows: pd.DataFrame, model: ModelTrainer, most: int) -> Any:
        found = trained(model)
        if found is None:
            kind = type(model).__name__
            raise DataFault(f"{kind} is no trainer over mlpipeline's estimators: take PermutationExplainer for it")
        explain: Callable[..., Any] = plugins.load("learning", "explain")
        return explain(found, rows, method="auto", seed=self.seed, most_rows=most)


def reporting(data: Splits) -> pd.DataFrame:
    """Returns the rows that report: those of the test part, else of validation, else of training."""
    parts = {name: frame for name, frame in data.parts() if len(frame)}
    for name in (TEST, VALIDATION, TRAIN):
        if name in parts:
            return parts[name]
    raise DataFault("there are no rows to explain by: have the splitter make a test part")


def _drawn(rows: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    return rows if len(rows) <= most else rows.sample(most, random_state=seed).sort_index()


def _shuffled(rows: pd.DataFrame, name: str, chance: np.random.Generator) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].iloc[chance.permutation(len(rows))].set_axis(rows.index)})


def _asked(model: ModelTrainer, data: pd.DataFrame) -> Callable[[pd.DataFrame], np.ndarray]:
    """Returns what gives a number for each row."""
    try:
        proba = model.predict_proba(data)
    except DataFault:
        said = model.predict(data)
        if pd.api.types.is_numeric_dtype(said.dtype):
            return lambda rows: model.predict(rows).to_numpy(np.float64)
        return lambda rows: (model.predict(rows).to_numpy() == said.to_numpy()).astype(np.float64)
    if len(proba.columns) == 2:
        return lambda rows: model.predict_proba(rows).to_numpy(np.float64)[:, 1]
    which = proba.to_numpy().argmax(axis=1)
    return lambda rows: model.predict_proba(rows).to_numpy(np.float64)[np.arange(len(rows)), which]


def _walked(
    data: pd.DataFrame, others: np.ndarray, columns: pd.Index, ask: Callable[[pd.DataFrame], np.ndarray]
) -> pd.DataFrame:
    """Returns by how much the prediction changes as each column of another row becomes the row's own."""
    rows = data.iloc[others].set_axis(data.index)
    before, found = ask(rows), {}
    for name in columns:
        rows = rows.assign(**{name: data[name]})
        after = ask(rows)
        found[name], before = after - before, after
    return pd.DataFrame(found, index=data.index)[list(data.columns)]


def _bars(path: Path, table: pd.DataFrame, title: str, label: str) -> None:
    plugins.load("learning", "bars")(path, table["importance"], table["deviation"], title=title, label=label)
