"""What trainers over the estimators of the room of learning share: tables as they are, in; decoded predictions, out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from mlpipeline import plugins
from mlpipeline.config_text import near_miss, near_or_known
from mlpipeline.errors import DataFault, NotFitted, ParameterError
from mlpipeline.workflow.components.model_trainers.fitted import Fitted
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.scoring import ProblemType
from mlpipeline.workflow.trial import run_of
from mlpipeline.workflow.types.model import ModelTrainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd

    from mlpipeline.data.by_kind import Choice, GivenParts
    from mlpipeline.workflow.types.contract import Splits

_SEEDS = ("random_state", "seed")
# What the trainer decides by `problem_type`.
_OWN = frozenset(("kind",))


class EstimatorTrainer(ModelTrainer):
    """Fits an estimator of mlpipeline to tables as they are: numbers, flags, text, categories, dates, missing values.

    Columns are encoded by what the training part holds: see `mlpipeline.data.by_kind.Choice`. It is saved as learning
    saves models, so that `mlpipeline serve` and `mlpipeline predict` read it.

    Attributes:
        training_params: hyper-parameters by name.
        problem_type: classification, regression or timeseries; by default told by the target: floats, and whole numbers
            with more than 20 values, are numbers.
        drop_columns, model_index: no features.
        model_cat_features: categories, whatever these columns hold.
        time_index: the column that tells when a row was; by default that of the splits.
        forecast_frequency: of a series' periods, as pandas calls them: "D", "M" …; by default told by the rows.
        perf_metric: what models are selected by; by default rmse, auc or log_loss.
        seed: of the fit, where training_params has none.
    """

    ESTIMATOR: ClassVar[str] = ""
    SCALED: ClassVar[bool] = False
    ONE_HOT: ClassVar[bool] = False

    training_params: dict[str, Any] | None = {}  # noqa: RUF012 - a default, which addresses lead into
    problem_type: ProblemType | None = None
    drop_columns: list[str] | None = None
    model_index: str | list[str] | None = None
    model_cat_features: list[str] | None = None
    time_index: str | None = None
    forecast_frequency: str | None = None
    perf_metric: str | None = None
    seed: int = 0

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the hyper-parameters of the estimator, and the names of scores."""
        if key == "training_params":
            return sorted(cls._parameter_names())
        if key == "perf_metric":
            names: Collection[str] = plugins.load("learning", "score_names")()
            return names
        return None

    @classmethod
    def _parameter_names(cls) -> Collection[str]:
        from mlpipeline.data.parameters import signature

        return signature(plugins.load("estimator", cls.ESTIMATOR)).keys() - _OWN

    def fit(self, data: Splits) -> Self:
        """Learns from `data.train`; `data.validation` may stop it early. Returns itself.

        Raises:
            DataFault: (a ValueError) the rows cannot be learnt from; the message says why.
            ParameterError: (a ValueError) a hyper-parameter is none, or has a value that cannot be.
        """
        dataset = self._dataset(data)
        estimator = self._estimator(dataset)
        model = plugins.load("learning", "model")(dataset, estimator, metric=self.perf_metric)
        self._fitted = Fitted(model.learn(run_of(self, self.seed)))
        return self

    def predict(self, data: pd.DataFrame) -> pd.Series:
        """Returns a prediction for each row, of shape (rows,), under the same index."""
        found: pd.Series = self._of_fit().model.predict(data)
        return found

    def predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns the probability of each class, a column for each, called as the class is.

        Raises:
            DataFault: (a ValueError) it predicts numbers, or no probabilities.
        """
        found: pd.DataFrame = self._of_fit().model.predict_proba(data)
        return found

    def save(self, directory: Path) -> None:
        """Writes the fitted model into an empty directory, as learning saves models."""
        self._of_fit().save(Path(directory))

    def load(self, directory: Path) -> Self:
        """Becomes what was saved there, and predicts the same. Returns itself.

        Raises:
            ArtefactError: there is no saved model, or it is damaged.
            DataFault: (a ValueError) it is another trainer's.
        """
        found = Fitted.load(Path(directory))
        wanted, loaded = plugins.load("estimator", self.ESTIMATOR), found.model.estimator
        if not isinstance(loaded, wanted):
            raise DataFault(f"{directory}: is a {type(loaded).__name__}, which {type(self).__name__} does not load")
        self._fitted = found
        return self

    @property
    def model(self) -> Any:
        """The fitted EstimatorModel, with its estimator and encoding.

        Raises:
            DataFault: (a ValueError) nothing was learnt yet.
        """
        try:
            return self._of_fit().model
        except NotFitted as error:  # Python takes it for a missing attribute, since it is an AttributeError
            raise DataFault(str(error)) from None

    def _of_fit(self) -> Fitted:
        found: Fitted | None = self.__dict__.get("_fitted")
        if found is None:
            raise NotFitted(f"{self.address or type(self).__name__} has learnt nothing yet: call fit, or load")
        return found

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Hyper-parameters by their flat names."""
        return {**(self.training_params or {}), **super().parameters}

    def _dataset(self, data: Splits) -> GivenParts:
        from mlpipeline.data.by_kind import GivenParts, is_number

        if data.target not in data.train.columns:
            near = near_miss(data.target, [str(each) for each in data.train.columns])
            raise DataFault(f"model_target is {data.target!r}, and the rows have no such column.{near}")
        is_regression = is_number(data.truth()) if self.problem_type is None else self.problem_type != "classification"
        parts = (data.train, data.validation, data.test)
        return GivenParts(parts, data.target, is_regression, self._choice(data))

    def _choice(self, data: Splits) -> Choice:
        from mlpipeline.data.by_kind import Choice

        time = self.time_index or data.time_index
        index = [self.model_index] if isinstance(self.model_index, str) else self.model_index or []
        return Choice(
            scaled=self.SCALED,
            one_hot=self.ONE_HOT,
            leave_out=frozenset((*(self.drop_columns or ()), *index)) - {time},
            categories=tuple(self.model_cat_features or ()),
            time=time,
            period="s" if time is None else self._period(data.train, time),
        )

    def _period(self, frame: pd.DataFrame, time: str) -> str:
        """Returns the period in which a time becomes a number."""
        return self.forecast_frequency or "s"

    def _estimator(self, dataset: GivenParts) -> Any:
        """Returns the estimator with its hyper-parameters, not fitted.

        Raises:
            ParameterError: (a ValueError) there is no such hyper-parameter; the message names the nearest.
        """
        kind, known, given = plugins.load("estimator", self.ESTIMATOR), self._parameter_names(), dict(self.parameters)
        for name in given:
            if name not in known:
                raise ParameterError(
                    f"training_params: {type(self).__name__} has no {name!r}.{near_or_known(name, known)}"
                )
        for name in _SEEDS:
            if name in known:
                given.setdefault(name, self.seed)
        return kind(**given)


def trained(part: Part) -> Any:
    """Returns the fitted EstimatorModel of a trainer, None where it is made of something else."""
    return part.model if isinstance(part, EstimatorTrainer) else None
