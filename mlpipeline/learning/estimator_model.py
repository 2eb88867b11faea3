"""A model made of a dataset and an estimator: fitted by hand, in a notebook, in the queue, and served."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from mlpipeline import errors, params
from mlpipeline.context import RunContext
from mlpipeline.data.encoding import Encoding
from mlpipeline.execution import by_hand
from mlpipeline.learning import addresses, decoding, evaluation, feed, keeping, prediction_log, scores
from mlpipeline.learning.estimator import Estimator
from mlpipeline.learning.feed import Feed, Rows
from mlpipeline.learning.hooks import hooked
from mlpipeline.learning.version_set import CompletedVersions
from mlpipeline.model import ExecutionModeKeys, Model
from mlpipeline.versions import Version, Versions

METRIC_NAMES = {"training": "train", "validation": "validation", "test": "test"}


class EstimatorModel(Model):
    """Fits an estimator to a dataset: learns from the training split, selects by validation, reports on the test.

    Methods `before_fit`, `after_fit(…, result)` and so on of a subclass, or of the estimator, are called around `fit`,
    `predict`, `predict_proba`, `evaluate` and `score`.

    Args:
        dataset: where rows come from, and how they become numbers. None: the model was loaded, and can only predict.
        estimator: what learns from them.
        versions: of the queue; their parameters have addresses, `estimator__max_depth`, `dataset__subsample`, `epochs`.
            By default there is one, as it is.
        metric: the score that models are selected by; by default rmse, auc or log_loss, by the kind of target.
        weight: a column with weights of rows; no feature.

    Attributes:
        PARAMETERS: what versions may have beside addresses, for methods of a subclass.
        dataset, estimator: once fitted, those that this fit was made with.
        encoding: the fitted encoders; None before.
        metrics: {"train": {score: value}, "validation": …, "test": …} of the last fit.
        metric: the Score that models are selected by; None before the fit where none was named.
        manifest: of a model that was loaded; else None.

    Raises:
        DataFault: (a ValueError) the dataset is no dataset, or the estimator no estimator.
        ParameterError: (a ValueError) a version has a parameter that there is not; the message names the nearest.
    """

    PARAMETERS: ClassVar[tuple[str, ...]] = ()
    goes_on_by: str | None = "is fitted anew where it is interrupted: its estimator makes no checkpoints"
    manifest: Mapping[str, Any] | None = None
    encoding: Encoding | None = None

    def __init__(
        self,
        dataset: Any,
        estimator: Estimator,
        versions: Versions | None = None,
        *,
        metric: str | None = None,
        weight: str | None = None,
    ) -> None:
        addresses.check_parts(dataset, estimator)
        super().__init__(Versions().add("default") if versions is None else versions)
        self.dataset, self.estimator = dataset, estimator
        self.weight = weight
        self.metric = None if metric is None else scores.named(metric)
        self.metrics: dict[str, dict[str, float]] = {}
        self._metric_name = metric
        self._facts: dict[str, Any] = {}
        self._datasets: dict[str, tuple[Any, Any]] = {}
        self._feed = Feed()
        self._feed.dataset, self._feed.weight = dataset, weight
        self.versions = CompletedVersions(self.versions, self._completed)
        list(self.versions)

    @hooked
    def fit(self, epochs: int | None = None, **changes: Any) -> Self:
        """Fits now, in this process; in a project that is a run of its history.

        Args:
            epochs: how many rounds, whatever the estimator calls them.
            changes: other parameters, by address: `estimator__max_depth=5`, `dataset__subsample=1000`. They stay.

        Raises:
            ParameterError: (a ValueError) there is no such parameter, or its value is of another type.
            DataFault: (a ValueError) the data cannot be learnt from; the message says why.
            NotWritable: the project's outputs cannot be written; nothing was fitted.
        """
        if self.dataset is None:
            raise errors.DataFault("the model has no dataset: load it with one, load(place, dataset=...), to fit it")
        values = changes if epochs is None else {"epochs": epochs, **changes}
        dataset, estimator = addresses.applied(self.dataset, self.estimator, values)
        told = {"dataset": dataset, "estimator": estimator, "weight": self.weight, **values}
        described = {name: params.describe(value) for name, value in told.items() if value is not None}
        kinds, here = (type(dataset), type(self), type(estimator)), by_hand.project_here()
        record = by_hand.begin(here, self, self._mlpipeline_name, kinds, described, meanwhile=keeping.prepare)
        self._take(dataset, estimator, by_hand.SEED)
        self.run = record.run
        try:
            self._learn(self._feed.rows("training"))
            for part in METRIC_NAMES:
                self._score(part)
            self._facts = record.facts
            warnings = keeping.keep(self, record.directory) if record.directory is not None else []
        except BaseException as error:
            record.fail(error)
            raise
        record.succeed(self.metrics, (self.summery or "", self._feed.get_dataloader_summery()), warnings)
        return self

    def learn(self, run: RunContext) -> Self:
        """Fits within a run that somebody else records: a step of a workflow, say.

        Args:
            run: where progress and metrics go, and checkpoints lie; its seed is the fit's.
        """
        self._take(self.dataset, self.estimator, run.seed)
        self.run = run
        self._learn(self._feed.rows("training"))
        for part in METRIC_NAMES:
            self._score(part)
        run.flush()
        return self

    @hooked
    def predict(
        self, frame: pd.DataFrame, *, log: bool | str | os.PathLike[str] = False, keys: Sequence[str] = ()
    ) -> pd.Series:
        """Returns the prediction for each row, decoded, under the frame's index.

        Args:
            frame: rows with the columns that the encoders read; others do not matter.
            log: whether to write down what was predicted, or where: see `prediction_log`.
            keys: columns that tell rows apart, for the log.

        Raises:
            NotFitted: call fit first.
            DataFault: (a ValueError) a column is missing, or holds another kind of values than those learnt from.
        """
        encoding = self._fitted()
        named = prediction_log.check_keys(frame, keys) if log else []
        found = decoding.values(encoding, self.estimator.predict(decoding.encoded(encoding, frame)), frame.index)
        if log:
            place = prediction_log.place_of(log, self.run.directory, self.name)
            prediction_log.write(place, frame, found, named, encoding.inputs, keeping.run_of(self))
        return found

    @hooked
    def predict_proba(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Returns the probability of each class: a column for each, called as the class is, under the frame's index.

        Raises:
            DataFault: (a ValueError) as `predict`; or numbers are predicted.
        """
        encoding = self._fitted()
        found = self.estimator.predict_proba(decoding.encoded(encoding, frame))
        return pd.DataFrame(found, index=frame.index, columns=decoding.labels(encoding, self.estimator))

    @hooked
    def evaluate(self, frame: pd.DataFrame | None = None) -> dict[str, float]:
        """Returns all scores by name.

        Args:
            frame: rows with their target; by default the test split.
        """
        encoding = self._fitted()
        if frame is not None:
            return evaluation.evaluate(self.estimator, feed.given(encoding, frame, self.weight))
        if self.dataset is None:
            raise errors.DataFault("the model has no dataset: give the rows to be scored, evaluate(frame)")
        return evaluation.evaluate(self.estimator, self._feed.rows("test"))

    @hooked
    def score(self, frame: pd.DataFrame | None = None) -> float:
        """Returns the score that models are selected by: see `metric`. Of which rows, as `evaluate`."""
        self._fitted()
        return self.evaluate(frame)[evaluation.score_of(self._metric_name, self.estimator).name]

    def explain(self, *arguments: Any, **named: Any) -> Any:
        """Returns what the predictions come from: see `explain.explain`."""
        self._fitted()
        return keeping.explain(self, *arguments, **named)

    def save(self, url: str | os.PathLike[str] | None = None) -> Path | str:
        """Saves the fitted model as a directory with a manifest, and returns where it lies.

        Args:
            url: a directory, or a URL of fsspec; by default `artefact` in the directory of the run that made it.
        """
        self._fitted()
        return keeping.save(self, url, self._facts)

    def upload(self, url: str) -> str:
        """Saves the fitted model at a URL, and returns that."""
        return str(self.save(url))

    @classmethod
    def load(cls, place: str | os.PathLike[str], *, dataset: Any = None, classes: Iterable[type] = ()) -> Self:
        """Loads a saved model: it predicts without the script that made it.

        Args:
            place: a directory, or a URL of fsspec.
            dataset: where rows come from, to fit it again.
            classes: your own estimators, encoders and transformers that it is made of.
        """
        model: Self = keeping.load(cls, place, dataset, classes)
        return model

    @classmethod
    def download(cls, url: str, directory: str | os.PathLike[str] | None = None) -> Self:
        """Loads a saved model from a URL; with a directory, a copy stays there."""
        return cls.load(url if directory is None else keeping.download(url, Path(directory)))

    def pre_execution_hook(
        self, version: Version, model_dir: str, exec_mode: ExecutionModeKeys = ExecutionModeKeys.TEST
    ) -> None:
        """Takes the parameters of the version; who overrides it calls it."""
        changes = addresses.of_version(version, {*self.PARAMETERS, "weight"})
        parts = self._applied(version.get("dataset", self.dataset), version.get("estimator", self.estimator), changes)
        self._take(*parts, self.run.seed)

    def steps_for(self, version: Version, loader: Any) -> int:
        """Returns the rounds of the estimator: epochs, trees, or 1."""
        return self.estimator.rounds

    def train_model(self, input_fn: Rows, steps: int) -> None:
        """Learns from the training split; goes on from the last checkpoint."""
        self._learn(input_fn)

    def evaluate_model(self, input_fn: Rows | None, steps: int) -> dict[str, float] | None:
        """Returns the scores of a part."""
        if input_fn is None:
            return None
        if "target_" not in vars(self.estimator):  # nothing was left to train: all is in the checkpoint
            self._learn(self._feed.rows("training"))
        self.metrics[METRIC_NAMES[input_fn.part]] = found = evaluation.evaluate(self.estimator, input_fn)
        return found

    def post_execution_hook(
        self, version: Version, model_dir: str, exec_mode: ExecutionModeKeys = ExecutionModeKeys.TEST
    ) -> None:
        """Saves the model beside the run's records, and its learning curves; who overrides it calls it."""
        if self.run.directory is not None:
            self._facts = keeping.facts_of(self.run)
            self.run.notices += keeping.keep(self, self.run.directory, lenient=False)

    def _completed(self, version: Version) -> Version:
        """Returns the version with all that it stands for, so that its description tells what is trained."""
        if version["dataloader"] is not None:
            raise errors.VersionsError(f"version {version.name!r}: the dataset is the dataloader: leave dataloader out")
        dataset, estimator = version.get("dataset", self.dataset), version.get("estimator", self.estimator)
        try:
            addresses.check_parts(dataset, estimator)
            parts = self._applied(dataset, estimator, addresses.of_version(version, self.PARAMETERS))
        except errors.ParameterError as error:
            raise errors.ParameterError(f"version {version.name!r}: {error}") from error
        more = {"dataset": parts[0], "estimator": parts[1], "dataloader": self._feed, "weight": self.weight}
        return version.changed(more)

    def _applied(self, dataset: Any, estimator: Estimator, changes: Mapping[str, Any]) -> tuple[Any, Estimator]:
        """As `addresses.applied`; a dataset with the same changes is the same one, and reads its rows once."""
        of_dataset = {name: value for name, value in changes.items() if name.startswith("dataset__")}
        fresh, changed = addresses.applied(dataset, estimator, changes)
        if fresh is dataset:
            return dataset, changed
        # The former one is kept with it: while it lives, no other has its id.
        key = f"{id(dataset)} {sorted(of_dataset.items())!r}"
        return self._datasets.setdefault(key, (dataset, fresh))[1], changed

    def _take(self, dataset: Any, estimator: Estimator, seed: int) -> None:
        addresses.seeded(estimator, seed)
        self.dataset, self.estimator = dataset, estimator
        self._feed.dataset, self._feed.weight = dataset, self.weight
        self.encoding, self.metrics, self.manifest = None, {}, None

    def _learn(self, rows: Rows) -> None:
        found = self._feed.get_validation_input()
        validation = None if found is None else found.observations
        encoding = self.dataset.encoding
        x, y = (rows.observations, None) if rows.is_streamed else rows.observations
        with keeping.noting_data(self.run, self.dataset):
            self.estimator.fit(x, y, validation=validation, sample_weight=rows.weight, encoding=encoding, run=self.run)
        self.encoding = encoding
        self.metric = evaluation.score_of(self._metric_name, self.estimator)
        self.summary = f"{self.estimator!r}\nselected by the {self.metric.name} of the validation split"

    def _score(self, part: str) -> None:
        if self.dataset.row_counts[part]:
            self.metrics[METRIC_NAMES[part]] = evaluation.evaluate(self.estimator, self._feed.rows(part))

    def _fitted(self) -> Encoding:
        if self.encoding is None:
            raise errors.NotFitted(f"{type(self).__name__} has learnt nothing yet: call fit first, or load")
        return self.encoding
