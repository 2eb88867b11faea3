"""Keeps datasets, models and predictions, and what was made from what, in files of the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlpipeline.workflow import places, secrets
from mlpipeline.workflow.components import numbered, resources
from mlpipeline.workflow.components.resource_tracker import ResourceTracker
from mlpipeline.workflow.components.resources import Resources
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Finding, Kind, Report, Resource, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REPORTS = "reports"


class LedgerTracker(ResourceTracker):
    """Keeps resources below the project's outputs, one small file each; it needs no server and no library.

    The files are written whole, last, and are never changed; any number of processes may register at the same time.
    """

    def _add(self, draft: Resource) -> Resource:
        return self._resources.add(draft)

    def find(self, kind: Kind, name: str) -> Sequence[Resource]:
        """Returns the versions of a resource, the latest first.

        Left out is what a run made that has not succeeded: that failed, was stopped or lost, or still goes on. What
        this very run has made counts.
        """
        kept, run_id = self._resources, self.run.run_id
        return [each for each in kept.versions(Kind(kind), name) if kept.is_good(each, run_id)]

    def get(self, resource_id: str) -> Resource:
        """Returns one resource, whatever became of its run.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        return self._resources.get(resource_id)

    @side_effects
    def add_report(self, resource: Resource, report: Report) -> None:
        """Keeps a report with a resource."""
        self.get(resource.id)
        numbered.add(self._resources.beside(resource, _REPORTS), of_report(report, places.hidden_of(self)))

    def reports(self, resource: Resource) -> Sequence[Report]:
        """Returns the reports kept with a resource, the first first."""
        return [to_report(each) for each in numbered.read_all(self._resources.beside(resource, _REPORTS))]

    @property
    def place(self) -> str:
        """Where all of it lies."""
        return str(self._resources.directory)

    @property
    def _resources(self) -> Resources:
        return Resources(places.outputs_of(self))


def of_report(report: Report, hidden: frozenset[str]) -> dict[str, Any]:
    """Returns a report as JSON holds it; secrets are stars."""
    findings = [
        {
            "name": each.name,
            "status": str(each.status),
            "value": resources.plain_facts({"value": each.value}, hidden).get("value"),
            "message": secrets.shown(each.message, hidden),
        }
        for each in report.findings
    ]
    return {"format": 1, "name": report.name, "findings": findings, "path": report.path}


def to_report(content: Mapping[str, Any]) -> Report:
    """Returns the report that JSON holds."""
    findings = (Finding(**{**each, "status": Status(each["status"])}) for each in content["findings"])
    return Report(name=content["name"], findings=tuple(findings), path=content["path"])
