"""The files that exports write: well-formed, formatted, without secrets, whatever things are called."""

from __future__ import annotations

import ast
import importlib.util
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError, NotWritable, UsageError
from mlpipeline.workflow.exports import TARGETS, export, names
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import read

from .conftest import STEPS, Yard

PYTHON = ("prefect", "metaflow", "airflow")
HOSTILE = (
    "it's \"v1.2\"", "class", "1st", "json", "a/b", "été 你好", '"""', "\\n{x}$(id)`id`", "-o", "x" * 150, "flow", "_",
)  # fmt: skip


def code(path: Path) -> ast.Module:
    py_compile.compile(str(path), doraise=True)
    return ast.parse(path.read_bytes())


def constant(tree: ast.Module, name: str) -> object:
    """Returns what a module assigns to a name, where it is written out."""
    (found,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    return ast.literal_eval(found)


@pytest.mark.parametrize("target", PYTHON)
def test_python_says_what_is_run(yard: Yard, target: str) -> None:
    (path,) = export(target, [yard.root / "models/steps.yaml"], settings=["rate=3"], options=Options(retries=5))
    assert path.parent == yard.root / "exports/steps" / target
    tree = code(path)
    assert constant(tree, "WORKFLOW") == [
        "run",
        "workflow",
        "Runner",
        "--config-file",
        "models/steps.yaml",
        "--set=rate=3",
    ]
    assert (constant(tree, "RETRIES"), constant(tree, "STEPS")) == (5, 3)
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {"step_1_rows_read", "step_2_mean_fit", "step_3_mean_score"} <= functions
    assert "parents[3]" in path.read_text()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_will_do(yard: Yard, target: str, name: str) -> None:
    directory, _, stem = name.rpartition("/")
    yard.write("requirements.lock", "click==8.2.0\n")
    path = yard.write(f"models/{directory or '.'}/{stem}.yaml", (yard.root / "models/steps.yaml").read_text())
    paths = export(target, [path])
    if target in PYTHON:
        tree = code(paths[0])
        assert constant(tree, "WORKFLOW")[-1] == str(path.relative_to(yard.root))  # type: ignore[index]
        run_step = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
        assert run_step.name == "run_step"
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert len(set(defined)) == len(defined)
        assert not {"json", "os", "flow", "task", "dag"} & set(defined)


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is not installed: pip install -e '.[dev]'")
@pytest.mark.parametrize("target", PYTHON)
@pytest.mark.parametrize("schedule", [None, "0 3 * * *"])
def test_python_is_formatted_at_both_usual_widths(
    yard: Yard, target: str, schedule: str | None, tmp_path: Path
) -> None:
    path = yard.write(f"models/{HOSTILE[0]}.yaml", (yard.root / "models/steps.yaml").read_text())
    for place in (None, tmp_path / "outside"):
        export(target, [path], output=place, options=Options(schedule=schedule))
    places = [str(yard.root / "exports"), str(tmp_path / "outside")]
    for width in ("88", "120"):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "--line-length", width, *places],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_parameters_are_values_that_may_be_given(yard: Yard) -> None:
    parts = (yard.root / "components/parts.py").read_text()
    yard.write("components/parts.py", parts.replace("rate: float = 1.0", "rate: float = 1.0; " + "; ".join(
        f"{name}: int = 0" for name in ("epochs", "json", "input", "changes", "Rate", "copied", "x" * 40)
    )))  # fmt: skip
    path = yard.write("models/steps.yaml", STEPS.replace("import: 1, json: 1", (
        "json: 1, input: 1, changes: 1, Rate: 1, copied: $config.rate, db_password: '${env:DB_TOKEN}', "
        + "x" * 40 + ": 1"
    )))  # fmt: skip
    found = {each.name: each.kind for each in read([path]).parameters}
    assert found == {
        "train_data": "str", "rate": "float", "epochs": "int", "json": "int", "input": "int", "changes": "int",
        "Rate": "int", "x" * 40: "int",
    }  # fmt: skip
    text = export("metaflow", [path])[0].read_text()
    assert text.count("= Parameter(") == 4
    assert '    rate = Parameter(\n        "rate",\n        type=float,' in text
    assert "epochs: int | None = None," in export("prefect", [path])[0].read_text()


def test_a_version_and_files_outside_the_project(yard: Yard, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text("versions: {'deep, 1.5': {mean__rate: 7}}\n")
    (path,) = export("prefect", [yard.root / "models/steps.yaml", more], version="deep, 1.5", output=tmp_path / "out")
    tree = code(path)
    words = ["models/steps.yaml", "--config-file", str(more), "--version", "deep, 1.5"]
    assert constant(tree, "WORKFLOW")[-5:] == words  # type: ignore[index]
    assert f'Path(\n    "{yard.root}",\n)' in path.read_text()
    for target in ("dockerfile", "kubernetes"):
        with pytest.raises(UsageError, match="lies outside the project"):
            export(target, [yard.root / "models/steps.yaml", more])
    with pytest.raises(UsageError, match="from where alone Docker copies"):
        export("dockerfile", [yard.root / "models/steps.yaml"], output=tmp_path / "out")


def test_what_is_there_is_not_overwritten_unasked(yard: Yard) -> None:
    path = yard.root / "models/steps.yaml"
    (flow,) = export("prefect", [path])
    export("prefect", [path])
    flow.write_text("mine")
    with pytest.raises(UsageError, match="exists, and says something else"):
        export("prefect", [path])
    export("prefect", [path], overwrite=True)
    assert flow.read_text() != "mine"
    yard.write("blocked", "")
    with pytest.raises(NotWritable, match="name another with -o"):
        export("prefect", [path], output=yard.root / "blocked")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"schedule": "daily"}, "'daily' is no schedule"),
        ({"schedule": "* * * *"}, "five fields"),
        ({"schedule": '0 3 * * "x'}, "no schedule"),
        ({"image": "a b"}, "no name of an image"),
        ({"image": "x\nRUN y"}, "no name of an image"),
        ({"retries": -1}, "whole numbers"),
    ],
)
def test_wrong_options_are_told(options: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Options(**options)  # type: ignore[arg-type]


def test_faults_of_the_workflow_are_told_before_anything_is_written(yard: Yard) -> None:
    path = yard.write("models/bad.yaml", STEPS.replace("mean.fit", "mean.fti"))
    with pytest.raises(ConfigurationError, match="Did you mean 'fit'"):
        export("prefect", [path])
    yard.write("models/bad.yaml", "component: {rows: Rows}\nconfig: {train_data: x}\n")
    with pytest.raises(UsageError, match="has no pipelines"):
        export("prefect", [path])
    with pytest.raises(UsageError, match="Did you mean 'prefect'"):
        export("prefct", [path])
    assert not (yard.root / "exports").exists()


def test_names_that_differ_stay_different() -> None:
    given = ["a.b", "a-b", "a_b", "A-b", "a b", "", "it's", "its", "aB", "ab", "a" * 200, "a" * 201]
    for make in (names.slug, names.identifier, names.class_name):
        made = [make(each) for each in given]
        assert len(set(made)) == len(given), made
    assert all(len(names.slug(each)) <= 52 for each in given)
    assert all(f"{names.identifier(each)}_flow".isidentifier() for each in given)
    assert all(names.class_name(each).isidentifier() for each in given)
