"""An encoder as values that JSON can hold, and back: no pickle, and nothing is imported because a file says so."""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data import encoders, kinds
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders.vocabulary import Vocabulary
from mlpipeline.data.parameters import signature

FORMAT = 1
_Kind = TypeVar("_Kind", bound=Encoder)


def state(encoder: Encoder) -> dict[str, Any]:
    """Returns an encoder's class, parameters, and what it learnt."""
    learnt = {name: value for name, value in vars(encoder).items() if name.endswith("_") and not name.startswith("_")}
    return {
        "format": FORMAT,
        "class": known_as(type(encoder)),
        "parameters": {name: dump(value) for name, value in encoder.get_params(deep=False).items()},
        "learnt": {name: dump(value) for name, value in learnt.items()},
    }


def restored(wanted: type[_Kind], state: Mapping[str, Any]) -> _Kind:
    """Returns the encoder that was saved.

    Raises:
        DataFault: it is of another class than wanted, of an unknown one, or damaged.
    """
    if not isinstance(state, Mapping):
        raise errors.DataFault(
            f"a saved encoder is a mapping, and this is {type(state).__name__}: give what state() gave"
        )
    if state.get("format") != FORMAT:
        raise errors.DataFault(f"a state of format {state.get('format')!r}: load it with the release that saved it")
    missing = {"class", "parameters", "learnt"} - state.keys()
    if missing:
        raise errors.DataFault(f"a saved encoder without {', '.join(sorted(missing))}: it is damaged, save it again")
    kind = find(state["class"])
    if not issubclass(kind, wanted):
        raise errors.DataFault(f"this is {kind.__name__}, and {wanted.__name__} is wanted: use Encoder.from_state")
    for part in ("parameters", "learnt"):
        if not isinstance(state[part], Mapping):
            raise errors.DataFault(
                f"the {part} of a saved {kind.__name__} are no mapping: it is damaged, save it again"
            )
    parameters = {name: load(value) for name, value in state["parameters"].items()}
    if parameters.keys() != signature(kind).keys():
        raise errors.DataFault(
            f"{kind.__name__} was saved with {', '.join(parameters)} and has {', '.join(signature(kind))}: load it "
            f"with the release that saved it"
        )
    found = kind(**parameters)
    for name, value in state["learnt"].items():
        if name.startswith("_") or not name.endswith("_"):
            raise errors.DataFault(f"a saved {kind.__name__} has learnt {name!r}, which none does: it is damaged")
        setattr(found, name, load(value))
    return found


def known_as(kind: type[Encoder]) -> str:
    """Returns what a saved encoder calls its class, see `kinds.known_as`."""
    return kinds.known_as("encoder", kind, encoders)


def find(name: Any) -> type[Encoder]:
    """Returns the class of a saved encoder, see `kinds.find`."""
    return kinds.find("encoder", name, Encoder, encoders)


_DUMPS: tuple[tuple[type | tuple[type, ...], str, Callable[[Any], Any]], ...] = (
    (tuple, "tuple", lambda value: [dump(each) for each in value]),
    (dict, "mapping", lambda value: [[dump(key), dump(each)] for key, each in value.items()]),
    (Vocabulary, "vocabulary", lambda value: [dump(each) for each in value.values]),
    (np.ndarray, "array", lambda value: [str(value.dtype), [dump(each) for each in value.tolist()]]),
    (np.dtype, "dtype", str),
    (Decimal, "decimal", str),
    (datetime, "moment", lambda value: pd.Timestamp(value).isoformat()),
    (date, "date", date.isoformat),
    (timedelta, "duration", lambda value: pd.Timedelta(value).isoformat()),
    (uuid.UUID, "uuid", str),
    (bytes, "bytes", lambda value: base64.b64encode(value).decode()),
    (PurePath, "path", str),
)
_LOADS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda content: tuple(load(each) for each in content),
    "mapping": lambda content: {load(key): load(value) for key, value in content},
    "vocabulary": lambda content: Vocabulary(load(each) for each in content),
    "array": lambda content: np.array([load(each) for each in content[1]], dtype=content[0]),
    "dtype": np.dtype,
    "float": float,
    "decimal": Decimal,
    "moment": pd.Timestamp,
    "date": date.fromisoformat,
    "duration": pd.Timedelta,
    "uuid": uuid.UUID,
    "bytes": base64.b64decode,
    "path": Path,
}


def dump(value: Any) -> Any:
    """Returns a value that JSON can hold; what JSON has no word for becomes a mapping of one tag. Arrow tables stay.

    Raises:
        DataFault: no file can hold it.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | str) or is_table(value):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    if isinstance(value, list):
        return [dump(each) for each in value]
    if isinstance(value, type) and issubclass(value, np.generic | int | float):
        value = np.dtype(value)
    for kind, tag, write in _DUMPS:
        if isinstance(value, kind):
            return {tag: write(value)}
    if hasattr(value, "state") and hasattr(value, "inputs"):
        return {"transformer": value.state()}
    raise errors.DataFault(
        f"{value!r} cannot be saved with an encoder: use numbers, text, dates, or a class of your own"
    )


def load(value: Any) -> Any:
    """Returns what `dump` made this of.

    Raises:
        DataFault: a tag is not known, or its content is damaged.
    """
    if isinstance(value, list):
        return [load(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise errors.DataFault(
            f"a saved value with the tags {', '.join(map(str, value))}: it is damaged, save it again"
        )
    ((tag, content),) = value.items()
    if tag == "transformer":
        return _transformer(content)
    if tag not in _LOADS:
        raise errors.DataFault(f"there is no saved value of the kind '{tag}': load it with the release that saved it")
    try:
        return _LOADS[tag](content)
    except (TypeError, ValueError, ArithmeticError, IndexError) as error:
        raise errors.DataFault(f"a saved {tag} is damaged: {error}") from error


def _transformer(content: Any) -> Any:
    from importlib import import_module

    return import_module("mlpipeline.data.transformer").Transformer.from_state(content)


def is_table(value: Any) -> bool:
    """Whether a value is a table of Arrow, which a state holds as it is."""
    return type(value).__module__.partition(".")[0] == "pyarrow"
