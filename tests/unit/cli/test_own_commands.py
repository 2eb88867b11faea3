"""Commands of the project and of packages: listed without being imported, told when broken, and replacing none."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mlpipeline.cli import own_commands
from mlpipeline.cli.main import cli
from tests.unit.cli.conftest import Desk

GREET = (
    '"""Greets; one line."""\nimport click\n@click.command()\n@click.argument("name")\ndef {name}(name):\n    {body}\n'
)


@pytest.fixture
def project(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with commands, of which some are broken."""
    monkeypatch.chdir(desk.root)
    place = desk.root / "commands"
    place.mkdir()
    (place / "say_hello.py").write_text(GREET.format(name="say_hello", body="click.echo(f'Hello {name}')"))
    (place / "fails.py").write_text('"""Fails."""\nimport os\nimport no_such_library\n')
    (place / "broken.py").write_text("\ndef\n")
    (place / "empty.py").write_text("x = 1\n")
    (place / "status.py").write_text(GREET.format(name="status", body="click.echo('mine')"))
    (place / "_shared.py").write_text("raise SystemExit(9)\n")
    return desk


def install(desk: Desk, monkeypatch: pytest.MonkeyPatch, package: str, *points: str, code: str = "") -> None:
    place = desk.root / f"lib-{package}"
    about = place / f"{package}-1.5.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
    (about / "entry_points.txt").write_text("[mlpipeline.command]\n" + "\n".join(points) + "\n")
    (place / f"{package}.py").write_text(code)
    monkeypatch.syspath_prepend(str(place))


def test_a_file_is_a_command(project: Desk) -> None:
    result = project.type("say-hello", "Ada")
    assert (result.exit_code, result.stdout) == (0, "Hello Ada\n")
    assert project.type("say-hello").exit_code == 2
    assert "NAME" in project.type("say-hello", "--help").stdout


def test_help_shows_them_in_a_section_of_their_own_and_imports_none(project: Desk) -> None:
    before = set(sys.modules)
    result = CliRunner().invoke(cli, ["--help"], prog_name="mlpipeline")
    _, _, section = result.stdout.partition(f"{own_commands.SECTION}:\n")
    text = " ".join(section.split())
    assert "say-hello Greets; one line." in text
    assert "broken cannot be used: commands/broken.py:2: SyntaxError: " in text
    assert "status cannot be used: 'status' is a command of mlpipeline, which cannot be replaced" in text
    assert "fails Fails." in text
    assert "_shared" not in text
    assert not [name for name in set(sys.modules) - before if name.startswith("commands")]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fails", "commands/fails.py:3: ModuleNotFoundError: No module named 'no_such_library'"),
        ("broken", "commands/broken.py:2: SyntaxError"),
        ("empty", "commands/empty.py: it defines no command"),
    ],
)
def test_a_broken_one_is_told_with_its_error(project: Desk, name: str, told: str) -> None:
    result = project.type(name)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_built_in_command_is_not_replaced(project: Desk) -> None:
    result = project.type("status")
    assert result.exit_code == 0
    assert "mine" not in result.stdout


def test_packages_offer_commands_and_say_where_they_are_from(project: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import click\n@click.command()\ndef wave(): click.echo('waved')\nnothing = 1\n"
    points = ("wave = waving:wave", "nothing = waving:nothing", "gone = waving_gone:x", "plan = waving:wave")
    install(project, monkeypatch, "waving", *points, code=code)
    text = " ".join(CliRunner().invoke(cli, ["--help"], prog_name="mlpipeline").stdout.split())
    assert "wave From waving 1.5." in text
    assert "plan cannot be used: 'plan' is a command of mlpipeline" in text
    assert project.type("wave").stdout == "waved\n"
    assert "no click command but a int" in project.type("nothing").stderr
    assert "No module named 'waving_gone'" in project.type("gone").stderr
    assert project.type("plan").stdout != "waved\n"
    listed = {row["name"]: row["where"] for row in project.json("list", "commands")["parts"]}
    assert listed["wave"] == "waving 1.5"
    assert listed["say-hello"] == "commands/say_hello.py"
    assert listed["broken"].startswith("commands/broken.py, cannot be used: ")


def test_one_name_of_two_packages_is_told(project: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import click\n@click.command()\ndef wave(): click.echo('waved')\n"
    install(project, monkeypatch, "first", "wave = first:wave", "say-hello = first:wave", code=code)
    install(project, monkeypatch, "second", "wave = second:wave", code=code)
    result = project.type("wave")
    assert result.exit_code == 1
    assert "offered by" in result.stderr
    assert "first 1.5" in result.stderr
    assert project.type("say-hello", "Ada").stdout == "Hello Ada\n"


@pytest.mark.parametrize(("word", "expected"), [("sa", ["plain,say-hello"]), ("fai", ["plain,fails"])])
def test_completion_knows_them(project: Desk, monkeypatch: pytest.MonkeyPatch, word: str, expected: list[str]) -> None:
    environment = {"_MLPIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": f"mlpipeline {word}", "COMP_CWORD": "1"}
    result = CliRunner().invoke(cli, [], env=environment, prog_name="mlpipeline")
    assert result.stdout.split() == expected


def test_options_of_a_broken_one_complete_to_nothing(project: Desk) -> None:
    environment = {"_MLPIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": "mlpipeline fails --", "COMP_CWORD": "2"}
    result = CliRunner().invoke(cli, [], env=environment, prog_name="mlpipeline")
    assert "Traceback" not in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_slip_in_the_name_is_told(project: Desk) -> None:
    result = project.type("say-helo")
    assert result.exit_code == 2
    assert "Did you mean 'say-hello'?" in result.stderr


def test_a_model_of_the_same_name_can_still_be_named(project: Desk, tmp_path: Path) -> None:
    assert own_commands.find(project.root, "say-hello") is not None
    assert own_commands.find(project.root, "./say-hello") is None
    assert own_commands.find(project.root, "status") is None


def test_of_several_commands_in_a_file_the_one_that_is_called_so_or_the_outermost_is_meant() -> None:
    outer = click.Group("outer")
    inner = click.Command("inner")
    outer.add_command(inner)
    path = Path("commands/tools.py")
    assert own_commands.attribute({"inner": inner, "outer": outer}, path) == "outer"
    assert own_commands.attribute({"a": inner, "tools": outer, "b": click.Command("b")}, path) == "tools"
    with pytest.raises(own_commands.UsageError, match="defines a, b: call the one that is meant tools"):
        own_commands.attribute({"a": inner, "b": outer.__class__("b")}, path)
