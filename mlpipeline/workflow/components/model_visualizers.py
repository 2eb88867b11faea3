"""Visualizers of models: pictures of what is predicted beside what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from mlpipeline import errors
from mlpipeline.errors import DataFault
from mlpipeline.workflow import scoring
from mlpipeline.workflow.components import places
from mlpipeline.workflow.components.model_explainers import reporting
from mlpipeline.workflow.components.model_trainers.estimator_trainer import trained
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Splits
from mlpipeline.workflow.types.model import ModelTrainer, ModelVisualizer

_DPI = 120
_COLORS = {"train": "#7f8c8d", "validation": "#2471a3", "test": "#c0392b"}


class SklearnVisualizer(ModelVisualizer):
    """Draws with scikit-learn's Displays, on the rows that report.

    Of classes: the confusion matrix; ROC, precision beside recall, and calibration, where there are probabilities. Of
    numbers: predictions beside the truth, and residuals.

    Attributes:
        local_dir: where pictures are written.
    """

    local_dir: str | None = None
    problem_type: str | None = None

    @side_effects
    def generate_viz(self, data: Splits, model: ModelTrainer) -> Sequence[Path]:
        """Writes the pictures, and returns where they lie."""
        metrics: Any = errors.require("sklearn.metrics", extra="explain")
        rows = reporting(data)
        truth, features = rows[data.target], rows.drop(columns=data.target)
        said = model.predict(features)
        if not scoring.is_class(data, self.problem_type):
            return [self._draw(*each) for each in _of_numbers(metrics, truth, said)]
        found = [("confusion_matrix", lambda axes: _confusion(metrics, truth, said, axes))]
        try:
            proba = model.predict_proba(features)
        except DataFault as error:
            self.log(f"no curves are drawn: {error}")
        else:
            found += _curves(metrics, truth, proba)
        return [self._draw(*each) for each in found]

    def _draw(self, name: str, draw: Callable[[Any], None]) -> Path:
        path = places.new_file(self, self.local_dir, name, ".png")
        return written(path, draw)


class ProphetVisualizer(ModelVisualizer):
    """Draws a forecast beside the truth over time; and, of ProphetTrainer, its trend and seasons.

    Attributes:
        time_index: the column of times; by default that of the splits.
        local_dir: where pictures are written.
    """

    local_dir: str | None = None
    time_index: str | None = None

    @side_effects
    def generate_viz(self, data: Splits, model: ModelTrainer) -> Sequence[Path]:
        """Writes the pictures, and returns where they lie.

        Raises:
            DataFault: (a ValueError) no column tells the time.
        """
        time = self.time_index or data.time_index
        if time is None:
            raise DataFault("ProphetVisualizer needs a time: set time_index to the column of dates")
        path = places.new_file(self, self.local_dir, "forecast", ".png")
        found = [written(path, lambda axes: _forecast(axes, data, model, time), width=10)]
        own = trained(model)
        prophet = None if own is None else getattr(own.estimator, "model_", None)
        if prophet is not None and hasattr(prophet, "component_modes"):
            found += self._components(prophet, data, time)
        return found

    def _components(self, prophet: Any, data: Splits, time: str) -> Iterator[Path]:
        rows = data.together().sort_values(time)
        columns = [name for name in prophet.extra_regressors if name in rows.columns]
        times = pd.to_datetime(rows[time])
        table = rows[columns].assign(ds=times.dt.tz_localize(None)).reset_index(drop=True)
        told = prophet.predict(table)
        for name in ("trend", *prophet.seasonalities):
            path = places.new_file(self, self.local_dir, f"component_{name}", ".png")
            yield written(path, partial(_line, times=told["ds"], values=told[name], name=name), width=10)


def written(path: Path, draw: Callable[[Any], None], *, width: float = 6.5) -> Path:
    """Writes a picture with matplotlib's figures alone: no window, no state that is shared."""
    figures: Any = errors.require("matplotlib.figure", extra="explain")
    figure = figures.Figure(figsize=(width, 5), layout="constrained")
    draw(figure.add_subplot())
    figure.savefig(path, dpi=_DPI)
    return path


def _confusion(metrics: Any, truth: pd.Series, said: pd.Series, axes: Any) -> None:
    names = sorted({*truth.dropna().unique(), *said.unique()}, key=str)
    texts = [str(each) for each in names]
    # As text: of truth and predictions, one may be whole numbers and the other floats.
    shown = metrics.ConfusionMatrixDisplay.from_predictions
    shown(truth.map(str), said.map(str), labels=texts, ax=axes, cmap="Blues")
    axes.set_title("What is predicted of which class")


def _curves(metrics: Any, truth: pd.Series, proba: pd.DataFrame) -> list[tuple[str, Callable[[Any], None]]]:
    classes = list(proba.columns)
    drawn = classes[1:] if len(classes) == 2 else classes
    each = [(str(name), (truth == name).to_numpy(), proba[name].to_numpy()) for name in drawn]
    each = [one for one in each if one[1].any() and not one[1].all()]

    def curves(kind: Any, title: str) -> Callable[[Any], None]:
        def draw(axes: Any) -> None:
            for name, flags, values in each:
                kind.from_predictions(flags, values, name=name, ax=axes)
            axes.set_title(title)

        return draw

    calibration: Any = errors.require("sklearn.calibration", extra="explain")
    return [
        ("roc", curves(metrics.RocCurveDisplay, "ROC: found beside falsely found")),
        ("precision_recall", curves(metrics.PrecisionRecallDisplay, "Precision beside recall")),
        ("calibration", curves(calibration.CalibrationDisplay, "How often it is so, beside how probable it was")),
    ] * bool(each)


def _of_numbers(metrics: Any, truth: pd.Series, said: pd.Series) -> Iterator[tuple[str, Callable[[Any], None]]]:
    def draw(axes: Any, kind: str, title: str) -> None:
        metrics.PredictionErrorDisplay.from_predictions(truth.to_numpy(), said.to_numpy(), kind=kind, ax=axes)
        axes.set_title(title)

    yield "prediction_error", partial(draw, kind="actual_vs_predicted", title="The truth beside the prediction")
    yield "residuals", partial(draw, kind="residual_vs_predicted", title="What is left beside the prediction")


def _forecast(axes: Any, data: Splits, model: ModelTrainer, time: str) -> None:
    for part, frame in data.parts():
        ordered = frame.sort_values(time)
        axes.scatter(ordered[time], ordered[data.target], s=8, color=_COLORS[part], label=f"{part}: the truth")
        said = model.predict(ordered.drop(columns=data.target))
        axes.plot(ordered[time], said, color=_COLORS[part], linewidth=1.2, label=f"{part}: predicted")
    axes.set_xlabel(time)
    axes.set_ylabel(data.target)
    axes.legend(fontsize="small")


def _line(axes: Any, times: pd.Series, values: pd.Series, name: str) -> None:
    axes.plot(times, values, color=_COLORS["validation"], linewidth=1.2)
    axes.set_title(name)
