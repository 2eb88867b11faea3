"""Parameters by address, `estimator__max_depth` or `dataset__subsample`: found, checked, and set on copies."""

from __future__ import annotations

import copy
import inspect
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.data.dataset import Dataset
from mlpipeline.data.parameters import Parameterized, signature
from mlpipeline.learning.estimator import Estimator
from mlpipeline.versions import Version, version_parameters

PARTS = ("dataset", "estimator")
ROUNDS = ("epochs", "rounds", "n_estimators", "iterations")
"""What estimators call the number of their steps; `epochs` sets the first one that there is."""
SHORT = ("epochs", "batch_size", "learning_rate")
"""Addresses without a part: they mean the estimator."""
SEEDS = ("random_state", "seed")

_NO_ADDRESS = {*map(str, version_parameters), *PARTS} - set(SHORT)
_TYPES: Mapping[str, Any] = {
    "int": numbers.Integral,
    "float": numbers.Real,
    "str": str,
    "bool": bool,
    "None": type(None),
}
_LEARNT = ("encoding", "spool")


def check_parts(dataset: Any, estimator: Any) -> None:
    """Refuses what is no dataset, or no estimator.

    Raises:
        DataFault: (a ValueError) the message says what to give.
    """
    if isinstance(estimator, type):
        name = estimator.__name__
        raise errors.DataFault(f"estimator is the class {name}: give an instance, {name}()")
    if not isinstance(estimator, Estimator):
        kind = type(estimator).__name__
        if hasattr(estimator, "fit") and hasattr(estimator, "get_params"):
            raise errors.DataFault(
                f"estimator is scikit-learn's {kind}: wrap it, SKLearn({kind}(...)), "
                "from mlpipeline.learning.estimators"
            )
        raise errors.DataFault(f"estimator is {kind}: give an Estimator, e.g. XGBoost() of mlpipeline.learning")
    if isinstance(dataset, type):
        raise errors.DataFault(f"dataset is the class {dataset.__name__}: give an instance, {dataset.__name__}()")
    if dataset is not None and not isinstance(dataset, Dataset):
        kind = type(dataset).__name__
        raise errors.DataFault(f"dataset is {kind}: give a Dataset, e.g. one that extends TrainTestSplit")


def of_version(version: Version, own: Iterable[str] = ()) -> dict[str, Any]:
    """Returns what a version changes, by address.

    Args:
        version: of an EstimatorModel.
        own: names of parameters that the model reads itself.
    """
    found = {key: value for key, value in version.items() if key not in _NO_ADDRESS and key not in own}
    found |= {"epochs": found.pop("epoc_count", None)} if "epoc_count" in found else {}
    if (epochs := version.epochs) is not None:
        found["epochs"] = epochs
    return {key: value for key, value in found.items() if value is not None or key not in SHORT}


def applied(dataset: Any, estimator: Estimator, changes: Mapping[str, Any]) -> tuple[Any, Estimator]:
    """Returns a dataset and an unfitted estimator with other parameters; what is given stays as it is.

    Raises:
        ParameterError: (a ValueError) there is no such address, or the value is of another type than the parameter.
    """
    of_estimator: dict[str, Any] = {}
    of_dataset: dict[str, Any] = {}
    for address, value in changes.items():
        part, _, name = address.partition("__")
        if address in SHORT:
            name = _short(estimator, address)
            check_type(address, _annotation(estimator, name), value)
            if address == "epochs" and value is not None and not value >= 1:  # told by the name that was given
                raise errors.ParameterError(f"epochs is {value!r}: it must be 1 or more")
            of_estimator[name] = value
        elif part == "estimator" and name:
            check_type(address, _annotation(estimator, name), value)
            of_estimator[name] = value
        elif part == "dataset" and name:
            check_type(address, _option_annotation(dataset, name), value)
            of_dataset[name] = value
        else:
            raise errors.ParameterError(f"there is no parameter '{address}'.{_nearest(address, dataset, estimator)}")
    fresh = cloned(estimator)
    # What is wrapped first, then what of it changes.
    for name in sorted(of_estimator, key=lambda name: name.count("__")):
        _set(fresh, name, of_estimator[name])
    return _changed_dataset(dataset, of_dataset), fresh


def cloned(estimator: Estimator) -> Estimator:
    """Returns an unfitted estimator with the same parameters."""
    given = estimator.get_params(deep=False)
    return type(estimator)(**{name: _own(value) for name, value in given.items()})


def seeded(estimator: Estimator, seed: int) -> None:
    """Gives the seed to every `random_state` and `seed` that is None, those of wrapped estimators included."""
    found = estimator.get_params()
    unset = [name for name, value in found.items() if name.rpartition("__")[2] in SEEDS and value is None]
    for name in unset:
        estimator.set_params(**{name: seed % 2**31})


def known(dataset: Any, estimator: Estimator) -> list[str]:
    """Returns all addresses."""
    short = [name for name in SHORT if name in signature(type(estimator)) or (name == "epochs" and _rounds(estimator))]
    found = short + [f"estimator__{name}" for name in estimator.get_params()]
    return found + [f"dataset__{name}" for name in _options(dataset)]


def check_type(address: str, annotation: Any, value: Any) -> None:
    """Refuses a value of another type, where the annotation names plain types only.

    Raises:
        ParameterError: (a ValueError) e.g. a text for a number.
    """
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    names = [each.strip() for each in text.split("|")]
    if not set(names) <= _TYPES.keys():
        return
    is_truth = isinstance(value, bool)
    if not any(isinstance(value, _TYPES[name]) and (not is_truth or name == "bool") for name in names):
        raise errors.ParameterError(f"{address} is {value!r}: it must be {' or '.join(names)}")


def _short(estimator: Estimator, address: str) -> str:
    name = _rounds(estimator) if address == "epochs" else address
    if name is None or name not in signature(type(estimator)):
        kind, takes = type(estimator).__name__, ", ".join(sorted(signature(type(estimator)))) or "nothing"
        raise errors.ParameterError(f"{kind} takes no {address}: leave it out. It takes {takes}")
    return name


def _rounds(estimator: Estimator) -> str | None:
    return next((name for name in ROUNDS if name in signature(type(estimator))), None)


def _annotation(estimator: Estimator, name: str) -> Any:
    found = signature(type(estimator)).get(name)
    return inspect.Parameter.empty if found is None else found.annotation


def _set(estimator: Estimator, name: str, value: Any) -> None:
    if name not in (has := estimator.get_params()):
        address, addresses = f"estimator__{name}", [f"estimator__{each}" for each in has]
        # The parameter of a learner within another one, where only the way to it was forgotten.
        within = next((each for each in addresses if each.endswith(f"__{name}")), None)
        near = near_miss(address, addresses) if within is None else f" Did you mean '{within}'?"
        takes = f"{type(estimator).__name__} takes {', '.join(sorted(signature(type(estimator)))) or 'nothing'}"
        raise errors.ParameterError(f"there is no parameter '{address}'.{near} {takes}")
    estimator.set_params(**{name: value})


def _own(value: Any) -> Any:
    if isinstance(value, Estimator):
        return cloned(value)
    if isinstance(value, type | Parameterized) or not hasattr(value, "get_params"):
        return value
    return copy.deepcopy(value)


def _changed_dataset(dataset: Any, changes: Mapping[str, Any]) -> Any:
    for name in changes:
        if name not in _options(dataset):
            near = near_miss(f"dataset__{name}", [f"dataset__{each}" for each in _options(dataset)])
            raise errors.ParameterError(
                f"there is no parameter 'dataset__{name}'.{near} "
                f"{type(dataset).__name__} has {', '.join(_options(dataset))}"
            )
    new = {name: value for name, value in changes.items() if not _is_same(getattr(dataset, name, _new), value)}
    if not new:
        return dataset
    positional, named = dataset._constructed_with
    built = {name: value for name, value in new.items() if name not in _class_options(dataset)}
    fresh = type(dataset)(*positional, **{**named, **built}) if built else _copied(dataset)
    for name, value in new.items():
        if name not in built:
            setattr(fresh, name, value)
    object.__setattr__(fresh, "_constructed_with", (positional, {**named, **new}))
    return fresh


_new = object()


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


def _copied(dataset: Any) -> Any:
    """Returns a copy without rows and without what was learnt from them."""
    fresh = copy.copy(dataset)
    for name in _LEARNT:
        vars(fresh).pop(name, None)
    return fresh


def _class_options(dataset: Any) -> list[str]:
    return sorted({name for kind in type(dataset).__mro__ for name in vars(kind).get("OPTIONS", ())})


def _options(dataset: Any) -> list[str]:
    """Returns what can be changed of a dataset: the options of its class, and what its constructor takes."""
    if dataset is None:
        return []
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    taken = inspect.signature(type(dataset).__init__).parameters
    own = [name for name, each in taken.items() if name != "self" and each.kind in plain]
    return sorted({*_class_options(dataset), *own})


def _option_annotation(dataset: Any, name: str) -> Any:
    for kind in type(dataset).__mro__:
        if name in vars(kind).get("__annotations__", {}):
            return vars(kind)["__annotations__"][name]
    found = inspect.signature(type(dataset).__init__).parameters.get(name)
    return inspect.Parameter.empty if found is None else found.annotation


def _nearest(address: str, dataset: Any, estimator: Estimator) -> str:
    """Says which address may be meant, also where only the part before it was forgotten."""
    addresses = known(dataset, estimator)
    bare = {each.partition("__")[2] or each: each for each in addresses}
    if near := near_miss(address, addresses):
        return near
    close = near_miss(address, bare)
    for name, full in bare.items():
        if close == f" Did you mean '{name}'?":
            return f" Did you mean '{full}'?"
    return f" Known: {', '.join(addresses)}"
