"""The door: what the first word means, where the shared options may stand, and what help says."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlpipeline.cli.commands import COMMANDS
from mlpipeline.cli.main import cli, first_word
from mlpipeline.queue import launch
from tests.unit.cli.conftest import Desk

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of the queue; it is not run."""
    seen: list[Any] = []

    def run_queue(project: Any, options: Any) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(launch, "run_queue", run_queue)
    return seen


def test_without_any_word_test_mode_runs(desk: Desk, asked: list[Any]) -> None:
    assert desk.type().exit_code == 0
    assert (asked[0].mode, asked[0].use_history, asked[0].names) == ("test", False, ())


@pytest.mark.parametrize(
    "words", [["-r", "-u", "a.py:v", "-j", "2", "--no_log"], ["-ruj2", "-n", "a.py:v"], ["-nruj", "2", "a.py:v"]]
)
def test_options_of_the_queue_may_be_clustered(desk: Desk, asked: list[Any], words: list[str]) -> None:
    assert desk.type(*words).exit_code == 0
    options = asked[0]
    assert (options.mode, options.use_history, options.names, options.slots) == ("execution", True, ("a.py:v",), 2)
    assert not options.write_files


@pytest.mark.parametrize(
    ("words", "names"),
    [(["./status"], ("status",)), (["status.py"], ("status.py",)), (["--", "status"], ("status",)),
     (["-r", "a", "status"], ("a", "status")), (["--executor", "status", "big/lm.py"], ("big/lm.py",))],
)  # fmt: skip
def test_a_model_that_is_called_like_a_command_can_be_named(
    desk: Desk, asked: list[Any], words: list[str], names: tuple[str, ...]
) -> None:
    (desk.root / "models" / "a.py").touch()
    assert desk.type(*words).exit_code == 0
    assert asked[0].names == names


@pytest.mark.parametrize(
    ("args", "place"),
    [([], None), (["-r"], None), (["-j", "4"], None), (["-ruj", "4", "m"], 2), (["-j4", "m"], 1),
     (["--host=h", "m"], 1), (["--slots", "2", "plan"], 2), (["--", "plan"], None),
     (["--drill", "--drill-steps", "9", "m"], 3)],
)  # fmt: skip
def test_the_first_word_is_no_options_value(args: list[str], place: int | None) -> None:
    assert first_word(args) == place


def test_a_slip_in_a_commands_name_is_no_model(desk: Desk, asked: list[Any]) -> None:
    result = desk.type("statsu")
    assert (result.exit_code, asked) == (2, [])
    assert "no model and no command 'statsu'" in result.stderr
    assert "status" in result.stderr


def test_options_of_the_queue_do_not_go_with_a_command(desk: Desk) -> None:
    result = desk.type("-r", "status")
    assert result.exit_code == 2
    assert "./status" in result.stderr


@pytest.mark.parametrize(
    "words", [["--watch"], ["--pdb", "-r"], ["--pdb", "--executor", "local"], ["-j", "0"], ["--no-such-option"]]
)
def test_wrong_usage_ends_with_status_2(desk: Desk, asked: list[Any], words: list[str]) -> None:
    assert (desk.type(*words).exit_code, asked) == (2, [])


def test_the_queues_exit_status_is_ours(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "run_queue", lambda project, options: 130)
    assert desk.type("-r").exit_code == 130


def test_an_interruption_ends_with_status_130(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_queue(project: Any, options: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "run_queue", run_queue)
    assert desk.type().exit_code == 130


def test_a_faulty_mlp_config_ends_with_status_2_and_no_traceback(desk: Desk) -> None:
    (desk.root / "mlp.config").write_text("[MLP]\nslotz = 2\n")
    result = desk.type("status")
    assert result.exit_code == 2
    assert "mlp.config:2" in result.stderr
    assert "Traceback" not in result.stderr


def test_shared_options_stand_before_or_after_the_commands_name(desk: Desk) -> None:
    runner = CliRunner()
    before = runner.invoke(cli, ["--project", str(desk.root), "--json", "--host", "h", "history"])
    after = runner.invoke(cli, ["history", "--json", f"--project={desk.root}", "--host", "h"])
    assert before.exit_code == after.exit_code == 0
    assert before.stdout == after.stdout
    assert before.stdout.startswith("{")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["digits.py", "--help"], ["-r", "--help"]])
def test_help_names_every_command_and_every_option_of_the_queue(words: list[str]) -> None:
    result = CliRunner().invoke(cli, words, prog_name="mlpipeline")
    assert result.exit_code == 0
    for word in (
        *COMMANDS,
        "--use-history",
        "--no-log",
        "--slots",
        "--watch",
        "--pdb",
        "--drill",
        "--project",
        "Exit status",
    ):
        assert word in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"], prog_name="mlpipeline")
    assert result.exit_code == 0
    assert {"--project", "--json"} <= set(result.stdout.split())
    assert result.stdout.count(f"mlpipeline {name}") >= 2


def test_the_version_is_printed_with_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlpipeline.execution import packages

    def lines(found: dict[str, list[str]] | None) -> list[str]:
        monkeypatch.setattr(packages, "extras", lambda: found)
        return CliRunner().invoke(cli, ["--version"]).stdout.splitlines()

    first, second, third = lines({"data": [], "sql": ["duckdb"], "tune": []})
    assert re.fullmatch(r"mlpipeline \d+\.\d+\.\d+", first)
    assert second == f"Python {platform.python_version()}, {sys.executable}"
    assert third == "extras installed: data, tune"
    assert lines({"data": ["pandas"]})[2] == "extras installed: none"
    assert "not known" in lines(None)[2]


def test_the_reference_page_names_every_command_and_option() -> None:
    page = PAGE.read_text("utf-8")
    assert {name for name in COMMANDS if f"`{name}" not in page} == set()
    group = cli.get_command(None, "")  # type: ignore[arg-type]
    assert group is not None
    assert {
        option for each in group.params for option in each.opts if option.startswith("-") and option not in page
    } == set()


@pytest.mark.parametrize("words", [["sta"], ["--pro"], ["dig"]])
def test_the_first_word_is_completed(desk: Desk, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.root / "models" / "digits.py").touch()
    monkeypatch.chdir(desk.root)
    environment = {"_MLPIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": f"mlpipeline {words[0]}", "COMP_CWORD": "1"}
    result = CliRunner().invoke(cli, [], env=environment, prog_name="mlpipeline")
    expected = {"sta": ["plain,status", "plain,start"], "--pro": ["plain,--project"], "dig": ["plain,digits.py"]}
    assert sorted(result.stdout.split()) == sorted(expected[words[0]])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert "_MLPIPELINE_COMPLETE" in result.stdout


def test_help_loads_neither_rich_nor_the_queue() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from mlpipeline.cli.main import cli\n"
        "CliRunner().invoke(cli, ['--help'], catch_exceptions=False)\n"
        "print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.split())
    assert "mlpipeline.cli.main" in loaded
    assert not loaded & {"rich", "mlpipeline.cli.look", "mlpipeline.queue"}
