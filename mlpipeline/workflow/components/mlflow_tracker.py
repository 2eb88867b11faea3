"""Keeps datasets, models and predictions, and what was made from what, in MLflow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from mlpipeline.errors import UsageError
from mlpipeline.workflow import places
from mlpipeline.workflow.components import mlflow_client, resources
from mlpipeline.workflow.components.ledger_tracker import of_report, to_report
from mlpipeline.workflow.components.mlflow_client import Mlflow
from mlpipeline.workflow.components.resource_tracker import ResourceTracker
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Kind, Report, Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RESOURCE, _REPORT = "resource", "report"
_LONGEST_PARAM = 6000


class MLflowTracker(ResourceTracker):
    """Makes each resource a run of MLflow: its facts are parameters, its metrics metrics, its reports artifacts.

    A run of MLflow is FINISHED or FAILED as the run of the project is that made it; it is RUNNING till then.

    Args:
        mlflow_tracking_uri: of a server or database; by default `mlflow.db` in the project's outputs.
        mlflow_experiment_name: of the experiment.

    Raises:
        MissingExtra: mlflow is not installed.
    """

    def __init__(self, mlflow_tracking_uri: str | None = None, mlflow_experiment_name: str = "mlpipeline") -> None:
        self.uri, self.experiment = mlflow_tracking_uri, mlflow_experiment_name

    @property
    def _mlflow(self) -> Mlflow:
        return Mlflow(self, self.uri, self.experiment)

    def _add(self, draft: Resource) -> Resource:
        mlflow = self._mlflow
        same = mlflow_client.key_of(
            str({key: value for key, value in resources.to_json(draft).items() if key != "created_at"})
        )
        if draft.run_id is not None:
            for each in mlflow.search(same=same):
                if (found := _resource(each)) is not None:
                    return found
        return self._made(mlflow, draft, same)

    def _made(self, mlflow: Mlflow, draft: Resource, same: str) -> Resource:
        key = mlflow_client.key_of(draft.kind, draft.name)
        tags = {mlflow_client.KEY: key, f"{mlflow_client.TAG}.kind": str(draft.kind), f"{mlflow_client.TAG}.same": same}
        if draft.run_id is not None:
            tags[f"{mlflow_client.TAG}.run"] = draft.run_id
        with mlflow.told():
            run = mlflow.client.create_run(mlflow.experiment, tags=tags, run_name=f"{draft.kind} {draft.name}"[:250])
            for name, value in draft.facts.items():
                mlflow.client.log_param(run.info.run_id, mlflow_client.escaped(name)[:250], str(value)[:_LONGEST_PARAM])
        mlflow.put(run.info.run_id, _RESOURCE, resources.to_json(draft))
        if draft.run_id is None:
            with mlflow.told():
                mlflow.client.set_terminated(run.info.run_id, "FINISHED")
        return _with_id(draft, run.info.run_id)

    def find(self, kind: Kind, name: str) -> Sequence[Resource]:
        """Returns the versions of a resource, the latest first.

        Left out is what a run made that has not succeeded: that failed, was stopped or lost, or still goes on. What
        this very run has made counts.
        """
        found = []
        for run in self._mlflow.search(key=mlflow_client.key_of(Kind(kind), name)):
            each = _resource(run)
            is_own = each is not None and each.run_id is not None and each.run_id == self.run.run_id
            if each is not None and (run.info.status == "FINISHED" or is_own):
                found.append(each)
        return sorted(found, key=lambda each: each.created_at, reverse=True)

    def get(self, resource_id: str) -> Resource:
        """Returns one resource, whatever became of its run.

        Raises:
            UsageError: there is none; the message names the nearest.
            StoreError: MLflow cannot be reached.
        """
        mlflow = self._mlflow
        run = mlflow.run(resource_id.rpartition("-")[2])
        found = None if run is None else _resource(run)
        if found is not None and found.id == resource_id:
            return found
        from mlpipeline.config_text import near_or_known

        known = [each.id for run in mlflow.search() if (each := _resource(run)) is not None]
        raise UsageError(f"there is no resource {resource_id!r}.{near_or_known(resource_id, known)}")

    @side_effects
    def add_report(self, resource: Resource, report: Report) -> None:
        """Keeps a report with a resource; its page becomes an artifact."""
        self.get(resource.id)
        mlflow, run_id = self._mlflow, resource.id.rpartition("-")[2]
        mlflow.put(run_id, f"{_REPORT}.{time.time_ns()}", of_report(report, places.hidden_of(self)))
        if mlflow_client.is_file(report.path):
            with mlflow.told():
                mlflow.client.log_artifact(run_id, report.path)

    def reports(self, resource: Resource) -> Sequence[Report]:
        """Returns the reports kept with a resource, the first first."""
        mlflow = self._mlflow
        with mlflow.told():
            tags = mlflow.client.get_run(resource.id.rpartition("-")[2]).data.tags
        first = f"{mlflow_client.TAG}.{_REPORT}."
        names = sorted({tag[len(first) :].partition(".")[0] for tag in tags if tag.startswith(first)})
        found = (mlflow_client.got(tags, f"{_REPORT}.{name}") for name in names)
        return [to_report(each) for each in found if each is not None]

    @property
    def place(self) -> str:
        """Where all of it lies."""
        return f"experiment {self.experiment} of MLflow at {self._mlflow.shown}"

    def _run_ended(self, error: BaseException | None) -> None:
        if self.run.run_id is None:
            return
        mlflow = self._mlflow
        for run in mlflow.search(run=str(self.run.run_id)):
            with mlflow.told():
                mlflow.client.set_terminated(run.info.run_id, "FINISHED" if error is None else "FAILED")

    def __getstate__(self) -> dict[str, Any]:
        """Returns nothing: it has learnt nothing, and its address may hold a password."""
        return {}


def _with_id(draft: Resource, run_id: str) -> Resource:
    return replace(draft, id=f"{draft.kind}-{draft.name}-{run_id}")


def _resource(run: Any) -> Resource | None:
    """Returns the resource that a run of MLflow is; None where it is none, or was not written whole."""
    content = mlflow_client.got(run.data.tags, _RESOURCE)
    return None if content is None else _with_id(resources.from_json(content, 0), run.info.run_id)
