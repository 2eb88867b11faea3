"""Keeps what a workflow makes by its content, and registers it with what it was made from."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlpipeline.errors import DataFault, MlpipelineError
from mlpipeline.workflow import places
from mlpipeline.workflow.components import frames
from mlpipeline.workflow.copies import another
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.pipelines import formers
from mlpipeline.workflow.recorder import NOTHING, read_record, write_record
from mlpipeline.workflow.types import (
    FeatureTransformer,
    Kind,
    MetadataTracker,
    ModelTrainer,
    Resource,
    ResourceVersionControl,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

TRAINER = "trainer"
"""The fact of a model that names the class of its trainer."""
PARAMETERS = formers.PARAMETERS
FEATURES = "features.record"
"""Beside a model: what makes its features."""
_MODEL = "model"
_CHUNK = 1 << 20


def directory(part: Part) -> Path:
    """Returns where a pipeline writes files for people, made where it is missing.

    That is `local_dir` where it is set; else within the directory of the run; by hand, below the project's outputs.
    """
    local, run = part.config.get("local_dir"), part.run.directory
    if local:
        found = Path(local)
    elif run is not None:
        found = Path(run) / "workflow"
    else:
        found = places.outputs_of(part) / "workflows"
    found.mkdir(parents=True, exist_ok=True)
    return found


def keep_data(
    data: pd.DataFrame,
    name: str,
    kind: Kind,
    tracker: MetadataTracker,
    control: ResourceVersionControl | None,
    parents: Sequence[Resource] = (),
    facts: Mapping[str, Any] | None = None,
) -> Resource:
    """Keeps rows, and registers them.

    Args:
        name: of the dataset or the predictions.
        control: where they are kept; None where their digest alone is to be known.
        parents: what they were made from.
        facts: more about them; rows and columns are told anyway.
    """
    digest, place = (frames.digest(data), None) if control is None else control.version_data(data, name)
    told = {"rows": len(data), "columns": len(data.columns), **(facts or {})}
    return tracker.register(kind, name, digest, parents, place, told)


def keep_model(
    model: ModelTrainer,
    name: str,
    tracker: MetadataTracker,
    control: ResourceVersionControl | None,
    parents: Sequence[Resource],
    metrics: Mapping[str, Mapping[str, float]],
    target: Path,
    facts: Mapping[str, Any] | None = None,
    features: FeatureTransformer | None = None,
) -> Resource:
    """Saves a fitted model, and registers it with its parameters and metrics, by flat names.

    Args:
        features: fitted, what makes the features that the model reads; it is kept with it, signed.
        control: where it is kept; None where it only lies in `target`.
        target: a directory for it where there is no control.
    """
    with _scratch() as scratch:
        if features is None:
            model.save(scratch)
        else:  # a saved model refuses files that are not its own
            (scratch / _MODEL).mkdir()
            model.save(scratch / _MODEL)
            write_record(scratch / FEATURES, (type(features).__name__, features.__getstate__()))
        if control is None:
            digest = digest_of_files(scratch)
            place = target / f"model-{digest[:12]}"
            if not place.exists():
                shutil.copytree(scratch, place)
            where = str(place)
        else:
            digest, where = control.version_model(scratch, name)
    told: dict[str, Any] = {TRAINER: type(model).__name__, **(facts or {})}
    told |= {f"{PARAMETERS}.{key}": value for key, value in flat(model.parameters).items()}
    told |= {f"{split}.{metric}": value for split, found in metrics.items() for metric, value in found.items()}
    return tracker.register(Kind.MODEL, name, digest, parents, where, told)


def load_model(resource: Resource, like: ModelTrainer, control: ResourceVersionControl | None) -> ModelTrainer:
    """Returns a trainer that predicts as a registered model did, beside the one of this workflow.

    Args:
        like: a trainer of the workflow. The model's own may be of another class.

    Raises:
        DataFault: the model is not there, or damaged.
        MlpipelineError: its trainer's class is not to be had.
    """
    place = place_of(resource, control)
    kind = str(resource.facts.get(TRAINER, type(like).__name__))
    made = like.fresh() if kind == type(like).__name__ else formers.trainer(kind, resource, like)
    return made.load(place / _MODEL if (place / FEATURES).exists() else place)


def load_features(
    resource: Resource, like: FeatureTransformer | None, control: ResourceVersionControl | None
) -> FeatureTransformer | None:
    """Returns what makes the features that a registered model reads; None where it reads the rows as they are.

    Args:
        like: that of the workflow; the model's own is made after it.

    Raises:
        MlpipelineError: it is another one than the workflow's, or somebody else wrote it.
    """
    path = place_of(resource, control) / FEATURES
    if not path.exists():
        return None
    found = read_record(path)
    if found is NOTHING:
        raise MlpipelineError(f"{path} is not what this user has written: it is not read")
    name, state = found
    if like is None or type(like).__name__ != name:
        raise MlpipelineError(f"{resource.id} reads features of {name}, which this workflow does not have: declare it")
    made = another(like, {})
    made.__dict__.update(state)
    return made


def place_of(resource: Resource, control: ResourceVersionControl | None) -> Path:
    """Returns the directory of a registered model, its content verified.

    Raises:
        DataFault: it is not there, or damaged.
    """
    if control is not None:
        return control.get_model(resource.digest)
    place = Path(resource.place or "")
    if resource.place is None or not place.is_dir():
        raise DataFault(f"{resource.id} lies at {resource.place}, and nothing is there: make it again")
    if digest_of_files(place) != resource.digest:
        raise DataFault(f"{resource.id}: {place} is damaged: its content is not what was registered")
    return place


def previous(tracker: MetadataTracker, resource: Resource) -> Resource | None:
    """Returns the version of a dataset, model or prediction that came before one; None where it is the first."""
    versions = list(tracker.find(resource.kind, resource.name))
    places_ = [place for place, each in enumerate(versions) if each.id == resource.id]
    before = versions[places_[0] + 1 :] if places_ else versions
    return before[0] if before else None


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns the values in mappings of mappings under their addresses, `a.b`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def digest_of_files(root: Path) -> str:
    """Returns the SHA-256 of all files of a directory with their names."""
    total = hashlib.sha256()
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        total.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    return total.hexdigest()


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mlpipeline-") as name:
        yield Path(name)
