"""Versions of a model: named, frozen sets of parameters, and the ordered collection that a script builds of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from mlpipeline import params, spaces
from mlpipeline.errors import VersionsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class version_parameters(StrEnum):  # noqa: N801 - the published name
    """Names of the parameters that every version has."""

    NAME = "name"
    DATALOADER = "dataloader"
    BATCH_SIZE = "batch_size"
    EPOC_COUNT = "epoc_count"
    LEARNING_RATE = "learning_rate"
    MODEL_DIR_SUFFIX = "model_dir_suffix"
    ORDER = "order"
    HOOKS = "hooks"
    CLASSES_COUNT = "classes_count"
    CLASSES_OFFSET = "classes_offset"
    USE_ALL_CLASSES = "use_all_classes"


_PUBLISHED = tuple(str(each) for each in version_parameters)
_NOT_PARAMETERS = frozenset(("name", "order"))
_ALIASES = {"epochs": "epoc_count"}


class Version(Mapping[str, "Any"]):
    """One named, frozen set of parameters.

    `version["lr"]`, `version.lr` and `version[version_parameters.BATCH_SIZE]` read it. The published parameters are
    always there, None where nothing set them; `epochs` reads `epoc_count`.
    """

    __slots__ = ("_values",)
    _values: Mapping[str, Any]

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", MappingProxyType(dict.fromkeys(_PUBLISHED) | dict(values)))

    def __getitem__(self, key: str) -> Any:
        values = self._values
        return values[key] if key in values else values[_ALIASES.get(key, key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_values":
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            known = ", ".join(key for key, value in self.items() if value is not None)
            raise AttributeError(f"version {self.name!r} has no parameter {name!r}: it has {known}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise VersionsError(f"a version is frozen: give {name} to versions.add(...) instead")

    def changed(self, changes: Mapping[str, Any]) -> Version:
        """Returns the version with other values for some parameters."""
        return Version({**self._values, **changes}) if changes else self

    def __reduce__(self) -> tuple[Any, ...]:
        return Version, (dict(self._values),)

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.items() if value is not None)
        return f"Version({told})"

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def name(self) -> str:
        """The name, unique within its model."""
        return str(self._values["name"])

    @property
    def order(self) -> float:
        """The place in the order of execution; equal places keep the order of definition."""
        return self._values["order"] or 0

    @property
    def suffix(self) -> str | None:
        """What ends the name of the model directory in place of the version's name, if anything was given."""
        suffix = self._values["model_dir_suffix"]
        return None if suffix is None or suffix == "" else str(suffix)

    @property
    def epochs(self) -> Any:
        """The number of epochs, under whichever name it was given."""
        count = self._values["epoc_count"]
        return self._values.get("epochs") if count is None else count

    def described(self) -> dict[str, Any]:
        """Returns the parameters as JSON-like data for the record; without name and order, which change no result."""
        given = {key: value for key, value in self.items() if value is not None and key not in _NOT_PARAMETERS}
        return {key: params.describe(value) for key, value in given.items()}

    @property
    def digest(self) -> str:
        """A digest of `described()`: the same parameters have the same digest, whatever the version is called."""
        return params.digest(self.described())


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


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Picks the published parameters that a call set from its local names."""
    return {key: arguments[key] for key in _PUBLISHED if key != "name" and arguments.get(key) is not None}


def _joined(published: dict[str, Any], more: Mapping[str, Any], whose: str) -> dict[str, Any]:
    """Joins parameters under their published names, `epochs` among them."""
    joined = dict(published)
    for key, value in more.items():
        name = _ALIASES.get(str(key), str(key))
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
