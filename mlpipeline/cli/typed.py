"""Parameters as they are typed, `--estimator__max_depth 5`: told apart, and made values of the types they must have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlpipeline.config_text import near_miss
from mlpipeline.errors import UsageError

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What may be typed for a parameter.

    Attributes:
        kinds: names of types as an annotation has them, `int | None`; empty where nothing is known.
        default: shown in help; a text.
        is_required: whether it must be given.
    """

    kinds: str = ""
    default: str | None = None
    is_required: bool = False


def words(given: Sequence[str], sets: Iterable[str] = ()) -> dict[str, str]:
    """Returns the texts by parameter: `--name value`, `--name=value`, `--name` alone for true, and --set name=value.

    Raises:
        UsageError: a word belongs to no parameter, or one is given twice.
    """
    found: dict[str, str] = {}

    def take(name: str, text: str) -> None:
        if name in found:
            raise UsageError(f"--{name} is given twice: give it once")
        found[name] = text

    rest = list(given)
    while rest:
        word = rest.pop(0)
        name, equals, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name.isidentifier():
            raise UsageError(f"'{word}' belongs to no parameter: write --name value, or --name=value")
        if not equals:
            text = rest.pop(0) if rest and not rest[0].startswith("--") else "true"  # a flag, or forgotten
        take(name, text)
    for each in sets:
        name, equals, text = each.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--set {each}: write --set name=value")
        take(name, text)
    return found


def values(texts: Mapping[str, str], known: Mapping[str, Parameter], whose: str) -> dict[str, Any]:
    """Returns the values of parameters.

    Args:
        texts: by parameter, as typed.
        known: all that there are.
        whose: named in errors.

    Raises:
        UsageError: there is no such parameter, or its text cannot be made a value of its type.
    """
    check_names(texts, known, whose)
    return {name: value(name, text, known[name].kinds) for name, text in texts.items()}


def check_names(texts: Iterable[str], known: Mapping[str, Parameter], whose: str) -> None:
    """Refuses names that there are not.

    Raises:
        UsageError: with the nearest name.
    """
    for name in texts:
        if name not in known:
            near = near_miss(name, known) or _by_its_end(name, known)
            listed = ", ".join(known) or "none"
            raise UsageError(f"{whose} has no parameter '{name}'.{near} It has: {listed}")


def _by_its_end(name: str, known: Mapping[str, Parameter]) -> str:
    """Says which address may be meant where the part before it was forgotten."""
    found = [each for each in known if each.rpartition("__")[2] == name.rpartition("__")[2]]
    return f" Did you mean '{found[0]}'?" if found else ""


def value(name: str, text: str, kinds: str) -> Any:
    """Returns the value of one parameter.

    Raises:
        UsageError: it cannot be one of these types.
    """
    names = [each.strip() for each in kinds.split("|")] if kinds else []
    for kind in sorted(names, key=lambda each: each == "str"):  # a text is what nothing else is
        reader = _READERS.get(kind.partition("[")[0].rpartition(".")[2])
        if reader is None:
            return _anything(text)
        try:
            return reader(text)
        except (ValueError, OverflowError):  # the latter: no whole number is infinite
            continue
    if names:
        forgotten = f". Its value is missing: --{name} VALUE" if text == "true" else ""
        raise UsageError(f"--{name} {text}: must be {' or '.join(names)}{forgotten}")
    return _anything(text)


def _anything(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _bool(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(text)
    return text.lower() in _TRUE


def _none(text: str) -> None:
    if text.lower() not in ("none", "null"):
        raise ValueError(text)


def _int(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(text) if text.lstrip("+-").isdigit() else int(number)


def _list(text: str) -> list[Any]:
    """Reads JSON, or values between commas."""
    found = _anything(text)
    return found if isinstance(found, list) else [_anything(each.strip()) for each in text.split(",")]


def _dict(text: str) -> dict[str, Any]:
    found = _anything(text)
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


_READERS: Mapping[str, Callable[[str], Any]] = {
    "bool": _bool,
    "None": _none,
    "NoneType": _none,
    "int": _int,
    "float": float,
    "str": str,
    "list": _list,
    "tuple": _list,
    "Sequence": _list,
    "Iterable": _list,
    "dict": _dict,
    "Mapping": _dict,
}
