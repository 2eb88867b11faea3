"""The standard pipeline that brings the rows: reads, transforms, keeps, profiles and checks them."""

from __future__ import annotations

from collections.abc import Mapping

from mlpipeline.errors import DataFault
from mlpipeline.workflow.copies import another
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
    drift_checker: DataChecker | None
    notifier: Notifier | None
    model_target: str | None = None
    time_index: str | None = None
    local_dir: str | None = None

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what reads files, keeps them by content, and checks them."""
        return {
            "data_connector": "LocalDataConnector",
            "metadata_tracker": "LedgerTracker",
            "resource_version_control": "DigestVersionControl",
            "data_checker": "LocalDataChecker",
            "drift_checker": "DriftDataChecker",
            "notifier": "LogNotifier",
        }

    def transform_data(self, source: str) -> pd.DataFrame:
        """Returns the rows of a source: those of the transformer where there is one, else as they are read.

        Text in the column `time_index` becomes dates (ISO 8601), since files of text have no dates.

        Raises:
            DataFault: (a ValueError) that text is no date.
        """
        if self.data_transformer is not None:
            found = self.data_transformer.transform(source)
        else:
            found = telling.needed(self.data_connector, self, "data_connector").get_data(source)
        return _with_dates(found, self.time_index)

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
        """Checks the rows by themselves, and tells people of errors; None without a checker.

        Of rows without the target, which are there to be predicted, no target is required.
        """
        if self.data_checker is None:
            return None
        is_known = self.model_target is None or self.model_target in data.columns
        checker = self.data_checker if is_known else another(self.data_checker, {"model_target": None})
        return self._keep(dataset, checker.check_data(data))

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
        if self.drift_checker is not None:
            found.append(self.drift_checker.check_data(data, former))
        return [self._keep(dataset, each) for each in found]

    def _keep(self, dataset: Resource, report: Report) -> Report:
        return telling.keep(self, self.metadata_tracker, self.notifier, dataset, report)


def _with_dates(data: pd.DataFrame, column: str | None) -> pd.DataFrame:
    import pandas as pd

    if column is None or column not in data.columns or not pd.api.types.is_string_dtype(data[column].dtype):
        return data
    try:
        return data.assign(**{column: pd.to_datetime(data[column], format="ISO8601")})
    except (ValueError, TypeError) as error:
        told = "text that is no date like 2026-11-21: make dates of it in a data_transformer"
        raise DataFault(f"time_index: the column {column!r} holds {told}: {error}") from error
