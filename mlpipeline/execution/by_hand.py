"""What is run by hand is a run too: its directory is written as the queue writes one, and the ledger takes it up."""

from __future__ import annotations

import logging
import math
import os
import secrets
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import mlpipeline.execution.by_hand_sources as finding
from mlpipeline import params, taking_up, wire
from mlpipeline.context import RunContext
from mlpipeline.errors import DiskFull, LedgerError, NotWritable
from mlpipeline.execution import fingerprint, provenance, snapshot
from mlpipeline.execution.limits import boot_id
from mlpipeline.project import Project
from mlpipeline.run import BY_HAND, Cause, State, new_run_id

VERSION = "by-hand"
"""What the version of such a run is called: it belongs to no collection of versions, and answers no wish."""
NO_MODEL_DIR = ".by-hand"
SEED = 0

_TESTS = "test"
"""The environment that `mlpipeline test` runs a project's own tests in: they are no experiments."""

_log = logging.getLogger(__name__)


# Of this process, not of a thread: a workflow may fit in several of them.
_enclosing: list[str] = []


def project_here(root: Path | None = None) -> Project | None:
    """Returns the project of a directory; None where nothing is recorded.

    That is where there is none, where a run that goes on already records it all, and in a project's own tests.

    Args:
        root: the project's directory; None looks for it from the working directory upwards.

    Raises:
        ConfigurationError: its mlp.config is faulty.
    """
    if "MLP_SUPERVISOR" in os.environ or _enclosing or os.environ.get("MLP_ENV") == _TESTS:
        return None
    found = Project.load(root)
    return found if found.config_found else None


@contextmanager
def enclosing(run_id: str) -> Iterator[None]:
    """Makes what is fitted meanwhile, in this process, a part of a run, as what is fitted in the queue's runs is."""
    _enclosing.append(run_id)
    try:
        yield
    finally:
        _enclosing.remove(run_id)


class Fit:
    """A fit by hand where there is no project: nothing is written.

    Attributes:
        run: what the model may ask of the system.
        directory: of the attempt; None here.
    """

    directory: Path | None = None

    def __init__(self, model: str) -> None:
        self.run = RunContext(model=model, version=VERSION, seed=SEED)

    @property
    def facts(self) -> dict[str, Any]:
        """What a saved model says of the fit that made it."""
        return {}

    def succeed(self, metrics: Mapping[str, Any], summaries: tuple[str, str], warnings: list[str]) -> None:
        """Notes that the fit came to its end, and what came of it."""

    def fail(self, error: BaseException) -> None:
        """Notes why the fit came to nothing."""


def begin(
    project: Project | None,
    model: Any,
    name: str | None,
    kinds: tuple[type, ...],
    parameters: dict[str, Any],
    version: str = VERSION,
    meanwhile: Callable[[], object] | None = None,
) -> Fit:
    """Begins a fit by hand.

    Args:
        project: whose run it is; None where nothing is to be written.
        model: what is fitted.
        name: of the model; None finds one: of the script whose MODEL it is, else of the one that defines the dataset.
        kinds: the classes that it is made of: where they are defined, the sources are.
        parameters: described, for the record.
        version: what the version of the run is called.
        meanwhile: is called in a thread of its own while the model learns, e.g. to import what saves it.

    Raises:
        NotWritable: the project's outputs cannot be written.
    """
    if project is None:
        return Fit(name or kinds[0].__name__)
    files = [path for path in (finding.script_of(model, project), *map(finding.file_of, kinds)) if path is not None]
    main, sources = finding.of(project, files, kinds)
    called = name or finding.name(project, main, kinds)
    return RecordedFit(project, called, (main, sources), parameters, version=version, meanwhile=meanwhile)


class RecordedFit(Fit):
    """What is run by hand in a project, from its directory to the ledger.

    Args:
        project: whose run it is.
        name: of the model.
        sources: the name of the main file, and the content of all files by their names.
        parameters: described, for the record.
        version: what it is called.
        model_dir: whether it gets a directory to keep things in.
        meanwhile: is called in a thread of its own.

    Raises:
        NotWritable: the project's outputs cannot be written.
    """

    def __init__(
        self,
        project: Project,
        name: str,
        sources: tuple[str, Mapping[str, bytes]],
        parameters: dict[str, Any],
        *,
        version: str = VERSION,
        model_dir: bool = False,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        self.project = project
        self._meanwhile = meanwhile
        self.began = datetime.now(UTC)
        self.parameters = parameters
        self.token = secrets.token_hex(16)
        self.model, self.version = name, version
        self.run_id = new_run_id(self.began, secrets.token_bytes(5))
        self.place = self.directory = project.runs_dir / self.run_id / "1"
        self.model_dir = self.place / "model_dir" if model_dir else None
        self._begin(*sources)
        # Asking git and listing the packages takes a while: that is done while the model learns.
        pool = ThreadPoolExecutor(1)
        self._collected = pool.submit(self._collect)
        pool.shutdown(wait=False)
        self.run = RunContext(
            model=self.model,
            version=version,
            directory=self.place,
            model_dir=self.model_dir,
            seed=SEED,
            run_id=self.run_id,
            params=parameters,
        )

    def _begin(self, main: str, files: Mapping[str, bytes]) -> None:
        project, directory = self.project, self.place
        try:
            for private in (project.runs_dir, project.requests_dir):
                wire.make_directory(private, 0o700)
            sources = snapshot.store(project.sources_dir, files, main)
            wire.make_directory(self.model_dir or directory)
            (directory / wire.SOURCES).symlink_to(os.path.relpath(sources.directory, directory))
            told = self._spec(sources.sha, fingerprint.code_digest(files, main))
            wire.write_json(directory / wire.SPEC, told, sync=True)
            self._announced = taking_up.Announced(project, self.run_id)
            begun = {"token": self.token, "started_at": self.began.isoformat(), "pid": os.getpid()}
            wire.write_json(directory / wire.STARTED, begun | {"boot_id": boot_id()})
        except OSError as error:
            raise NotWritable(
                f"{project.outputs_dir}: a run by hand is recorded there, and it cannot be written ({error.strerror}): "
                "mend its permissions, or set outputs_dir in mlp.config"
            ) from error

    def _spec(self, sources: str, code_digest: str) -> dict[str, Any]:
        project, began = self.project, self.began.isoformat()
        return {
            "format": 1,
            "run_id": self.run_id,
            "attempt": 1,
            "token": self.token,
            "model": self.model,
            "version": self.version,
            "mode": "execution",
            "replicate": 0,
            "seed": SEED,
            "sources": sources,
            "sources_path": os.path.relpath(project.sources_dir / sources, self.place),
            "root": os.path.relpath(project.root, self.place),
            "models_dir": os.path.relpath(project.models_dir, project.root),
            "model_dir": NO_MODEL_DIR,
            "params": self.parameters,
            "params_digest": params.digest(self.parameters),
            "code_digest": code_digest,
            "invocation": BY_HAND,
            "created_at": began,
            "submitted_at": began,
            "executor": BY_HAND,
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What a saved model says of the run that made it."""
        run = {"id": self.run_id, "model": self.model, "version": self.version, "attempt": 1}
        return {"run": run, "git": self._environment["git"] | {"diff": None}}

    def _collect(self) -> dict[str, Any]:
        if self._meanwhile is not None:
            self._meanwhile()
        return {**_here(), "git": provenance.git_state(self.project.root), "collected_at": wire.utc_now()}

    @property
    def _environment(self) -> dict[str, Any]:
        return self._collected.result()

    def succeed(self, metrics: Mapping[str, Any], summaries: tuple[str, str], warnings: list[str]) -> None:
        """Writes that it came to its end, and what came of it."""
        self._end(State.SUCCEEDED, Cause.NONE, "", metrics, summaries, warnings, None)

    def fail(self, error: BaseException) -> None:
        """Writes why it came to nothing."""
        stopped = isinstance(error, KeyboardInterrupt)
        told = {
            "type": type(error).__name__,
            "message": str(error),
            "traceback": "".join(traceback.format_exception(error)),
        }
        state, cause = (State.CANCELLED, Cause.INTERRUPTED) if stopped else (State.FAILED, Cause.EXCEPTION)
        message = "stopped by hand" if stopped else f"{type(error).__name__}: {error}"
        self._end(state, cause, message, {}, ("", ""), [], told)

    def _end(
        self,
        state: State,
        cause: Cause,
        message: str,
        metrics: Mapping[str, Any],
        summaries: tuple[str, str],
        warnings: list[str],
        error: dict[str, Any] | None,
    ) -> None:
        step = self.run.step
        shared = {"state": state, "cause": cause, "message": message, "metrics": _plain(metrics), "steps": step}
        result = shared | {"error": error, "model_summary": summaries[0], "loader_summary": summaries[1]}
        # With these, whoever finds the result without an outcome knows that it is this attempt's.
        result |= {"token": self.token, "warnings": [*self.run.notices, *warnings]}
        times = {"started_at": self.began.isoformat(), "ended_at": datetime.now(UTC).isoformat()}
        try:
            self.run.close()
            wire.write_json(self.place / wire.ENVIRONMENT, self._environment)
            wire.write_json(self.place / wire.RESULT, result)
            outcome = shared | times | {"token": self.token, "warnings": result["warnings"]}
            wire.write_json(self.place / wire.OUTCOME, outcome, sync=True)
            self._record()
        except (OSError, NotWritable, DiskFull, LedgerError) as trouble:
            # What was learnt must not be lost over the record of it.
            _log.error("this run is not in the history: %s. Its directory is %s", trouble, self.place)
        finally:
            self._announced.close()

    def _record(self) -> None:
        if not self._announced.record():
            _log.warning("run %s will be in the history when the scheduler looks next", self.run_id)


@cache
def _here() -> dict[str, Any]:
    """Returns interpreter, packages and machine, which stay the same as long as the process lives."""
    return provenance.environment({})


def _plain(metrics: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | str]]:
    """Returns metrics as JSON can hold them: what is no number as text, as in the queue."""
    return {
        part: {name: value if math.isfinite(value) else str(value) for name, value in of_part.items()}
        for part, of_part in metrics.items()
    }
