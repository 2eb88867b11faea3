"""Tools that are libraries: a driver, run by their own interpreter, does nothing so many times in the way of each."""

from __future__ import annotations

from pathlib import Path

from benchmarks import processes
from benchmarks.environments import Environment
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work

DRIVERS = Path(__file__).parent / "drivers"
SMALL = Environment("small", "sacred", "huey", "joblib", "setuptools<81")
"""Peers that are small and need nothing of one another share one; sacred imports pkg_resources."""
MLFLOW = Environment("mlflow", "mlflow")
RAY = Environment("ray", "ray[tune]")


class Library(Tool):
    """A library with a driver named as its key."""

    steady = True
    any_work = False
    driver = ""
    arguments: tuple[str, ...] = ()

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Runs the driver."""
        assert self.environment is not None
        command = [self.environment.python, str(DRIVERS / self.driver), str(count), str(root / "stamps"), str(root)]
        command += self.arguments
        seconds = processes.run(command, root, processes.environment(root, PYTHONPATH=str(DRIVERS)))
        return Outcome(seconds, processes.stamped(root / "stamps", count))


class Joblib(Library):
    """joblib with its process executor, one worker."""

    key = package = "joblib"
    name = "joblib (one process, no record)"
    environment = SMALL
    driver = "in_joblib.py"
    cheap = True


class Huey(Library):
    """huey with SQLite and one worker thread."""

    key = package = "huey"
    name = "huey (thread, no isolation)"
    environment = SMALL
    driver = "in_huey.py"
    cheap = True


class Sacred(Library):
    """sacred in one process, recording into files."""

    key = package = "sacred"
    name = "sacred in process"
    environment = SMALL
    driver = "in_sacred.py"
    cheap = True


class Optuna(Library):
    """Optuna's trials with its SQLite storage."""

    key = package = "optuna"
    name = "Optuna (sqlite, in process)"
    environment = Environment("optuna", "optuna")
    driver = "in_optuna.py"


class Submitit(Library):
    """submitit's executor for local processes."""

    key = package = "submitit"
    name = "submitit local"
    environment = Environment("submitit", "submitit")
    driver = "in_submitit.py"
    counts = (6, 3)


class MlflowTracking(Library):
    """MLflow's tracking, runs within one process."""

    key = package = "mlflow"
    name = "MLflow tracking (sqlite, in process)"
    environment = MLFLOW
    driver = "in_mlflow.py"
    counts = (50, 10)


class RayTune(Library):
    """Ray Tune, one trial at a time."""

    key = "ray"
    package = "ray"
    name = "Ray Tune"
    environment = RAY
    driver = "in_ray.py"
    counts = (8, 3)
