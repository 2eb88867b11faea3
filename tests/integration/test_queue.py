"""The queue as a whole, by what the models themselves wrote down."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from .conftest import Workshop

TWO = 'Versions(0.1, Loader(), 2, 1).add("b").add("a")'
WAIT = 'import time\nwhile not (ROOT / "go").exists(): time.sleep(0.01)'


def names(rows: list[dict[str, object]]) -> list[object]:
    return [row["version"] for row in rows]


def test_versions_run_in_their_order_and_are_not_run_again(workshop: Workshop) -> None:
    workshop.model("m.py", "pass", TWO)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    assert names(workshop.truth("train")) == ["b", "a"]
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 2
    rows = workshop.history()
    assert [row["state"] for row in rows] == ["succeeded", "succeeded"]
    assert rows[0]["metrics"] == {"train": {"steps": 4.0}, "test": {"steps": 2.0}}


def test_without_history_everything_runs_once_in_each_invocation(workshop: Workshop) -> None:
    workshop.model("m.py", "pass", TWO)
    workshop.list("m.py")
    workshop.run("-r")
    workshop.run("-r")
    assert names(workshop.truth("train")) == ["b", "a", "b", "a"]


def test_an_exception_costs_its_own_version_only(workshop: Workshop) -> None:
    workshop.model("bad.py", 'if self.run.version == "b": raise ValueError("broken \\x1b[31m layer")', TWO)
    workshop.model("good.py", "pass")
    workshop.list("bad.py", "good.py")
    status, text = workshop.run("-r", "-u")
    assert status == 1
    assert names(workshop.truth("trained")) == ["a", "one"]
    failed = next(row for row in workshop.history() if row["state"] == "failed")
    assert failed["cause"] == "exception"
    assert "models/bad.py:5" in failed["message"]
    assert "\x1b" not in workshop.output() + workshop.output("output") + text
    assert workshop.run("-r", "-u")[0] == 1, "what stands failed from before is not 'all well'"
    assert len(workshop.truth("train")) == 3


def test_a_fixed_version_is_due_again_and_a_comment_makes_nothing_stale(workshop: Workshop) -> None:
    workshop.model("m.py", "raise ValueError('x')")
    workshop.list("m.py")
    workshop.run("-r", "-u")
    workshop.model("m.py", "pass")
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 2
    path = workshop.models / "m.py"
    path.write_text("# a comment\n" + path.read_text())
    os.utime(path)
    workshop.run("-r", "-u")
    assert len(workshop.truth("train")) == 2


def test_faulty_files_are_their_own_fault_alone(workshop: Workshop) -> None:
    (workshop.models / "syntax.py").write_text("def f(:\n")
    (workshop.models / "nothing.py").write_text("x = 1\n")
    (workshop.models / "wrong.py").write_text("MODEL = 3\n")
    (workshop.models / "exits.py").write_text("import os\nos._exit(3)\n")
    (workshop.models / "crashes.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    (workshop.models / "hangs.py").write_text("import time\ntime.sleep(1000)\n")
    workshop.config("describe_timeout_seconds = 3\n")
    workshop.model("good.py", "pass")
    workshop.list("syntax.py", "nothing.py", "wrong.py", "exits.py", "crashes.py", "hangs.py", "missing.py", "good.py")
    status, text = workshop.run("-r", "-u")
    assert status == 1
    assert names(workshop.truth("trained")) == ["one"]
    for word in (
        "syntax.py:1",
        "has no MODEL",
        "MODEL is int",
        "exit status 3",
        "SIGSEGV",
        "still importing",
        "missing.py",
    ):
        assert word in text, word


def test_killing_itself_is_tried_max_attempts_times_and_the_queue_goes_on(workshop: Workshop) -> None:
    workshop.config("max_attempts = 2\n")
    workshop.model("suicide.py", "os.kill(os.getpid(), 9)")
    workshop.model("good.py", "pass")
    workshop.list("suicide.py", "good.py")
    assert workshop.run("-r", "-u")[0] == 1
    assert names(workshop.truth("train")).count("one") == 3  # two tries of the one, one of the other
    rows = {row["model"]: row for row in workshop.history()}
    assert rows["suicide.py"]["state"] == "lost"
    assert rows["suicide.py"]["signal"] == 9
    assert len(rows["suicide.py"]["attempts"]) == 2
    assert rows["good.py"]["state"] == "succeeded"


def test_leaving_by_exit_is_a_failure_and_no_endless_loop(workshop: Workshop) -> None:
    workshop.model("zero.py", "import sys; sys.exit(0)")
    workshop.model("hard.py", "os._exit(3)")
    workshop.model("crash.py", "os.kill(os.getpid(), 11)")
    workshop.list("zero.py", "hard.py", "crash.py")
    assert workshop.run("-r", "-u")[0] == 1
    assert len(workshop.truth("train")) == 3
    rows = {row["model"]: row for row in workshop.history()}
    assert [rows[name]["cause"] for name in ("zero.py", "hard.py", "crash.py")] == [
        "exit",
        "exit",
        "segmentation_fault",
    ]
    assert rows["hard.py"]["exit_code"] == 3


def test_a_killed_scheduler_loses_nothing_and_repeats_nothing(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT, TWO)
    workshop.list("m.py")
    first = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "the first version trains")
    first.kill()
    first.wait()
    second = workshop.start("-r", "-u")
    workshop.until(lambda: "adopted" in workshop.output(), "the run is adopted")
    (workshop.root / "go").touch()
    assert second.wait(60) == 0
    assert names(workshop.truth("train")) == ["b", "a"]
    assert [len(row["attempts"]) for row in workshop.history()] == [1, 1]


def test_a_run_that_ends_while_no_scheduler_lives_is_recorded_by_the_next(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT)
    workshop.list("m.py")
    first = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    first.kill()
    first.wait()
    (workshop.root / "go").touch()
    runs = workshop.outputs / "runs"
    workshop.until(lambda: list(runs.glob("*/1/outcome.json")), "the supervisor writes the outcome alone")
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 1
    assert workshop.output("output").count("\nrun ") == 1


def test_supervisor_and_worker_gone_is_lost_and_goes_on_from_its_checkpoint(workshop: Workshop) -> None:
    body = """
start = self.run.restore(lambda path: int(path.read_text())) or 0
truth(f"from {start}", self.run.version)
self.run.checkpoint(lambda path: path.write_text("1"), step=1)
if start == 0:
    truth("checkpointed", self.run.version)
    while True: time.sleep(0.01)
"""
    workshop.model("m.py", body)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("checkpointed"), "a checkpoint")
    started = next((workshop.outputs / "runs").glob("*/1/started.json"))
    import json

    os.kill(json.loads(started.read_text())["pid"], signal.SIGKILL)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert len(workshop.truth("from 1")) == 1
    (row,) = workshop.history()
    assert [attempt["state"] for attempt in row["attempts"]] == ["lost", "succeeded"]
    assert row["attempts"][0]["cause"] == "lost_supervisor"


def test_an_attempt_that_was_prepared_and_never_recorded_is_prepared_again(workshop: Workshop) -> None:
    workshop.model("m.py", 'assert (ROOT / "mended").exists()')
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    prepared = workshop.root / workshop.history()[0]["directory"] / ".." / "2"
    prepared.mkdir()
    (prepared / "spec.json").write_text("{")
    (workshop.root / "mended").touch()
    assert workshop.run("retry", "--failed")[0] == 0
    assert workshop.run("-r", "-u")[0] == 0
    assert [row["state"] for row in workshop.history()] == ["succeeded"]
    assert workshop.run("fsck")[0] == 0


def test_an_edit_takes_effect_while_a_run_trains(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT)
    workshop.model("n.py", "pass")
    workshop.model("o.py", "pass")
    workshop.list("m.py", "n.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    workshop.list("m.py", "o.py")
    workshop.until(lambda: "added o.py" in workshop.output(), "the edit is logged")
    assert "removed n.py" in workshop.output()
    (workshop.root / "models.config").write_text("[WHITELISTED_MODELS\nhalf")
    workshop.until(lambda: "last good revision" in workshop.output(), "the faulty edit is refused")
    (workshop.root / "go").touch()
    process.wait(60)
    assert [row["model"] for row in reversed(workshop.history())] == ["m.py", "o.py"]


def test_a_queued_run_uses_the_code_as_it_was(workshop: Workshop) -> None:
    (workshop.models / "part.py").write_text("WORD = 'old'\n")
    workshop.model("m.py", WAIT + "\nimport part\ntruth(part.WORD, self.run.version)")
    workshop.list("m.py")
    process = workshop.start("-r", "-u", "-n")
    workshop.until(lambda: workshop.truth("train"), "training")
    (workshop.models / "part.py").write_text("WORD = 'new'\n")
    (workshop.root / "go").touch()
    workshop.until(lambda: workshop.truth("old") or workshop.truth("new"), "the late import")
    assert not workshop.truth("new")
    process.kill()


def test_a_second_scheduler_is_told_who_holds_the_project(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT)
    workshop.list("m.py")
    first = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    status, text = workshop.run("-r", "-u")
    assert status == 2
    assert str(first.pid) in text
    (workshop.root / "go").touch()
    assert first.wait(60) == 0


def test_interrupting_once_waits_and_twice_ends_the_run_which_is_due_again(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    process.send_signal(signal.SIGINT)
    workshop.until(lambda: "stopping" in workshop.output(), "it says that it stops")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert workshop.history()[0]["cause"] == "interrupted"
    assert not workshop.left_behind()
    (workshop.root / "go").touch()
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("trained")) == 1


def test_a_run_yields_at_its_checkpoint_and_goes_on_later(workshop: Workshop) -> None:
    body = """
for step in self.run.steps(range(100000)):
    self.run.checkpoint(lambda path: path.write_text("x"), step=step, every_seconds=1000)
    if (ROOT / "go").exists(): break
    time.sleep(0.01)
"""
    workshop.model("m.py", body)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert workshop.history()[0]["state"] == "yielded"
    (workshop.root / "go").touch()
    assert workshop.run("-r", "-u")[0] == 0
    (row,) = workshop.history()
    assert [each["state"] for each in row["attempts"]] == ["yielded", "succeeded"]


def test_time_limit_ends_the_whole_process_tree(workshop: Workshop) -> None:
    body = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(1000)"], start_new_session=True)
while True: time.sleep(0.01)
"""
    workshop.model("m.py", body)
    workshop.list("m.py = timeout_seconds=2")
    assert workshop.run("-r", "-u")[0] == 1
    assert workshop.history()[0]["cause"] == "time_limit"
    assert not workshop.left_behind()


def test_replicates_priority_after_only_skip_and_hold(workshop: Workshop) -> None:
    workshop.model("m.py", "truth(f's{self.run.replicate}', self.run.version)", TWO)
    workshop.model("n.py", "pass")
    workshop.model("last.py", "pass")
    workshop.model("held.py", "pass")
    workshop.list("last.py = after=m.py", "m.py = replicates=2, skip=nope", "n.py = priority=5", "held.py = hold")
    status, text = workshop.run("-r", "-u")
    assert "no version 'nope'" in text
    assert status == 1
    workshop.list("last.py = after=m.py", "m.py = replicates=2", "n.py = priority=5", "held.py = hold")
    assert workshop.run("-r", "-u")[0] == 0
    order = [(row["model"], row["version"], row["replicate"]) for row in reversed(workshop.history())]
    assert order[-5:] == [
        ("m.py", "b", 0),
        ("m.py", "a", 0),
        ("m.py", "b", 1),
        ("m.py", "a", 1),
        ("last.py", "one", 0),
    ]
    assert ("n.py", "one", 0) in order
    assert len({row["seed"] for row in workshop.history() if row["model"] == "m.py"}) == 4
    assert not any(row[0] == "held.py" for row in order)


def test_old_weights_never_pass_as_a_new_result(workshop: Workshop) -> None:
    body = """
from pathlib import Path
kept = Path(self.run.model_dir, "weights")
truth("found" if kept.exists() else "fresh", self.run.version)
kept.write_text("w")
"""
    workshop.model("m.py", body)
    workshop.list("m.py")
    workshop.run("-r", "-u")
    workshop.model("m.py", body + "\nchanged = True")
    workshop.run("-r", "-u")
    assert len(workshop.truth("fresh")) == 2
    assert not workshop.truth("found")
    kept = [path.name for path in (workshop.outputs / "model_dirs").iterdir()]
    assert len(kept) == 2
    assert any(".old-" in name for name in kept)


def test_test_mode_records_nothing_and_shows_the_users_own_traceback(workshop: Workshop) -> None:
    workshop.model("m.py", "truth(f'steps {steps}', self.run.version)", TWO)
    workshop.list("m.py", test=True)
    status, text = workshop.run()
    assert status == 0, text
    assert len(workshop.truth("steps 1")) == 2
    assert "m.py:b makes no checkpoint (run.checkpoint): interrupted, it begins again" in text
    assert not workshop.outputs.exists()
    workshop.model("m.py", "raise ValueError('in the middle')", TWO)
    status, text = workshop.run()
    assert status == 1
    assert "ValueError: in the middle" in text
    assert 'm.py", line 5, in body' in text
    assert "execution/worker.py" not in text
    assert len(workshop.truth("train")) == 3, "the first exception stops the queue"
    assert not workshop.outputs.exists()


def test_models_named_on_the_command_line_run_without_an_edit(workshop: Workshop) -> None:
    workshop.model("m.py", "pass", TWO)
    workshop.list()
    assert workshop.run("-r", "-u", "m.py:a")[0] == 0
    assert names(workshop.truth("train")) == ["a"]


def test_no_log_writes_neither_log_nor_output_but_the_ledger_knows(workshop: Workshop) -> None:
    workshop.model("m.py", "self.log('hello')")
    workshop.list("m.py")
    assert workshop.run("-r", "-u", "-n")[0] == 0
    assert not Path(workshop.outputs / "log-here").exists()
    assert not Path(workshop.outputs / "output-here").exists()
    assert len(workshop.history()) == 1


def test_what_a_model_logs_is_in_the_log_once_and_what_it_prints_in_its_run(workshop: Workshop) -> None:
    workshop.model(
        "m.py", "self.log('said so', log_to_file=True)\nprint('printed so')\nprint('\\rbar 1\\rbar 2', end='')"
    )
    workshop.list("m.py")
    workshop.run("-r", "-u")
    assert workshop.output().count("said so") == 1
    run = workshop.history()[0]["id"]
    text = workshop.run("logs", run)[1]
    assert "printed so" in text
    assert "bar 2" in text
    assert "bar 1" not in text


def test_inline_trains_in_the_same_process(workshop: Workshop) -> None:
    workshop.model("m.py", "pass", TWO)
    workshop.list("m.py")
    process = workshop.start("-r", "-u", "--executor", "inline")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert {row["pid"] for row in workshop.truth("train")} == {process.pid}


def test_reading_commands_change_no_byte(workshop: Workshop) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    workshop.run("-r", "-u")
    run = workshop.history()[0]["id"]

    def picture() -> dict[str, bytes]:
        files = (path for path in workshop.root.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(p): p.read_bytes() for p in files if not p.name.endswith(("-shm", "-wal"))}

    before = picture()
    for command in (["status"], ["plan"], ["history"], ["show", run], ["logs", run], ["why", "m.py"], ["fsck"]):
        status, text = workshop.run(*command)
        assert status == 0, (command, text)
    assert picture() == before


def test_the_ledger_can_be_rebuilt_from_run_directories(workshop: Workshop) -> None:
    workshop.model("m.py", "pass", TWO)
    workshop.list("m.py")
    workshop.run("-r", "-u")
    before = workshop.history()
    for path in workshop.outputs.glob("ledger-here.db*"):
        path.write_bytes(b"rubbish")
    assert workshop.run("status")[0] == 2
    status, text = workshop.run("fsck", "--rebuild")
    assert status == 0, text
    assert workshop.history() == before
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 2
