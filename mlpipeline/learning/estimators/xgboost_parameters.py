"""XGBoost's parameters, made of an estimator's, and its errors, told in the user's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.learning.estimators import resources
from mlpipeline.learning.target import Kind, Target

if TYPE_CHECKING:
    from mlpipeline.learning.estimators.xgboost import XGBoost

_CHOICES = {
    "booster": ("gbtree", "dart", "gblinear"),
    "tree_method": ("auto", "hist", "approx", "exact"),
    "grow_policy": ("depthwise", "lossguide"),
    "sampling_method": ("uniform", "gradient_based"),
}
_OBJECTIVES = {Kind.BINARY: "binary:logistic", Kind.MULTICLASS: "multi:softprob"}
_SQUARED = "reg:squarederror"
_LOG_LOSS = {Kind.BINARY: "logloss", Kind.MULTICLASS: "mlogloss"}
_OURS = {"logloss": "log_loss", "mlogloss": "log_loss"}
# As in XGBoost's own early stopping.
_MAXIMIZED = ("auc", "aucpr", "pre", "map", "ndcg")

_EVERYWHERE = ("learning_rate", "reg_alpha", "reg_lambda", "verbosity")
_OF_TREES = (
    *("tree_method", "max_depth", "max_leaves", "max_bin", "grow_policy", "gamma", "min_child_weight"),
    *("max_delta_step", "subsample", "sampling_method", "colsample_bytree", "colsample_bylevel", "colsample_bynode"),
    *("num_parallel_tree", "max_cat_to_onehot", "max_cat_threshold"),
)


_SHARES = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")


def check(estimator: XGBoost) -> None:
    """Refuses words that XGBoost does not know; numbers it checks itself.

    Raises:
        UnknownOption: (a ValueError) names the parameter and what it may be.
    """
    for name, known in _CHOICES.items():
        value = getattr(estimator, name)
        if value not in known:
            near = near_miss(str(value), known)
            raise errors.UnknownOption(f"XGBoost: {name} is {value!r}: it must be one of {', '.join(known)}.{near}")
    if not re.fullmatch(r"cpu|(cuda|gpu)(:\d+)?", str(estimator.device)):
        raise errors.UnknownOption(
            f"XGBoost: device is {estimator.device!r}: it must be 'cpu', 'cuda' or 'cuda:<number>'"
        )


def build(estimator: XGBoost, target: Target) -> dict[str, Any]:
    """Returns what a Booster takes."""
    names = _EVERYWHERE if estimator.booster == "gblinear" else _EVERYWHERE + _OF_TREES
    found = {name: getattr(estimator, name) for name in names}
    found |= {"booster": estimator.booster, "device": estimator.device, "seed": estimator.random_state}
    found |= {"objective": _objective(estimator, target), "eval_metric": _metrics(estimator, target)}
    found |= {"nthread": resources.threads(estimator.n_jobs) or 0}
    if draws(estimator):
        found["seed_per_iteration"] = True
    if estimator.booster == "dart":
        found |= {"rate_drop": estimator.rate_drop, "skip_drop": estimator.skip_drop}
    if target.kind is Kind.MULTICLASS:
        found["num_class"] = len(target.classes)
    if target.kind is Kind.BINARY:
        found["scale_pos_weight"] = estimator.scale_pos_weight
    if estimator.base_score is not None:
        found["base_score"] = estimator.base_score
    return found | _constraints(estimator)


def draws(estimator: XGBoost) -> bool:
    """Whether something is drawn by chance: rows, features, or trees that are forgotten."""
    if estimator.booster == "gblinear":
        return False
    return estimator.booster == "dart" or any(getattr(estimator, name) < 1 for name in _SHARES)


def metric_name(name: str) -> str:
    """Returns what a metric of XGBoost is called in records: as scores are, where there is one like it."""
    return _OURS.get(name, name.replace("@", "_at_"))


def is_maximized(parameters: dict[str, Any]) -> bool:
    """Whether the metric that is selected by, the last one, is the better the greater it is."""
    return str(parameters["eval_metric"][-1]).partition("@")[0].rstrip("-") in _MAXIMIZED


@contextmanager
def explained(estimator: XGBoost) -> Iterator[None]:
    """Turns errors of XGBoost into ours.

    Raises:
        ParameterError: a parameter, or the data, cannot be used; says what XGBoost said.
    """
    xgboost = errors.require("xgboost", extra="xgboost")
    try:
        yield
    except xgboost.core.XGBoostError as error:
        told = re.sub(r"^\[[\d:]+\]\s*\S*?:\d+:\s*", "", str(error).partition("Stack trace")[0].strip())
        if "`inf`" in told:
            raise errors.DataFault(
                "XGBoost: a feature has infinite values: an encoder such as Norm replaces them"
            ) from error
        raise errors.ParameterError(f"XGBoost cannot use its parameters or data: {told}") from error


def _objective(estimator: XGBoost, target: Target) -> str:
    own = _OBJECTIVES.get(target.kind, _SQUARED)
    asked = estimator.objective
    if asked is None or asked == own:
        return own
    if target.is_regression and asked.startswith(("reg:", "count:")):
        return asked
    wanted = f"'{own}'" if target.kind in _OBJECTIVES else "one that begins with 'reg:' or 'count:'"
    raise errors.UnknownOption(f"XGBoost: objective is {asked!r}: for {target.kind} it must be {wanted}")


def _metrics(estimator: XGBoost, target: Target) -> list[str]:
    default = _LOG_LOSS.get(target.kind, "rmse")
    asked = estimator.eval_metric
    if asked is None:
        return [default]
    listed = [asked] if isinstance(asked, str) else list(asked)
    if not listed:
        raise errors.ParameterError("XGBoost: eval_metric is empty: name one metric at least, or leave it out")
    return [default if name in ("log_loss", "logloss", "mlogloss") else name for name in listed]


def _constraints(estimator: XGBoost) -> dict[str, Any]:
    names = [str(name) for name in estimator.feature_names_in_]
    found: dict[str, Any] = {}
    if estimator.monotone_constraints:
        _known(estimator.monotone_constraints, names, "monotone_constraints")
        signs = [str(int(estimator.monotone_constraints.get(name, 0))) for name in names]
        found["monotone_constraints"] = f"({','.join(signs)})"
    if estimator.interaction_constraints:
        _known(
            [name for group in estimator.interaction_constraints for name in group], names, "interaction_constraints"
        )
        groups = [[names.index(name) for name in group] for group in estimator.interaction_constraints]
        found["interaction_constraints"] = str(groups)
    return found


def _known(asked: Any, names: list[str], parameter: str) -> None:
    for name in asked:
        if name not in names:
            near = near_miss(str(name), names)
            raise errors.ParameterError(f"XGBoost: {parameter} names '{name}', which is no feature.{near}")
