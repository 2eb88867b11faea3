"""What every Executor must do, as a class of tests to inherit."""

from __future__ import annotations

import contextlib
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline import wire
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.execution.inline import InlineExecutor
from mlpipeline.testing.executor_trial import Trial

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.submission import Prepared


class ExecutorContract(ABC):
    """Inherit it in a test module, as `class TestMyExecutor(ExecutorContract)`, and return an executor.

    What stands below as attributes and methods with an answer may be overridden.
    """

    name = "local"
    """What the executor is called in `mlp.config`."""
    config = ""
    """Further lines of `mlp.config`, also other sections."""
    seconds = 60.0
    """How long anything is waited for."""
    blocks = False
    """Whether `submit` returns only when the attempt has ended."""

    @abstractmethod
    def make_executor(self, project: Project) -> Executor:
        """Returns a new executor for a project, as a scheduler that starts would have it."""

    def root(self, tmp_path: Path) -> Path:
        """Returns where the project is made: a directory that is not there yet, and that all machines see."""
        return tmp_path / "project"

    def lose(self, executor: Executor, directory: Path) -> None:
        """Ends an attempt that runs, so hard that nothing of it can say so."""
        started = wire.read_json(directory / wire.STARTED) or {}
        os.kill(int(started["pid"]), signal.SIGKILL)

    def sever(self, executor: Executor, directory: Path) -> bool:
        """Has the engine forget an attempt whose processes live on, where that can be. Returns whether it can."""
        return False

    def processes(self, prepared: Prepared) -> list[int]:
        """Returns the processes that a running attempt has, as far as they are on this machine."""
        from mlpipeline.execution.limits import descendants

        supervisor = int((wire.read_json(prepared.directory / wire.STARTED) or {})["pid"])
        return [supervisor, *descendants(supervisor)]

    def trial(self, tmp_path: Path) -> Trial:
        """Makes the project."""
        return Trial(self.root(tmp_path), f"executor = {self.name}\n{self.config}", self.name, self.seconds)

    @contextlib.contextmanager
    def executor(self, trial: Trial) -> Iterator[Executor]:
        """Makes an executor and closes it."""
        made = self.make_executor(trial.project)
        try:
            yield made
        finally:
            made.close()

    def run(self, trial: Trial, executor: Executor, *versions: str) -> list[dict[str, Any]]:
        """Runs versions to their ends and returns their outcomes."""
        prepared = [trial.prepare(version) for version in versions]
        for each in prepared:
            executor.submit(each.directory)
        executor.flush()
        outcomes = [trial.outcome(executor, each) for each in prepared]
        for each in prepared:
            executor.forget(each.directory)
        return outcomes

    def begin(self, trial: Trial, executor: Executor, prepared: Prepared) -> None:
        """Hands the version over that goes on, and waits until it has made a checkpoint."""
        before = len(trial.truth("long"))
        executor.submit(prepared.directory)
        executor.flush()
        trial.wait(lambda: len(trial.truth("long")) > before, "it trains", executor)
        told = prepared.directory / wire.PROGRESS
        trial.wait(lambda: (wire.read_json(told) or {}).get("checkpoint_step"), "it makes checkpoints", executor)

    def test_it_runs_to_its_outcome(self, tmp_path: Path) -> None:
        """State, metrics, output and start are in the attempt's directory, under its token."""
        trial = self.trial(tmp_path)
        with self.executor(trial) as executor:
            (outcome,) = self.run(trial, executor, "quick")
        (directory,) = trial.project.runs_dir.glob("*/1")
        assert (outcome["state"], outcome["cause"]) == ("succeeded", "none"), outcome
        assert outcome["metrics"]["test"]["value"] > 0
        assert outcome["ended_at"] >= outcome["started_at"]
        assert (wire.read_json(directory / wire.STARTED) or {})["token"] == outcome["token"]
        assert [row["attempt"] for row in trial.truth()] == [1]
        if not self.blocks:  # else it prints where its scheduler does
            assert "training quick" in (directory / wire.OUTPUT).read_text()

    def test_what_the_code_raises_is_the_outcome(self, tmp_path: Path) -> None:
        """An exception is a failure with its message; nothing is lost."""
        trial = self.trial(tmp_path)
        with self.executor(trial) as executor:
            (outcome,) = self.run(trial, executor, "broken")
        assert (outcome["state"], outcome["cause"]) == ("failed", "exception")
        assert "broken on purpose" in outcome["message"]

    def test_many_at_once_run_once_each(self, tmp_path: Path) -> None:
        """What is submitted together begins, each attempt once, whatever the others do."""
        trial = self.trial(tmp_path)
        versions = ("quick", "broken", "second", "third")
        with self.executor(trial) as executor:
            outcomes = self.run(trial, executor, *versions)
        assert [each["state"] for each in outcomes] == ["succeeded", "failed", "succeeded", "succeeded"]
        assert sorted(row["version"] for row in trial.truth()) == sorted(versions)

    def test_results_are_those_of_any_other_executor(self, tmp_path: Path) -> None:
        """The same seed gives the same metrics here and in this process."""
        trial = self.trial(tmp_path)
        with self.executor(trial) as executor:
            (here,) = self.run(trial, executor, "quick")
        prepared = trial.prepare("quick")
        for path in trial.project.model_dirs.iterdir():
            path.rename(path.with_name(f"{path.name}.before"))
        InlineExecutor().submit(prepared.directory)
        assert (wire.read_json(prepared.directory / wire.OUTCOME) or {})["metrics"] == here["metrics"]

    def test_it_lives_until_it_ends(self, tmp_path: Path) -> None:
        """It is alive while it trains, and what waits to begin says why, if anything is said."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("long")
        with self.executor(trial) as executor:
            self.begin(trial, executor, prepared)
            trial.wait(lambda: executor.life(prepared.directory) is Life.ALIVE, "it is alive", executor)
            assert set(executor.reasons()) <= {prepared.directory}
            trial.finish()
            assert trial.outcome(executor, prepared)["state"] == "succeeded"
            trial.wait(lambda: executor.life(prepared.directory) is not Life.ALIVE, "it is not alive", executor)
            executor.forget(prepared.directory)
            assert prepared.directory not in executor.reasons()

    def test_a_cancelled_one_ends(self, tmp_path: Path) -> None:
        """Its processes are gone when its outcome says so."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("long")
        with self.executor(trial) as executor:
            self.begin(trial, executor, prepared)
            worker = trial.truth("long")[-1]["pid"]
            executor.ask(prepared.directory, "cancel")
            outcome = trial.outcome(executor, prepared)
            executor.forget(prepared.directory)
        assert (outcome["state"], outcome["cause"]) == ("cancelled", "cancelled")
        assert not _lives(worker)

    def test_one_that_makes_room_goes_on_from_its_checkpoint(self, tmp_path: Path) -> None:
        """`yield` ends it after a checkpoint; its next attempt begins there."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("long")
        with self.executor(trial) as executor:
            self.begin(trial, executor, prepared)
            executor.ask(prepared.directory, "yield")
            first = trial.outcome(executor, prepared)
            executor.forget(prepared.directory)
            again = trial.prepare("long", prepared.run)
            trial.finish()
            executor.submit(again.directory)
            executor.flush()
            second = trial.outcome(executor, again)
        assert first["state"] == "yielded", first
        assert second["state"] == "succeeded", second
        assert [row["attempt"] for row in trial.truth("long")] == [1, 2]
        assert trial.truth("long")[1]["from"] == first["checkpoint_step"] > 0

    def test_the_next_scheduler_takes_it_up(self, tmp_path: Path) -> None:
        """An executor that is closed leaves its attempts alone; another one follows them to their ends."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("long")
        with self.executor(trial) as executor:
            self.begin(trial, executor, prepared)
        with self.executor(trial) as executor:
            assert executor.adopt(prepared.directory) is not Life.GONE
            trial.wait(lambda: executor.life(prepared.directory) is Life.ALIVE, "it is found alive", executor)
            trial.finish()
            assert trial.outcome(executor, prepared)["state"] == "succeeded"
            executor.forget(prepared.directory)
        assert len(trial.truth("long")) == 1

    def test_one_that_is_lost_is_buried_and_tried_again(self, tmp_path: Path) -> None:
        """Nothing of it is left when it is called lost; its next attempt goes on from its checkpoint."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("long")
        with self.executor(trial) as executor:
            self.begin(trial, executor, prepared)
            worker = trial.truth("long")[-1]["pid"]
            self.lose(executor, prepared.directory)
            first = trial.outcome(executor, prepared)
            assert not _lives(worker)
            executor.forget(prepared.directory)
            trial.finish()
            again = trial.prepare("long", prepared.run)
            executor.submit(again.directory)
            executor.flush()
            second = trial.outcome(executor, again)
        assert first["state"] == "lost", first
        assert second["state"] == "succeeded", second
        assert trial.truth("long")[1]["from"] > 0

    def test_what_was_given_up_never_begins(self, tmp_path: Path) -> None:
        """An engine may start a job long after it was given up: then it does nothing."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("quick")
        with self.executor(trial) as executor:
            assert executor.bury(prepared.directory, prepared.attempt.token)
            before = (prepared.directory / wire.OUTCOME).read_bytes()
            executor.submit(prepared.directory)
            executor.flush()
            trial.wait(lambda: executor.life(prepared.directory) is Life.GONE, "it goes away", executor)
        assert b'"lost"' in before
        assert (prepared.directory / wire.OUTCOME).read_bytes() == before
        assert trial.truth() == []

    def test_a_late_ghost_writes_nothing(self, tmp_path: Path) -> None:
        """One that was cut off and given up, and comes back, ends at once: another attempt has its place."""
        if self.blocks:
            return
        trial = self.trial(tmp_path)
        prepared = trial.prepare("long")
        with self.executor(trial) as executor:
            self.begin(trial, executor, prepared)
            ghosts = self.processes(prepared)
            for pid in ghosts:
                os.kill(pid, signal.SIGSTOP)
            if not self.sever(executor, prepared.directory):
                self._wake(ghosts)
                executor.ask(prepared.directory, "cancel")
                trial.outcome(executor, prepared)
                return
            outcome = trial.outcome(executor, prepared)
            (model_dir,) = trial.project.model_dirs.iterdir()
            before = (model_dir / "checkpoint.json").read_bytes()
            self._wake(ghosts)
            trial.wait(lambda: not any(_lives(pid) for pid in ghosts), "the ghosts are gone", executor)
        assert outcome["state"] == "lost"
        assert wire.read_json(prepared.directory / wire.OUTCOME) == outcome
        assert (model_dir / "checkpoint.json").read_bytes() == before

    def _wake(self, pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _lives(pid: int) -> bool:
    from mlpipeline.execution.limits import start_ticks

    return start_ticks(pid) is not None
