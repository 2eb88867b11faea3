"""Slurm's executor beside programs that refuse, hang, die in the middle, or talk nonsense."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.execution import slurm as slurm_executor
from mlpipeline.execution import slurm_sending
from mlpipeline.execution.executor import Life
from mlpipeline.execution.remote import Stage
from mlpipeline.execution.slurm import SlurmExecutor
from mlpipeline.project import Project

_PROGRAM = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/{name}.calls"
cat > "$here/{name}.input"
[ -e "$here/{name}.hang" ] && sleep 30
cat "$here/{name}.says" 2>/dev/null
cat "$here/{name}.errors" >&2 2>/dev/null
exit $(cat "$here/{name}.status" 2>/dev/null || echo 0)
"""


class Fake:
    """Programs with Slurm's names, which say what a test wants."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.bin.mkdir()
        for name in ("sbatch", "squeue", "scontrol", "scancel"):
            path = self.bin / name
            path.write_text(_PROGRAM.format(name=name))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self.root = root / "project"
        (self.root / "models").mkdir(parents=True)
        self.config()

    def config(self, more: str = "") -> None:
        text = "poll_seconds = 0.05\nunknown_seconds = 0.4\nlease_seconds = 6\nanswer_seconds = 20\n"
        (self.root / "mlp.config").write_text(f"[MLP]\nexecutor = slurm\n[SLURM]\n{text}{more}")

    def says(self, name: str, text: str = "", *, errors: str = "", status: int = 0) -> None:
        for suffix, content in (("says", text), ("errors", errors), ("status", str(status))):
            (self.bin / f"{name}.{suffix}").write_text(content)

    def calls(self, name: str) -> list[str]:
        path = self.bin / f"{name}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def executor(self) -> SlurmExecutor:
        return SlurmExecutor.for_project(Project.load(self.root))

    def attempt(self, token: str = "t", **more: Any) -> Path:
        directory = self.root / "models" / "outputs" / "runs" / token / "1"
        directory.mkdir(parents=True)
        spec = {"token": token, "executor": "slurm", "submitted_at": wire.utc_now(), "threads": 1, **more}
        (directory / wire.SPEC).write_text(json.dumps(spec))
        return directory


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setattr(slurm_sending, "_RETRY_SECONDS", 0.05)
    return made


@pytest.fixture
def slurm(fake: Fake) -> Iterator[SlurmExecutor]:
    made = fake.executor()
    yield made
    made.close()


def until(executor: SlurmExecutor, condition: Callable[[], Any]) -> list[str]:
    """Tends an executor until a condition holds. Returns what it said."""
    said = []
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"never: {said} {executor.reasons()}"
        said += [text for text, _ in executor.tend()]
        time.sleep(0.01)
    return said


def outcome(directory: Path) -> dict[str, Any]:
    return wire.read_json(directory / wire.OUTCOME) or {}


def send(executor: SlurmExecutor, *directories: Path) -> None:
    for each in directories:
        executor.submit(each)
    executor.flush()


def jobs_name(executor: SlurmExecutor) -> str:
    """Returns what Slurm lists the only batch as."""
    (batch,) = executor.batches.values()
    return batch.name


def test_many_are_one_array_and_its_script_finds_each(fake: Fake, slurm: SlurmExecutor) -> None:
    directories = [fake.attempt(f"t{number}") for number in range(5)]
    fake.says("sbatch", "77\n")
    send(slurm, *directories)
    until(slurm, lambda: not slurm.sender.unsent)
    (call,) = fake.calls("sbatch")
    assert "--array=0-4" in call
    assert "--no-requeue" in call
    (place,) = (fake.root / "models" / "outputs" / "slurm").iterdir()
    assert (place / "attempts").read_text().splitlines() == [str(each) for each in directories]
    assert f"{place}/attempts" in (fake.bin / "sbatch.input").read_text()
    assert json.loads((place / "batch.json").read_text())["job"] == "77"


def test_what_is_enough_to_begin_with_is_sent_before_the_rest_is_written(fake: Fake, slurm: SlurmExecutor) -> None:
    fake.says("sbatch", "7")
    for number in range(slurm_executor._EARLY - 1):
        slurm.submit(fake.attempt(f"t{number}"))
    assert not slurm.sender.unsent
    for number in range(slurm_executor._EARLY - 1, 2 * slurm_executor._EARLY):
        slurm.submit(fake.attempt(f"t{number}"))
    assert [len(each.directories) for each in slurm.sender.unsent] == [slurm_executor._EARLY]
    slurm.flush()
    until(slurm, lambda: not slurm.sender.unsent)
    assert [call.split("--array=")[1].split()[0] for call in fake.calls("sbatch")] == ["0-31", "0-31"]


def test_an_outcome_is_seen_before_slurm_says_so_while_others_end(fake: Fake) -> None:
    path = fake.root / "mlp.config"
    path.write_text(path.read_text().replace("poll_seconds = 0.05", "poll_seconds = 60"))
    slurm = fake.executor()
    fake.says("sbatch", "7")
    first, second = fake.attempt("first"), fake.attempt("second")
    for each in (first, second):
        slurm.submit(each)
    slurm.flush()
    until(slurm, lambda: not slurm.sender.unsent)
    fake.says("squeue", f"7|[0-1]|PENDING|Resources|N/A||{jobs_name(slurm)}")
    until(slurm, lambda: slurm.handed[second].sight.stage is Stage.WAITING)
    slurm.moved()
    for each in (first, second):
        wire.write_json(each / wire.OUTCOME, {"token": each.parent.name})
    before = len(fake.calls("squeue"))
    slurm.forget(first)
    assert slurm.look_seconds < slurm.patience.poll
    found: set[Path] = set()
    until(slurm, lambda: found.update(slurm.moved()) or second in found)
    assert slurm.handed[second].sight.stage is Stage.WAITING
    assert len(fake.calls("squeue")) - before <= 8  # by its own pace, not for each look
    slurm.close()


def test_what_began_unseen_and_ended_while_the_controller_is_away_is_seen(fake: Fake, slurm: SlurmExecutor) -> None:
    fake.says("sbatch", "7")
    directory = fake.attempt("brief")
    send(slurm, directory)
    until(slurm, lambda: not slurm.sender.unsent)
    fake.says("squeue", f"7|[0]|PENDING|Resources|N/A||{jobs_name(slurm)}")
    until(slurm, lambda: slurm.handed[directory].sight.stage is Stage.WAITING)
    fake.says("squeue", errors="Unable to contact slurm controller", status=1)
    until(slurm, lambda: slurm.trouble)
    slurm.moved()
    wire.write_json(directory / wire.OUTCOME, {"token": "brief"})
    found: set[Path] = set()
    until(slurm, lambda: found.update(slurm.moved()) or found)
    assert found == {directory}
    assert slurm.handed[directory].sight.stage is Stage.WAITING


def test_what_waits_as_before_is_not_looked_at_again(fake: Fake, slurm: SlurmExecutor) -> None:
    fake.says("sbatch", "7")
    directory = fake.attempt("waits")
    slurm.submit(directory)
    slurm.flush()
    until(slurm, lambda: not slurm.sender.unsent)
    fake.says("squeue", f"7|[0]|PENDING|Resources|N/A||{jobs_name(slurm)}")
    until(slurm, lambda: "first in line" in slurm.reasons().get(directory, ""))
    polls = len(fake.calls("squeue"))
    until(slurm, lambda: len(fake.calls("squeue")) > polls + 2)
    assert "first in line" in slurm.reasons()[directory]
    fake.says("squeue", f"7|[0]|PENDING|Priority|N/A||{jobs_name(slurm)}")
    until(slurm, lambda: "higher priority" in slurm.reasons()[directory])
    fake.says("squeue", f"7|0|RUNNING|None|N/A|n1|{jobs_name(slurm)}")
    until(slurm, lambda: slurm.handed[directory].sight.stage is Stage.RUNNING)


def test_what_differs_in_resources_is_not_in_one_array(fake: Fake, slurm: SlurmExecutor) -> None:
    fake.says("sbatch", "77\n")
    send(slurm, fake.attempt("a"), fake.attempt("b", gpus=2), fake.attempt("c"))
    until(slurm, lambda: not slurm.sender.unsent)
    assert sorted("--gres=gpu:2" in call for call in fake.calls("sbatch")) == [False, True]
    assert sorted(call.split("--array=")[1].split()[0] for call in fake.calls("sbatch")) == ["0-0", "0-1"]


def test_a_refusal_fails_the_attempt_and_names_the_key(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", errors="sbatch: error: invalid partition specified: none\n", status=1)
    send(slurm, directory)
    until(slurm, lambda: outcome(directory))
    assert (outcome(directory)["state"], outcome(directory)["cause"]) == ("failed", "refused")
    assert "`partition` in [SLURM]" in outcome(directory)["message"]
    assert directory in slurm.moved()


def test_a_controller_that_is_away_is_waited_for_and_said_once(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    away = "Unable to contact slurm controller (connect failure)"
    fake.says("sbatch", errors=away, status=1)
    send(slurm, directory)
    said = until(slurm, lambda: len(fake.calls("sbatch")) > 2)
    assert [text for text in said if "takes no jobs" in text] == [said[0]]
    assert away in slurm.reasons()[directory]
    fake.says("sbatch", "78\n")
    said = until(slurm, lambda: not slurm.sender.unsent)
    assert slurm.life(directory) is not Life.GONE
    assert not outcome(directory)


def test_what_was_sent_before_an_answer_was_lost_is_found_by_its_name(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", "nonsense\n")
    send(slurm, directory)
    until(slurm, lambda: fake.calls("sbatch"))
    batch = slurm.sender.unsent[0]
    fake.says("squeue", f"90|0|PENDING|Resources|N/A||{batch.name}\n")
    until(slurm, lambda: not slurm.sender.unsent)
    assert batch.job == "90"
    assert len(fake.calls("sbatch")) == 1
    until(slurm, lambda: slurm.life(directory) is Life.ALIVE)
    assert "waits for resources" in slurm.reasons()[directory]


def test_the_next_scheduler_finds_it_or_sends_it(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", errors="Unable to contact slurm controller", status=1)
    send(slurm, directory)
    until(slurm, lambda: fake.calls("sbatch"))
    slurm.close()
    fake.says("sbatch", "5\n")
    again = fake.executor()
    assert again.adopt(directory) is Life.UNKNOWN
    until(again, lambda: not again.sender.unsent)
    assert slurm.places[directory][0].token == again.places[directory][0].token
    again.close()


def test_a_job_that_slurm_does_not_know_is_lost_only_after_a_while(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", "5\n")
    send(slurm, directory)
    until(slurm, lambda: slurm.handed[directory].answered)
    assert slurm.life(directory) is Life.UNKNOWN
    until(slurm, lambda: slurm.life(directory) is Life.GONE)
    assert slurm.bury(directory, "t")
    assert outcome(directory)["state"] == "lost"
    assert "does not know it any more" in outcome(directory)["message"]


def test_an_unreachable_controller_is_no_answer(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", "5\n")
    send(slurm, directory)
    fake.says("squeue", errors="slurm_load_jobs error: Unable to contact slurm controller", status=1)
    until(slurm, lambda: len(fake.calls("squeue")) > 12)
    assert slurm.life(directory) is Life.UNKNOWN


def test_a_program_that_hangs_holds_nobody_up(fake: Fake) -> None:
    text = (fake.root / "mlp.config").read_text().replace("answer_seconds = 20", "answer_seconds = 0.3")
    (fake.root / "mlp.config").write_text(text)
    slurm = fake.executor()
    directory = fake.attempt()
    (fake.bin / "sbatch.hang").touch()
    began = time.monotonic()
    send(slurm, directory)
    slurm.tend()
    assert time.monotonic() - began < 20
    said = until(slurm, lambda: slurm.trouble)
    assert "did not answer within 0.3 s" in (slurm.trouble + " ".join(said))
    slurm.close()


def test_nonsense_of_squeue_is_said_and_loses_nothing(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", "5\n")
    send(slurm, directory)
    fake.says("squeue", "<html>gateway</html>\n")
    said = until(slurm, lambda: len(fake.calls("squeue")) > 12)
    assert any("cannot be read" in text for text in said)
    assert slurm.life(directory) is Life.UNKNOWN


def test_a_job_that_dies_before_it_begins_says_what_it_printed(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", "5\n")
    send(slurm, directory)
    batch = slurm.places[directory][0]
    batch.log(0).write_text("module: command not found\n")
    fake.says("squeue", f"5|0|FAILED|NonZeroExitCode|N/A|n1|{batch.name}\n")
    until(slurm, lambda: slurm.life(directory) is Life.GONE)
    assert slurm.bury(directory, "t")
    assert outcome(directory)["cause"] == "refused"
    assert "module: command not found" in outcome(directory)["message"]
    slurm.forget(directory)
    assert not (batch.place / "batch.json").exists()


def test_an_array_that_is_too_large_is_sent_in_parts(fake: Fake, slurm: SlurmExecutor) -> None:
    fake.says("sbatch", errors="Batch job submission failed: Invalid job array specification", status=1)
    send(slurm, *(fake.attempt(f"t{number}") for number in range(5)))
    until(slurm, lambda: len(fake.calls("sbatch")) >= 2)
    fake.says("sbatch", "6\n")
    until(slurm, lambda: not slurm.sender.unsent)
    assert slurm.sender.most < 5
    assert sum(len(each.directories) for each in slurm.batches.values()) == 5


def test_what_waits_is_cancelled_in_slurm_and_stays_out(fake: Fake, slurm: SlurmExecutor) -> None:
    directory = fake.attempt()
    fake.says("sbatch", "5\n")
    send(slurm, directory)
    batch = slurm.places[directory][0]
    fake.says("squeue", f"5|0|PENDING|Priority|N/A||{batch.name}\n")
    until(slurm, lambda: slurm.life(directory) is Life.ALIVE)
    slurm.ask(directory, "cancel")
    until(slurm, lambda: fake.calls("scancel"))
    assert fake.calls("scancel")[0] == "5_0"
    fake.says("squeue", f"5|N/A|CANCELLED|None|N/A||{batch.name}\n")
    until(slurm, lambda: slurm.life(directory) is Life.GONE)
    assert slurm.bury(directory, "t")
    assert outcome(directory)["state"] == "cancelled"


def test_without_slurm_it_says_where_to_start(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="sbatch is not on this machine's PATH"):
        fake.executor()


def test_a_faulty_section_is_said_at_the_start(fake: Fake) -> None:
    fake.config("partitoin = gpu\n")
    with pytest.raises(ConfigurationError, match="partition"):
        fake.executor()


def test_a_queue_within_a_job_hands_no_numbers_on(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "3")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    found = fake.executor().calls.variables
    assert "SLURM_NTASKS" not in found
    assert found["SLURM_CONF"] == "/etc/slurm.conf"
