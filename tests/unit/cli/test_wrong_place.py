"""Commands in the wrong directory, and settings that name the wrong things."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlpipeline.cli.main import cli
from tests.unit.cli.conftest import Desk


def type_in(place: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--project", str(place)], prog_name="mlpipeline")


@pytest.mark.parametrize(
    "words", [["pause"], ["resume"], ["start"], ["mv", "a.py", "b.py"], ["fsck", "--rebuild"]], ids=lambda each: each[0]
)
def test_nothing_is_written_where_no_project_is(tmp_path: Path, words: list[str]) -> None:
    result = type_in(tmp_path, *words)
    assert result.exit_code == 2
    assert "is no project: it has neither mlp.config nor models/" in result.stderr
    assert "mlpipeline init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_models_and_no_settings_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    assert type_in(tmp_path, "pause").exit_code == 0


@pytest.mark.parametrize("words", [["cache", "list"], ["status"]], ids=lambda each: each[0])
def test_a_warning_is_told_once_and_says_what_to_do(tmp_path: Path, words: list[str]) -> None:
    said = type_in(tmp_path, *words).stderr
    assert said.count("no mlp.config") == 1
    assert "--project DIR" in said


@pytest.mark.parametrize("key", ["models_dir", "outputs_dir"])
@pytest.mark.parametrize("command", ["status", "plan", "doctor"])
def test_a_file_in_place_of_a_directory_is_told(desk: Desk, key: str, command: str) -> None:
    (desk.root / "mlp.config").write_text(f"[MLP]\n{key} = models.config\n")
    result = desk.type(command, *(["--no-imports"] if command == "doctor" else []))
    assert result.exit_code == (1 if command == "doctor" else 2)
    assert f"{key} = models.config: this is a file: name a directory" in result.output


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("models/digits.py", "write digits.py"),
        ("digits.py:wide", "write digits.py = only=wide"),
        ("models/digits:wide", "write digits.py = only=wide"),
    ],
)
def test_a_list_says_how_it_writes_what_the_command_line_takes(desk: Desk, line: str, right: str) -> None:
    (desk.root / "models" / "digits.py").touch()
    (desk.root / "models.config").write_text(f"[WHITELISTED_MODELS]\n{line}\n")
    result = desk.type("plan")
    assert f"models.config:2: {line}: " in result.output
    assert right in result.output
