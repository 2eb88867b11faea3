"""What a fitted model leaves in the directory of its run: the model itself, its learning curves, facts on the data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from mlpipeline import errors, event_files, wire
from mlpipeline.context import RunContext
from mlpipeline.data.dataset import Dataset
from mlpipeline.data.streaming import Streaming
from mlpipeline.learning import data_facts
from mlpipeline.learning.estimator import Estimator

ARTEFACT = "artefact"


def prepare() -> None:
    """Imports what saves a model, and asks for the versions of libraries once: while the model still learns."""
    _part("serializers").libraries()


def keep(model: Any, directory: Path, *, lenient: bool = True) -> list[str]:
    """Saves a fitted model and its learning curves in the directory of an attempt.

    Args:
        model: an EstimatorModel.
        directory: of the attempt.
        lenient: whether a model that cannot be saved is a warning; else that is raised.

    Returns:
        what a person should know.
    """
    model.run.flush()
    event_files.write(directory)
    if type(model.estimator)._save is Estimator._save:
        return [f"{type(model.estimator).__name__} has no _save(self, directory): the model is not kept"]
    try:
        model.save(directory / ARTEFACT)
    except (errors.MlpipelineError, OSError) as error:
        if not lenient:
            raise
        return [f"the model is fitted, and was not saved: {error}"]
    return []


@contextmanager
def noting_data(run: RunContext, dataset: Dataset) -> Iterator[None]:
    """Writes what the data are that are learnt from, once an attempt, while the body learns."""
    directory = run.directory
    if directory is None or (directory / wire.DATA).exists():
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(_write_facts, dataset, directory / wire.DATA)
        if isinstance(dataset, Streaming):
            written.result()  # what reads its files shall be alone; its digest is known
        yield
    written.result()


def _write_facts(dataset: Dataset, path: Path) -> None:
    wire.write_json(path, data_facts.gathered(dataset))


def facts_of(run: RunContext) -> dict[str, Any]:
    """Returns what a saved model says of the queue's run that made it."""
    environment = wire.read_json(run.directory / wire.ENVIRONMENT) if run.directory is not None else None
    git = dict((environment or {}).get("git") or {})
    told = {"id": run.run_id, "model": run.model, "version": run.version, "attempt": run.attempt}
    return {"run": told, "git": git | {"diff": None}}


def run_of(model: Any) -> str | None:
    """Returns the id of the run that made a model; None where there was none."""
    if model.manifest is not None:
        told = model.manifest.get("run") or {}
        return None if told.get("id") is None else str(told["id"])
    found: str | None = model.run.run_id
    return found


def save(model: Any, url: str | os.PathLike[str] | None, facts: Mapping[str, Any]) -> Path | str:
    """Saves a model; without a place, in the directory of its run.

    Raises:
        DataFault: (a ValueError) there is neither a place nor a run.
    """
    if url is None:
        if model.run.directory is None:
            raise errors.DataFault("save: this fit has no directory, since there is no project here: save('somewhere')")
        url = model.run.directory / ARTEFACT
    place = url if isinstance(url, str) else Path(url)
    saved: Path | str = _part("serializers").save(model, place, facts=facts)
    return saved


def load(kind: type, place: str | os.PathLike[str], dataset: Any, classes: Iterable[type]) -> Any:
    """Loads a saved model as one of a kind."""
    where = place if isinstance(place, str) else Path(place)
    return _part("serializers").load(where, dataset=dataset, classes=classes, kind=kind)


def download(url: str, directory: Path) -> Path:
    """Copies a saved model here."""
    found: Path = _part("transfer").download(url, directory)
    return found


def explain(model: Any, *arguments: Any, **named: Any) -> Any:
    """Explains what a model predicts."""
    return _part("explain").explain(model, *arguments, **named)


def _part(name: str) -> Any:
    """Imports a module of this room when it is used: most models are never saved, and fewer explained."""
    return import_module(f"mlpipeline.learning.{name}")
