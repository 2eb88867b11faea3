"""Every cause, provoked for real: what the record says, and what the queue does about it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Workshop

IN_CI = bool(os.environ.get("CI"))
EAT = """
import time
kept = []
for step in self.run.steps(total=400):
    kept.append(bytearray(os.urandom(1 << 20)) * 4)
    self.run.record(step_loss=0.5)
time.sleep(600)
"""
ENDLESS = """
import time
for step in self.run.steps(total=10**9):
    self.run.record(loss=1.0 / (1 + step))
    time.sleep(0.001)
"""
PROVOKED: dict[str, tuple[str, str, str, str]] = {
    # cause: body, state, what the message says, settings
    "exception": ("for _ in self.run.steps(total=9):\n    if self.run.step == 4: raise ValueError('boom')",
                  "failed", "ValueError: boom (models/m.py:6), at step 4", ""),
    "exit": ("os._exit(3)", "failed", "exit status 3", ""),
    "segmentation_fault": ("import ctypes; ctypes.string_at(0)", "failed", "SIGSEGV", ""),
    "time_limit": (ENDLESS, "failed", "timeout_seconds = 1", "timeout_seconds = 1\n"),
    "nan": ("for _ in self.run.steps(total=9):\n    self.run.record(loss=float('nan') if self.run.step == 3 else 1.0)",
            "failed", "loss is nan at step 3", "on_nan = fail\n"),
    "disk_full": ("raise OSError(28, 'No space left on device', 'weights')", "failed", "No space left", ""),
    "cuda_out_of_memory": ("raise RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB')",
                           "failed", "CUDA out of memory", ""),
    "out_of_memory": ("bytearray(1 << 50)", "failed", "MemoryError", ""),
}  # fmt: skip


def last(workshop: Workshop) -> dict[str, Any]:
    return workshop.history()[0]


@pytest.mark.parametrize("cause", PROVOKED)
def test_a_cause_is_told_by_what_happened(workshop: Workshop, cause: str) -> None:
    body, state, says, settings = PROVOKED[cause]
    workshop.config(settings)
    workshop.model("m.py", body, 'Versions(0.1, Loader(), 2, 1).add("one")')
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    found = last(workshop)
    assert (found["state"], found["cause"].value) == (state, cause)
    assert says in found["message"]
    assert found["peak_memory_bytes"] > 0
    assert (found["exit_code"] is None) != (found["signal"] is None)
    assert says.split(",")[0] in workshop.run("why", "m.py")[1]
    assert len(workshop.truth("train")) == 1
    assert workshop.run("-r", "-u")[0] == 1
    assert len(workshop.truth("train")) == 1


def test_an_import_error_after_the_description_is_told(workshop: Workshop) -> None:
    workshop.model("m.py", "import no_such_module")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    assert last(workshop)["cause"].value == "import_error"
    assert "no_such_module" in last(workshop)["message"]


def groups(workshop: Workshop) -> list[Path]:
    """Control groups of the runs of this project; those of other tests may be there at the same time."""
    names = {f"mlpipeline-{attempt['token'][:16]}" for run in workshop.history() for attempt in run["attempts"]}
    return [path for path in Path("/sys/fs/cgroup").rglob("mlpipeline-*") if path.name in names]


@pytest.mark.parametrize("how", ["sum", "cgroup"])
def test_a_run_that_breaks_its_memory_limit_is_ended_and_says_so(workshop: Workshop, how: str) -> None:
    if how == "cgroup" and not can_make_groups():
        if IN_CI:
            pytest.fail("CI must be able to make control groups")
        pytest.skip("control groups for memory cannot be made here")
    workshop.config(f"memory_limit = 300MB\nmemory_limit_by = {how}\n")
    workshop.model("m.py", EAT)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    found = last(workshop)
    assert (found["state"], found["cause"].value, found["signal"]) == ("failed", "memory_limit", signal.SIGKILL)
    assert "memory_limit = 286 MiB" in found["message"]
    assert 150e6 < found["peak_memory_bytes"] < 500e6
    assert "held" in workshop.run("plan")[1]
    assert workshop.left_behind() == []
    assert groups(workshop) == []


def can_make_groups() -> bool:
    from mlpipeline.execution.memory import Group

    pid = os.fork()
    if pid == 0:
        group = Group.make("mlpipeline-probe", 1 << 30)
        if group is not None:
            group.remove()
        os._exit(0 if group is not None else 1)
    return os.waitpid(pid, 0)[1] == 0


def test_address_space_can_be_limited_where_it_is_asked_for(workshop: Workshop) -> None:
    workshop.config("memory_limit = 400MB\nmemory_limit_by = address_space\n")
    workshop.model("m.py", "bytearray(1 << 29)")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    assert last(workshop)["cause"].value == "out_of_memory"


def test_after_a_memory_error_one_attempt_is_made_with_the_stated_change(workshop: Workshop) -> None:
    workshop.config("on_oom = batch_size/2\n")
    workshop.model("m.py", "truth(f'batch {self.current_version.batch_size}', 'one')\nraise MemoryError('no more')",
                   'Versions(0.1, Loader(), 8, 1).add("one")')  # fmt: skip
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    assert [row["event"] for row in workshop.truth() if "batch" in row["event"]] == ["batch 8", "batch 4"]
    found = last(workshop)
    assert [dict(each["changes"]) for each in found["attempts"]] == [{}, {"batch_size": 4}]
    assert "start m.py:one with batch_size = 4" in workshop.output()
    item = workshop.json("plan")["items"][0]
    assert item["verdict"] == "held"
    assert workshop.run("fsck")[0] == 0


def test_a_model_may_have_policies_of_its_own(workshop: Workshop) -> None:
    workshop.model("again.py", "raise ValueError('flaky')")
    workshop.model("held.py", "raise ValueError('no')")
    workshop.list("again.py = on_exception=retry, max_attempts=2", "held.py = on_exception=hold")
    assert workshop.run("-r", "-u")[0] == 1
    found = {run["model"]: run for run in workshop.history()}
    assert {model: len(run["attempts"]) for model, run in found.items()} == {"again.py": 2, "held.py": 1}
    verdicts = {item["model"]: item["verdict"] for item in workshop.json("plan")["items"]}
    assert verdicts == {"again.py": "gave_up", "held.py": "held"}


def test_what_is_killed_from_outside_is_tried_again_and_says_at_which_step(workshop: Workshop) -> None:
    workshop.model("m.py", ENDLESS)
    workshop.list("m.py = max_attempts=1")
    queue = workshop.start("-r", "-u")
    progress = workshop.until(lambda: list(workshop.outputs.glob("runs/*/1/progress.json")), "it tells its step")
    workshop.until(lambda: '"step": 0' not in Path(progress[0]).read_text(), "it has made a step")
    os.kill(workshop.truth("train")[0]["pid"], signal.SIGKILL)
    assert queue.wait(60) == 1
    found = last(workshop)
    assert (found["state"], found["cause"].value, found["signal"]) == ("lost", "killed", signal.SIGKILL)
    assert ", at step " in found["message"]


def test_figures_that_are_no_numbers_are_a_warning_by_default(workshop: Workshop) -> None:
    workshop.model("m.py", "for _ in self.run.steps(total=3):\n    self.run.record(loss=float('inf'))")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    assert "loss is inf at step 1" in workshop.run("show", "m.py")[1]


def test_output_is_bounded_and_its_end_is_kept(workshop: Workshop) -> None:
    workshop.config("output_limit = 100kB\n")
    workshop.model("m.py", "for n in range(100000): print('line', n)")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    (log,) = workshop.outputs.glob("runs/*/1/output.log")
    text = log.read_text()
    assert len(text) < 200_000
    assert text.startswith("line 0\n")
    assert "\nline 99999\n" in text
    assert "bytes were left out: output_limit = 100000" in text


def test_a_faulty_policy_names_its_line(workshop: Workshop) -> None:
    workshop.config("on_oom = smaller\non_nan = batch_size/0\n")
    code, told = workshop.run("-r", "-u")
    assert code == 2
    assert "mlp.config:4: on_oom = smaller: must be retry, hold, fail, or a change such as batch_size/2" in told
    assert "mlp.config:5: on_nan" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, 40])
def test_a_signal_from_outside_is_told_also_one_without_a_name(workshop: Workshop, number: int) -> None:
    workshop.model("m.py", f"signal.signal({number}, signal.SIG_DFL)\nos.kill(os.getpid(), {number})")
    text = (workshop.models / "m.py").read_text()
    (workshop.models / "m.py").write_text(f"import signal\n{text}")
    workshop.list("m.py = max_attempts=1")
    assert workshop.run("-r", "-u")[0] == 1
    found = last(workshop)
    assert (found["state"], found["cause"].value, found["signal"]) == ("lost", "killed", number)


def test_a_control_group_goes_with_its_run(workshop: Workshop) -> None:
    if not can_make_groups():
        pytest.skip("control groups for memory cannot be made here")
    workshop.config("memory_limit = 300MB\nmemory_limit_by = cgroup\n")
    workshop.model("m.py", "print(open('/proc/self/cgroup').read())")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    (output,) = workshop.outputs.glob("runs/*/1/output.log")
    inside = [line.split(":", 2)[2] for line in output.read_text().splitlines() if "mlpipeline-" in line]
    assert len(inside) == 1
    (run,) = workshop.history()
    assert inside[0].rpartition("/")[2] == f"mlpipeline-{run['token'][:16]}"
    assert groups(workshop) == []


def test_what_is_held_after_it_was_killed_stands_failed(workshop: Workshop) -> None:
    workshop.config("on_killed = hold\n")
    workshop.model("m.py", "os.kill(os.getpid(), 9)")
    workshop.list("m.py")
    assert [workshop.run("-r", "-u")[0] for _ in range(2)] == [1, 1]
    assert len(workshop.truth("train")) == 1
    assert "held" in workshop.run("plan")[1]


def test_a_change_that_changes_nothing_is_no_reason_to_try_again(workshop: Workshop) -> None:
    workshop.config("on_oom = batch_size/2\n")
    workshop.model("m.py", "raise MemoryError('no more')", 'Versions(0.1, Loader(), 1, 1).add("one")')
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 1
    assert len(workshop.truth("train")) == 1
    assert "held" in workshop.run("plan")[1]
