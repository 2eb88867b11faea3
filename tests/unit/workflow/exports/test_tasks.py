"""What a workflow is cut into, and that tasks together do what the workflow does, each step once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.errors import UsageError
from mlpipeline.workflow import load
from mlpipeline.workflow.exports.tasks import Task, run, tasks

from .conftest import Yard


def calls(yard: Yard, name: str, more: str = "") -> list[str]:
    path = yard.write(f"models/{name}.more.yaml", (yard.root / "models" / f"{name}.yaml").read_text() + more)
    return [each.call for each in tasks(load(path, lazy=True).plan)]


def test_a_task_is_a_step_or_a_pipeline_or_all(yard: Yard) -> None:
    assert calls(yard, "steps") == ["rows.read", "mean.fit", "mean.score"]
    assert calls(yard, "pipelines") == ["read.main", "train.main"]
    assert calls(yard, "code") == ["main"]


def test_what_stands_around_main_keeps_it_whole(yard: Yard) -> None:
    assert calls(yard, "steps", "checks: {main: {after: [{metric: mean, above: 0}]}}\n") == ["main"]
    assert calls(yard, "pipelines", "cache: {methods: [main]}\n") == ["main"]
    assert len(calls(yard, "steps", "checks: {mean.score: {after: [{metric: mean, above: 0}]}}\n")) == 3


def test_names_are_identifiers_and_differ() -> None:
    names = [Task(number=1, call="a.b").name, Task(number=2, call="a.b").name, Task(number=3, call="x" * 99).name]
    assert names[0] == "step_1_a_b"
    assert len(set(names)) == 3
    assert all(name.isidentifier() and len(name) < 50 for name in names)


@pytest.mark.parametrize(
    ("name", "count", "once"),
    [("steps", 3, "read fit score"), ("pipelines", 2, "read read fit score"), ("code", 1, "")],
)
def test_tasks_one_by_one_do_what_the_workflow_does(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, count: int, once: str
) -> None:
    monkeypatch.chdir(yard.root)
    path = yard.root / "models" / f"{name}.yaml"
    whole = load(path).main()
    (yard.root / "calls.txt").unlink()
    for number in range(1, count + 1):
        returned = run(load(path), tmp_path / "records", number)  # as in a process of its own: with parts of its own
    assert returned == whole
    assert not once or yard.calls == once.split()
    run(load(path), tmp_path / "records", None)
    assert not once or yard.calls == once.split()


def test_a_step_that_there_is_not_is_told(yard: Yard) -> None:
    with pytest.raises(UsageError, match=r"no step 4: .* are 1 \(rows.read\), 2 \(mean.fit\), 3 \(mean.score\)"):
        run(load(yard.root / "models" / "steps.yaml"), None, 4)
