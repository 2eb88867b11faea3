"""Keeps metrics beside the resources that they are of, and in the history of the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from mlpipeline.errors import DataFault
from mlpipeline.metrics import number
from mlpipeline.workflow import places
from mlpipeline.workflow.components import numbered
from mlpipeline.workflow.components.resources import Resources
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Resource
from mlpipeline.workflow.types.record import MetricsTracker

_METRICS = "metrics"


class LedgerMetricsTracker(MetricsTracker):
    """Keeps metrics in files beside the resources of LedgerTracker, and records them as `test.f1` of the run."""

    @side_effects
    def log_metrics(self, resource: Resource, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Keeps metrics with a resource: {split: {metric: value}}. Later ones of the same name count.

        Raises:
            MetricError: (a ValueError) a value is no number.
            DataFault: (a ValueError) the metrics are not told apart by split.
        """
        flat = flattened(metrics)
        told = {name: value if math.isfinite(value) else str(value) for name, value in flat.items()}
        content = {"format": 1, "run_id": self.run.run_id, "metrics": [[*name, value] for name, value in told.items()]}
        numbered.add(self._home(resource), content)
        self.run.record({".".join(name): value for name, value in flat.items()})

    def get_metrics(self, resource: Resource) -> Mapping[str, Mapping[str, float]]:
        """Returns what was kept; empty where nothing was."""
        found: dict[str, dict[str, float]] = {}
        for each in numbered.read_all(self._home(resource)):
            for split, name, value in each["metrics"]:
                found.setdefault(split, {})[name] = float(value)
        return found

    def _home(self, resource: Resource) -> Path:
        return Resources(places.outputs_of(self)).beside(resource, _METRICS)


def flattened(metrics: Mapping[str, Mapping[str, float]]) -> dict[tuple[str, str], float]:
    """Returns metrics by split and name, each a Python number.

    Raises:
        MetricError: (a ValueError) a value is no number.
        DataFault: (a ValueError) they are not told apart by split.
    """
    found = {}
    for split, values in metrics.items():
        if not isinstance(values, Mapping):
            raise DataFault(f"metrics are {{split: {{metric: value}}}}, not {{{split!r}: {values!r}}}")
        for name, value in values.items():
            found[str(split), str(name)] = float(number(f"{split}.{name}", value))
    return found
