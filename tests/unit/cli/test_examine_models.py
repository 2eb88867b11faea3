"""What newcomers get wrong with model files is told without importing one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.cli import examine_models
from mlpipeline.cli.findings import Weight
from mlpipeline.project import Project


@pytest.fixture
def found(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "models" / "deep").mkdir(parents=True)
    return Project.load(tmp_path)


def told(found: Project, *listed: str, takes_all: bool = False) -> list[tuple[Weight, str]]:
    return [(each.weight, each.text) for each in examine_models.models(found, listed, takes_all=takes_all)]


def write(found: Project, name: str, text: str) -> None:
    (found.models_dir / name).write_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "MODEL = 1\n",
        "MODEL: object = 1\n",
        "if True:\n    MODEL = 1\n",
        "try:\n    from there import MODEL\nexcept ImportError:\n    raise\n",
        "from there import net as MODEL\n",
        "from there import *\n",
        "first, MODEL = 1, 2\n",
    ],
)
def test_a_listed_file_that_binds_a_model_is_right(found: Project, text: str) -> None:
    write(found, "net.py", text)
    assert told(found, "net.py") == []


@pytest.mark.parametrize("text", ["", "def build():\n    MODEL = 1\n", "class A:\n    MODEL = 1\n", "print(MODEL)\n"])
def test_a_listed_file_without_a_model_is_a_problem(found: Project, text: str) -> None:
    write(found, "net.py", text)
    ((weight, said),) = told(found, "net.py")
    assert weight is Weight.PROBLEM
    assert said == "models/net.py is listed and has no MODEL: set the global MODEL to an instance of your class"


def test_helpers_on_no_list_need_no_model(found: Project) -> None:
    write(found, "helpers_of_mine.py", "def load(): pass\n")
    write(found, "_private.py", "MODEL = 1\n")
    assert told(found) == []


def test_models_on_no_list_are_told_unless_a_list_takes_all(found: Project) -> None:
    for name in ("deep/net.py", "wide.py", *(f"m{n}.py" for n in range(5))):
        write(found, name, "MODEL = 1\n")
    said = [(Weight.NOTE, "on no list, so only trained when named: deep/net.py, m0.py, m1.py, m2.py, m3.py and 1 more")]
    assert told(found, "wide.py") == said
    assert told(found, takes_all=True) == []


def test_a_syntax_error_is_told_with_its_line(found: Project) -> None:
    write(found, "net.py", "x = 1\nMODEL = Net(\n")
    assert told(found, "net.py") == [(Weight.PROBLEM, "models/net.py:2: '(' was never closed: mend the line")]


@pytest.mark.parametrize("name", ["random", "numpy", "mlpipeline"])
def test_a_file_that_hides_a_module_is_a_problem(found: Project, name: str) -> None:
    write(found, f"{name}.py", "MODEL = 1\n")
    said = f"{name}.py hides the module {name} from all models: rename it (mlpipeline mv)"
    assert told(found, f"{name}.py") == [(Weight.PROBLEM, said)]
    write(found, f"deep/{name}.py", "MODEL = 1\n")
    assert len(told(found, f"{name}.py", f"deep/{name}.py")) == 1
