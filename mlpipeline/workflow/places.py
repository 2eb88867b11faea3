"""Where a part writes what is to last: the outputs of its project, or those of the run that it is part of."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.workflow.part import WIRING, Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.workflow.part import Wiring

_RUNS = "runs"


def project_of(part: Part) -> Project:
    """Returns the project that a part's workflow lies in; that of the working directory for a part made by hand.

    Raises:
        ConfigurationError: its mlp.config is faulty.
    """
    from mlpipeline.project import Project

    wiring: Wiring | None = part.__dict__.get(WIRING)
    return Project.load(None if wiring is None else wiring.shared.directory)


def outputs_of(part: Part) -> Path:
    """Returns where a part's project keeps what it writes. A rehearsal has outputs of its own.

    Raises:
        ConfigurationError: the project's mlp.config is faulty.
    """
    directory = part.run.directory
    if directory is not None:
        found = Path(directory).resolve()
        if len(found.parents) > 2 and found.parents[1].name == _RUNS:
            return found.parents[2]
    return project_of(part).outputs_dir


def hidden_of(part: Part) -> frozenset[str]:
    """Returns every text of a part's configuration that must not be shown."""
    wiring: Wiring | None = part.__dict__.get(WIRING)
    return frozenset() if wiring is None else wiring.shared.hidden
