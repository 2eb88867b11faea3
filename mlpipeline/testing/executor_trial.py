"""A small project whose attempts an executor is tried with."""

from __future__ import annotations

import json
import secrets
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline import wire
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import submission, wishes
from mlpipeline.queue.catalog import Catalog
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.studies import Studies
from mlpipeline.run import Run

if TYPE_CHECKING:
    from mlpipeline.queue.submission import Prepared

_MODEL = """
import json, os, random, time
from pathlib import Path
from mlpipeline.helper import DataLoader, Model
from mlpipeline.utils import Versions

ROOT = Path(__file__).resolve().parent.parent

class Loader(DataLoader):
    def get_train_input(self, mode=None, **kw): return "train"
    def get_test_input(self, **kw): return "test"
    def get_train_sample_count(self): return 10
    def get_test_sample_count(self): return 1

class Trial(Model):
    def train_model(self, input_fn, steps):
        run, kind = self.run, self.current_version["kind"]
        self.value = run.restore(lambda path: json.loads(path.read_text())) or 0.0
        row = {"version": run.version, "attempt": run.attempt, "from": run.checkpoint_step or 0, "pid": os.getpid()}
        with (ROOT / "truth.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\\n")
        print("training", run.version)
        if kind == "broken":
            raise ValueError("broken on purpose")
        for step in run.steps(total=steps):
            self.value = self.value * 0.5 + random.random()
            run.record(loss=self.value)
            run.checkpoint(lambda path: path.write_text(json.dumps(self.value)), name="state.json")
            if kind == "long":
                if (ROOT / "finish").exists():
                    break
                time.sleep(0.01)

    def evaluate_model(self, input_fn, steps):
        return {"value": self.value}

MODEL = Trial(
    Versions(0.1, Loader(), 1, 1)
    .add("quick", kind="quick").add("second", kind="quick").add("third", kind="quick")
    .add("long", kind="long", epochs=10**9).add("broken", kind="broken")
)
"""


class Trial:
    """A project with one model: versions that end at once, one that is broken, and one that goes on until `finish`.

    Args:
        root: where it is made; machines that train must see it.
        config: lines of `mlp.config` after `[MLP]`.
        executor: the name that specs carry.
        seconds: how long anything is waited for.
    """

    def __init__(self, root: Path, config: str, executor: str, seconds: float) -> None:
        self.root, self.seconds, self.executor = root, seconds, executor
        (root / "models").mkdir(parents=True)
        (root / "models" / "trial.py").write_text(_MODEL)
        (root / "models.config").write_text("[MLP]\n\n[WHITELISTED_MODELS]\ntrial.py\n\n[BLACKLISTED_MODELS]\n")
        (root / "mlp.config").write_text(f"[MLP]\nhost = here\ngrace_seconds = 2\n{config}")
        self.project = Project.load(root)
        for directory in (self.project.runs_dir, self.project.model_dirs, self.project.sources_dir):
            directory.mkdir(parents=True)
        self._describe()

    def _describe(self) -> None:
        listed = LiveSelection(self.project, (), testing=False, say=lambda *_: None, keep=False).current
        catalog = Catalog(self.project, keep=True)
        try:
            catalog.refresh(["trial.py"], {"trial.py": None})
            self.wait(lambda: catalog.collect() or not catalog.pending(["trial.py"]), "the model is described")
            with_studies = Studies(self.project, Ledger.in_memory(), testing=False).extended(listed, catalog.known)
            self.known = dict(with_studies)
        finally:
            catalog.close()
        assert self.known["trial.py"].fault is None, self.known["trial.py"].traceback
        self.wanted = {each.version: each for each in wishes.wanted(listed, self.known, testing=False)}

    def prepare(self, version: str, earlier: Run | None = None) -> Prepared:
        """Writes an attempt's directory, as the queue does before it hands it over."""
        occasion = submission.Occasion(
            project=self.project,
            invocation=secrets.token_hex(6),
            executor=self.executor,
            threads=1,
            fresh=False,
            testing=False,
        )
        wanted = self.wanted[version]
        prepared = submission.draft(occasion, wanted, self.known["trial.py"], earlier)
        submission.write(occasion, wanted, prepared)
        return prepared

    def truth(self, version: str | None = None) -> list[dict[str, Any]]:
        """Returns what the model says that happened: a row for each time that a training began."""
        path = self.root / "truth.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [row for row in rows if version in (None, row["version"])]

    def finish(self) -> None:
        """Has the version that goes on come to its end."""
        (self.root / "finish").touch()

    def wait(self, condition: Callable[[], Any], what: str, executor: Executor | None = None) -> Any:
        """Waits for a condition, tending an executor meanwhile.

        Raises:
            AssertionError: it never came true.
        """
        end = time.monotonic() + self.seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"never happened: {what}\n{self._story()}")
            _doze(executor)
        return value

    def _story(self) -> str:
        logs = [path for name in ("*.log", "outcome.json", "node.json") for path in self.project.runs_dir.rglob(name)]
        return "\n".join(f"{path}: {path.read_text('utf-8', 'replace')[-2000:]}" for path in logs)

    def outcome(self, executor: Executor, prepared: Prepared) -> dict[str, Any]:
        """Waits for an attempt's end as the queue does, and returns its outcome: written by it, or where it is lost by
        the executor."""
        directory, token = prepared.directory, prepared.attempt.token

        def ended() -> dict[str, Any] | None:
            found = wire.read_json(directory / wire.OUTCOME)
            if found is None and executor.life(directory) is Life.GONE:
                executor.bury(directory, token)
            return wire.read_json(directory / wire.OUTCOME)

        found: dict[str, Any] = self.wait(ended, f"{prepared.run.version} ends", executor)
        assert found["token"] == token
        return found


def _doze(executor: Executor | None) -> None:
    poll = select.poll()
    for descriptor in executor.descriptors() if executor is not None else ():
        poll.register(descriptor, select.POLLIN)
    poll.poll(10)
    if executor is not None:
        executor.tend()
