"""One version of one model trained now, in the foreground: prepared, supervised and recorded as any run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlpipeline import params, plugins, taking_up, wire
from mlpipeline.errors import ModelFault, NotWritable, UsageError
from mlpipeline.execution import machine
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.failpoints import reach
from mlpipeline.filesystems import remedy
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import submission, wishes
from mlpipeline.queue.catalog import Catalog, Description
from mlpipeline.queue.launch import check_selection
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.studies import Studies
from mlpipeline.queue.submission import Prepared
from mlpipeline.queue.verdicts import Wanted
from mlpipeline.run import BY_HAND
from mlpipeline.rundir import AttemptDir, Outcome
from mlpipeline.selection import Selection

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What can be trained: a model, as it is described now."""

    project: Project
    selection: Selection
    description: Description

    @property
    def python(self) -> str | None:
        """The model's own interpreter, where it has one."""
        return self.selection.models[0].options.python

    def version(self, name: str) -> str:
        """Returns the name of a version; without one, the first.

        Raises:
            UsageError: there is none of this name, or none at all.
        """
        from mlpipeline.config_text import near_miss

        names = [each.name for each in self.description.versions]
        if not names:
            raise UsageError(f"{self.description.model} has no version yet: add one, or have trials drawn first")
        if name and name not in names:
            told = f"{self.description.model} has no version '{name}'.{near_miss(name, names)}"
            raise UsageError(f"{told} It has: {', '.join(names)}")
        return name or names[0]


def target(project: Project, model: str) -> Target:
    """Describes a model, in a child process, and copies its sources.

    Raises:
        ModelFault: it cannot be used; the message says why.
        ConfigurationError: there is no such model.
        NotWritable: the project's outputs cannot be written.
    """
    live = LiveSelection(project, (model,), testing=False, say=lambda *_: None, keep=False)
    check_selection(live)
    try:
        for directory in (project.outputs_dir, project.model_dirs, project.sources_dir):
            wire.make_directory(directory)
        for private in (project.runs_dir, project.requests_dir):
            wire.make_directory(private, 0o700)
    except OSError as error:
        raise NotWritable(
            f"{project.outputs_dir}: cannot be written ({error.strerror}): mend its permissions"
        ) from error
    listed = live.current.models[0]
    if listed.fault is not None:
        raise ModelFault(listed.fault)
    catalog = Catalog(project, keep=True)
    try:
        catalog.refresh([listed.model], {listed.model: listed.options.python})
        while catalog.pending([listed.model]):
            time.sleep(_POLL_SECONDS)
            catalog.collect()
        known = Studies(project, Ledger.in_memory(), testing=False).extended(live.current, catalog.known)
    finally:
        catalog.close()
    description = known[listed.model]
    if description.fault is not None:
        raise ModelFault(description.fault)
    return Target(project=project, selection=live.current, description=description)


class Fit:
    """A run that is trained while somebody looks on.

    Args:
        target: what is trained.
        version: which of its versions.
        changes: parameters that have other values.
    """

    def __init__(self, target: Target, version: str, changes: Mapping[str, Any]) -> None:
        self.target, self.project = target, target.project
        self.changes = {"epoc_count" if name == "epochs" else name: value for name, value in changes.items()}
        self.prepared = self._prepare(version)
        self.directory = AttemptDir(self.prepared.directory)
        self.executor: Executor = plugins.load("executor", "local").for_project(self.project)
        self.announced: taking_up.Announced | None = None

    def _prepare(self, version: str) -> Prepared:
        project = self.project
        wanted = self._wanted(version)
        occasion = submission.Occasion(
            project=project,
            invocation=BY_HAND,
            executor=BY_HAND,
            threads=project.settings.threads or machine.cores(),
            fresh=True,
            testing=False,
        )
        drafted = submission.draft(occasion, wanted, self.target.description, None)
        values = {name: params.describe(each) for name, each in self.changes.items()}
        told = {name: each for name, each in {**wanted.params, **values}.items() if each is not None}
        attempt = replace(drafted.attempt, changes=self.changes)
        run = replace(drafted.run, params=told, params_digest=params.digest(told), attempts=(attempt,))
        prepared = replace(drafted, run=run, attempt=attempt)
        try:
            submission.write(occasion, wanted, prepared)
        except OSError as error:
            raise NotWritable(f"{prepared.directory}: cannot be written {remedy(error, prepared.directory)}") from error
        return prepared

    def _wanted(self, version: str) -> Wanted:
        known = {self.target.description.model: self.target.description}
        found = wishes.wanted(self.target.selection, known, testing=True)
        wanted = next(each for each in found if each.version == version)
        # A directory of its own: what the queue has trained stays what it is.
        name = f"{version}~by-hand-{secrets.token_hex(4)}"
        return replace(wanted, model_dir=submission.model_dir_name(wanted.model, name, None, 0))

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.prepared.run.id

    def start(self) -> None:
        """Starts to train, in a process of its own. That it is to be recorded is on disk before.

        Raises:
            NotWritable: that cannot be written: nothing was started.
        """
        reach("fit.prepared")
        self.announced = taking_up.Announced(self.project, self.run_id)
        reach("fit.announced")
        self.executor.submit(self.directory.path)
        reach("fit.started")

    def wait(self, show: Callable[[str], None]) -> Outcome:
        """Waits for the end, and shows meanwhile what the run prints.

        Raises:
            KeyboardInterrupt: somebody wants it to end: see `ask`.
        """
        shown = 0
        while True:
            outcome = self._outcome()
            text = _since(self.directory.output_log, shown)
            shown += len(text)
            if text:
                show(text.decode("utf-8", "replace"))
            if outcome is not None:
                self.executor.forget(self.directory.path)
                return outcome
            self.executor.tend()
            time.sleep(_POLL_SECONDS)

    def _outcome(self) -> Outcome | None:
        if self.directory.outcome is None and self.executor.life(self.directory.path) is Life.GONE:
            self.executor.bury(self.directory.path, self.prepared.attempt.token)
        return self.directory.outcome

    def ask(self, action: str) -> None:
        """Asks the run to `stop` after this step, or has it ended (`cancel`)."""
        self.executor.ask(self.directory.path, action)

    def record(self) -> bool:
        """Has the run recorded. Returns whether it is already; else the next scheduler does it."""
        return self.announced is not None and self.announced.record()

    def close(self) -> None:
        """Releases everything."""
        self.executor.close()
        if self.announced is not None:
            self.announced.close()


def _since(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""
