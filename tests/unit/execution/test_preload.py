"""What a warm process is to import is read from sources, and what it has imported is stale once a package changes."""

from __future__ import annotations

import configparser
import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mlpipeline.execution import preload, threads


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy", ("numpy",)),
        ("import numpy as np, pandas.io as p", ("numpy", "pandas.io")),
        ("from sklearn.svm import SVC", ("sklearn.svm", "sklearn.svm.SVC")),
        ("from scipy import *", ("scipy",)),
        ("def train():\n    import xgboost", ("xgboost",)),
        ("from . import numpy\nfrom .torch import nn", ()),
        ("import my_numpy, os, numpyro", ()),
        ("import numpy (", ()),
        ("\0", ()),
        ("import torch", ("torch", "torch._dynamo")),
        ("from tensorflow import keras", ("tensorflow", "tensorflow.keras", "keras")),
        ("from mlpipeline import Model\nimport mlpipeline.helper, mlpipeline.database", ()),
        (
            "from mlpipeline.data.encoders import Norm",
            ("mlpipeline.data.encoders", "mlpipeline.data.encoders.Norm", *preload.COMPANIONS["mlpipeline.data"]),
        ),
        (
            "from mlpipeline.data import connections",
            (
                "mlpipeline.data",
                "mlpipeline.data.connections",
                *preload.COMPANIONS["mlpipeline.data"],
                *preload.COMPANIONS["mlpipeline.data.connections"],
            ),
        ),
    ],
)
def test_imports_are_read_from_the_source(source: str, expected: tuple[str, ...]) -> None:
    assert preload.imported_by({"m.py": source.encode()}) == expected


def test_only_python_is_read_and_order_is_kept() -> None:
    files = {"a.py": b"import pandas, numpy", "b.txt": b"import scipy", "c.py": b"import numpy, jax"}
    assert preload.imported_by(files) == ("pandas", "numpy", "jax")


def test_late_imports_are_those_of_heavy_packages_that_came_since(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(sys.modules)
    for name in ("optax", "optax.one", "optax.one.two", "myown"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert preload.modules_since(before) == ["myown", "optax.one.two", "optax.one", "optax"]
    assert preload.loaded_since(before) == ("optax", "optax.one")
    assert preload.loaded_since(len(sys.modules)) == ()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package, imported."""
    path = tmp_path / "site-packages" / "mlptest_stamped"
    path.mkdir(parents=True)
    (path / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(path.parent))
    importlib.import_module(path.name)
    yield path
    del sys.modules[path.name]


def later(path: Path) -> None:
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))


def test_a_stamp_holds_while_nothing_changes(package: Path) -> None:
    stamp = preload.Stamp([f"{package.name}.part", "mlptest_absent"])
    assert stamp.changed() == ""
    (package / "data").write_text("not code")
    assert stamp.changed() == ""


def test_a_package_that_changes_is_named(package: Path) -> None:
    stamp = preload.Stamp([f"{package.name}.part"])
    later(package / "__init__.py")
    assert stamp.changed() == str(package / "__init__.py")
    (package / "__init__.py").unlink()
    assert stamp.changed() == str(package / "__init__.py")


def test_a_place_for_bytecode_changes_nothing(package: Path) -> None:
    stamp = preload.Stamp([])
    (package.parent / "__pycache__").mkdir()
    later(package.parent)
    assert stamp.changed() == ""
    (package.parent / "another").mkdir()
    assert stamp.changed() == str(package.parent)


def test_a_package_that_is_installed_changes_its_directory(package: Path) -> None:
    stamp = preload.Stamp([])
    (package.parent / "another").mkdir()
    assert stamp.changed() == str(package.parent)


def test_every_extra_that_brings_pandas_brings_what_it_takes_to_preload_it() -> None:
    read = configparser.ConfigParser()
    read.read(Path(__file__).parents[3] / "setup.cfg", encoding="utf-8")
    extras = read["options.extras_require"].items()
    brings = {name: set(re.findall(r"^[\w-]+", text, re.MULTILINE)) for name, text in extras}
    with_pandas = {name: packages for name, packages in brings.items() if "pandas" in packages}
    assert {"data", "sql"} <= with_pandas.keys()
    # scikit-learn needs it itself.
    assert [name for name, packages in with_pandas.items() if not {threads.NEEDED, "scikit-learn"} & packages] == []
