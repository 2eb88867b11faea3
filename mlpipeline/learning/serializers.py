"""Saves a model as a directory with a manifest, and loads it: no pickle, no code of a stranger, no user's code."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline import __version__, errors, wire
from mlpipeline.data import encoding_state
from mlpipeline.data.encoding import Encoding
from mlpipeline.errors import ArtefactDamaged, ArtefactError, DataFault, MissingExtra, UnknownClass
from mlpipeline.learning import classes as known
from mlpipeline.learning import manifest, parameters, saving, transfer
from mlpipeline.learning.estimator import Estimator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpipeline.learning.estimator_model import EstimatorModel

ENCODING = "encoding.json"
ESTIMATOR = "estimator.json"
_TABLES = "tables"
_NATIVE = "estimator"
_LIBRARIES = (
    *("numpy", "pandas", "pyarrow", "scikit-learn", "skops", "xgboost", "xgboost-cpu", "keras", "tensorflow"),
    *("tensorflow-cpu", "statsmodels", "lightgbm", "catboost", "prophet"),
)
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a saved model consists of.

    Attributes:
        manifest: as it was checked.
        estimator: fitted.
        encoding: fitted; None where the model had none.
    """

    manifest: Mapping[str, Any]
    estimator: Estimator
    encoding: Encoding | None


def save(model: Any, place: str | Path, *, facts: Mapping[str, Any] | None = None) -> Path | str:
    """Saves a fitted model. The directory appears whole, or not at all.

    Args:
        model: has `estimator`, `encoding` and `dataset`, and may have `metrics` and `metric`.
        place: a directory, which may hold a saved model already: that is replaced; or a URL of fsspec.
        facts: `run` (id, model, version, attempt), `git` (commit, …), `created_at`, and whatever else is to be known.

    Returns:
        where it lies.

    Raises:
        NotFitted: nothing was learnt yet.
        DataFault: something cannot be kept in a file.
        NotWritable, DiskFull, ArtefactError: the directory cannot be made; nothing there has changed.
        StoreError: the URL cannot be written.
    """
    local = transfer.local(place)
    if local is None:
        with tempfile.TemporaryDirectory(prefix="mlpipeline-") as folder:
            made = save(model, Path(folder, "artefact"), facts=facts)
            return transfer.upload(Path(made), str(place), replace=True)
    if "target_" not in vars(model.estimator):
        raise errors.NotFitted(f"{model.estimator!r} has learnt nothing yet: call fit before save")
    with saving.beside(local) as directory:
        _write_encoding(directory, model.encoding)
        _write_estimator(directory, model.estimator)
        manifest.write(directory, _told(model, dict(facts or {})))
    return local


def load(
    place: str | Path, *, dataset: Any = None, classes: Iterable[type] = (), kind: type[EstimatorModel] | None = None
) -> EstimatorModel:
    """Loads a saved model, which can predict, evaluate and explain; no code of the user's is needed for that.

    Args:
        place: a directory, or a URL of fsspec.
        dataset: where rows come from; without it the model cannot be fitted again.
        classes: of estimators, encoders and transformers that are the user's own.
        kind: of the model; `EstimatorModel` by default.

    Raises:
        ArtefactError: there is no saved model.
        ArtefactDamaged: a file is missing, was changed, or does not belong there.
        ArtefactTooNew: a newer release saved it.
        UnknownClass: a class has moved, or is not imported.
        MissingExtra: the estimator's library is not installed.
    """
    from mlpipeline.learning.estimator_model import EstimatorModel

    found = restore(place, dataset=dataset, classes=classes)
    told = found.manifest
    metric = (told.get("metric") or {}).get("name")
    model = (kind or EstimatorModel)(dataset, found.estimator, metric=metric, weight=told.get("weight"))
    model.encoding, model.manifest = found.encoding, told
    model.metrics = {part: dict(values) for part, values in told["metrics"].items()}
    return model


def restore(place: str | Path, *, dataset: Any = None, classes: Iterable[type] = ()) -> Restored:
    """Loads the parts of a saved model; see `load`."""
    listed = tuple(classes)
    with _here(place) as directory:
        for remaining in reversed(range(_TRIES)):
            seen = manifest.read(directory)
            try:
                manifest.check(directory, seen)
                return _restored(directory, seen, dataset, listed)
            except ArtefactDamaged:
                # Another model may have taken its place meanwhile.
                if not remaining or manifest.read(directory)["digest"] == seen["digest"]:
                    raise
    raise AssertionError("unreachable")


def read_manifest(place: str | Path) -> dict[str, Any]:
    """Returns the checked manifest of a saved model; no other file of it is read.

    Raises:
        ArtefactError, ArtefactDamaged, ArtefactTooNew: as `load`.
    """
    local = transfer.local(place)
    return transfer.read_manifest(str(place)) if local is None else manifest.read(local)


@contextmanager
def _here(place: str | Path) -> Iterator[Path]:
    local = transfer.local(place)
    if local is not None:
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="mlpipeline-") as folder:
        yield transfer.download(str(place), Path(folder, "artefact"))


def _write_encoding(directory: Path, encoding: Encoding | None) -> None:
    if encoding is None:
        return
    tables: dict[str, Any] = {}
    wire.write_synced(directory / ENCODING, encoding.state(tables))
    if tables:
        arrow = errors.require("pyarrow", extra="learning")
        (directory / _TABLES).mkdir()
        for name, table in tables.items():
            with arrow.ipc.new_file(str(directory / _TABLES / f"{name}.arrow"), table.schema) as writer:
                writer.write_table(table)


def _write_estimator(directory: Path, estimator: Estimator) -> None:
    native = directory / _NATIVE
    native.mkdir()
    kept = parameters.dump(estimator)
    state = estimator.save(native)
    try:
        text = json.dumps({"parameters": asdict(kept), "state": parameters.exact(state)}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataFault(f"{type(estimator).__name__}.save gave what JSON cannot hold: {error}") from error
    (directory / ESTIMATOR).write_text(text, "utf-8")
    if not any(native.iterdir()):
        native.rmdir()


def _told(model: Any, facts: dict[str, Any]) -> dict[str, Any]:
    estimator, encoding = model.estimator, model.encoding
    kind, dataset = type(estimator), getattr(model, "dataset", None)
    metrics = getattr(model, "metrics", None) or {}
    described = {name: parameters.shown(value) for name, value in estimator.get_params(deep=False).items()}
    return {
        "mlpipeline": __version__,
        "python": platform.python_version(),
        "libraries": libraries(),
        "created_at": str(facts.pop("created_at", None) or wire.utc_now()),
        "model": {"class": known.path_of(type(model))},
        "estimator": {"name": known.name_of(kind), "class": known.path_of(kind), "parameters": described},
        "dataset": None if dataset is None else {"class": known.path_of(type(dataset))},
        "target": {"kind": str(estimator.target_.kind), "classes": len(estimator.target_.classes)},
        "schema": None if encoding is None else encoding.schema.to_dict(),
        "inputs": [] if encoding is None else list(map(str, encoding.inputs)),
        "output_inputs": [] if encoding is None else list(map(str, encoding.output_inputs)),
        "weight": getattr(model, "weight", None),
        "metrics": manifest.plain(metrics, "metrics"),
        "metric": _metric(getattr(model, "metric", None), metrics),
        "run": manifest.plain(facts.pop("run", None), "run"),
        "git": manifest.plain(facts.pop("git", None), "git"),
        "facts": manifest.plain(facts, "facts"),
    }


def _metric(score: Any, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns what models are selected by: its value comes from the validation split, never from the test."""
    if score is None:
        return None
    value = manifest.plain((metrics.get("validation") or {}).get(score.name))
    return {"name": score.name, "greater_is_better": bool(score.greater_is_better), "value": value}


def libraries() -> dict[str, str]:
    """Returns the versions of the installed libraries that models are made with."""
    return dict(_libraries())


@cache
def _libraries() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _restored(directory: Path, told: Mapping[str, Any], dataset: Any, classes: tuple[type, ...]) -> Restored:
    said = told["estimator"]
    kind = known.find(said["name"], said["class"], told["mlpipeline"], classes)
    content = _json(directory / ESTIMATOR)
    try:
        kept = parameters.Kept(**content["parameters"])
        estimator = parameters.load(kind, kept)
        estimator.load(directory / _NATIVE, parameters.inexact(content["state"]))
        parameters.check_brought(estimator, kept)
    except MissingExtra:
        raise
    except (errors.MlpipelineError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise ArtefactError(
            f"{directory}: {said['class']} cannot be loaded ({type(error).__name__}: {error}). It was saved by "
            f"mlpipeline {told['mlpipeline']} with {_differing(told)}"
        ) from error
    return Restored(manifest=told, estimator=estimator, encoding=_encoding(directory, told, dataset, classes))


def _differing(told: Mapping[str, Any]) -> str:
    """Tells which libraries were of other versions."""
    now = libraries()
    other = [
        f"{name} {version} (here {now.get(name, 'none')})"
        for name, version in told["libraries"].items()
        if now.get(name) != version
    ]
    return ", ".join(other) or "the same versions of all libraries"


def _encoding(directory: Path, told: Mapping[str, Any], dataset: Any, classes: tuple[type, ...]) -> Encoding | None:
    if ENCODING not in told["files"]:
        return None
    state = known.renamed(_json(directory / ENCODING), classes)
    state["digest"] = encoding_state.digest(state)  # the manifest's has been compared already
    own = state.get("read")
    if own is not None and dataset is None:
        raise UnknownClass(
            f"{directory}: the model's dataset takes columns in a way of its own ({own}): load it with the dataset, "
            f"dataset={(told.get('dataset') or {}).get('class', own).rpartition(':')[2]}()"
        )
    try:
        return Encoding.from_state(state, _tables(directory), read=dataset.read_columns if own is not None else None)
    except DataFault as error:
        raise UnknownClass(f"{directory / ENCODING}: {error}") from error


def _tables(directory: Path) -> dict[str, Any]:
    paths = sorted((directory / _TABLES).glob("*.arrow"))
    if not paths:
        return {}
    arrow = errors.require("pyarrow", extra="learning")
    found = {}
    for path in paths:
        # Not mapped: a model outlives its directory.
        with path.open("rb") as file, arrow.ipc.open_file(file) as reader:
            found[path.stem] = reader.read_all()
    return found


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content
