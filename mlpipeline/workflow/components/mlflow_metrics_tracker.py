"""Keeps metrics in MLflow, and in the history of the run."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

from mlpipeline.workflow.components import mlflow_client
from mlpipeline.workflow.components.ledger_metrics_tracker import flattened
from mlpipeline.workflow.components.mlflow_client import Mlflow
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Resource
from mlpipeline.workflow.types.record import MetricsTracker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KIND = "metrics"


class MLflowMetricsTracker(MetricsTracker):
    """Logs metrics as `test.f1` of the run of MLflow that the resource is; of its own where another tracker keeps it.

    Args:
        mlflow_tracking_uri: of a server or database; by default `mlflow.db` in the project's outputs.
        mlflow_experiment_name: of the experiment.
    """

    def __init__(self, mlflow_tracking_uri: str | None = None, mlflow_experiment_name: str = "mlpipeline") -> None:
        self.uri, self.experiment = mlflow_tracking_uri, mlflow_experiment_name

    @side_effects
    def log_metrics(self, resource: Resource, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Keeps metrics with a resource: {split: {metric: value}}. Later ones of the same name count.

        Raises:
            MetricError: (a ValueError) a value is no number.
            DataFault: (a ValueError) the metrics are not told apart by split.
            StoreError: MLflow cannot be reached, or refuses.
        """
        flat = flattened(metrics)
        mlflow = Mlflow(self, self.uri, self.experiment)
        run_id = _run_of(mlflow, resource) or self._new_run(mlflow, resource)
        with mlflow.told():
            for (split, name), value in flat.items():
                key = f"{mlflow_client.escaped(split, '.')}.{mlflow_client.escaped(name)}"
                mlflow.client.log_metric(run_id, key, value)
        self.run.record({".".join(name): value for name, value in flat.items()})

    def get_metrics(self, resource: Resource) -> Mapping[str, Mapping[str, float]]:
        """Returns what was kept; empty where nothing was."""
        mlflow = Mlflow(self, self.uri, self.experiment)
        run_id = _run_of(mlflow, resource)
        found: dict[str, dict[str, float]] = {}
        if run_id is not None:
            with mlflow.told():
                kept = mlflow.client.get_run(run_id).data.metrics
            for key, value in kept.items():
                split, _, name = key.partition(".")
                found.setdefault(mlflow_client.unescaped(split), {})[mlflow_client.unescaped(name)] = _unbounded(value)
        return found

    def _new_run(self, mlflow: Mlflow, resource: Resource) -> str:
        tags = {mlflow_client.KEY: _key(resource), f"{mlflow_client.TAG}.kind": _KIND}
        if self.run.run_id is not None:
            tags[f"{mlflow_client.TAG}.run"] = self.run.run_id
        with mlflow.told():
            run = mlflow.client.create_run(mlflow.experiment, tags=tags, run_name=resource.id[:250])
            mlflow.client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)

    def __getstate__(self) -> dict[str, Any]:
        """Returns nothing: it has learnt nothing, and its address may hold a password."""
        return {}


def _run_of(mlflow: Mlflow, resource: Resource) -> str | None:
    own = resource.id.rpartition("-")[2]
    if not own.isdecimal() and mlflow.run(own) is not None:  # decimal are the numbers of the ledger
        return own
    return next((str(run.info.run_id) for run in mlflow.search(key=_key(resource))), None)


def _key(resource: Resource) -> str:
    return mlflow_client.key_of(_KIND, resource.id)


def _unbounded(value: float) -> float:
    """Returns infinity where MLflow's databases keep the largest number instead."""
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else value
