"""doctor reports and changes nothing; env lock writes down versions, env check compares them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlpipeline.cli import examine_machine
from mlpipeline.execution import env_lock, packages
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import sample_run


@pytest.fixture(autouse=True)
def _sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that the tests run in may have faults of its own."""
    monkeypatch.setattr(packages, "doubles", list)
    monkeypatch.setattr(packages, "unmet", lambda: ["frames 1.0 needs numpy<2, and 2.4.0 is installed"])
    monkeypatch.setattr("mlpipeline.execution.devices.Prober.probe", lambda self: examine_none())


def examine_none() -> object:
    from mlpipeline.execution.devices import NO_DRIVER, Seen

    return Seen((), NO_DRIVER)


def texts(desk: Desk, weight: str, *words: str) -> list[str]:
    found = desk.json("doctor", "--no-imports", *words)["findings"]
    return [each["text"] for each in found if each["weight"] == weight]


def state(root: Path) -> dict[str, float]:
    """Returns all files but those that SQLite has beside a database that is being read."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    return {str(path): path.stat().st_mtime_ns for path in files}


def test_a_sound_project_has_no_problems_and_nothing_changes(desk: Desk) -> None:
    desk.record(sample_run())
    before = state(desk.root)
    result = desk.type("doctor", "--no-imports")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.endswith("No problems.\n")
    for said in ("CPython", "the ledger has 1 runs", "no scheduler runs", "models.config lists 0 models", "no NVIDIA"):
        assert said in result.stdout
    assert "  - frames 1.0 needs numpy<2" in result.stdout
    assert state(desk.root) == before
    told = desk.json("doctor", "--no-imports")
    assert told["problems"] == 0
    assert {"area", "weight", "text"} == set(told["findings"][0])


def test_extras_that_are_not_installed_are_told_in_a_few_words(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"data": [], "dev": ["mypy", "ruff"], "serve": ["httptools"], "sql": ["a", "b", "c", "d"], "test": []}
    monkeypatch.setattr(packages, "extras", lambda: whole)
    told = [text for text in texts(desk, "ok") if text.startswith("extras that are")]
    assert told == [
        "extras that are installed: data, test",
        "extras that are not, and what they lack: serve (httptools), sql (4 packages)",
    ]


def test_every_faulty_file_is_told_with_its_line(desk: Desk) -> None:
    (desk.root / "models.config").write_text("[MLP]\nuse_blacklist = maybe\n[WHITELISTED_MODELS]\nnone.py\n")
    (desk.root / "config").mkdir()
    (desk.root / "config" / "database.cfg").write_text("[MAIN]\nurl: $NOT_SET_URL\n")
    assert desk.type("doctor", "--no-imports").exit_code == 1
    said = "\n".join(texts(desk, "problem"))
    assert "models.config:2: use_blacklist = maybe" in said
    assert "models.config:4" in said
    assert "config/database.cfg:2: $NOT_SET_URL is not set" in said
    (desk.root / "mlp.config").write_text("[MLP]\nslot = 2\n")
    assert "mlp.config:2" in texts(desk, "problem")[0]
    assert "slots" in texts(desk, "problem")[0]


def test_databases_are_asked_only_when_that_is_said_and_secrets_are_never_shown(desk: Desk) -> None:
    pytest.importorskip("sqlalchemy", exc_type=ImportError)
    (desk.root / "config").mkdir()
    url = "postgresql://mary:hush-hush@127.0.0.1:1/x"
    (desk.root / "config" / "database.cfg").write_text(f"[MAIN]\nurl: sqlite:///x.db\n[FAR]\nurl: {url}\n")
    result = desk.type("doctor", "--no-imports")
    assert result.exit_code == 0, result.stdout
    assert not (desk.root / "x.db").exists()
    assert "not asked (--connect asks)" in result.stdout
    result = desk.type("doctor", "--no-imports", "--connect")
    assert result.exit_code == 1
    assert "name='main') answers" in result.stdout
    assert "! far:" in result.stdout
    assert "hush-hush" not in result.stdout


def test_a_damaged_ledger_is_a_problem(desk: Desk) -> None:
    desk.project.outputs_dir.mkdir(parents=True)
    desk.project.ledger_path.write_bytes(b"no database at all, but long enough to be taken for one" * 9)
    assert any("ledger" in each for each in texts(desk, "problem"))


def test_too_little_space_is_a_problem(desk: Desk) -> None:
    (desk.root / "mlp.config").write_text("[MLP]\nhost = here\nmin_free_disk = 900 TB\n")
    assert any("min_free_disk wants more" in each for each in texts(desk, "problem"))


def test_two_distributions_of_a_module_are_a_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "doubles", lambda: ["xgboost and xgboost-cpu bring the same module"])
    assert texts(desk, "problem") == ["xgboost and xgboost-cpu bring the same module"]


def test_settings_of_python_that_cost_are_noted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert any("PYTHONDONTWRITEBYTECODE" in each for each in texts(desk, "note"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert not any("PYTHONDONTWRITEBYTECODE" in each for each in texts(desk, "note"))


def test_a_library_that_does_not_load_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "oldlib.py").write_text("raise ImportError('numpy.core.multiarray failed to import')")
    (tmp_path / "crashlib.py").write_text("import os\nos.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(examine_machine, "_IMPORTED", ("json", "not_there_at_all", "oldlib", "crashlib"))
    told = [each.text for each in examine_machine.packages(imports=True) if each.weight == "problem"]
    assert told[0].startswith("oldlib cannot be imported (ImportError: numpy.core.multiarray failed to import): ")
    assert "ends the process (-6)" in told[1]


def test_a_limit_of_the_control_group_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_MEMORY", "1000000000,10000000")
    told = [each.text for each in examine_machine.machine()]
    assert any("limited by a control group" in each for each in told)
    assert any("less than 5 %" in each for each in told)


def test_the_environment_is_locked_and_checked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = desk.type("env", "check")
    assert (result.exit_code, "mlpipeline env lock" in result.stderr) == (2, True)
    assert any("env lock writes it" in each for each in texts(desk, "ok"))
    told = desk.json("env", "lock")
    path = desk.root / env_lock.NAME
    assert told["path"] == str(path)
    assert told["packages"] == path.read_text().count("==")
    assert desk.type("env", "check").exit_code == 0
    assert any("is what requirements.lock says" in each for each in texts(desk, "ok"))
    path.write_text(path.read_text() + "not-installed==1\n")
    result = desk.type("env", "check")
    assert result.exit_code == 1
    assert "not-installed 1 is in requirements.lock, and not installed" in result.stdout
    assert desk.json("env", "check")["faults"] == ["not-installed 1 is in requirements.lock, and not installed"]
    assert any("not-installed" in each for each in texts(desk, "problem"))
    path.write_text("numpy\n")
    assert any("requirements.lock:1" in each for each in texts(desk, "problem"))


def test_without_a_project_the_machine_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    from click.testing import CliRunner

    from mlpipeline.cli.main import cli

    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(cli, ["doctor", "--no-imports", "--project", str(tmp_path / "empty")])
    assert result.exit_code == 0, result.stdout
    assert "no mlp.config here or above" in result.stdout
