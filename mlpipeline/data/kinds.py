"""What a saved encoder or transformer calls its class, and the class again: nothing is imported by a name in a file."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, TypeVar

from mlpipeline import plugins
from mlpipeline.config_text import near_miss
from mlpipeline.errors import DataFault

_Kind = TypeVar("_Kind")


def known_as(what: str, kind: type, built_in: ModuleType) -> str:
    """Returns what a file calls a class.

    Args:
        what: encoder, or transformer; the extension point by which packages offer more of them.
        kind: the class.
        built_in: lists, in `__all__`, those that come with this package.

    Returns:
        its bare name where it is built in, the name by which an installed package offers it, else module and name.
    """
    if kind.__name__ in built_in.__all__ and getattr(built_in, kind.__name__) is kind:
        return str(kind.__name__)
    offered = plugins.name_of(what, kind)
    return offered if _is_free(offered, built_in) and offered else f"{kind.__module__}:{kind.__qualname__}"


def find(what: str, name: Any, base: type[_Kind], built_in: ModuleType) -> type[_Kind]:
    """Returns the class that a file names: one that is built in, offered by an installed package, or imported already.

    Raises:
        DataFault: there is none of this name.
    """
    if not isinstance(name, str):
        raise DataFault(f"a saved {what} is of the class {name!r}, which is no name: it is damaged, save it again")
    if name in built_in.__all__:
        kind: type[_Kind] = getattr(built_in, name)
        return kind
    imported = {f"{each.__module__}:{each.__qualname__}": each for each in descendants(base)}
    if name in imported:  # where a notebook has defined it several times, the last one
        return imported[name]
    if name in plugins.names(what):
        found = plugins.load(what, name)
        if isinstance(found, type) and issubclass(found, base):
            return found
        raise DataFault(f"what is installed as the {what} '{name}' is none: mend or uninstall the package")
    known = sorted({*built_in.__all__, *plugins.names(what)})
    raise DataFault(
        f"there is no {what} '{name}'.{near_miss(name, known)} If it is yours, import it first; if a package offers "
        f"it, install that"
    )


def _is_free(name: str | None, built_in: ModuleType) -> bool:
    return name is not None and name not in built_in.__all__ and ":" not in name


def descendants(kind: type[_Kind]) -> Iterator[type[_Kind]]:
    """Yields all classes that are derived from one, as far as they are imported."""
    for each in kind.__subclasses__():
        yield each
        yield from descendants(each)
