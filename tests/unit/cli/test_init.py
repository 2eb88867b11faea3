"""The command that makes a project: what it asks, what it says, and what it does without anybody who answers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlpipeline.cli import init
from mlpipeline.cli.main import cli
from mlpipeline.scaffold import projects, upgrading


def test_init_writes_a_project_and_never_over_one(tmp_path: Path) -> None:
    runner = CliRunner()
    place = tmp_path / "new"
    made = json.loads(runner.invoke(cli, ["init", str(place), "--json"]).stdout)
    assert made["project"] == str(place)
    assert "models/line.py" in made["created"]
    result = runner.invoke(cli, ["init", str(place), "--template", "workflow"])
    assert result.exit_code == 1
    assert "mlp.config" in result.stderr
    assert "models/line.py" not in result.stderr
    assert not (place / "pipelines").exists()
    told = runner.invoke(cli, ["init", str(tmp_path / "other")]).stdout
    assert f"Try it: cd {tmp_path / 'other'} && mlpipeline" in told


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "p")], input="torch\nsqlite\n")
    assert "kind of project" not in result.stdout
    assert (tmp_path / "p" / "models" / "line.py").exists()


def test_on_a_terminal_template_and_data_are_asked_for(tmp_path: Path) -> None:
    """A terminal of its own, as a person has it: what is no choice is asked again, and Enter takes the first."""
    main, other = pty.openpty()
    command = [sys.executable, "-m", "mlpipeline", "init", "p"]
    child = subprocess.Popen(command, cwd=tmp_path, stdin=other, stdout=other, stderr=other, close_fds=True)
    os.close(other)
    os.write(main, b"tensor\nworkflow\n\n")
    said = b""
    while True:
        try:
            said += os.read(main, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
    os.close(main)
    assert child.wait(60) == 0, said
    text = said.decode()
    for name, kind in projects.KINDS.items():
        assert f"{name} " in text
        assert kind.told in text
    assert "'tensor' is not one of 'queue', 'estimator'" in text
    assert (tmp_path / "p" / "models" / "flow.yaml").exists()
    assert not (tmp_path / "p" / "config").exists()


@pytest.mark.parametrize(
    ("words", "typed", "made"),
    [
        (["--template", "torch"], "sqlite\n", "data/moons.db"),
        (["--data", "postgres"], "sklearn\n", "models/flowers.py"),
        (["--template", "queue", "--data", "none"], "", "models/line.py"),
    ],
)
def test_what_is_given_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], typed: str, made: str
) -> None:
    monkeypatch.setattr(init, "is_watched", lambda: True)
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "p"), *words], input=typed)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "p" / made).exists()
    assert ("What kind" in result.stdout) == ("--template" not in words)
    assert ("Where do its rows" in result.stdout) == ("--data" not in words)


def test_a_template_of_somebody_else_is_not_asked_for_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "is_watched", lambda: True)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a.txt").write_text("a")
    command = ["init", str(tmp_path / "p"), "--template", str(tmp_path / "theirs")]
    result = CliRunner().invoke(cli, command)
    assert (result.exit_code, "rows" in result.stdout) == (0, False)
    assert CliRunner().invoke(cli, [*command, "--data", "sqlite"]).exit_code == 2


def test_what_is_not_installed_is_told_with_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = projects.find_spec
    monkeypatch.setattr(projects, "find_spec", lambda name: None if name == "torch" else found(name))
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "a b"), "--template", "torch", "--data", "postgres"])
    assert "It needs torch: pip install 'mlpipeline[torch,sql]'\n" in result.stdout
    assert "It needs a PostgreSQL server" in result.stdout
    assert f"Try it: cd '{tmp_path / 'a b'}' && mlpipeline" in result.stdout


def test_an_upgrade_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = upgrading.Upgraded(
        before="0.1", after="0.2", changed=("a.py",), added=("b.py",), removed=("c.py",), conflicts=("d.py",)
    )
    monkeypatch.setattr(upgrading, "upgrade", lambda root: told)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["init", "--upgrade"]).stdout.splitlines() == [
        "changed a.py",
        "added b.py",
        "removed c.py",
        "conflict in d.py",
        "Where both of you changed a line, both are there, between <<<<<<< and >>>>>>>: choose, and save",
        "The project is of mlpipeline 0.2 now; it was of 0.1",
    ]
    found = json.loads(CliRunner().invoke(cli, ["init", "--upgrade", "--json"]).stdout)
    assert (found["conflicts"], found["before"], found["project"]) == (["d.py"], "0.1", str(tmp_path))
    monkeypatch.setattr(upgrading, "upgrade", lambda root: upgrading.Upgraded(before="0.1", after="0.2"))
    assert "has changed that concerns you" in CliRunner().invoke(cli, ["init", "--upgrade"]).stdout
    monkeypatch.setattr(upgrading, "upgrade", lambda root: upgrading.Upgraded(before="0.2", after="0.2"))
    assert CliRunner().invoke(cli, ["init", "--upgrade"]).stdout == "Nothing to do: the project is of mlpipeline 0.2\n"


def test_an_upgrade_takes_no_template(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path), "--upgrade", "--template", "queue"])
    assert (result.exit_code, "the project says what it was made of" in result.stderr) == (2, True)
