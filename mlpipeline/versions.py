"""Versions of a model: the ordered collection that a script builds, and the search that draws more of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from mlpipeline import spaces
from mlpipeline.errors import VersionsError
from mlpipeline.version import ALIASES, PUBLISHED, Version, version_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from mlpipeline.searches import Search

__all__ = ["Version", "Versions", "version_parameters"]

_OF_A_TRIAL = "version {!r}: is called like a trial of the search: give it another name"


class Versions:
    """The versions of one model, in order of execution.

    What the constructor takes are defaults of every version added. Positional use is the published one:
    `Versions(0.01, loader, 32, 10)`.
    """

    def __init__(  # the published signature
        self,
        learning_rate: Any = None,
        dataloader: Any = None,
        batch_size: Any = None,
        epoc_count: Any = None,
        model_dir_suffix: Any = None,
        order: Any = None,
        hooks: Any = None,
        use_all_classes: Any = None,
        classes_count: Any = None,
        classes_offset: Any = None,
        **defaults: Any,
    ) -> None:
        published = _given(locals())
        self._defaults = _joined(published, defaults, "the defaults")
        self._versions: dict[str, Version] = {}
        self._next_order = 0
        self.searched: Search | None = None

    def addV(  # noqa: N802 - the published name and arguments
        self,
        name: str,
        dataloader: Any = None,
        batch_size: Any = None,
        epoc_count: Any = None,
        learning_rate: Any = None,
        model_dir_suffix: Any = None,
        order: Any = None,
        custom_paramters: Any = MappingProxyType({}),
        hooks: Any = None,
        use_all_classes: Any = None,
        classes_count: Any = None,
        classes_offset: Any = None,
        **parameters: Any,
    ) -> Self:
        """Adds a version; None means the default. Items of `custom_paramters` become parameters under their own key."""
        published = _given(locals())
        if not isinstance(custom_paramters, Mapping):
            kind = type(custom_paramters).__name__
            raise VersionsError(f"version {name!r}: custom_paramters is a {kind}: give a mapping of names to values")
        custom = {str(key): value for key, value in custom_paramters.items()}
        return self._insert(name, _joined(published, parameters, f"version {name!r}") | custom)

    add_version = addV

    def add(self, name: str, /, **parameters: Any) -> Self:
        """Adds a version and returns the collection, so that calls can be chained.

        Raises:
            VersionsError: the name is taken or cannot be one, or a parameter is given twice.
        """
        return self._insert(name, _joined({}, parameters, f"version {name!r}"))

    def grid(self, /, **lists: Any) -> Self:
        """Adds a version for every combination of the listed values, named like `hidden=32,lr=0.1`.

        A value that is no list is a parameter of all of them.
        """
        spread = {key: spaces.listed(key, value) for key, value in lists.items() if spaces.is_listed(value)}
        rest = {key: value for key, value in lists.items() if key not in spread}
        return self._insert_all(spaces.combinations(spread), rest)

    def sample(self, n: int, /, seed: int = 0, **parameters: Any) -> Self:
        """Adds n different versions drawn at random, the same ones for the same seed on every machine.

        A parameter is a list (one of its values), a pair `(low, high)` of whole numbers (both included) or of floats
        (uniform), `(low, high, "log")`, or a function that takes a `random.Random`. Anything else is a constant.
        """
        drawn, fixed = spaces.draw(n, seed, parameters)
        return self._insert_all(drawn, fixed)

    def search(
        self,
        space: Mapping[str, Any],
        /,
        *,
        trials: int = 100,
        metric: str = "validation_loss",
        direction: str | None = None,
        sampler: str = "tpe",
        pruner: str | None = None,
        seed: int = 0,
        **constants: Any,
    ) -> Self:
        """Has the queue search for the best parameters: each trial is a run of its own, called `trial-1`, `trial-2`, …

        They are drawn as slots become free, by what the finished ones gave, and stay what they are. More `trials`
        continue the search; any other edit begins another one.

        Args:
            space: by parameter, a list (one of its values), `(low, high)`, both whole or both floats, ends included, or
                `(low, high, "log")`.
            trials: how many, failed and pruned ones included.
            metric: what is compared: of an evaluation (`auc`, `validation_auc`), else the last one recorded so.
            direction: "minimize" or "maximize", where the metric's name does not say it.
            sampler: "tpe" or "cmaes" (by Optuna: the extra `tune`), "random", or "grid".
            pruner: what ends hopeless trials by the metric that they record: "median", "hyperband", "halving".
            seed: of all draws.
            constants: parameters that all trials have in common.

        Raises:
            VersionsError: there is a search already, or one of the arguments cannot be used.
        """
        from mlpipeline import searches

        if self.searched is not None:
            raise VersionsError("there is a search already: make a model for another one")
        if not isinstance(space, Mapping):
            raise VersionsError(f"search: the space is a {type(space).__name__}: give {{'parameter': values}}")
        spread, fixed = _joined({}, space, "the space"), _joined({}, constants, "the constants")
        if both := sorted(spread.keys() & fixed.keys()):
            raise VersionsError(f"search: {both[0]!r} is searched and a constant: leave one of them out")
        if own := sorted({"name", "order", "model_dir_suffix"} & {*spread, *fixed}):
            raise VersionsError(f"search: {own[0]!r} belongs to each trial: leave it out")
        given = {"trials": trials, "metric": metric, "direction": direction, "sampler": sampler}
        base = {key: _own(value) for key, value in (self._defaults | fixed).items()}
        self.searched = searches.search(spread, base, **given, pruner=pruner, seed=seed)
        if taken := [name for name in self._versions if _is_trial(name)]:
            raise VersionsError(_OF_A_TRIAL.format(taken[0]))
        return self

    def trial(self, name: str, drawn: Mapping[str, Any]) -> Version:
        """Returns a trial of the search as a version, by what was drawn for it.

        Raises:
            VersionsError: there is no search, or not over these parameters.
        """
        if self.searched is None or set(drawn) != set(self.searched.space):
            raise VersionsError(f"{name} is no trial of this model's search: it was drawn for another one")
        return self._completed(Version({"name": name} | self.searched.parameters(drawn)))

    def _completed(self, version: Version) -> Version:
        """Returns the version with all that it stands for, where a kind of model says more of it than its script."""
        return version

    def rangeOnParameters(  # noqa: N802 - the published name
        self,
        names: Sequence[str] | None = None,
        combining_parameters: Sequence[str] = (),
        parameters: Mapping[str, Any] = MappingProxyType({}),
    ) -> Self:
        """Adds a version for every combination of the values of `combining_parameters`; the others apply to all.

        Raises:
            VersionsError: (a ValueError) the number of names is wrong, or a combined parameter has no values.
        """
        if missing := [key for key in combining_parameters if key not in parameters]:
            raise VersionsError(f"no values for {', '.join(map(repr, missing))}: list them in parameters={{...}}")
        values = {str(key): parameters[key] for key in combining_parameters}
        spread = {key: spaces.listed(key, each if isinstance(each, list) else [each]) for key, each in values.items()}
        rest = {str(key): value for key, value in parameters.items() if key not in spread}
        rows = spaces.combinations(spread)
        if names is not None and len(names) != len(rows):
            raise VersionsError(f"{len(names)} names for {len(rows)} combinations: give {len(rows)} names, or none")
        return self._insert_all(rows, rest, names or ())

    def getVersion(self, name: str) -> Version:  # noqa: N802 - the published name
        """Returns a version by name.

        Raises:
            VersionsError: (a ValueError) there is none of this name.
        """
        try:
            return self._versions[name]
        except (KeyError, TypeError):
            known = ", ".join(self._versions) or "none"
            raise VersionsError(f"no version {name!r}: known are {known}") from None

    get_version = getVersion
    __getitem__ = getVersion

    @property
    def versions(self) -> Mapping[str, Version]:
        """Versions by name, in order of definition."""
        return MappingProxyType(self._versions)

    def __iter__(self) -> Iterator[Version]:
        return iter(sorted(self._versions.values(), key=lambda version: version.order))

    def __len__(self) -> int:
        return len(self._versions)

    def __bool__(self) -> bool:
        return True  # an empty collection is still one: `versions or default` must not replace it

    def __contains__(self, name: object) -> bool:
        return name in self._versions

    def __repr__(self) -> str:
        return f"Versions({', '.join(version.name for version in self)})"

    def _insert_all(self, rows: list[dict[str, Any]], rest: dict[str, Any], names: Sequence[str] = ()) -> Self:
        if not names:
            names = spaces.names(rows) if any(rows) else [f"version-{len(self) + 1}"]
        for name, row in zip(names, rows, strict=True):
            self._insert(name, _joined({}, rest | row, f"version {name!r}"))
        return self

    def _insert(self, name: str, given: Mapping[str, Any]) -> Self:
        fault = spaces.fault_of_name(name)
        if fault or name in self._versions:
            fault = fault or "there is a version of this name already: give each its own"
            raise VersionsError(f"version {name!r}: {fault}")
        if self.searched is not None and _is_trial(name):
            raise VersionsError(_OF_A_TRIAL.format(name))
        if "name" in given:
            raise VersionsError(f"version {name!r}: a parameter cannot be called 'name': choose another word")
        values = {key: _own(value) for key, value in (self._defaults | dict(given)).items()}
        order = values.get("order")
        if order is None:
            values["order"], self._next_order = self._next_order, self._next_order + 1
        elif isinstance(order, bool) or not isinstance(order, int | float) or order != order:
            raise VersionsError(f"version {name!r}: order is {order!r}: give a number")
        self._versions[name] = Version({"name": name} | values)
        return self


def _is_trial(name: str) -> bool:
    return name.startswith("trial-") and name[6:].isdigit()


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Picks the published parameters that a call set from its local names."""
    return {key: arguments[key] for key in PUBLISHED if key != "name" and arguments.get(key) is not None}


def _joined(published: dict[str, Any], more: Mapping[str, Any], whose: str) -> dict[str, Any]:
    """Joins parameters under their published names, `epochs` among them."""
    joined = dict(published)
    for key, value in more.items():
        name = ALIASES.get(str(key), str(key))
        if name in joined or (name != key and name in more):
            raise VersionsError(f"{whose}: {key!r} and {name!r} are the same parameter: give one of them")
        joined[name] = value
    return joined


def _own(value: Any) -> Any:
    """Copies plain containers, so that versions share no list or dictionary; objects stay what they are."""
    if type(value) is dict:
        return {key: _own(item) for key, item in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(_own(item) for item in value)
    return value
