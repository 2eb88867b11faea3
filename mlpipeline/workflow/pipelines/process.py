"""The standard pipeline that brings the rows: reads, transforms, keeps, profiles and checks them."""

from __future__ import annotations

from collections.abc import Mapping

from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.pipelines import keeping, telling
from mlpipeline.workflow.types import (
    DataChecker,
    DataConnector,
    DataProfiler,
    DataTransformer,
    Kind,
    MetadataTracker,
    Notifier,
    Report,
    Resource,
    ResourceVersionControl,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd


class OfflineProcess(Pipeline):
    """Reads rows, transforms them where there is a transformer, keeps them by content, profiles and checks them."""

    data_connector: DataConnector | None
    data_transformer: DataTransformer | None
    metadata_tracker: MetadataTracker
    resource_version_control: ResourceVersionControl | None
    data_profiler: DataProfiler | None
    data_checker: DataChecker | None
    notifier: Notifier | None
    local_dir: str | None = None

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what reads files, keeps them by content, and checks them."""
        return {
            "data_connector": "LocalDataConnector",
            "metadata_tracker": "LedgerTracker",
            "resource_version_control": "DigestVersionControl",
            "data_checker": "LocalDataChecker",
            "notifier": "LogNotifier",
        }

    def transform_data(self, source: str) -> pd.DataFrame:
        """Returns the rows of a source: those of the transformer where there is one, else as they are read."""
        if self.data_transformer is not None:
            return self.data_transformer.transform(source)
        return telling.needed(self.data_connector, self, "data_connector").get_data(source)

    @side_effects
    def track_data(self, data: pd.DataFrame, name: str, source: str | None = None) -> Resource:
        """Keeps rows, and registers them as a version of a dataset.

        Args:
            name: of the dataset.
            source: where they were read, for a person.
        """
        facts = {} if source is None else {"source": source}
        control = self.resource_version_control
        return keeping.keep_data(data, name, Kind.DATASET, self.metadata_tracker, control, facts=facts)

    @side_effects
    def profile_data(self, data: pd.DataFrame, dataset: Resource) -> Report | None:
        """Describes the rows to a person; None without a profiler."""
        if self.data_profiler is None:
            return None
        return self._keep(dataset, self.data_profiler.profile_data(data))

    @side_effects
    def check_data(self, data: pd.DataFrame, dataset: Resource) -> Report | None:
        """Checks the rows by themselves, and tells people of errors; None without a checker."""
        if self.data_checker is None:
            return None
        return self._keep(dataset, self.data_checker.check_data(data))

    @side_effects
    def compare_data(self, data: pd.DataFrame, dataset: Resource) -> list[Report]:
        """Compares the rows with the dataset's former version, where there is one with other content."""
        before = keeping.previous(self.metadata_tracker, dataset)
        if before is None or before.digest == dataset.digest or self.resource_version_control is None:
            return []
        former = self.resource_version_control.get_data(before.digest)
        found = []
        if self.data_profiler is not None:
            found.append(self.data_profiler.compare_data(data, former))
        if self.data_checker is not None:
            found.append(self.data_checker.check_data(data, former))
        return [self._keep(dataset, each) for each in found]

    def _keep(self, dataset: Resource, report: Report) -> Report:
        return telling.keep(self, self.metadata_tracker, self.notifier, dataset, report)
