"""One version of a model: a named, frozen set of parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from mlpipeline import params
from mlpipeline.errors import VersionsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


PUBLISHED = tuple(str(each) for each in version_parameters)
_NOT_PARAMETERS = frozenset(("name", "order"))
ALIASES = {"epochs": "epoc_count"}


class Version(Mapping[str, "Any"]):
    """One named, frozen set of parameters.

    `version["lr"]`, `version.lr` and `version[version_parameters.BATCH_SIZE]` read it. The published parameters are
    always there, None where nothing set them; `epochs` reads `epoc_count`.
    """

    __slots__ = ("_values",)
    _values: Mapping[str, Any]

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", MappingProxyType(dict.fromkeys(PUBLISHED) | dict(values)))

    def __getitem__(self, key: str) -> Any:
        values = self._values
        return values[key] if key in values else values[ALIASES.get(key, key)]

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
