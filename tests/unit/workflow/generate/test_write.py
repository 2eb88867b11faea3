"""What is written about a class: documentation, docstrings, tests; by whom, and what is refused."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.workflow.generate import docstrings, write
from mlpipeline.workflow.types import TextGenerator

ROOT = Path(__file__).resolve().parents[4]
SOURCE = '''# -*- coding: utf-8 -*-
"""Trainers."""
from abc import abstractmethod
from mlpipeline.workflow import Component


class ModelTrainer(Component):  # a type
    @abstractmethod
    def fit(self, data): ...


class Mean(ModelTrainer):
    # what follows is configured
    rate: float = 0.5  # of learning ü

    def __init__(self, training_params: dict[str, float], depth: int = 3, name: str | None = None):
        self.rate, self.depth = training_params.get("rate", 1.0), depth
        self.training_params = training_params

    def fit(self, data, *, weights: list[float] | None = None) -> "Mean":
        # a comment stays
        if not data:
            raise ValueError("no rows: give some")
        return self   # so does this

    def score(self, data): return 1.0; # on one line

    @property
    def is_fitted(self) -> bool:
        """Whether it is."""
        return True

    def _private(self):
        def inner():
            raise KeyError("x")
        return inner
'''


class Answers(TextGenerator):
    """Answers what it is told to."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def generate(self, task: str, source: str) -> str:
        self.asked.append((task, source))
        return self.answer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "mlp.config").write_text("[MLP]\n")
    path = tmp_path / "components" / "trainers.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    return path


def run_tests(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)],
        cwd="/", env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_docstrings_are_put_in_and_nothing_else_changes(source: Path) -> None:
    text = write("docstrings", source, "Mean", output=source)
    assert source.read_text() == text
    for line in SOURCE.splitlines():
        if "return 1.0" not in line:
            assert line in text.splitlines()
    found = docstrings.collect(ast.parse(text))
    assert found["Mean"] == (
        "Mean.\n\nArgs:\n    training_params (dict[str, float]): required.\n    depth (int): by default 3.\n"
        "    name (str | None): by default None."
    )
    assert found["Mean.fit"] == (
        "Fit.\n\nArgs:\n    data: required.\n    weights (list[float] | None): by default None.\n\n"
        "Returns:\n    Mean.\n\nRaises:\n    ValueError: no rows: give some."
    )
    assert set(found) == {"Mean", "Mean.fit", "Mean.score", "Mean.is_fitted"}
    assert write("docstrings", source, "Mean", output=source) == text  # a second time there is nothing to do


def test_docstrings_that_are_there_are_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        'class A:\n\tdef f(self, new, kept=1):\n\t\tr"""Does it, with a \\\\.\n\n\t\tMore.\n\n\t\tArgs:\n'
        "\t\t    gone: was\n\t\t        here.\n\t\t    kept: stays as\n\t\t        it is.\n\n\t\tRaises:\n"
        '\t\t    OSError: always.\n\t\t"""\n\t\traise ValueError("x")\n'
    )
    write("docstrings", path, "A", output=path, methods=["f"])
    found = docstrings.collect(ast.parse(path.read_text()))
    assert found == {
        "A.f": "Does it, with a \\\\.\n\nMore.\n\nArgs:\n    kept: stays as\n        it is.\n    new: required.\n\n"
        "Raises:\n    OSError: always."
    }


def test_line_ends_and_awkward_texts_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(
        b'class A:\r\n    def f(self, x=\'"""\\\\\'):  # why\r\n        pass\r\n\x0c\r\n    def g(self): pass\r\n'
    )
    write("docstrings", path, "A", output=path)
    content = path.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")
    assert 'x: by default \'"""\\\\\'.' in docstrings.collect(ast.parse(content))["A.f"]
    assert b'    def f(self, x=\'"""\\\\\'):  # why\r\n' in content


def test_setters_overloads_and_other_sections_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "from typing import overload\nclass A:\n    @property\n    def x(self): return 1\n    @x.setter\n"
        "    def x(self, value): pass\n    @overload\n    def f(self, a): ...\n    def f(self, a, b=1):\n"
        '        """Does it.\n\n        Arguments:\n\n        a -- in another style\n        """\n'
        "    def __init__(self, c): pass\n"
    )
    once = write("docstrings", path, "A", output=path)
    found = docstrings.collect(ast.parse(once))
    assert found["A.f"].endswith("a -- in another style\n\nArgs:\n    a: required.\n    b: by default 1.")
    assert "    def x(self, value): pass\n    @overload\n    def f(self, a): ...\n" in once
    assert found["A"] == "A.\n\nArgs:\n    c: required."
    assert "A.__init__" not in found
    assert write("docstrings", path, "A", output=path) == once
    assert "def x" not in write("documentation", path, "A", methods=["f"])


def test_only_the_docstrings_of_an_answer_are_taken(source: Path) -> None:
    answer = SOURCE.replace("return self ", '"""Wrong place."""\n        import os; os.remove("x")').replace(
        "        # a comment stays\n", '        """Learns \\"""it."""\n'
    )
    text = write("docstrings", source, "Mean", generator=Answers(answer))
    assert "os.remove" not in text
    assert docstrings.collect(ast.parse(text))["Mean.fit"] == 'Learns """it.'
    assert source.read_text() == SOURCE
    asked = Answers(answer)
    write("docstrings", source, "Mean", generator=asked, methods=["fit"])
    assert "def fit" in asked.asked[0][1]
    assert "def score" not in asked.asked[0][1]
    with pytest.raises(MlpipelineError, match=r"no Python.*'Here you are:'"):
        write("docstrings", source, "Mean", generator=Answers("Here you are:\nclass"))
    with pytest.raises(MlpipelineError, match="no docstring for Mean"):
        write("docstrings", source, "Mean", generator=Answers("class Other:\n    'doc'\n"))


def test_tests_run_and_notice_changes(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "tests" / "unit" / "test_mean.py"
    text = write("tests", source, "Mean", output=path)
    assert "assert made.training_params == {}" in text
    done = run_tests(path)
    assert "5 passed" in done.stdout, done.stdout
    source.write_text(SOURCE.replace("def fit(self, data, *,", "def fit(self, rows, *,"))
    done = run_tests(path)
    assert "2 failed, 3 passed" in done.stdout, done.stdout
    text = write("tests", source, "ModelTrainer", output=path, overwrite=True)
    assert "2 passed" in run_tests(path).stdout, text


def test_another_generators_tests_find_the_class(source: Path, tmp_path: Path) -> None:
    answer = "import pytest\nimport math\n\ndef test_it():\n    assert Mean({}).rate == pytest.approx(math.fabs(-1))\n"
    path = tmp_path / "test it's.py"
    write("tests", source, "Mean", generator=Answers(answer), output=path)
    assert "1 passed" in run_tests(path).stdout
    answer = (
        "from __future__ import annotations\nfrom trainers import Mean, Path\n\ndef test_it():\n    assert Mean({})\n"
    )
    text = write("tests", source, "Mean", generator=Answers(answer.replace(", Path", "")), output=path, overwrite=True)
    assert "1 passed" in run_tests(path).stdout, text
    with pytest.raises(MlpipelineError, match="no test of Mean"):
        write("tests", source, "Mean", generator=Answers("x = 1\n"))


def test_documentation_tells_what_the_code_says(source: Path, tmp_path: Path) -> None:
    text = write("documentation", source, "Mean", output=tmp_path / "docs" / "mean.md")
    assert text.startswith("# Mean\n")
    assert "| `depth` | `int` | `3` |" in text
    assert "| `name` | `str \\| None` | `None` |" in text
    assert "def fit(self, data, *, weights: list[float] | None=None) -> 'Mean'" in text
    assert "* `ValueError`: no rows: give some" in text
    assert "_private" not in text
    assert "### score" not in write("documentation", source, "Mean", methods=["fit"])


@pytest.mark.parametrize(
    ("words", "options", "told"),
    [
        (("docs", "Mean"), {}, "there is no task 'docs'"),
        (("tests", "Maen"), {}, "Did you mean 'Mean'"),
        (("tests", "Mean"), {"methods": ["fti"]}, "Did you mean 'fit'"),
        (("tests", "Mean"), {"generator": "LocalTextGenerater"}, "Did you mean 'LocalTextGenerator'"),
        (("tests", "Mean"), {"options": {"x": 1}}, "LocalTextGenerator cannot be made of x"),
    ],
)
def test_wrong_requests_are_told(source: Path, words: tuple[str, str], options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        write(words[0], source, words[1], **options)  # type: ignore[arg-type]


def test_no_file_is_overwritten_unasked(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the source itself"):
        write("tests", source, "Mean", output=source, overwrite=True)
    path = tmp_path / "test_mean.py"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        write("tests", source, "Mean", output=path)
    broken = tmp_path / "broken.py"
    broken.write_text("class A:\n  def\n")
    with pytest.raises(UsageError, match=r"broken.py:2: is no Python"):
        write("tests", broken, "A")
