"""What `[TRACKING]` in mlp.config says, and what stands in the way of whoever does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlpipeline import wire
from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.errors import ConfigurationError
from mlpipeline.project import Project
from mlpipeline.settings import CONFIG
from mlpipeline.values import boolean

SECTION = "TRACKING"
_KEYS = ("tensorboard", "mlflow", "mlflow_experiment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Where runs are written while they go on.

    Attributes:
        tensorboard: whether event files are written below the outputs.
        mlflow: a tracking URI; empty: none.
        experiment: of MLflow.
    """

    tensorboard: bool = False
    mlflow: str = ""
    experiment: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be written."""
        return self.tensorboard or bool(self.mlflow)


def read(project: Project) -> Tracking:
    """Reads the section.

    Raises:
        ConfigurationError: a key is unknown, or a value is none.
    """
    told = project.settings.sections.get(SECTION, {})
    faults = [
        Fault(CONFIG, None, f"[{SECTION}] {shown(name)}: unknown key.{near_miss(name, _KEYS)}")
        for name in told
        if name not in _KEYS
    ]
    wanted = False
    try:
        wanted = boolean(told.get("tensorboard") or "false")
    except ValueError as error:
        faults.append(Fault(CONFIG, None, f"[{SECTION}] tensorboard = {shown(told['tensorboard'])}: {error}"))
    if faults:
        raise ConfigurationError(faults=faults)
    experiment = told.get("mlflow_experiment") or project.root.name or "mlpipeline"
    return Tracking(tensorboard=wanted, mlflow=told.get("mlflow", "").strip(), experiment=experiment)


def warnings(project: Project) -> tuple[str, ...]:
    """Returns what was told last of tools that do not answer, and of what they lack."""
    told = (wire.read_json(troubles_path(project)) or {}).get("troubles")
    return tuple(map(str, told)) if isinstance(told, list) else ()


def troubles_path(project: Project) -> Path:
    """Returns where that stands."""
    return project.tracking_path.with_suffix(".json")
