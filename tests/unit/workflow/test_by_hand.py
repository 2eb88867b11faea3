"""A workflow that is run by hand is in the history, with all that is known of it, however it ended."""

from __future__ import annotations

import contextlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mlpipeline.errors import CheckFailed, NotWritable
from mlpipeline.execution.by_hand import project_here
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import fsck
from mlpipeline.run import BY_HAND, Cause, Run, State
from mlpipeline.workflow import Kind, Runner, load

from .conftest import Workbench

LOUD = """
from components.parts import My
class Loud(My):
    def main(self):
        print("hello")
        self.log("fitting")
        self.run.record(loss=0.5)
        return super().main()
"""
BROKEN = """
from components.parts import Mean
class Broken(Mean):
    password: str = "sesame-open"
    def fit(self, data):
        print("about to fail")
        raise ValueError(f"no rows for {self.password}")
"""


def recorded() -> list[Run]:
    project = Project.load()
    assert fsck.check(project) == []
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        return sorted(ledger.runs(), key=lambda run: run.created_at)


def directory(run: Run) -> Path:
    return Path(run.last.directory)


def test_main_is_a_run(bench: Workbench, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mlpipeline.model")
    bench.write("components/loud.py", LOUD)
    runner = bench.load(
        Path("w.yaml").read_text().replace("runner: My", "runner: Loud"), settings=["train.trainer.epochs=3"]
    )
    assert runner.main() == {"mean": 2}
    (run,) = recorded()
    assert (run.model, run.version, run.last.executor) == ("Loud", "by-hand", BY_HAND)
    assert (run.state, run.last.metrics) == (State.SUCCEEDED, {"training": {"mean": 2.0}})
    assert run.params["train__trainer__epochs"] == 3
    assert run.params["train__rows"] == [1, 2, 3]
    output = (directory(run) / "output.log").read_text()
    assert output.startswith("hello\nfitting\ntrain.train_model begins\n")
    assert capsys.readouterr().out == "hello\n"
    assert json.loads((directory(run) / "metrics.jsonl").read_text())["values"] == {"loss": 0.5}
    copied = json.loads((directory(run) / "sources/manifest.json").read_text())
    assert set(copied["files"]) == {"w0.yaml", "components/parts.py", "components/loud.py"}
    assert (runner.last_run.run_id, runner.last_run.directory) == (run.id, directory(run).resolve())
    assert runner.run.run_id is None  # it is over
    runner.main()
    assert len(recorded()) == 2


def test_a_file_of_the_models_directory_has_the_queues_name(bench: Workbench) -> None:
    bench.write("models/deep/w.yaml", (bench.root / "w.yaml").read_text() + "versions: {a: {train__rows: [7]}}\n")
    load("models/deep/w.yaml", version="a").main()
    (run,) = recorded()
    assert (run.model, run.version, run.last.metrics) == ("deep/w.yaml", "a", {"training": {"mean": 7.0}})


def test_a_failure_is_recorded_with_its_traceback_and_no_secret(bench: Workbench) -> None:
    bench.write("components/broken.py", BROKEN)
    runner = bench.load((bench.root / "w.yaml").read_text().replace("Mean", "Broken"))
    with pytest.raises(ValueError, match="no rows for"):
        runner.main()
    (run,) = recorded()
    assert (run.state, run.last.cause) == (State.FAILED, Cause.EXCEPTION)
    told = json.loads((directory(run) / "result.json").read_text())["error"]
    assert told["type"] == "ValueError"
    assert "broken.py" in told["traceback"]
    assert "in train.trainer.fit" in told["traceback"]
    output = (directory(run) / "output.log").read_text()
    assert "about to fail\nTraceback" in output
    assert "ValueError: no rows for" in output


def test_secrets_are_not_in_its_directory(bench: Workbench) -> None:
    bench.write("components/broken.py", BROKEN)
    text = (bench.root / "w.yaml").read_text().replace("Mean", "Broken")
    runner = bench.load(text, "config: {password: h1dden-word}")
    with pytest.raises(ValueError, match=r"no rows for \*\*\*"):
        runner.main()
    told = "not h1dden-word"
    with pytest.raises(ValueError, match=r"not \*\*\*"), runner.recording():
        raise ValueError(told)
    for path in (bench.root / "models/outputs/runs").rglob("*"):
        if path.is_file() and "sources" not in path.parts:
            assert b"h1dden-word" not in path.read_bytes(), path


def test_one_who_stops_it_has_it_cancelled(bench: Workbench) -> None:
    runner = bench.load()
    with pytest.raises(KeyboardInterrupt), runner.recording():
        raise KeyboardInterrupt
    (run,) = recorded()
    assert (run.state, run.last.cause) == (State.CANCELLED, Cause.INTERRUPTED)


def test_several_methods_are_one_run(bench: Workbench) -> None:
    runner = bench.load()
    with runner.recording() as record:
        assert record.run is runner.run is runner.train.run is runner.last_run
        assert record.run.model_dir.is_dir()
        runner.main()
        record.returned = {"value": runner.train.trainer.model}
    (run,) = recorded()
    assert run.last.metrics == {"training": {"value": 2.0}}


def test_checks_that_failed_make_it_fail(bench: Workbench) -> None:
    text = (bench.root / "w.yaml").read_text()
    checked = "checks: {main: {after: [{metric: mean, above: 5}]}}"
    bench.load(text, checked, collect_checks=True).main()
    with pytest.raises(CheckFailed):
        bench.load(text, checked).main()
    bench.load(text, "checks: {main: {after: [{metric: mean, above: 5, on_failure: warn}]}}").main()
    first, second, third = recorded()
    assert first.state is State.FAILED
    assert first.last.message.startswith("CheckFailed: checks that failed: mean above 5 after main: ")
    assert (second.state, third.state) == (State.FAILED, State.SUCCEEDED)


def test_a_mapping_in_a_notebook_is_a_run_as_well(bench: Workbench) -> None:
    class Mine(Runner):
        def main(self) -> float:
            return 0.25

    Mine(conf={"pipeline": {}}).main()
    (run,) = recorded()
    assert (run.model, run.last.metrics) == ("Mine", {"training": {"value": 0.25}})
    assert fsck.check(Project.load()) == []


def test_where_there_is_no_project_nothing_is_written(bench: Workbench) -> None:
    (bench.root / "mlp.config").unlink()
    runner = bench.load()
    runner.main()
    assert runner.last_run is None
    assert not (bench.root / "models").exists()


def test_in_a_run_of_the_queue_nothing_is_recorded_twice(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_SUPERVISOR", "x")
    bench.load().main()
    assert not (bench.root / "models").exists()


def test_outputs_that_cannot_be_written_are_told_before_anything_runs(bench: Workbench) -> None:
    bench.write("models/outputs", "")
    runner = bench.load()
    with pytest.raises(NotWritable, match="a run by hand is recorded there"):
        runner.main()
    assert runner.train.trainer.model is None


def test_logging_that_is_set_up_is_copied(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    runner = bench.load()
    log = logging.getLogger("mlpipeline.model")
    with caplog.at_level(logging.INFO, log.name), runner.recording():
        runner.log("once")
    (run,) = recorded()
    assert (directory(run) / "output.log").read_text() == "once\n"
    assert [each.getMessage() for each in caplog.records] == ["once"]


def test_11_what_a_failed_run_made_is_no_former_version(bench: Workbench) -> None:
    runner = bench.load((bench.root / "w.yaml").read_text() + "component: {tracker: LedgerTracker}\n")
    with runner.recording():
        first = runner.tracker.register(Kind.MODEL, "m", "1")
    with contextlib.suppress(ZeroDivisionError), runner.recording():
        second = runner.tracker.register(Kind.MODEL, "m", "2")
        raise ZeroDivisionError
    with runner.recording():
        assert runner.tracker.find(Kind.MODEL, "m") == [first]
    states = {run.id: run.state for run in recorded()}
    assert (states[first.run_id], states[second.run_id]) == (State.SUCCEEDED, State.FAILED)


def test_a_test_recorder_reports_the_checks_of_each_run(bench: Workbench) -> None:
    text = (bench.root / "w.yaml").read_text() + "component: {recorder: LocalTestRecorder}\n"
    checked = """
    checks:
      main: {after: [{metric: mean, above: 1}, {metric: mean, above: 5, on_failure: warn}]}
      train.trainer.fit: {after: [{metric: nothing, above: 1, on_failure: warn}]}
    """
    runner = bench.load(text, checked)
    for _ in range(2):
        runner.main()
        assert runner.last_run is not None
        told = json.loads((runner.last_run.directory / "checks.json").read_text())
        assert told["counts"] == {"passed": 1, "failed": 1, "error": 1, "skipped": 0}
        assert (runner.last_run.directory / "checks.xml").is_file()
    (bench.root / "mlp.config").unlink()
    bench.load(text, checked, collect_checks=True).main()
    assert (bench.root / "models/outputs/reports/checks.json").is_file()


def test_parts_are_told_how_a_run_ended(bench: Workbench) -> None:
    bench.write(
        "components/telling.py",
        """
        from mlpipeline.workflow import Component
        class Telling(Component):
            def __init__(self):
                self.told = []
            def _run_ended(self, error):
                self.told.append((self.run.run_id, type(error).__name__))
                raise OSError("nobody listens")
        """,
    )
    runner = bench.load((bench.root / "w.yaml").read_text() + "component: {telling: Telling}\n")
    runner.main()
    first = runner.last_run.run_id
    with contextlib.suppress(ZeroDivisionError), runner.recording():
        raise ZeroDivisionError
    assert runner.telling.told == [(first, "NoneType"), (runner.last_run.run_id, "ZeroDivisionError")]
    assert [run.state for run in recorded()] == [State.SUCCEEDED, State.FAILED]


def test_what_is_fitted_meanwhile_belongs_to_it(bench: Workbench) -> None:
    assert project_here() is not None
    with bench.load().recording():
        assert project_here() is None
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(project_here).result() is None
    assert project_here() is not None
