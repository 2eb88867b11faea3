"""The commands about workflows: run, test, validate, show-config, list."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mlpipeline.cli import workflow
from mlpipeline.cli.main import cli
from mlpipeline.console import LOGGER
from tests.unit.workflow.conftest import WORKFLOW, Workbench, bench

__all__ = ["bench"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What a command sets up of logging is taken back."""
    log = logging.getLogger(LOGGER)
    before, level = list(log.handlers), log.level
    yield
    log.handlers[:] = before
    log.setLevel(level)


TELLING = """
from mlpipeline.workflow import Runner
class Telling(Runner):
    told: bool
    def main(self):
        self.has_told_metrics = self.told
        return {"mean": 2}
"""


def type_(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), prog_name="mlpipeline")


def told(*words: str) -> Any:
    return json.loads(type_(*words, "--json").stdout)


def test_a_workflow_is_run_and_its_metrics_are_printed(bench: Workbench) -> None:
    result = type_("run", "workflow", "My", "--config-file", "w.yaml")
    assert (result.exit_code, result.stdout.splitlines()[:2]) == (0, ["METRIC  VALUE", "mean    2"])
    _, run, directory = result.stdout.splitlines()[2].split()
    assert directory == str(bench.root / f"models/outputs/runs/{run.rstrip(':')}/1")
    (listed,) = told("history")["runs"]
    assert (listed["run"], listed["state"]) == (run.rstrip(":"), "succeeded")
    found = told("run", "workflow", "My", "-c", "w.yaml", "--set", "rows=[5]")
    assert found["metrics"] == {"mean": 5.0}
    assert found["methods"]["train.trainer.fit"]["calls"] == 1


def test_paths_are_those_of_the_project_from_wherever_it_is_run(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write(
        "runners/here.py",
        "from pathlib import Path\nfrom mlpipeline.workflow import Runner\n"
        "class Here(Runner):\n    def main(self):\n        return int(Path('rows.txt').read_text())\n",
    )
    bench.write("rows.txt", "7")
    bench.write("models/here.yaml", "runner: Here\n")
    monkeypatch.chdir(bench.root / "models")
    assert told("run", "workflow", "Here", "-c", "here.yaml")["metrics"] == {"value": 7.0}
    assert type_("run", "workflow", "Here", "-c", "here.yaml", "--records", "kept").exit_code == 0
    assert (bench.root / "models/kept/metrics.json").is_file()


def test_the_class_that_is_named_counts_and_files_lie_over_one_another(bench: Workbench) -> None:
    bench.write(
        "components/other.py",
        "from components.parts import My\nclass Mine(My):\n    def other(self):\n        return 7\n",
    )
    bench.write("dev.yaml", "config: {rows: [9]}\nversions: {last: {train__component__trainer: Last, rows: [1, 8]}}\n")
    options = ("-c", "w.yaml", "-c", "dev.yaml")
    assert told("run", "workflow", "Mine", *options)["metrics"] == {"mean": 9.0}
    assert told("run", "workflow", "Mine", *options)["runner"] == "Mine"
    assert told("run", "workflow", "Mine", *options, "-b", "other")["metrics"] == {"value": 7.0}
    assert told("run", "workflow", "My", *options, "--version", "last")["metrics"] == {"mean": 8.0}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("run", "workflow", "My", "-c", "w.yaml", "-b", "man"), 2, "--build-method: My has no method 'man'"),
        (("run", "workflow", "My", "-c", "gone.yaml"), 2, "does not exist"),
        (("run", "workflow", "Myy", "-c", "w.yaml"), 2, "there is no runner 'Myy'. Did you mean 'My'?"),
        (("run", "workflow", "Zz9", "-c", "w.yaml"), 2, "'Zz9'. Those that there are: mlpipeline list runners"),
        (("run", "workflow", "My", "-c", "w.yaml", "--set", "x"), 2, "write it as --set part.key=value"),
        (("run", "workflow", "My", "-c", "w.yaml", "--version", "x"), 2, "no version 'x'"),
        (("run", "workflow", "My"), 2, "'main'"),
        (("run",), 2, "workflow"),
        (("validate", "bad.yaml"), 2, "bad.yaml:1:5"),
        (("show-config", "bad.yaml"), 2, "bad.yaml:1:5"),
        (("show-config",), 2, "Missing argument"),
        (("test", "workflow", "My", "w.yaml"), 1, "there are no checks"),
        (("list", "nothing"), 2, "is not one of"),
    ],
)
def test_what_goes_wrong_ends_with_a_status(
    bench: Workbench, words: tuple[str, ...], status: int, message: str
) -> None:
    bench.write("bad.yaml", "a: b: c\n")
    result = type_(*words)
    if message == "'main'":
        assert (result.exit_code, isinstance(result.exception, AttributeError | SystemExit)) == (1, True)
        return
    assert result.exit_code == status, result.output
    assert message in result.output


def test_a_workflow_that_raises_ends_with_status_1(bench: Workbench) -> None:
    result = type_("run", "workflow", "My", "-c", "w.yaml", "--set", "rows=[]")
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


def test_checks_are_reported_in_every_form_and_decide_the_status(bench: Workbench) -> None:
    good = bench.write("good.yaml", "checks: {train.train_model: {after: [{metric: mean, at_least: 2}]}}\n")
    bad = bench.write("bad.yaml", "checks: {train.train_model: {after: [{metric: mean, above: 2}]}}\n")
    result = type_("test", "workflow", "My", str(good), "-c", "w.yaml", "--junit", "report.xml")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "1 checks: 1 passed"
    assert 'tests="1" failures="0"' in (bench.root / "report.xml").read_text()
    result = type_("test", "workflow", "My", str(bad), "-c", "w.yaml")
    assert result.exit_code == 1
    assert "FAILED  after  mean above 2: mean is 2.0" in result.stdout
    result = type_("test", "workflow", "My", str(bad), "-c", "w.yaml", "--json")
    assert (result.exit_code, json.loads(result.stdout)["good"]) == (1, False)


def test_checks_and_configuration_may_stand_in_one_file(bench: Workbench) -> None:
    both = bench.write("both.yaml", WORKFLOW + "checks: {main: {after: [{metric: mean, equals: 2}]}}\n")
    assert type_("test", "workflow", "My", str(both)).exit_code == 0


def test_what_a_workflow_raises_is_told_after_the_checks_so_far(bench: Workbench) -> None:
    bench.write("checks.py", "def check(*args): return True\n")
    path = bench.write("t.yaml", "checks: {main: {before: checks.py, after: checks.py}}\nconfig: {rows: []}\n")
    result = type_("test", "workflow", "My", str(path), "-c", "w.yaml")
    assert result.exit_code == 1
    assert "2 checks: 1 passed, 1 skipped" in result.stdout
    assert isinstance(result.exception, ZeroDivisionError)


def test_metrics_that_the_log_has_told_are_not_repeated_on_one_screen(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("runners/telling.py", TELLING)
    shown = {}
    for is_one in (False, True):
        monkeypatch.setattr(workflow, "_is_one_screen", lambda is_one=is_one: is_one)
        shown[is_one] = type_("run", "workflow", "Telling", "--set", "told=true").stdout
    assert "mean" in shown[False]
    assert "mean" not in shown[True]
    assert "run 2" in shown[True]
    assert "mean" in type_("run", "workflow", "Telling", "--set", "told=false").stdout
    assert told("run", "workflow", "Telling", "--set", "told=true")["metrics"] == {"mean": 2.0}


def test_a_file_that_names_nothing_to_run_is_faulty(bench: Workbench) -> None:
    for text in ("", "# later\n"):
        bench.write("nothing.yaml", text)
        result = type_("validate", "nothing.yaml")
        assert result.exit_code == 2
        assert "nothing.yaml:1: names nothing to run: name a runner under `runner:`" in result.stderr
        assert told("validate", "nothing.yaml")["good"] is False
        assert type_("validate", "w.yaml", "nothing.yaml").exit_code == 0


def test_validate_tells_the_faults_of_every_version(bench: Workbench) -> None:
    assert type_("validate", "w.yaml").stdout == "My: 3 parts, 1 version, no fault.\n"
    bench.write("v.yaml", "versions: {a: {train__trainer__epoch: 3}, b: {train__trainer__epochs: x}, c: {rows: [1]}}\n")
    result = type_("validate", "w.yaml", "v.yaml")
    assert result.exit_code == 2
    assert "v.yaml:1:39: nobody reads the key 'epoch' of train.trainer" in result.stderr
    assert "epochs is 'x': Mean takes a whole number" in result.stderr
    found = told("validate", "w.yaml", "v.yaml")
    assert (found["good"], [fault["line"] for fault in found["faults"]]) == (False, [1, 1])
    assert told("validate", "w.yaml") == {"format": 1, "good": True, "faults": [], "parts": 3, "versions": ["default"]}


def test_show_config_says_what_every_part_gets_and_from_where(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLP_EPOCHS", "4")
    bench.write("v.yaml", "versions: {deep: {train__trainer__params__depth: 9}}\n")
    result = type_("show-config", "w.yaml", "v.yaml", "--origins", "--version", "deep")
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert ["train.trainer.params.depth", "9", "v.yaml:1:50"] in rows
    assert ["train.trainer.params.rate", "0.1", "default of Mean"] in rows
    assert ["train.trainer.epochs", "4", "environment MLP_EPOCHS"] in rows
    assert ["train.trainer", "Mean", "w.yaml:6:24"] in rows
    assert not any("w.yaml" in line for line in type_("show-config", "w.yaml").stdout.splitlines())


def test_show_config_shows_no_secret(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_TOKEN", "tok-12345")
    monkeypatch.setenv("MLP_API_KEY", "key-12345")
    bench.write(
        "components/db.py",
        "from mlpipeline.workflow import Component\n"
        "class Db(Component):\n    password: str\n    url: str\n    where: str\n    api_key: str\n"
        "    more: dict[str, str]\n",
    )
    bench.write(
        "db.yaml",
        "component: {db: Db}\ndb:\n  config:\n    password: pw-12345\n    url: pg://me:url-12345@h/d\n"
        "    where: ${env:DB_TOKEN}\n    more: {x: 'is ${env:DB_TOKEN} and $', secret: s-12345}\n",
    )
    for words in (("--origins",), ("--json",), ("--origins", "--set", "db.more.y=w")):
        text = type_("show-config", "db.yaml", *words).output
        assert "db.more.x" in text
        assert "12345" not in text
    assert "environment DB_TOKEN" in type_("show-config", "db.yaml", "--origins").output


def test_list_names_parts_and_workflows(bench: Workbench) -> None:
    bench.write("pipelines/p.py", "class Flow: ...\n")
    bench.write("models/churn.yaml", WORKFLOW)
    bench.write("models/outputs/sources/x/tree/models/churn.yaml", WORKFLOW)
    found = {(row["kind"], row["name"]) for row in told("list")["parts"]}
    assert {("components", "Mean"), ("pipelines", "Flow"), ("workflows", "churn.yaml")} <= found
    assert len([name for kind, name in found if kind == "workflows"]) == 1
    assert {row["kind"] for row in told("list", "pipelines")["parts"]} == {"pipelines"}
