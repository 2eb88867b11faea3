"""What holds for every unit test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def _what_a_test_wrote_is_imported_for_it_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Many projects of tests have `components/`: what one has imported from there, another must not find."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    place = str(tmp_path_factory.getbasetemp())
    # All are found before one is forgotten: a package without a file asks the one around it where it lies.
    for name in [name for name in set(sys.modules) - modules if _lies_in(place, sys.modules[name])]:
        del sys.modules[name]
    sys.path[:] = path


def _lies_in(place: str, module: ModuleType) -> bool:
    known = vars(module)  # some modules make up attributes that they are asked for
    return any(str(each).startswith(place) for each in (known.get("__file__"), *known.get("__path__", ())))
