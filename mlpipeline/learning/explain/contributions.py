"""What each value of a row adds to its prediction: the contributions and a base add up to what the model says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.errors import DataFault, UnknownOption
from mlpipeline.learning.explain import rows
from mlpipeline.learning.target import Target

AUTO, XGBOOST, SHAP = "auto", "xgboost", "shap"
NUMBER, PROBABILITY, LOG_ODDS = "number", "probability", "log-odds"
_MOST_ROWS = {XGBOOST: 1_000, SHAP: 100}
_MOST_ASKED = 2_000
_TOLERANCE = 1e-3
_BACKGROUND_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """What each encoder's features add to each prediction.

    Attributes:
        values: of shape (rows, outputs, encoders).
        base: the prediction where nothing is known of a row, of shape (outputs,).
        encoders: their names.
        outputs: what is predicted: the name of the target, or the labels of classes; of two classes, the second.
        rows: the columns that encoders read, of the rows that are explained.
        unit: of values and base: "number", "probability" or "log-odds".
        inputs: for each encoder, the columns that it reads.
    """

    values: np.ndarray
    base: np.ndarray
    encoders: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: pd.DataFrame
    unit: str
    inputs: tuple[tuple[str, ...], ...]

    @property
    def predicted(self) -> np.ndarray:
        """What the model says of each row, in `unit`, of shape (rows, outputs)."""
        total: np.ndarray = self.base + self.values.sum(axis=2)
        return total

    def table(self, output: str | None = None) -> pd.DataFrame:
        """Returns a row for each encoder, that with the largest contributions first.

        Args:
            output: one of `outputs`; by default the mean over all of them.

        Returns:
            `size` is the mean of the absolute contributions; `deviation` is how much contributions differ from row to
            row, the standard deviation of a sample.
        """
        places = slice(None) if output is None else [self.place(output)]
        values = self.values[:, places, :]
        deviation = values.std(axis=0, ddof=1).mean(axis=0) if len(values) > 1 else np.zeros(len(self.encoders))
        found = pd.DataFrame({"size": np.abs(values).mean(axis=(0, 1)), "deviation": deviation}, index=self.encoders)
        return found.rename_axis("encoder").sort_values("size", ascending=False, kind="stable")

    def row(self, place: int, output: str | None = None) -> pd.DataFrame:
        """Returns what each encoder adds to the prediction of one row, the largest first, beside what it has read.

        Args:
            place: of the row, from 0.
            output: one of `outputs`; by default the one that is predicted highest.

        Raises:
            DataFault: there is no such row or output.
        """
        if not 0 <= place < len(self.rows):
            raise DataFault(f"there is no row {place}: {len(self.rows):,} are explained, counted from 0")
        which = self.place(output) if output is not None else int(self.predicted[place].argmax())
        row = self.rows.iloc[place]
        read = [", ".join(str(row[name]) for name in names) for names in self.inputs]
        found = pd.DataFrame({"value": read, "contribution": self.values[place, which]}, index=self.encoders)
        order = np.argsort(-np.abs(found["contribution"].to_numpy()), kind="stable")
        return found.rename_axis("encoder").iloc[order]

    def place(self, output: str) -> int:
        """Returns where an output stands.

        Raises:
            DataFault: there is none of that name.
        """
        if output not in self.outputs:
            raise DataFault(f"there is no output {output!r}: there are {', '.join(self.outputs)}")
        return self.outputs.index(output)

    def plot(self, path: str | Path, output: str | None = None) -> Path:
        """Draws bars of the sizes of contributions into a file."""
        from mlpipeline.learning.explain import pictures

        return pictures.bars(
            Path(path),
            self.table(output)["size"],
            None,
            title=f"Contributions to {output or ', '.join(self.outputs[:3])}",
            label=f"mean size of contributions ({self.unit})",
        )

    def summary_plot(self, path: str | Path, output: str | None = None) -> Path:
        """Draws a dot for each row and encoder into a file; its color is the value, where that is a number."""
        from mlpipeline.learning.explain import pictures

        return pictures.summary(Path(path), self, output)

    def force_plot(self, path: str | Path, place: int = 0, output: str | None = None) -> Path:
        """Draws into a file what pushes the prediction of one row up, and what pushes it down."""
        from mlpipeline.learning.explain import pictures

        return pictures.force(Path(path), self, place, output)


def contributions(
    model: Any,
    frame: pd.DataFrame | None = None,
    *,
    method: str = AUTO,
    background: pd.DataFrame | None = None,
    seed: int = 0,
    most_rows: int | None = None,
) -> Contributions:
    """Computes what each encoder's features add to predictions: Shapley values (Lundberg and Lee, 2017).

    Args:
        model: fitted: has `estimator` and `encoding`.
        frame: rows as they are before encoding; by default the validation split.
        method: "xgboost" asks XGBoost itself, exactly, in log-odds for classes; "shap" asks any estimator again and
            again, with values of other rows in place of the row's own; "auto" takes the first where it can.
        background: those other rows, for "shap"; by default the training split, else the frame.
        seed: of what is drawn.
        most_rows: more rows than these are drawn from; by default 1,000, and 100 for "shap", which takes its time.

    Raises:
        MissingExtra: shap is not installed.
        DataFault: there are no rows, or the method does not go with the estimator.
        UnknownOption: (a ValueError) there is no such method.
    """
    if method not in (AUTO, XGBOOST, SHAP):
        raise UnknownOption(f"method is {method!r}: it must be 'permutation', 'auto', 'xgboost' or 'shap'")
    estimator, encoding = model.estimator, model.encoding
    used = _method(estimator, method)
    taken = rows.chosen(model, frame, _MOST_ROWS[used] if most_rows is None else most_rows, seed)
    x = encoding.encode_x(taken)
    if used == XGBOOST:
        values, base = _of_xgboost(estimator, x)
    else:
        values, base = _of_shap(model, x, background, seed)
    of_classes = LOG_ODDS if used == XGBOOST else PROBABILITY
    inputs = [str(name) for name in encoding.inputs]
    return Contributions(
        values=_summed(encoding, x, values),
        base=base,
        encoders=tuple(encoder.name for encoder in encoding.encoders),
        outputs=_outputs(encoding, estimator.target_, values.shape[1]),
        rows=taken[inputs],
        unit=NUMBER if estimator.target_.is_regression else of_classes,
        inputs=tuple(tuple(map(str, encoder.inputs)) for encoder in encoding.encoders),
    )


def _method(estimator: Any, method: str) -> str:
    has_own = hasattr(estimator, "booster_") and hasattr(estimator.booster_, "inplace_predict")
    if method == XGBOOST and not has_own:
        raise DataFault(f"{estimator!r} does not tell contributions itself, only XGBoost does: use method='shap'")
    return XGBOOST if has_own and method != SHAP else SHAP


def _of_xgboost(estimator: Any, x: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Returns contributions of features, of shape (rows, outputs, features), and the base of each output."""
    xgboost = errors.require("xgboost", extra="xgboost")
    ordered = x[[str(name) for name in estimator.feature_names_in_]].astype(np.float32)
    matrix = xgboost.DMatrix(ordered.to_numpy(), feature_types=getattr(estimator, "feature_types_", None))
    told = estimator.booster_.predict(matrix, pred_contribs=True, validate_features=False).astype(np.float64)
    told = told[:, None, :] if told.ndim == 2 else told
    return told[:, :, :-1], told[0, :, -1]


def _of_shap(model: Any, x: pd.DataFrame, background: pd.DataFrame | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Likewise, by asking the estimator; each feature's value is replaced by those of the background."""
    shap = errors.require("shap", extra="explain")
    estimator, columns, dtypes = model.estimator, x.columns, x.dtypes
    if background is None:
        found = getattr(getattr(model, "dataset", None), "training_data", None)
        background = found if isinstance(found, pd.DataFrame) else None
    others = (
        x if background is None else model.encoding.encode_x(rows.chosen(model, background, _BACKGROUND_ROWS, seed))
    )

    def ask(values: np.ndarray) -> np.ndarray:
        frame = pd.DataFrame(values, columns=columns).astype(dtypes)
        if estimator.target_.is_regression:
            return np.asarray(estimator.predict(frame), dtype=np.float64)
        if not estimator.has_proba:
            raise DataFault(f"{estimator!r} has no probabilities to be explained: only those, and numbers, can be")
        proba = np.asarray(estimator.predict_proba(frame))
        return proba[:, 1] if proba.shape[1] == 2 else proba

    masker = shap.maskers.Independent(others.to_numpy(np.float64), max_samples=_BACKGROUND_ROWS)
    explainer = shap.explainers.Permutation(ask, masker, seed=seed)
    # A walk through all features, there and back, is the least; more of them make it more exact.
    walk = 2 * x.shape[1] + 1
    told = explainer(x.to_numpy(np.float64), max_evals=max(walk, min(10 * walk, _MOST_ASKED)), silent=True)
    values = told.values[:, None, :] if told.values.ndim == 2 else told.values.transpose(0, 2, 1)
    base = np.atleast_1d(np.asarray(told.base_values, dtype=np.float64)[0])
    _check_sums(estimator, base + values.sum(axis=2), ask(x.to_numpy(np.float64)).reshape(len(x), -1))
    return values, base


def _check_sums(estimator: Any, summed: np.ndarray, said: np.ndarray) -> None:
    """Refuses an estimator whose predictions come of more than the features of each row.

    Raises:
        DataFault: as a forecast does that counts rows.
    """
    if np.abs(summed - said).max() > _TOLERANCE * max(1.0, float(np.abs(said).max())):
        raise DataFault(
            f"{estimator!r} predicts by more than the features of a row, by its place among the rows say: what "
            f"features add cannot be told; ask explain(method='permutation')"
        )


def _summed(encoding: Any, x: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Adds up the contributions of each encoder's features: they are additive."""
    places = {str(name): place for place, name in enumerate(x.columns)}
    groups = [[places[name] for name in encoder.feature_names] for encoder in encoding.encoders]
    return np.stack([values[:, :, group].sum(axis=2) for group in groups], axis=2)


def _outputs(encoding: Any, target: Target, count: int) -> tuple[str, ...]:
    name = ", ".join(map(str, encoding.output_inputs)) or "prediction"
    if target.is_regression:
        return (name,)
    codes = target.codes(np.arange(len(target.classes)))
    labels = [str(each) for each in encoding.output_encoder.inverse_transform(codes)]
    return (f"{name} = {labels[1]}",) if count == 1 else tuple(f"{name} = {label}" for label in labels)
