"""The commands that make something new in a project: create, package."""

from __future__ import annotations

import zipfile

import pytest
from click.testing import CliRunner

from mlpipeline.cli.create import KINDS
from mlpipeline.cli.main import cli
from mlpipeline.scaffold import types
from tests.unit.cli.conftest import Desk


def names(desk: Desk) -> set[str]:
    return {path.relative_to(desk.root).as_posix() for path in desk.root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_explains_itself_and_tells_what_it_created(desk: Desk, kind: str) -> None:
    text = " ".join(desk.type("create", kind, "--help").stdout.split())
    assert f"mlpipeline create {kind} my-" in text
    assert ("--type" in text) == (kind == "component")
    before = names(desk)
    made = desk.json("create", kind, "NewThing")["created"]
    assert set(made) == names(desk) - before
    assert sum(name.startswith("tests/test_") for name in made) == 1


def test_what_was_created_is_told_with_how_to_try_it(desk: Desk) -> None:
    lines = desk.type("create", "command", "say-hello").stdout.splitlines()
    assert lines == [
        "created commands/say_hello.py",
        "created tests/test_command_say_hello.py",
        "Try it: mlpipeline test tests/test_command_say_hello.py",
    ]
    assert desk.type("say-hello", "Ada").stdout == "Hello Ada\n"


@pytest.mark.parametrize("name", ["plan", "Plan", "show_config", "dashboard"])
def test_a_command_of_mlpipeline_is_not_created(desk: Desk, name: str) -> None:
    before = names(desk)
    result = desk.type("create", "command", name)
    assert result.exit_code == 2
    assert "is a command of mlpipeline" in result.stderr
    assert names(desk) == before


@pytest.mark.parametrize("task", ["documentation", "docstrings", "tests"])
def test_it_writes_about_a_class(desk: Desk, task: str) -> None:
    desk.type("create", "component", "scaler")
    source = str(desk.root / "components" / "scaler.py")
    text = desk.type("create", task, source, "Scaler", "--method", "scale").stdout
    assert "scale" in text
    assert desk.json("create", task, source, "Scaler")["task"] == task
    output = desk.root / "out" / "written.txt"
    result = desk.type("create", task, source, "Scaler", "-o", str(output))
    assert result.stdout == f"wrote {output}\n"
    assert "cale" in output.read_text()
    again = desk.type("create", task, source, "Scaler", "-o", str(output))
    assert (again.exit_code, "exists" in again.stderr) == (2, True)
    assert desk.type("create", task, source, "Scaler", "-o", str(output), "--overwrite").exit_code == 0


def test_what_the_generator_is_given_is_read_as_a_workflows_values_are(desk: Desk) -> None:
    desk.type("create", "component", "scaler")
    source = str(desk.root / "components" / "scaler.py")
    result = desk.type("create", "tests", source, "Scaler", "--set", "no_such_key=1")
    assert (result.exit_code, "no_such_key" in result.stderr) == (2, True)
    assert desk.type("create", "tests", source, "Scaler", "--set", "no equals").exit_code == 2


def test_types_and_templates_are_completed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.root)
    (desk.root / "templates" / "component" / "fancy").mkdir(parents=True)

    def completed(*words: str) -> list[str]:
        line = " ".join(("mlpipeline", *words))
        environment = {
            "_MLPIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))
        }  # fmt: skip
        found = CliRunner().invoke(cli, [], env=environment, prog_name="mlpipeline").stdout.split()
        return [each.removeprefix("plain,") for each in found]

    assert completed("create", "comp") == ["component"]
    assert completed("create", "component", "--type", "ModelT") == ["ModelTrainer"]
    assert completed("create", "component", "--template", "fan") == ["fancy"]
    assert completed("init", "--template", "wor") == ["workflow"]
    assert set(completed("create", "component", "--type", "D")) == {each for each in types.BUILT_IN if each[0] == "D"}


def test_package_builds_what_is_there(desk: Desk) -> None:
    pytest.importorskip("hatchling", reason="packages are built by hatchling: pip install 'mlpipeline[package]'")
    for kind in ("component", "command"):
        desk.type("create", kind, "greeter")
    packed = desk.json("package", "--name", "Greet.Parts", "--version", "2.0", "--format", "wheel")
    assert packed["files"] == ["dist/greet_parts-2.0-py3-none-any.whl"]
    assert [(each["kind"], each["name"]) for each in packed["parts"]] == [
        ("component", "Greeter"),
        ("command", "greeter"),
    ]
    with zipfile.ZipFile(desk.root / packed["files"][0]) as wheel:
        assert "greet_parts/components/greeter.py" in wheel.namelist()
        points = wheel.read("greet_parts-2.0.dist-info/entry_points.txt").decode()
    assert "[mlpipeline.component]\nGreeter = greet_parts.components.greeter:Greeter\n" in points
    told = desk.type("package", "-o", str(desk.root / "elsewhere")).stdout
    assert f"built {desk.root / 'elsewhere'}" in told
    assert sorted(each.suffix for each in (desk.root / "elsewhere").iterdir()) == [".gz", ".whl"]


def test_package_without_anything_to_pack_is_wrong_usage(desk: Desk) -> None:
    result = desk.type("package")
    assert (result.exit_code, "no components/" in result.stderr) == (2, True)
    assert not (desk.root / "dist").exists()


def test_templates_are_listed_with_where_they_are_from(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.root / "templates" / "widget" / "own").mkdir(parents=True)
    about = desk.root / "lib" / "offering-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mlpipeline.template]\nwidget.gone = offering_gone.widget\n")
    monkeypatch.syspath_prepend(str(desk.root / "lib"))
    listed = {each["name"]: each["where"] for each in desk.json("list", "templates")["parts"]}
    assert listed["widget own"] == "templates/"
    assert listed["widget gone"].startswith("offering 1.0, cannot be used: ModuleNotFoundError: ")
    assert listed["component ModelTrainer"] == "built in"
    assert {f"component {each}" for each in types.BUILT_IN} <= listed.keys()


def test_a_command_that_replaces_one_is_not_packed_and_helpers_are_none(desk: Desk) -> None:
    (desk.root / "commands").mkdir()
    (desk.root / "commands" / "_helper.py").write_text("raise SystemExit(9)\n")
    (desk.root / "commands" / "show_config.py").write_text("import click\n@click.command()\ndef x(): ...\n")
    result = desk.type("package")
    assert result.exit_code == 2
    assert "commands/show_config.py: 'show-config' is a command of mlpipeline" in result.stderr
    assert "_helper" not in result.stderr
