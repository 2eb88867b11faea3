"""Parameters: their `part__parameter` addresses, and descriptions of values that are the same in every process."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEPARATOR = "__"
_SMALL_ARRAY = 16
_DEEPEST = 24
_MOST = 50_000
_ADDRESS = r" at 0x[0-9a-fA-F]+"


def flatten(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns every value under its full address; an empty mapping stays as a value."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        if isinstance(value, Mapping) and value:
            flat.update({f"{key}{SEPARATOR}{inner}": leaf for inner, leaf in flatten(value).items()})
        else:
            flat[str(key)] = value
    return flat


def addressed(described: Mapping[str, Any]) -> dict[str, Any]:
    """Returns every value of a description under the address by which it is set.

    What an object was built with stands right below the object's own address, and a value that a version set by this
    address, and the object has, is there once.
    """
    flat: dict[str, Any] = {}
    for key, value in described.items():
        if isinstance(value, Mapping) and value.keys() == {"class", "arguments"}:
            flat[f"{key}{SEPARATOR}class"] = value["class"]
            value = value["arguments"]
            if not value:
                continue
        if isinstance(value, Mapping) and value:
            flat.update({f"{key}{SEPARATOR}{inner}": leaf for inner, leaf in addressed(value).items()})
        else:
            flat[str(key)] = value
    return flat


def digest(described: Any) -> str:
    """Returns 16 hexadecimal digits of the SHA-256 of a description's canonical JSON."""
    return _hash(_canonical(described).encode())


def _hash(content: bytes) -> str:
    import hashlib  # here, since runs digest nothing

    return hashlib.sha256(content).hexdigest()[:16]


def describe(value: Any) -> Any:
    """Returns what a value is, as JSON-like data that is the same in every process and on every day.

    Objects become `{"class": "module.Name", "arguments": {...}}`: by what they were built with where that is known
    (a DataLoader, a scikit-learn or Keras object, a dataclass), by their attributes otherwise. Functions become their
    qualified name, with a digest of their source where it is the project's own. Arrays are told apart by content.
    No memory address ever appears; a cycle is cut.
    """
    return _Describer().describe(value)


def _canonical(described: Any) -> str:
    return json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _name(kind: Any) -> str:
    return (
        f"{getattr(kind, '__module__', None)}.{getattr(kind, '__qualname__', None) or getattr(kind, '__name__', '?')}"
    )


class _Describer:
    """One walk over a value; remembers where it is, to cut cycles."""

    def __init__(self) -> None:
        self._above: list[int] = []
        self._seen = 0

    def describe(self, value: Any) -> Any:
        plain = _plain(value)
        if plain is not NotImplemented:
            return plain
        self._seen += 1
        # The last two bound what a graph of live objects (a whole framework's session, say) can cost.
        if id(value) in self._above or len(self._above) >= _DEEPEST or self._seen > _MOST:
            return {"cycle": _name(type(value))}
        self._above.append(id(value))
        try:
            return self._composite(value)
        finally:
            self._above.pop()

    def _composite(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self.describe(item) for item in value]
        if isinstance(value, set | frozenset):
            return {"set": sorted((self.describe(item) for item in value), key=_canonical)}
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, type | ModuleType | FunctionType | MethodType | BuiltinFunctionType):
            return self._code(value)
        if hasattr(value, "__array__"):
            array = self._array(value)
            if array is not None:
                return array
        return {"class": _name(type(value)), "arguments": self.describe(_arguments(value))}

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        if all(isinstance(key, str) for key in value):
            return {_scrub(str(key)): self.describe(item) for key, item in value.items()}
        pairs = [[self.describe(key), self.describe(item)] for key, item in value.items()]
        return {"mapping": sorted(pairs, key=_canonical)}

    def _code(self, value: Any) -> Any:
        if isinstance(value, type):
            return {"type": _name(value)}
        if isinstance(value, ModuleType):
            return {"module": value.__name__}
        owner = getattr(value, "__self__", None)
        told: dict[str, Any] = {"function": _name(value)}
        if owner is not None and not isinstance(owner, ModuleType):
            told["of"] = self.describe(owner)
        function = getattr(value, "__func__", value)
        if isinstance(function, FunctionType):
            source = _source(function)
            cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
            closed = [function.__defaults__, function.__kwdefaults__, cells]
            told |= {"source": source} if source else {}
            # Functions made in a loop share their source; what they closed over tells them apart.
            told |= {"closed": self.describe(closed)} if any(closed) else {}
        return told

    def _array(self, value: Any) -> Any:
        numpy = sys.modules.get("numpy")
        try:
            array = numpy.asarray(value) if numpy else value.__array__()
            shape, kind = list(array.shape), str(array.dtype)
            content: Any
            if array.dtype.hasobject or array.size <= _SMALL_ARRAY:
                content = self.describe(array.tolist())
            else:
                content = _hash(array.tobytes())
        except Exception:  # a foreign type's conversion: anything may be raised, and its attributes are told instead
            return None
        if not shape:
            return content
        told = {"array": content, "shape": shape, "dtype": kind}
        if hasattr(value, "columns"):  # a table: the names of its columns are no part of the array
            told["columns"] = self.describe([str(name) for name in value.columns])
        return told


def _plain(value: Any) -> Any:
    """Describes what has no parts; NotImplemented for the rest."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Enum) and not isinstance(value, str | int):
        return {"enum": f"{_name(type(value))}.{value.name}"}
    if isinstance(value, str):
        return _scrub(str.__str__(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if value - value == 0 else {"float": str(float(value))}
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return {"bytes": _hash(content), "length": len(content)}
    return _exact(value)


def _exact(value: Any) -> Any:
    """Describes values of the standard library whose text says all of them."""
    kind = type(value)
    if kind in (complex, range, slice) or kind.__module__ in ("datetime", "decimal", "fractions", "uuid", "zoneinfo"):
        return {"class": _name(kind), "arguments": [str(value)]}
    if kind.__module__ == "re" and hasattr(value, "pattern"):
        return {"class": "re.Pattern", "arguments": [str(value.pattern), int(getattr(value, "flags", 0))]}
    if "dtype" in kind.__name__.lower():
        return {"class": _name(kind), "arguments": [str(value)]}
    return NotImplemented


def _scrub(text: str) -> str:
    return re.sub(_ADDRESS, " at ...", text).encode("utf-8", "backslashreplace").decode()


def _arguments(value: Any) -> Any:
    """Returns what an object was built with, else its attributes."""
    built = getattr(value, "_constructed_with", None)
    if isinstance(built, tuple):
        return _bound(type(value), *built)
    if callable(getattr(value, "described", None)):
        return value.described()
    if type(value).__module__ == "functools" and hasattr(value, "func"):
        return [value.func, list(value.args), dict(value.keywords)]
    for ask in ("get_params", "get_config"):
        told = _asked(getattr(value, ask, None), {"deep": False} if ask == "get_params" else {})
        if isinstance(told, Mapping):
            return told
    slots = [name for kind in type(value).__mro__ for name in _texts(kind.__dict__.get("__slots__", ()))]
    found = {name: getattr(value, name) for name in slots if not name.startswith("__") and hasattr(value, name)}
    return found | dict(getattr(value, "__dict__", {}))


def _asked(question: Callable[..., Any] | None, arguments: dict[str, Any]) -> Any:
    if not callable(question):
        return None
    try:
        return question(**arguments)
    except Exception:  # a stranger's method of the same name; its attributes are told instead
        return None


def _bound(kind: type, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Names positional arguments, so that `Loader(5)` and `Loader(rows=5)` are one."""
    import inspect

    try:
        signature = inspect.signature(kind)
        arguments = signature.bind(*positional, **named).arguments
    except (TypeError, ValueError):
        return {**{str(index): item for index, item in enumerate(positional)}, **named}
    told: dict[str, Any] = {}
    for name, value in arguments.items():
        told |= value if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: value}
    return told


def _source(function: FunctionType) -> str | None:
    """Returns a digest of a function's own source; None for an installed one, whose package says what it does."""
    import inspect
    import sysconfig

    file = function.__code__.co_filename
    if "site-packages" in file or "dist-packages" in file or file.startswith(sysconfig.get_path("stdlib")):
        return None
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError, SyntaxError):
        return None
    return digest([line.strip() for line in source.splitlines() if line.strip()])


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _texts(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
