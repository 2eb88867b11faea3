"""Resources last, get a number each whoever writes; those of runs that came to nothing are no former version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline import wire
from mlpipeline.context import RunContext
from mlpipeline.errors import DataFault, MlpipelineError, NotWritable, UsageError
from mlpipeline.workflow import Finding, Kind, Report, Resource, Runner, Status
from mlpipeline.workflow.components import numbered
from mlpipeline.workflow.components.ledger_tracker import LedgerTracker
from mlpipeline.workflow.components.resources import Resources

ROOT = Path(__file__).resolve().parents[4]
DIGEST = "ab" * 32


@pytest.fixture
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LedgerTracker:
    (tmp_path / "mlp.config").write_text("")
    monkeypatch.chdir(tmp_path)
    return LedgerTracker()


def built(root: Path, text: str = "component: {tracker: LedgerTracker}\n") -> Runner:
    (root / "mlp.config").write_text("")
    (root / "w.yaml").write_text(text)
    return Runner(conf=root / "w.yaml")


def as_run(runner: Runner, outputs: Path, run_id: str, attempt: int = 1) -> Path:
    directory = outputs / "runs" / run_id / str(attempt)
    directory.mkdir(parents=True)
    runner.run = RunContext(run_id=run_id, directory=directory)
    return directory


def end(directory: Path, state: str) -> None:
    wire.write_json(directory / wire.OUTCOME, {"state": state})


def test_what_is_registered_is_found_by_another_process(tracker: LedgerTracker, tmp_path: Path) -> None:
    data = tracker.register(Kind.DATASET, "titanic", DIGEST, place="data/t.csv", facts={"rows": 891})
    model = tracker.register(Kind.MODEL, "titanic", "cd" * 32, [data], facts={"test.f1": 0.8, "depth": 3})
    made = tracker.register(Kind.PREDICTIONS, "titanic", "ef" * 32, [model])
    assert (data.id, model.id, made.id) == ("dataset-titanic-1", "model-titanic-1", "predictions-titanic-1")
    script = (
        "from mlpipeline.workflow.components.ledger_tracker import LedgerTracker as T\n"
        "t = T(); p = t.get('predictions-titanic-1')\n"
        "print([(e.id, e.digest, dict(e.facts), e.place) for e in t.lineage(p)])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    assert eval(told.stdout) == [
        ("model-titanic-1", "cd" * 32, {"test.f1": 0.8, "depth": 3}, None),
        ("dataset-titanic-1", DIGEST, {"rows": 891}, "data/t.csv"),
    ]
    assert tracker.place == str(tmp_path / "models/outputs/resources")


def test_the_latest_version_comes_first(tracker: LedgerTracker) -> None:
    for number in range(11):
        tracker.register(Kind.MODEL, "m", f"{number}")
    assert [each.digest for each in tracker.find(Kind.MODEL, "m")] == [str(each) for each in range(10, -1, -1)]
    assert tracker.find(Kind.DATASET, "m") == []
    assert tracker.find(Kind.MODEL, "other") == []


@pytest.mark.parametrize("state", ["failed", "lost", "cancelled", "yielded", "running"])
def test_what_a_run_made_that_came_to_nothing_is_no_former_version(tmp_path: Path, state: str) -> None:
    runner = built(tmp_path)
    outputs = tmp_path / "models/outputs"
    good = as_run(runner, outputs, "good")
    first = runner.tracker.register(Kind.MODEL, "m", "1")
    end(good, "succeeded")
    bad = as_run(runner, outputs, "bad")
    second = runner.tracker.register(Kind.MODEL, "m", "2")
    if state != "running":
        end(bad, state)
    assert [each.id for each in runner.tracker.find(Kind.MODEL, "m")] == [second.id, first.id]  # within the run itself
    as_run(runner, outputs, "next")
    assert [each.id for each in runner.tracker.find(Kind.MODEL, "m")] == [first.id]
    assert runner.tracker.get(second.id).run_id == "bad"


def test_the_last_attempt_says_how_a_run_ended(tmp_path: Path) -> None:
    runner = built(tmp_path)
    outputs = tmp_path / "models/outputs"
    end(as_run(runner, outputs, "r", 9), "lost")
    first = runner.tracker.register(Kind.MODEL, "m", "1")
    end(as_run(runner, outputs, "r", 10), "succeeded")
    assert runner.tracker.register(Kind.MODEL, "m", "1") == first  # the step was repeated
    runner.run = RunContext.detached()
    assert runner.tracker.find(Kind.MODEL, "m") == [first]
    assert runner.tracker.register(Kind.MODEL, "m", "1").id == "model-m-2"  # by hand, nobody repeats anything


def test_a_rehearsal_has_resources_of_its_own(tmp_path: Path) -> None:
    runner = built(tmp_path)
    as_run(runner, tmp_path / "private", "r")
    runner.tracker.register(Kind.MODEL, "m", "1")
    assert runner.tracker.place == str(tmp_path / "private/resources")
    assert not (tmp_path / "models").exists()


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300).filter(str.strip)
AWKWARD = ["a.b", "a/b", "it's", "../x", "a-1", "..", ".", "-", "%2F", "a b", "é" * 99, "x" * 400]


@settings(max_examples=60, deadline=None)
@given(name=NAMES | st.sampled_from(AWKWARD))
def test_26_any_name_round_trips(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    resources = Resources(tmp_path_factory.mktemp("outputs"))
    draft = Resource(id="", kind=Kind.MODEL, name=name, digest="d", created_at="2026-11-21")
    made = resources.add(draft)
    assert made.id == f"model-{name}-1"
    assert resources.get(made.id) == made
    assert [each.name for each in resources.versions(Kind.MODEL, name)] == [name]
    (file,) = resources.directory.rglob("*.json")
    assert file.parent.parent == resources.directory / "model"


def test_names_that_differ_lie_apart() -> None:
    assert len({numbered.file_name(each) for each in [*AWKWARD, "a%2Fb", "x" * 401]}) == len(AWKWARD) + 2


def test_two_processes_that_register_at_once_lose_nothing(tracker: LedgerTracker, tmp_path: Path) -> None:
    script = (
        "import sys; from mlpipeline.workflow.components.ledger_tracker import LedgerTracker as T\n"
        "from mlpipeline.workflow import Kind\n"
        "t = T()\n"
        "for n in range(50): t.register(Kind.MODEL, 'm', sys.argv[1] + str(n))\n"
    )
    command = [sys.executable, "-c", script]
    started = [subprocess.Popen([*command, each], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}) for each in "abc"]
    assert [each.wait(60) for each in started] == [0, 0, 0]
    found = tracker.find(Kind.MODEL, "m")
    assert {each.digest for each in found} == {f"{who}{n}" for who in "abc" for n in range(50)}
    assert [each.id for each in found] == [f"model-m-{n}" for n in range(150, 0, -1)]
    assert not list(tmp_path.rglob("*.part"))


def test_reports_are_kept_with_their_resource(tracker: LedgerTracker) -> None:
    data = tracker.register(Kind.DATASET, "d", DIGEST)
    other = tracker.register(Kind.DATASET, "d", "ff")
    findings = (Finding(name="nulls", status=Status.WARN, value=0.5, message="age: half is missing"), Finding(name="k"))
    report = Report(name="data_check", findings=findings, path="reports/check.html")
    tracker.add_report(data, report)
    tracker.add_report(data, Report(name="profile"))
    assert tracker.reports(data) == [report, Report(name="profile")]
    assert tracker.reports(data)[0].status is Status.WARN
    assert tracker.reports(other) == []


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / "components/secretive.py").write_text(
        "from mlpipeline.workflow import Component\nclass Secretive(Component):\n    api_key: str\n"
    )
    text = "component: {tracker: LedgerTracker, secretive: Secretive}\nconfig: {api_key: sesame-open}\n"
    runner = built(tmp_path, text)
    place = "postgresql://me:pass-w0rd@host/db"
    facts = {"url": "http://h/?k=sesame-open", "token": "t0p-secret", "rows": 3, "score": float("nan")}
    made = runner.tracker.register(Kind.DATASET, "d", DIGEST, place=place, facts=facts)
    runner.tracker.add_report(made, Report(name="r", findings=(Finding(name="f", message="sesame-open?"),)))
    written = "".join(each.read_text() for each in tmp_path.rglob("resources/**/*.json"))
    for secret in ("sesame-open", "pass-w0rd", "t0p-secret"):
        assert secret not in written
    assert made.facts == {"url": "http://h/?k=***", "token": "***", "rows": 3, "score": "nan"}
    assert runner.tracker.get(made.id) == made


def test_what_is_no_resource_is_refused(tracker: LedgerTracker) -> None:
    with pytest.raises(DataFault, match="set model_name"):
        tracker.register(Kind.MODEL, " ", DIGEST)
    with pytest.raises(DataFault, match="digest"):
        tracker.register(Kind.MODEL, "m", "")
    with pytest.raises(DataFault, match="a parent is a Resource, not str"):
        tracker.register(Kind.MODEL, "m", DIGEST, ["dataset-d-1"])  # type: ignore[list-item]
    made = tracker.register(Kind.MODEL, "titanic", DIGEST)
    with pytest.raises(UsageError, match=r"no resource 'model-titanc-1'\. .*model-titanic-1"):
        tracker.get("model-titanc-1")
    for wrong in ("", "model", "model-titanic-x", "other-titanic-1", "model-titanic-0"):
        with pytest.raises(UsageError, match="no resource"):
            tracker.get(wrong)
    assert tracker.find(Kind.MODEL, "titanic") == [made]


def test_a_damaged_file_is_named(tracker: LedgerTracker) -> None:
    tracker.register(Kind.MODEL, "m", DIGEST)
    path = Path(tracker.place, "model", "m", "1.json")
    path.write_text(path.read_text()[:20])
    with pytest.raises(MlpipelineError, match=f"{path} is damaged"):
        tracker.find(Kind.MODEL, "m")


def test_a_place_that_is_a_file_is_named(tracker: LedgerTracker, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "outputs").write_text("")
    with pytest.raises(NotWritable, match=r"models/outputs.*cannot be written"):
        tracker.register(Kind.MODEL, "m", DIGEST)
