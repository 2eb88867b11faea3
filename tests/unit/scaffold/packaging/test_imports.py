"""Imports of the project's modules become imports of the package; nothing else is changed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.execution.snapshot import Place
from mlpipeline.scaffold.packaging.imports import Move

FILES = ("components/a.py", "components/b.py", "helpers.py", "lib/__init__.py", "lib/inner.py", "models/net.py")


@pytest.fixture
def move(tmp_path: Path) -> Move:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    place = Place(root=tmp_path, models_dir=tmp_path / "models", main=tmp_path / "components" / "a.py")
    return Move(place=place, package="parts")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from components.b import B", "from parts.components.b import B"),
        ("from components import b", "from parts.components import b"),
        ("from b import B as C, D", "from parts.components.b import B as C, D"),
        ("import b", "from parts.components import b"),
        ("import helpers", "from parts import helpers"),
        ("import helpers as h", "import parts.helpers as h"),
        ("import lib.inner as i", "import parts.lib.inner as i"),
        ("from lib import inner, x", "from parts.lib import inner, x"),
        ("from lib.inner import (\n    x,  # why\n    y,\n)", "from parts.lib.inner import x, y"),
        ("import os, helpers, sys as s", "import os; from parts import helpers; import sys as s"),
        ("from net import Net", "from parts.models.net import Net"),
        ("if True:\n    from helpers import x; y = 'ä'; import b", None),
        ("def f():\n    import helpers\n", "def f():\n    from parts import helpers\n"),
    ],
)
def test_own_modules_are_found_in_the_package(move: Move, before: str, after: str | None) -> None:
    after = after or "if True:\n    from parts.helpers import x; y = 'ä'; from parts.components import b"
    text = f"# ä comment\n{before}\nx = 'from components.b import B'  # import helpers\n"
    assert move.rewritten(text.encode()).decode() == text.replace(before, after, 1)


@pytest.mark.parametrize(
    "text",
    [
        "import os.path",
        "from . import b",
        "from .b import B",
        "import numpy as np",
        "from __future__ import annotations",
        "from mlpipeline.workflow import Component",
        "from componentsx import y",
        "",
    ],
)
def test_everything_else_stays_byte_for_byte(move: Move, text: str) -> None:
    content = f"{text}\r\nx = 1\x0c\n".encode()
    assert move.rewritten(content) == content


def test_what_cannot_be_kept_is_told_with_line_and_remedy(move: Move) -> None:
    with pytest.raises(ConfigurationError, match=r"components/a\.py:2: .*write `from components import b`"):
        move.rewritten(b"\nimport components.b\n")


def test_what_is_rewritten_still_is_python(move: Move) -> None:
    text = "import helpers, b\nfrom components.b import *\ntry:\n    import helpers\nexcept ImportError: import b\n"
    assert ast.parse(move.rewritten(text.encode()))
