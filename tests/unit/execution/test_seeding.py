"""What a run draws does not depend on which packages were imported before it was seeded."""

from __future__ import annotations

import importlib
import random
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mlpipeline.execution import seeding


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of installed packages; generators and finders are as before afterwards."""
    path = tmp_path / "site-packages"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(path)):
            del sys.modules[name]


def write(installed: Path, name: str, text: str) -> str:
    (installed / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    return name


def drawn() -> tuple[float, float]:
    return random.random(), float(np.random.random())


def test_an_import_takes_nothing_from_the_generators(installed: Path) -> None:
    write(installed, "mlptest_inner", "import random, numpy\nrandom.seed(7)\nnumpy.random.random(9)\n")
    outer = write(installed, "mlptest_outer", "import random\nrandom.random()\nimport mlptest_inner\nrandom.random()\n")
    seeding.seed_all(1)
    expected = drawn()
    seeding.seed_all(1)
    importlib.import_module(outer)
    assert "mlptest_inner" in sys.modules
    assert drawn() == expected


def test_an_import_that_fails_leaves_them_too(installed: Path) -> None:
    broken = write(installed, "mlptest_broken", "import random\nrandom.random()\nraise RuntimeError('broken')\n")
    seeding.seed_all(1)
    expected = drawn()
    seeding.seed_all(1)
    with pytest.raises(RuntimeError, match="broken"):
        importlib.import_module(broken)
    assert drawn() == expected


def test_a_library_is_seeded_when_another_package_imports_it(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(installed, "torch", "seeds = []\ndef manual_seed(seed): seeds.append(seed)\n")
    user = write(installed, "mlptest_user", "import torch\ntorch.manual_seed(99)\n")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    seeding.seed_all(5)
    assert importlib.import_module(user).torch.seeds == [99, 5]
    del sys.modules["torch"]


def test_an_import_in_the_background_repeats_no_numbers(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run draws meanwhile must not be drawn again afterwards."""
    text = "import threading\nthreading.reached.set()\nassert threading.drawn.wait(30)\n"
    slow = write(installed, "mlptest_slow", text)
    reached, done = threading.Event(), threading.Event()
    monkeypatch.setattr(threading, "reached", reached, raising=False)
    monkeypatch.setattr(threading, "drawn", done, raising=False)
    seeding.seed_all(1)
    expected = [drawn(), drawn()]
    seeding.seed_all(1)
    thread = threading.Thread(target=importlib.import_module, args=[slow])
    thread.start()
    assert reached.wait(30)
    first = drawn()
    done.set()
    thread.join()
    assert [first, drawn()] == expected


def test_seeding_again_adds_no_finder(installed: Path) -> None:
    seeding.seed_all(1)
    count = len(sys.meta_path)
    seeding.seed_all(2)
    assert len(sys.meta_path) == count
    assert random.random() == random.Random(2).random()


def test_a_library_that_another_thread_is_importing_is_seeded_when_that_is_done(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[tuple[str, int]] = []
    monkeypatch.setattr(seeding, "_seed", lambda name, module, seed: seeds.append((name, module.READY and seed)))
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    gates = types.SimpleNamespace(small=threading.Event(), begun=threading.Event(), go_on=threading.Event())
    monkeypatch.setitem(sys.modules, "gates_of_the_test", gates)
    write(
        installed,
        "tensorflow",
        "import gates_of_the_test as g\nREADY = False\ng.begun.set()\nassert g.go_on.wait(60)\nREADY = True",
    )
    small = write(installed, "small_package", "import gates_of_the_test as g\ng.small.set()\nassert g.begun.wait(60)")
    monkeypatch.setattr(seeding, "_LIBRARIES", ("tensorflow",))
    seeding.seed_all(7)
    thread = threading.Thread(target=lambda: gates.small.wait(60) and importlib.import_module("tensorflow"))
    thread.start()
    try:
        importlib.import_module(small)
        assert seeds == []
    finally:
        gates.go_on.set()
        thread.join()
    assert seeds == [("tensorflow", 7)]
