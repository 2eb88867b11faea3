"""MLflow's projects: a process, and a record, for each run."""

from __future__ import annotations

from pathlib import Path

from benchmarks import processes
from benchmarks.peers.in_process import MLFLOW
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work, write_script


class MlflowRun(Tool):
    """A shell loop of `mlflow run`."""

    key = package = "mlflow"
    name = "MLflow run"
    environment = MLFLOW
    counts = (4, 2)

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Runs the project `count` times."""
        command = " ".join(write_script(work, root))
        text = f'name: bench\nentry_points:\n  main:\n    command: "{command}"\n'
        (root / "MLproject").write_text(text, "utf-8")
        variables = processes.environment(root, MLFLOW_TRACKING_URI=f"sqlite:///{root}/mlflow.db")
        loop = f'for i in $(seq {count}); do "{MLFLOW.bin}/mlflow" run . --env-manager local || exit; done'
        seconds = processes.run(["sh", "-c", loop], root, variables)
        return Outcome(seconds, processes.stamped(root / "stamps", count))
