"""`export workflow`, and what exported files type: `run workflow --records --until`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlpipeline.cli.main import cli
from tests.unit.cli.test_workflow import _quiet
from tests.unit.workflow.exports.conftest import Yard, yard

__all__ = ["_quiet", "yard"]
Type = Callable[..., Result]


@pytest.fixture
def type_(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Type:
    monkeypatch.chdir(yard.root)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words], prog_name="mlpipeline")


def test_export_writes_files_and_names_them(type_: Type, yard: Yard) -> None:
    result = type_("export", "workflow", "prefect", "models/steps.yaml", "--set", "rate=7", "--retries", "4")
    path = yard.root / "exports/steps/prefect/flow.py"
    assert (result.exit_code, result.stdout) == (0, f"{path}\n")
    assert '"--set=rate=7",' in path.read_text()
    assert "RETRIES = 4" in path.read_text()
    result = type_(
        "export", "workflow", "kubernetes", "models/steps.yaml", "-o", "k8s", "--schedule", "@daily", "--json"
    )
    assert json.loads(result.stdout)["files"] == ["k8s/configmap.yaml", "k8s/cronjob.yaml"]
    assert Path("k8s/cronjob.yaml").is_file()


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("prefct", "models/steps.yaml"), 2, "prefect"),
        (("prefect",), 2, "FILES"),
        (("prefect", "gone.yaml"), 2, "does not exist"),
        (("prefect", "models/steps.yaml", "--set", "x"), 2, "write it as --set part.key=value"),
        (("prefect", "models/steps.yaml", "--set", "db_password=opensesame"), 2, "take it from the environment"),
        (("prefect", "models/steps.yaml", "--version", "x"), 2, "no version 'x'"),
        (("prefect", "models/steps.yaml", "--schedule", "x"), 2, "is no schedule"),
        (("dockerfile", "models/steps.yaml", "-o", "/nowhere"), 2, "outside the project"),
    ],
)
def test_what_is_wrong_is_told(type_: Type, words: tuple[str, ...], status: int, told: str) -> None:
    result = type_("export", "workflow", *words)
    assert result.exit_code == status
    assert told in result.stderr
    assert "opensesame" not in result.output
    assert not Path("exports").exists()


def test_records_keep_steps_and_metrics(type_: Type, yard: Yard, tmp_path: Path) -> None:
    command = ("run", "workflow", "Runner", "-c", "models/steps.yaml", "--records", tmp_path / "records")
    (yard.root / "fail_once").touch()
    assert type_(*command).exit_code == 1
    result = type_(*command)
    assert result.exit_code == 0, result.output
    assert yard.calls == ["read", "fit", "fit", "score"]
    metrics = {"mean": 4.0, "off": 3.0}
    assert json.loads((tmp_path / "records/metrics.json").read_text()) == {"format": 1, "metrics": metrics}


def test_until_ends_after_a_step(type_: Type, yard: Yard, tmp_path: Path) -> None:
    command = ("run", "workflow", "Runner", "-c", "models/pipelines.yaml", "--json", "--until")
    assert json.loads(type_(*command, "1").stdout)["metrics"] == {"read__rows": 3.0}
    assert yard.calls == ["read"]
    assert "no step 3: the steps of this workflow are 1 (read.main), 2 (train.main)" in type_(*command, "3").stderr
    assert type_(*command, "0").exit_code == 2
    result = type_("run", "workflow", "Mine", "-c", "models/pipelines.yaml", "--until", "1", "-b", "other")
    assert "--until counts the steps of main" in result.stderr
