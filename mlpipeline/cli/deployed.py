"""Finds the parts that keep and deploy models, and the model that a command means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline.cli import workflow_files
from mlpipeline.cli.setup import Setup

if TYPE_CHECKING:
    from mlpipeline.workflow.types import Resource

_OWN = "model_deployer"
# What finds models in the project's own files, where no workflow says otherwise.
_FINDERS = {"metadata_tracker": "LedgerTracker", "model_repository": "LocalModelRepository"}


def parts_of(setup: Setup, files: tuple[Path, ...], deployer: str | None, settings: tuple[str, ...]) -> list[Any]:
    """Builds the workflow, or one of a deployer alone, and returns its parts."""
    from mlpipeline import plugins
    from mlpipeline.workflow import content
    from mlpipeline.workflow import runner as runners

    if files:
        bare = settings if deployer is None else (*settings, f"component.{_OWN}={deployer}")
        found = runners.load(workflow_files.document(setup, files, bare, "Runner"))
    else:
        known = set(plugins.names("component"))
        named = {name: kind for name, kind in _FINDERS.items() if kind in known}
        placed = [each if "." in each.partition("=")[0] else f"{_OWN}.{each}" for each in settings]
        found = runners.load({"component": {_OWN: deployer or "LocalDeployer", **named}}, settings=placed)
    return list(content.wiring(found.build()).shared.parts.values())


def model_of(setup: Setup, parts: list[Any], name: str, which: str) -> Resource:
    """Returns the champion of a name, else its latest version; where no workflow has kept one, what a run has saved."""
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow.types import Kind, MetadataTracker, ModelRepository

    if which in ("best", "latest"):
        for part in parts:
            if which == "best" and isinstance(part, ModelRepository) and (champion := part.champion(name)) is not None:
                return champion
        for part in parts:
            if isinstance(part, MetadataTracker) and (versions := part.find(Kind.MODEL, name)):
                return versions[0]
    try:
        return _saved(setup, name, which)
    except UsageError as error:
        raise UsageError(f"no workflow has kept a model {name!r}, and {error}") from error


def _saved(setup: Setup, name: str, which: str) -> Resource:
    from mlpipeline.learning.saved import Shelf
    from mlpipeline.workflow.types import Kind, Resource

    found = Shelf(setup.project()).choose(name, which)
    return Resource(
        id=f"model-{found.name}-{found.run_id}",
        kind=Kind.MODEL,
        name=found.name,
        digest=found.digest,
        run_id=found.run_id,
        created_at=str(found.manifest["created_at"]),
        place=str(found.path),
    )
