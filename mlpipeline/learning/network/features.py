"""What a network reads: the columns of each encoder, and what they are made into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from mlpipeline import errors
from mlpipeline.data.encoding import Encoding


class Role(StrEnum):
    """What becomes of a feature in the network."""

    CODE = "code"
    NUMBER = "number"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """The columns of an encoder, as a network sees them.

    Attributes:
        name: the encoder's, as layers may be called.
        role: codes are embedded, numbers go through a layer of their own, or straight on.
        sides: the columns of each input, in order: those of the encoder, then those of its twin.
        is_sequence: whether columns follow one another in time; then all positions share one layer.
        cardinality: how many codes there are; None for numbers.
        embed_scale: multiplies the width of the embedding.
        padding: the code that fills up short rows; None where it cannot be told.
        is_masked: whether what fills up short rows is to be skipped.
    """

    name: str
    role: Role
    sides: tuple[tuple[str, ...], ...]
    is_sequence: bool = False
    cardinality: int | None = None
    embed_scale: float = 1.0
    padding: int | None = None
    is_masked: bool = False

    @property
    def width(self) -> int:
        """The number of columns of one input."""
        return len(self.sides[0])

    def inputs(self) -> Iterator[str]:
        """Yields the names of its inputs."""
        yield from (f"{self.name}{suffix}" for suffix in ("", "_twin")[: len(self.sides)])

    def state(self) -> dict[str, Any]:
        """Returns what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Feature:
        """Returns the feature that `state` described."""
        sides = tuple(tuple(side) for side in state["sides"])
        return cls(**state | {"role": Role(state["role"]), "sides": sides})


def features_of(encoding: Encoding | None, columns: Sequence[str], *, masked: bool) -> tuple[Feature, ...]:
    """Returns what a network is to read of a frame.

    Args:
        encoding: whose encoders made the columns; None where they were made otherwise.
        columns: of the frame. Those that no encoder has made are passed on as they are, together.
        masked: whether the network skips what fills up short sequences.

    Raises:
        DataFault: there are no columns.
    """
    there, found = set(columns), []
    for encoder in () if encoding is None else encoding.encoders:
        names = tuple(encoder.feature_names)
        if names and there.issuperset(names):
            there.difference_update(names)
            found.append(_feature(encoder, names, masked))
    rest = tuple(name for name in columns if name in there)
    if rest:
        found.append(Feature(name="features", role=Role.PASSED, sides=(rest,)))
    if not found:
        raise errors.DataFault("there are no features: give an encoder in get_encoders()")
    return _with_own_names(found)


def _feature(encoder: Any, names: tuple[str, ...], masked: bool) -> Feature:
    from mlpipeline.data.encoders import OneHot, Pass

    sides = (names[: len(names) // 2], names[len(names) // 2 :]) if getattr(encoder, "twin", False) else (names,)
    is_sequence = getattr(encoder, "sequence_length", None) is not None
    common: dict[str, Any] = {"name": encoder.name, "sides": sides, "embed_scale": float(encoder.embed_scale)}
    if isinstance(encoder, Pass | OneHot):
        return Feature(role=Role.PASSED, **common)
    if encoder.is_continuous:
        return Feature(role=Role.NUMBER, is_sequence=is_sequence, is_masked=masked and is_sequence, **common)
    vocabulary = getattr(encoder, "vocabulary_", None)
    padding = int(vocabulary.missing) if is_sequence and vocabulary is not None else None
    return Feature(
        role=Role.CODE,
        is_sequence=is_sequence,
        cardinality=int(encoder.cardinality),
        padding=padding,
        is_masked=masked and padding is not None,
        **common,
    )


def _with_own_names(features: list[Feature]) -> tuple[Feature, ...]:
    """Returns them with names that TensorFlow and HDF5 take, no two alike, a twin's among them."""
    taken: set[str] = set()
    named = []
    for feature in features:
        plain = name = re.sub(r"[^A-Za-z0-9_]", "_", feature.name).lstrip("_") or "feature"
        count = 1
        while {name, f"{name}_twin"} & taken:
            count += 1
            name = f"{plain}_{count}"
        taken |= {name, f"{name}_twin"}
        named.append(replace(feature, name=name))
    return tuple(named)
