"""The saved models of a project: what successful runs left, by the name of their model: the best, the latest, one."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpipeline import pins
from mlpipeline.config_text import near_miss
from mlpipeline.errors import ArtefactError, RunNotFound, UsageError
from mlpipeline.learning import manifest
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import State
from mlpipeline.rundir import AttemptDir

FOLDER = "artefact"
"""The directory of a saved model within that of its attempt."""
BEST, LATEST = "best", "latest"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved model that a successful run left.

    Attributes:
        name: of the model: its script without the suffix.
        manifest: what `manifest.read` gave; the files that it names were not compared.
    """

    name: str
    version: str
    run_id: str
    attempt: int
    path: Path
    manifest: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Tells saved models apart: it covers everything in them."""
        return str(self.manifest["digest"])

    @property
    def metric(self) -> str | None:
        """What models are selected by."""
        return (self.manifest.get("metric") or {}).get("name")

    @property
    def greater_is_better(self) -> bool:
        """The direction of the metric."""
        return bool((self.manifest.get("metric") or {}).get("greater_is_better"))

    def value(self, metric: str | None = None) -> float | None:
        """Returns a score on the validation split, by default its metric; None where it was not measured."""
        found = (self.manifest["metrics"].get("validation") or {}).get(metric or self.metric)
        return None if found is None else float(found)

    @property
    def order(self) -> tuple[str, str, int]:
        """Sorts from old to new, by when it was saved."""
        return str(self.manifest["created_at"]), self.run_id, self.attempt


@dataclass(slots=True)
class Shelf:
    """The saved models of a project, looked at anew whenever it is asked; manifests are read again where they changed.

    Attributes:
        faults: by path, what is wrong with models that were left out at the last look.
    """

    project: Project
    faults: dict[Path, str] = field(default_factory=dict)
    _read: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = field(default_factory=dict)

    def models(self, name: str | None = None) -> list[Saved]:
        """Returns all saved models, or those of one name, newest first. A damaged one is left out, and logged once.

        Raises:
            LedgerDamaged, LedgerTooNew: the ledger cannot be read.
        """
        paths = sorted(self.project.runs_dir.glob(f"*/*/{FOLDER}/{manifest.NAME}"))
        seen = {path.parent for path in paths}
        self.faults = {path: why for path, why in self.faults.items() if path in seen}
        self._read = {path: read for path, read in self._read.items() if path in seen}
        with closing(Ledger.open_readonly(self.project.ledger_path)) as ledger:
            found = [self._saved(ledger, path.parent) for path in paths]
        kept = [each for each in found if each is not None and name in (None, each.name)]
        return sorted(kept, key=lambda each: each.order, reverse=True)

    def names(self) -> list[str]:
        """Returns the names of the models that have been saved."""
        return sorted({each.name for each in self.models()})

    def choose(self, name: str, which: str = BEST, without: Container[str] = ()) -> Saved:
        """Returns one saved model.

        Args:
            name: of the model, with or without the suffix of its script.
            which: "best" by its metric on the validation split, "latest", or the beginning of a run's id.
            without: digests of models that are neither the best nor the latest, as long as there is another one.

        Raises:
            UsageError: there is none.
        """
        listed = self.models()
        name = _bare(name)
        of_name = [each for each in listed if each.name == name]
        if not of_name:
            names = sorted({each.name for each in listed})
            raise UsageError(
                f"there is no saved model '{name}'.{near_miss(name, names)} Saved: {', '.join(names) or 'none'}. "
                f"A run of an EstimatorModel that succeeds leaves one, by hand: mlpipeline fit{self._left_out()}"
            )
        if which not in (BEST, LATEST):
            return _of_run(of_name, name, which)
        others = [each for each in of_name if each.digest not in without] or of_name
        return others[0] if which == LATEST else best(others)

    def _left_out(self) -> str:
        return "".join(f"\nleft out: {why}" for why in self.faults.values())

    def _saved(self, ledger: Ledger, path: Path) -> Saved | None:
        found = _run_of(ledger, path.parent)
        if found is None:
            return None
        try:
            told = self._manifest(path)
        except ArtefactError as error:
            if self.faults.get(path) != str(error):
                _log.warning("left out: %s", error)
            self.faults[path] = str(error)
            return None
        self.faults.pop(path, None)
        model, version = found
        run, attempt = path.parent.parent.name, int(path.parent.name)
        return Saved(name=_bare(model), version=version, run_id=run, attempt=attempt, path=path, manifest=told)

    def _manifest(self, path: Path) -> dict[str, Any]:
        try:
            facts = (path / manifest.NAME).stat()
        except FileNotFoundError:
            raise ArtefactError(f"{path}: is gone: take another run (mlpipeline history), or train again") from None
        mark = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        if path not in self._read or self._read[path][0] != mark:
            self._read[path] = mark, manifest.read(path)
        return self._read[path][1]


def best(models: Iterable[Saved]) -> Saved:
    """Returns the best of saved models, by the metric of the newest; where none has a value, the newest.

    Of several that are equally good it is the newest, too.
    """
    listed = sorted(models, key=lambda each: each.order)
    newest = listed[-1]
    valued = [(each.value(newest.metric), each) for each in listed] if newest.metric else []
    sign = 1.0 if newest.greater_is_better else -1.0
    ranked = [(sign * value, each) for value, each in valued if value is not None]
    return max(ranked, key=lambda pair: (pair[0], pair[1].order))[1] if ranked else newest


def pin(project: Project, saved: Saved, reason: str) -> None:
    """Has the run of a saved model kept whole by `mlpipeline gc`, for one more reason."""
    pins.pin(project, saved.run_id, reason)


def unpin(project: Project, saved: Saved, reason: str) -> None:
    """Takes such a reason back."""
    pins.unpin(project, saved.run_id, reason)


def _of_run(models: list[Saved], name: str, which: str) -> Saved:
    found = [each for each in models if each.run_id.startswith(which)]
    if not found:
        known = ", ".join(each.run_id for each in models[:5])
        raise UsageError(f"'{which}' is neither best, latest, nor a run of '{name}' with a saved model: {known}")
    if len({each.run_id for each in found}) > 1:
        raise UsageError(f"several runs begin with '{which}': give more of the id")
    return found[0]


def _run_of(ledger: Ledger, directory: Path) -> tuple[str, str] | None:
    """Returns model and version of an attempt that succeeded; None of every other.

    What the ledger knows counts. What it does not know, as the runs of other hosts, says itself how it ended.
    """
    if not directory.name.isdecimal():
        return None
    try:
        run = ledger.run(directory.parent.name)
    except (RunNotFound, UsageError):
        return _told_by_itself(AttemptDir(directory))
    states = {attempt.number: attempt.state for attempt in run.attempts}
    return (run.model, run.version) if states.get(int(directory.name)) is State.SUCCEEDED else None


def _told_by_itself(attempt: AttemptDir) -> tuple[str, str] | None:
    try:
        spec, outcome = attempt.spec, attempt.outcome
    except ValueError:
        return None
    if spec is None or outcome is None or outcome.state is not State.SUCCEEDED:
        return None
    return spec.model, spec.version


def _bare(name: str) -> str:
    return name.removeprefix("./").removesuffix(".py").removesuffix(".yaml")
