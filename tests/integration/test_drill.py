"""Resumption proved by real kills: `mlpipeline --drill`, with models that tell what became of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.project import Project
from mlpipeline.queue import drill
from mlpipeline.wiring import wire

from .conftest import Workshop

THIRTY = 'Versions(0.1, Loader(30), 1, 1).add("one")'
SAVE = "self.run.checkpoint(lambda path: path.write_text(repr(x)), every_seconds=60)"
LOOP = """
restored = self.run.restore(lambda path: float(path.read_text()))
x = {begin}
try:
    for _ in self.run.steps(total=steps):
        x -= 0.1 * (x - 3)
        self.run.record(loss=abs(x - 3))
        {save}
finally:
    truth("left the loop", self.run.attempt)
"""


def loop(begin: str = "5.0 if restored is None else restored", save: str = SAVE) -> str:
    return LOOP.format(begin=begin, save=save)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files of everything that the test starts."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    return made


def drilled(workshop: Workshop, body: str, versions: str = THIRTY, *options: str) -> dict[str, Any]:
    """Drills one model and returns what is said of it."""
    workshop.model("m.py", body, versions)
    (found,) = workshop.json("--drill", "m.py", *options)["drills"]
    return dict(found)


def test_a_training_that_keeps_all_is_exact_after_a_real_kill(workshop: Workshop) -> None:
    found = drilled(workshop, loop())
    assert (found["model"], found["version"], found["result"]) == ("m.py", "one", "exact")
    assert (found["steps"], found["checkpoint_step"], found["killed_step"]) == (20, 10, 13)
    left = workshop.truth("left the loop")
    assert len(workshop.truth("train")) == 3, "straight, to be killed, resumed"
    assert [row["version"] for row in left] == [1, 2], "SIGKILL lets no 'finally' run"
    assert len({row["pid"] for row in workshop.truth("train")}) == 3


def test_only_the_training_to_be_killed_is_asked_for_a_checkpoint_and_once(workshop: Workshop) -> None:
    save = (
        "self.run.checkpoint(lambda path: [path.write_text(repr(x)), truth('saved', self.run.step)], every_seconds=60)"
    )
    assert drilled(workshop, loop(save=save))["result"] == "exact"
    assert [row["version"] for row in workshop.truth("saved")] == [10]


def test_every_step_that_is_saved_is_gone_on_from(workshop: Workshop) -> None:
    found = drilled(workshop, loop(save=SAVE.replace(", every_seconds=60", "")), THIRTY, "--drill-steps", "8")
    assert found["result"] == "exact"
    assert (found["steps"], found["checkpoint_step"], found["killed_step"]) == (8, 7, 7)


def test_a_training_that_is_shorter_than_the_drill_is_killed_in_its_own_middle(workshop: Workshop) -> None:
    found = drilled(workshop, loop(), 'Versions(0.1, Loader(4), 2, 1).add("one")')
    assert (found["result"], found["steps"], found["killed_step"]) == ("exact", 2, 1)


def test_a_training_that_stops_early_by_break_is_exact(workshop: Workshop) -> None:
    found = drilled(workshop, loop(save=f"{SAVE}\n        if self.run.step == 15: break"))
    assert (found["result"], found["steps"], found["killed_step"]) == ("exact", 15, 10)


def test_loops_of_epochs_end_after_the_steps_of_the_drill_as_well(workshop: Workshop) -> None:
    body = """
    x = self.run.restore(lambda path: float(path.read_text())) or 5.0
    while not self.run.should_stop:
        for _ in self.run.steps(range(self.run.step % 7, 7)):
            x -= 0.1 * (x - 3)
            self.run.record(loss=abs(x - 3))
            self.run.checkpoint(lambda path: path.write_text(repr(x)), every_seconds=60)
    """
    found = drilled(workshop, "if True:" + body, 'Versions().add("endless")')
    assert (found["result"], found["steps"]) == ("exact", 20)


def test_a_training_that_loses_a_little_is_close_and_says_how_much(workshop: Workshop) -> None:
    body = loop(begin="5.0 if restored is None else restored * (1 + 1e-7)")
    found = drilled(workshop, body)
    assert found["result"] == "close"
    assert 0 < found["largest_difference"] < 1e-5
    assert found["text"].startswith("close (largest relative difference ")


def test_a_training_that_forgets_its_state_is_broken_at_the_first_step_after_the_checkpoint(
    workshop: Workshop,
) -> None:
    workshop.model("m.py", loop(begin="5.0"), THIRTY)
    status, text = workshop.run("--drill", "m.py")
    assert status == 1
    assert "m.py:one  broken (loss differs first at step 11: 1.8 instead of 0.627621)" in text
    assert "training 20 steps straight" in text
    assert "killed after step 13, going on from the checkpoint at step 10" in text


def test_a_training_that_cannot_be_resumed_is_broken_and_shows_why(workshop: Workshop) -> None:
    workshop.model("m.py", loop(save=SAVE.replace("repr(x)", "'no number'")), THIRTY)
    status, text = workshop.run("--drill", "m.py")
    assert status == 1
    assert "broken (the resumed training failed: ValueError: could not convert string to float" in text
    assert "Traceback" in text


def test_random_numbers_that_the_seed_does_not_decide_are_told_from_a_broken_resumption(workshop: Workshop) -> None:
    body = loop(begin="5.0 if restored is None else restored")
    body = body.replace("loss=abs(x - 3)", "loss=int.from_bytes(__import__('os').urandom(4))")
    found = drilled(workshop, body)
    assert (found["result"], found["step"]) == ("broken", 1)
    assert "before the kill" in found["text"]


@pytest.mark.parametrize(("after", "why"), [("", "begins anew"), (SAVE, "saves after its loop only")])
def test_without_checkpoints_in_the_loop_it_says_what_to_write(workshop: Workshop, after: str, why: str) -> None:
    workshop.model("m.py", f"{loop(save='pass')}\n{after}", THIRTY)
    status, text = workshop.run("--drill", "m.py")
    assert status == 0
    assert "m.py:one  has no checkpoints" in text
    assert why in text
    assert "self.run.checkpoint(save)" in text
    assert "self.run.restore(load)" in text


def test_a_model_without_a_loop_of_steps_is_told_so(workshop: Workshop) -> None:
    workshop.model("m.py", "self.run.checkpoint(lambda path: path.write_text('x'))\ntruth('steps', steps)", THIRTY)
    status, text = workshop.run("--drill", "m.py")
    assert status == 0
    assert "m.py:one  does not use run.steps: cannot be stopped in the middle" in text
    assert [row["version"] for row in workshop.truth("steps")] == [20], "not the 30 that it has"


def test_a_model_that_never_begins_a_loop_of_steps_is_ended(
    workshop: Workshop, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    workshop.model("m.py", "import time\nwhile True: time.sleep(0.01)")
    wire()
    said: list[str] = []
    (found,) = drill.drills(Project.load(workshop.root), ("m.py",), say=said.append)
    assert found.finding.result == "no_steps"
    assert "began no loop of run.steps within 1 s" in found.finding.text
    assert not found.is_bad
    workshop.until(lambda: not workshop.left_behind(), "everything ended")
    assert list(temporary.iterdir()) == []


def test_a_model_that_fails_is_told_with_its_traceback_and_holds_no_other_up(workshop: Workshop) -> None:
    workshop.model("bad.py", "for _ in self.run.steps(total=steps): raise ValueError('layer')", THIRTY)
    workshop.model("good.py", loop(), THIRTY)
    (workshop.models / "worse.py").write_text("raise KeyError('at import')\n")
    workshop.list("bad.py", "worse.py", "good.py", test=True)
    status, text = workshop.run("--drill")
    assert status == 1
    assert "bad.py:one  failed (ValueError: layer" in text
    assert "models/bad.py" in text
    assert "worse.py  failed (" in text
    assert "good.py:one  exact" in text
    assert "bad.py:one  has" not in text


def test_a_failure_that_comes_with_the_request_for_a_checkpoint_is_told(workshop: Workshop) -> None:
    body = loop(save="if self.run.checkpoint_asked: raise ValueError('nowhere to save')")
    found = drilled(workshop, body)
    assert found["result"] == "failed"
    assert "in the training that was to be killed: ValueError: nowhere to save" in found["text"]


def test_what_models_test_config_lists_is_drilled_and_what_is_held_is_not(workshop: Workshop) -> None:
    workshop.model("m.py", loop(), 'Versions(0.1, Loader(30), 1, 1).add("b").add("a")')
    workshop.model("held.py", loop(), THIRTY)
    workshop.list("m.py", "held.py = hold", test=True)
    answer = workshop.json("--drill", "--drill-steps", "4")
    assert answer["format"] == 1
    assert [(each["version"], each["result"]) for each in answer["drills"]] == [("b", "exact"), ("a", "exact")]
    (only,) = workshop.json("--drill", "m.py:a", "--drill-steps", "4")["drills"]
    assert (only["version"], only["steps"]) == ("a", 4)


def test_a_list_that_is_missing_is_a_fault_of_the_configuration(workshop: Workshop) -> None:
    status, text = workshop.run("--drill")
    assert status == 2
    assert "models_test.config" in text


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")} - {"truth.jsonl"}


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_nothing_is_recorded_and_nothing_left_behind(workshop: Workshop, temporary: Path) -> None:
    workshop.model("m.py", loop(), THIRTY)
    before = files(workshop.root)
    assert workshop.run("--drill", "m.py")[0] == 0
    assert files(workshop.root) == before
    assert list(temporary.iterdir()) == []
    workshop.until(lambda: not workshop.left_behind(), "everything ended")


def test_what_was_trained_before_is_not_touched(workshop: Workshop) -> None:
    workshop.model("m.py", loop(), THIRTY)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    before = contents(workshop.outputs)
    assert workshop.run("--drill", "m.py")[0] == 0
    assert contents(workshop.outputs) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_everything(workshop: Workshop, temporary: Path, number: signal.Signals) -> None:
    workshop.model("m.py", "import time\nfor _ in self.run.steps(): time.sleep(0.01)\nwhile True: time.sleep(0.01)")
    process = workshop.start("--drill", "m.py")
    workshop.until(lambda: workshop.truth("train"), "it trains")
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert list(temporary.iterdir()) == []
    workshop.until(lambda: not workshop.left_behind(), "everything ended")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--drill", "-r", "-u"], "leave --run, --use-history out"),
        (["--drill", "--executor", "inline"], "leave --executor out"),
        (["--drill-steps", "5"], "goes with --drill"),
        (["--drill", "--drill-steps", "1"], "1 is not in the range"),
    ],
)
def test_what_does_not_go_with_a_drill_is_refused(workshop: Workshop, words: list[str], told: str) -> None:
    status, text = workshop.run(*words)
    assert status == 2
    assert told in text
