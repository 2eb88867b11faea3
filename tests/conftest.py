"""What holds for every test."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

# A busy machine makes inputs slowly, which says nothing about what is tested; deadlines would be timed tests. In CI the
# inputs are the same every time.
settings.register_profile(
    "any_machine",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any_machine")


def pytest_collection_finish() -> None:
    """Takes what collecting left, hundreds of thousands of objects, out of the garbage collector's sight: it stays."""
    gc.freeze()


ALL = os.environ.get("MLP_TEST_ALL") == "1"
"""Whether what takes long is trained in full, too."""


@pytest.fixture(autouse=True, scope="session")
def _a_hangup_counts() -> Iterator[None]:
    """Under nohup a hangup is ignored, and every child would inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


_torn: set[str] = set()


@pytest.fixture(autouse=True)
def _packages_are_whole() -> Iterator[None]:
    """A test that makes Python import a package again leaves two copies of it, and another test far away fails."""
    yield
    # Names alone: thousands of pairs, made after each of thousands of tests, would call the garbage collector.
    ours = [name for name in list(sys.modules) if name.startswith("mlpipeline.")]
    torn = {name for name in ours if _is_torn(name, sys.modules[name])}
    new = torn - _torn
    _torn.update(new)  # only the test that did it is to blame
    assert not new, f"the test left other modules in sys.modules than in their packages: {sorted(new)}"


def _is_torn(name: str, module: ModuleType) -> bool:
    package, _, last = name.rpartition(".")
    found = getattr(sys.modules.get(package), last, None)
    # A package may have a name of its own, a function's say, that is also a module's.
    return found is None or (isinstance(found, ModuleType) and found is not module)
