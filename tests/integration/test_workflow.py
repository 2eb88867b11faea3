"""A workflow file in the queue: described, trained in versions, killed, resumed, edited while the scheduler watches."""

from __future__ import annotations

import collections

import pytest

from .conftest import Workshop

PARTS = """
import os, signal
from pathlib import Path
from mlpipeline.workflow import Component, Pipeline, Runner
from truthful import truth

class Fits(Component):
    depth: int = 3
    def fit(self, rows):
        truth("fit", self.run.version, seen=rows, run=self.run.run_id, attempt=self.run.attempt)
        self.fitted = sum(rows) * self.depth
        return self.fitted

class Prepare(Pipeline):
    rows: list[int]
    def prepare(self):
        truth("prepare", self.run.version)
        return [2 * row for row in self.rows]

class Train(Pipeline):
    fits: Fits
    def train(self, rows):
        truth("train", self.run.version)
        return self.fits.fit(rows)
    def finish(self, fitted):
        truth("finish", self.run.version, fitted=self.fits.fitted)
        dying = Path("dying") / self.run.version
        if dying.exists():
            dying.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"score": fitted, "nested": {"depth": self.fits.depth}, "text": "none"}

class Mine(Runner):
    def main(self):
        return self.train.finish(self.train.train(self.prepare.prepare()))
"""
WORKFLOW = """
include: common.yaml
runner: Mine
pipeline: {prepare: Prepare, train: Train}
train: {component: {fits: Fits}}
versions:
  shallow: {train__fits__depth: 1}
  deep: {train__fits__depth: 5}
"""


@pytest.fixture
def yard(workshop: Workshop) -> Workshop:
    """A project with a workflow file in its list."""
    write(workshop, "components/parts.py", PARTS)
    write(workshop, "models/common.yaml", "config: {rows: [1, 2]}\n")
    write(workshop, "models/flow.yaml", WORKFLOW)
    workshop.list("flow.yaml")
    return workshop


def write(workshop: Workshop, name: str, text: str) -> None:
    path = workshop.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def counted(workshop: Workshop, event: str) -> dict[str, int]:
    return dict(collections.Counter(row["version"] for row in workshop.truth(event)))


def verdicts(workshop: Workshop) -> dict[str, str]:
    return {row["version"]: row["verdict"] for row in workshop.json("plan", "--all")["items"]}


@pytest.mark.parametrize("preload", ["auto", "none"])
def test_every_version_is_trained_with_its_own_parameters(yard: Workshop, preload: str) -> None:
    yard.config(f"preload = {preload}\n")
    status, text = yard.run("-r", "-u")
    assert status == 0, text
    assert [row["fitted"] for row in yard.truth("finish")] == [6, 30]
    found = {row["version"]: row for row in yard.history()}
    assert {row["state"] for row in found.values()} == {"succeeded"}
    assert found["deep"]["params"] == {"train__fits__depth": 5}
    assert found["deep"]["metrics"]["training"] == {"score": 30.0, "nested__depth": 5.0}
    assert counted(yard, "prepare") == {"shallow": 1, "deep": 1}
    assert yard.run("-r", "-u")[0] == 0
    assert counted(yard, "prepare") == {"shallow": 1, "deep": 1}


@pytest.mark.parametrize("preload", ["auto", "none"])
def test_a_killed_run_goes_on_at_the_step_that_was_interrupted(yard: Workshop, preload: str) -> None:
    yard.config(f"preload = {preload}\n")
    write(yard, "dying/deep", "")
    status, text = yard.run("-r", "-u")
    assert status == 0, text
    assert counted(yard, "prepare") == {"shallow": 1, "deep": 1}
    assert counted(yard, "train") == {"shallow": 1, "deep": 1}
    assert counted(yard, "fit") == {"shallow": 1, "deep": 1}
    # The second attempt did not fit, and has the fitted component all the same.
    assert [row["fitted"] for row in yard.truth("finish") if row["version"] == "deep"] == [30, 30]
    (run,) = [row for row in yard.history() if row["version"] == "deep"]
    assert (run["state"], len(run["attempts"])) == ("succeeded", 2)
    assert not any((yard.outputs / "model_dirs").rglob("*.pickle"))


def test_what_makes_a_version_due_again_is_what_it_is_made_of(yard: Workshop) -> None:
    assert yard.run("-r", "-u")[0] == 0
    done = {"shallow": "done", "deep": "done"}
    write(yard, "models/flow.yaml", f"# a comment\n{WORKFLOW}  deeper: {{train__fits__depth: 7}}\ndescription: more\n")
    assert verdicts(yard) == done | {"deeper": "due"}
    write(yard, "models/flow.yaml", WORKFLOW)
    assert verdicts(yard) == done
    for name, text in (
        ("models/common.yaml", "config: {rows: [1, 3]}\n"),
        ("components/parts.py", PARTS.replace("2 * row", "3 * row")),
        ("models/flow.yaml", WORKFLOW.replace("depth: 5", "depth: 6")),
    ):
        before = (yard.root / name).read_text()
        write(yard, name, text)
        changed = verdicts(yard)
        assert changed["deep"] == "due", name
        assert changed["shallow"] == ("done" if "flow" in name else "due"), name
        write(yard, name, before)
    assert verdicts(yard) == done


def test_a_class_that_is_added_later_is_none_of_a_run_that_was_described_before(yard: Workshop) -> None:
    write(yard, "models/flow.yaml", WORKFLOW)
    write(
        yard,
        "components/parts.py",
        PARTS.replace(
            "    def prepare(self):\n",
            "    def prepare(self):\n        Path('components/dup.py').write_text('class Fits: ...')\n",
        ),
    )
    status, text = yard.run("-r", "-u")
    assert status == 0, text
    assert counted(yard, "finish") == {"shallow": 1, "deep": 1}


def test_a_faulty_file_tells_everything_that_is_wrong_and_is_seen_when_it_is_mended(yard: Workshop) -> None:
    write(yard, "models/flow.yaml", WORKFLOW.replace("Fits}", "Later}").replace("deep: {", "deep: {x: 1, "))
    (fault,) = yard.json("plan")["faults"].values()
    assert fault.splitlines() == [
        "models/flow.yaml:5:27: there is no component 'Later'. Those that there are: mlpipeline list components",
    ]
    process = yard.start("-r", "-u", "--watch")
    yard.until(lambda: "there is no component 'Later'" in yard.output(), "the fault is told")
    write(yard, "models/flow.yaml", WORKFLOW.replace("Fits}", "Later}"))
    write(yard, "components/later.py", "from components.parts import Fits\nclass Later(Fits): ...\n")
    yard.until(lambda: len(yard.truth("finish")) == 2, "the mended workflow is trained")
    assert process.poll() is None


def test_a_yaml_file_that_is_no_workflow_is_left_out_of_a_blacklist(yard: Workshop) -> None:
    text = "[MLP]\nuse_blacklist = true\n\n[WHITELISTED_MODELS]\n\n[BLACKLISTED_MODELS]\ntruthful.py\n"
    (yard.root / "models.config").write_text(text)
    found = yard.json("plan", "--all")
    assert {row["model"] for row in found["items"]} == {"flow.yaml"}
    assert yard.run("plan")[0] == 0


def test_mode_test_and_the_inline_executor_run_the_same_workflow(yard: Workshop) -> None:
    yard.list("flow.yaml", test=True)
    status, text = yard.run()
    assert status == 0, text
    assert counted(yard, "finish") == {"shallow": 1, "deep": 1}
    assert text.count("goes on at the step that was interrupted") == 2
    status, text = yard.run("-r", "-u", "--executor", "inline")
    assert status == 0, text
    assert counted(yard, "finish") == {"shallow": 2, "deep": 2}
