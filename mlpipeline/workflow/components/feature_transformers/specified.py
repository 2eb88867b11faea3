"""What transformers of a library share: the list of the configuration that names them, read and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlpipeline.config_text import near_or_known
from mlpipeline.errors import ConfigurationError

_KEYS = ("transformer", "transformer_columns", "transformer_args", "transformer_kwargs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Specified:
    """One entry of `transformers`: what is made, and of which columns; None for all."""

    made: Any
    name: str
    columns: list[str] | None


def read(transformers: Iterable[Any], known: Mapping[str, type]) -> list[Specified]:
    """Reads `transformers`: each has `transformer`, and may have `transformer_columns`, `transformer_args`, `_kwargs`.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    return [made(entry, known) for entry in transformers]


def faults(key: str, entries: Any, make: Callable[[Any], object]) -> dict[str, str]:
    """Returns what is wrong with the entries of a key, as `Part.value_faults` does.

    Args:
        key: of the configuration.
        entries: what it holds.
        make: makes what an entry names; raises a ConfigurationError where it cannot be.
    """
    told = []
    for number, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
        try:
            make(entry)
        except ConfigurationError as error:
            told.append(f"{number}: {error}")
    return {key: "; ".join(told)} if told else {}


def made(entry: Any, known: Mapping[str, type]) -> Specified:
    """Makes what one entry names.

    Raises:
        ConfigurationError: it cannot be.
    """
    if not isinstance(entry, Mapping) or "transformer" not in entry:
        raise ConfigurationError(f"is {entry!r}: write {{transformer: Name, transformer_columns: [...]}}")
    if unknown := [key for key in entry if key not in _KEYS]:
        raise ConfigurationError(f"{unknown[0]!r} means nothing here.{near_or_known(str(unknown[0]), _KEYS)}")
    name, columns = str(entry["transformer"]), entry.get("transformer_columns")
    if name not in known:
        raise ConfigurationError(f"there is no transformer {name!r}.{near_or_known(name, known)}")
    arguments, keywords = entry.get("transformer_args") or [], dict(entry.get("transformer_kwargs") or {})
    accepted = inspect.signature(known[name]).parameters
    if unknown := [key for key in keywords if key not in accepted]:
        raise ConfigurationError(f"{name} has no {unknown[0]!r}.{near_or_known(str(unknown[0]), accepted)}")
    if "sparse_output" in accepted:  # a frame holds no sparse matrix
        keywords.setdefault("sparse_output", False)
    try:
        made = known[name](*arguments, **keywords)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name} cannot be made: {error}") from error
    return Specified(made=made, name=name, columns=[columns] if isinstance(columns, str) else columns)
