"""A stateless function from columns to a column, nestable: each row by itself, so that serving is as training."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any, Self

import pandas as pd

from mlpipeline import errors
from mlpipeline.data import given, kinds, plain
from mlpipeline.data.given import inputs_of, name_of, read, underscore

EMPTY = inspect.Parameter.empty


class Transformer:
    """Makes a column of one or several columns, or of what other transformers make of them.

    Nothing is learned and no row sees another one: a row gives by itself what it gives within a frame, in any order.
    The type of what comes out follows from the parameters and not from the rows, so whatever could be missing has a
    type that can say so. What goes in is never changed.

    A kind says in `apply` what becomes of its column; one that reads several lists them in `columns` and overrides
    `combine`. Constructors store their arguments under the same names and do nothing else.
    """

    def __init__(self, column: str | Transformer) -> None:
        self.column = column

    @property
    def columns(self) -> tuple[str | Transformer, ...]:
        """Everything that is read, in the order in which `combine` gets it."""
        return (self.column,)

    @property
    def inputs(self) -> tuple[str, ...]:
        """All columns of a frame that are read, at any depth, in order and without duplicates."""
        return tuple(dict.fromkeys(name for column in self.columns for name in inputs_of(column)))

    @property
    def suffix(self) -> str | None:
        """What ends the name after the class: an operator, where there is one."""
        return None

    @property
    def name(self) -> str:
        """The name of what comes out: `<column>_<class>[_<operator>]`, e.g. `first_name_name_age_log`."""
        parts = [*map(name_of, self.columns[:1]), underscore(type(self).__name__), self.suffix]
        return "_".join(part for part in parts if part)

    @property
    def needs_as_of(self) -> bool:
        """Whether something in here measures up to a moment that nobody has given yet: see `at`."""
        return any(inner.needs_as_of for inner in self._inner().values())

    def at(self, as_of: Any) -> Self:
        """Returns this transformer with a moment for everything that needs one; a dataset calls it once, at fit.

        Args:
            as_of: a datetime, or text in the form of ISO 8601; UTC where it names no time zone.
        """
        bound = copy.copy(self)
        for name, inner in self._inner().items():
            setattr(bound, name, inner.at(as_of))
        return bound

    def transform(self, frame: pd.DataFrame) -> pd.Series:
        """Returns the new column, under the frame's index.

        Args:
            frame: has at least the columns `inputs`; nothing else of it is read. A bare column will do for one input.

        Raises:
            DataFault: when a column is missing, doubled, or of a type that cannot be used.
        """
        if isinstance(frame, pd.Series):
            frame = self._framed(frame)
        found = self.combine([given.plain(read(column, frame)) for column in self.columns])
        if len(found) != len(frame):
            raise errors.DataFault(f"{self!r} made {len(found)} values of {len(frame)} rows: one for each is needed")
        if not isinstance(found, pd.Series):
            return pd.Series(found, index=frame.index, name=self.name)
        found = found.copy(deep=False)
        found.index, found.name = frame.index, self.name
        return found

    def combine(self, columns: Sequence[pd.Series]) -> pd.Series:
        """Returns what becomes of the columns; one value for each row, in the order of the rows."""
        (values,) = columns
        return self.apply(values)

    def apply(self, values: pd.Series) -> pd.Series:
        """Returns what becomes of the only column."""
        raise TypeError(f"{type(self).__name__} has neither `apply` nor `combine`: define one of them")

    def parameters(self) -> dict[str, Any]:
        """Returns the constructor's arguments by name; `*args` and `**kwargs` stand under these names."""
        return {name: getattr(self, name) for name in _signature(type(self))}

    def state(self) -> dict[str, Any]:
        """Returns what JSON can hold and `from_state` makes an equal transformer of.

        Raises:
            DataFault: when a parameter is something that no file can hold, such as a function.
        """
        return {"class": known_as(type(self)), "parameters": plain.dump(self.parameters())}

    @staticmethod
    def from_state(state: dict[str, Any]) -> Transformer:
        """Returns the transformer that `state` described. Runs no code but that of classes which are known already.

        Raises:
            DataFault: when the class is neither built in nor imported, or its parameters are others by now.
        """
        kind = find(state["class"])
        stored = plain.load(state["parameters"])
        signature = _signature(kind)
        if stored.keys() != signature.keys():
            had, has = ", ".join(stored), ", ".join(signature)
            raise errors.DataFault(
                f"{kind.__name__} was saved with {had} and has {has}: load it with the release that saved it"
            )
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for name, parameter in signature.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional.extend(stored[name])
            elif parameter.kind is parameter.VAR_KEYWORD:
                named.update(stored[name])
            elif parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = stored[name]
            else:
                positional.append(stored[name])
        return kind(*positional, **named)

    def _inner(self) -> dict[str, Transformer]:
        return {name: value for name, value in self.parameters().items() if isinstance(value, Transformer)}

    def _framed(self, values: pd.Series) -> pd.DataFrame:
        if len(self.inputs) != 1:
            raise errors.DataFault(f"{self!r} reads {', '.join(self.inputs)}: give it a frame with these columns")
        return values.to_frame(self.inputs[0])

    def __repr__(self) -> str:
        said: list[str] = []
        for name, parameter in _signature(type(self)).items():
            value = getattr(self, name)
            if parameter.kind is parameter.VAR_POSITIONAL:
                said.extend(map(repr, value))
            elif parameter.kind is parameter.VAR_KEYWORD:
                said.extend(f"{key}={each!r}" for key, each in value.items())
            elif parameter.default is EMPTY:
                said.append(repr(value))
            elif value is not parameter.default and value != parameter.default:
                said.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(said)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.parameters() == other.parameters()

    def __hash__(self) -> int:
        return hash((type(self), self.name, self.inputs))


def known_as(kind: type[Transformer]) -> str:
    """Returns what a saved transformer calls its class, see `kinds.known_as`."""
    from mlpipeline.data import transformers

    return kinds.known_as("transformer", kind, transformers)


def find(name: Any) -> type[Transformer]:
    """Returns the class of a saved transformer, see `kinds.find`."""
    from mlpipeline.data import transformers

    return kinds.find("transformer", name, Transformer, transformers)


def _signature(kind: type[Transformer]) -> dict[str, inspect.Parameter]:
    """Returns the constructor's parameters by name, without `self`."""
    return dict(list(inspect.signature(kind.__init__).parameters.items())[1:])
