"""Parts are created, tested, packed, installed elsewhere, and used there by their names: the whole way at once."""

from __future__ import annotations

import json
import os
import site as interpreter
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OTHER = """
runner: ShopRunner
pipeline:
  prepare:
    - {call: scaler.scale, with: {values: $config.values}}
  means: ShopMeans
component: {scaler: ShopScaler}
config: {values: [1, 2, 6], factor: 3.0}
"""


class Shell:
    """The command line of one Python in one directory."""

    def __init__(self, place: Path, python: str = sys.executable, path: str = str(ROOT)) -> None:
        self.place = place
        self.python = python
        self.path = path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        return subprocess.run(
            [self.python, "-m", "mlpipeline", *words],
            cwd=self.place,
            env=variables | {"PYTHONPATH": self.path, "COLUMNS": "250", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def good(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.good(*words, "--json"))


@pytest.fixture
def home(tmp_path: Path) -> Shell:
    place = tmp_path / "home"
    place.mkdir()
    (place / "mlp.config").write_text("[MLP]\nhost = here\n[PACKAGE]\nname = shop-parts\nversion = 1.2.0\n")
    return Shell(place)


def add_imports(place: Path) -> None:
    """Makes a part import two modules of the project, which are called otherwise in a package."""
    (place / "sums.py").write_text("def total(values):\n    return sum(values)\n")
    pipeline = place / "pipelines" / "shop_means.py"
    text = pipeline.read_text().replace("sum(self.values)", "sums.total(self.values)")
    head = "from mlpipeline.workflow import Notifier, Pipeline\n"
    assert head in text
    pipeline.write_text(text.replace(head, f"import os, sums\nfrom components.shop_scaler import ShopScaler\n{head}"))


def fresh_environment(place: Path) -> str:
    """Makes an environment that sees the libraries of this one, but nothing that is installed in it twice."""
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True, timeout=120)
    python = str(place / "bin" / "python")
    (inner,) = (place / "lib").glob("python*/site-packages")
    libraries = [
        each for each in (*interpreter.getsitepackages(), interpreter.getusersitepackages()) if Path(each).is_dir()
    ]
    (inner / "libraries.pth").write_text("\n".join([str(ROOT), *libraries]) + "\n")
    return python


def test_what_is_created_is_tested_packed_installed_and_used_elsewhere(home: Shell, tmp_path: Path) -> None:
    for words in (
        ("component", "ShopScaler"),
        ("pipeline", "shop-means"),
        ("runner", "shop_runner"),
        ("command", "shop"),
    ):
        home.good("create", *words)
    add_imports(home.place)
    template = home.place / "templates" / "docs" / "note" / "docs"
    template.mkdir(parents=True)
    (template / "{{module_name}}.txt.jinja").write_text("of {{title}}")
    home.good("test", "-q")
    home.good("validate", "models/shop_runner.yaml")
    packed = home.json("package")
    assert packed["files"] == ["dist/shop_parts-1.2.0-py3-none-any.whl", "dist/shop_parts-1.2.0.tar.gz"]
    wheel = home.place / packed["files"][0]
    before = wheel.read_bytes()
    home.good("package")
    assert wheel.read_bytes() == before, "the same contents give the same bytes"

    python = fresh_environment(tmp_path / "environment")
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run([*command, str(wheel)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    other = Shell(tmp_path / "other", python, path="")
    other.place.mkdir()
    (other.place / "mlp.config").write_text("[MLP]\nhost = there\n")
    (other.place / "flow.yaml").write_text(OTHER)
    assert "no fault" in other.good("validate", "flow.yaml")
    assert other.json("run", "workflow", "ShopRunner", "-c", "flow.yaml")["metrics"] == {"rows": 3.0, "largest": 18.0}
    listed = {(each["kind"], each["name"]): each["where"] for each in other.json("list")["parts"]}
    for each in (
        ("components", "ShopScaler"),
        ("pipelines", "ShopMeans"),
        ("runners", "ShopRunner"),
        ("commands", "shop"),
    ):
        assert listed[each] == "shop-parts 1.2.0"
    assert listed["templates", "docs note"] == "shop-parts 1.2.0"
    assert other.good("create", "docs", "sales", "--template", "note") == "created docs/sales.txt\n"
    assert other.good("shop", "Ada", "--loud") == "HELLO ADA\n"
    assert "From shop-parts 1.2.0." in other.good("--help")
