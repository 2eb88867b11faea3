"""doctor finds what newcomers get wrong: settings that nobody read yet, misnamed files, the wrong place or Python."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlpipeline import filesystems
from mlpipeline.cli import examine_place
from mlpipeline.execution import packages
from mlpipeline.project import Project
from tests.unit.cli.conftest import Desk
from tests.unit.cli.test_doctor import examine_none, texts
from tests.unit.sample_runs import sample_run

MODEL = "from mlpipeline import Model\nMODEL = Model()\n"


@pytest.fixture(autouse=True)
def _sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that the tests run in may have faults of its own."""
    monkeypatch.setattr(packages, "doubles", list)
    monkeypatch.setattr(packages, "unmet", list)
    monkeypatch.setattr("mlpipeline.execution.devices.Prober.probe", lambda self: examine_none())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[NOTIFY]\nwebhok = x\n", "unknown key 'webhok'. Did you mean 'webhook'?"),
        ("[NOTIFY]\nwebhook = $NOT_SET_AT_ALL\n", "$NOT_SET_AT_ALL is not set"),
        ("[TRACKING]\nmlflo = x\n", "Did you mean 'mlflow'?"),
        ("[DASHBOARD]\nport = x\n", "[DASHBOARD] port = x: give a number"),
        ("[DATA]\nspool_dri = x\n", "Did you mean 'spool_dir'?"),
        ("[SLURM]\npartitionn = x\n", "Did you mean 'partition'?"),
        ("[RAY]\nadress = x\n", "Did you mean 'address'?"),
        ("[PACKAGE]\nnme = x\n", "Did you mean 'name'?"),
        ("executor = slrum\n", "executor = slrum: there is none of this name. Did you mean 'slurm'?"),
        ("models_dir = my_models\n", "my_models is not there: make it, or name another one in mlp.config"),
    ],
)
def test_every_section_of_the_settings_is_read(desk: Desk, lines: str, said: str) -> None:
    (desk.root / "mlp.config").write_text(f"[MLP]\nhost = here\n{lines}")
    assert any(said in each for each in texts(desk, "problem"))


@pytest.mark.parametrize("wrong", ["model.config", "Models.config", "models.cfg"])
def test_a_file_with_nearly_the_right_name_is_told(desk: Desk, wrong: str) -> None:
    (desk.root / "models.config").rename(desk.root / wrong)
    assert texts(desk, "problem") == [f"{wrong} is not read: call it models.config"]
    (desk.root / "models.config").write_text("[WHITELISTED_MODELS]\n")
    assert texts(desk, "problem") == []


def test_a_model_outside_of_the_models_directory_is_told(desk: Desk) -> None:
    (desk.root / "digits.py").write_text(MODEL)
    (desk.root / "setup.py").write_text("print(1)\n")
    assert [each for each in texts(desk, "note") if "MODEL" in each] == [
        "digits.py has a MODEL and lies outside of models/: move it there to train it"
    ]


@pytest.mark.parametrize("name", ["Dropbox", "OneDrive - University", "Google Drive"])
def test_a_folder_that_is_synced_is_told(tmp_path: Path, name: str) -> None:
    found = Project.load(_made(tmp_path / name / "work"))
    assert any("copies files while they are written" in each.text for each in examine_place.place(found))


def test_a_folder_is_known_by_what_its_syncing_program_leaves(tmp_path: Path) -> None:
    found = Project.load(_made(tmp_path / "shared" / "work"))
    assert not any("copies files" in each.text for each in examine_place.place(found))
    (tmp_path / "shared" / ".stfolder").mkdir()
    assert any("a folder of Syncthing" in each.text for each in examine_place.place(found))


def _made(root: Path) -> Path:
    root.mkdir(parents=True)
    (root / "mlp.config").write_text("[MLP]\n")
    return root


def test_outputs_in_memory_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "kind_of", lambda path: "tmpfs")
    assert any("gone with the next boot" in each.text for each in examine_place.place(desk.project))


def test_records_of_another_user_are_a_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.record(sample_run())
    ledger, may = desk.project.ledger_path, os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != ledger and may(path, mode))
    monkeypatch.setattr(os, "geteuid", lambda: ledger.stat().st_uid + 99_999)
    (told,) = [each.text for each in examine_place.place(desk.project) if each.weight == "problem"]
    assert told.startswith(f"{ledger} cannot be written ({ledger} belongs to ")


def test_a_clock_that_stands_before_the_records_is_a_problem(desk: Desk) -> None:
    desk.record(replace(sample_run(), created_at=datetime.now(UTC) + timedelta(days=40)))
    assert any("set the clock" in each for each in texts(desk, "problem"))


def test_runs_of_another_python_are_noted(desk: Desk) -> None:
    run = sample_run()
    desk.record(run)
    path = desk.attempt_directory(run) / "environment.json"
    for version, count in (("3.9.1 (main)", 1), (sys.version, 0)):
        path.write_text(json.dumps({"python": version}))
        assert len([each for each in texts(desk, "note") if "was of Python 3.9" in each]) == count


def test_another_virtual_environment_is_noted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(desk.root / "other"))
    assert any(f"{desk.root / 'other'} is active" in each for each in texts(desk, "note"))
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert not any("virtual environment" in each for each in texts(desk, "note"))
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    (desk.root / ".venv").mkdir()
    (desk.root / ".venv" / "pyvenv.cfg").touch()
    assert any("virtual environment .venv, which is not active" in each for each in texts(desk, "note"))


def test_two_drivers_of_one_module_are_doubles() -> None:
    assert ("psycopg2", "psycopg2-binary") in packages.ONE_MODULE
