"""Public names of a package that are imported on first use, so that one part of it does not bring all the others."""

from __future__ import annotations

from sys import modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def names(
    package: str, homes: Mapping[str, str], *, extra: str = ""
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns what a package has as its `__getattr__` and `__dir__`.

    Args:
        package: its name.
        homes: each public name, and the module of the package that defines it.
        extra: what brings pandas, where all of the package needs it.
    """

    def get(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        if extra:
            from mlpipeline import errors

            errors.require("pandas", extra=extra)
        value = getattr(import_module(f"{package}.{home}"), name)
        setattr(modules[package], name, value)
        return value

    def listed() -> list[str]:
        return sorted({*vars(modules[package]), *homes})

    return get, listed
