"""The types of components that remember: resources, metrics, champions, contents; and those that tell people."""

from __future__ import annotations

from abc import abstractmethod

from mlpipeline.workflow.component import Component
from mlpipeline.workflow.part import WIRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    import pandas as pd

    from mlpipeline.workflow.part import Wiring
    from mlpipeline.workflow.types.contract import Kind, Report, Resource


class MetadataTracker(Component):
    """Remembers which datasets, models and predictions there were, and what was made from what."""

    _is_framework = True

    @abstractmethod
    def register(
        self,
        kind: Kind,
        name: str,
        digest: str,
        parents: Sequence[Resource] = (),
        place: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Resource:
        """Makes a resource of what a workflow read or made, durably, and returns it."""

    @abstractmethod
    def find(self, kind: Kind, name: str) -> Sequence[Resource]:
        """Returns the versions of a resource, the latest first; without those whose run failed."""

    @abstractmethod
    def get(self, resource_id: str) -> Resource:
        """Returns one resource.

        Raises:
            UsageError: there is none; the message names the nearest.
        """

    @abstractmethod
    def lineage(self, resource: Resource) -> Sequence[Resource]:
        """Returns what a resource was made from, nearest first, down to the datasets."""

    @abstractmethod
    def add_report(self, resource: Resource, report: Report) -> None:
        """Keeps a report with a resource."""

    @abstractmethod
    def reports(self, resource: Resource) -> Sequence[Report]:
        """Returns the reports kept with a resource."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where all of it lies, for a person."""


class MetricsTracker(Component):
    """Remembers how good models are."""

    _is_framework = True

    @abstractmethod
    def log_metrics(self, resource: Resource, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Keeps metrics with a resource: {split: {metric: value}}."""

    @abstractmethod
    def get_metrics(self, resource: Resource) -> Mapping[str, Mapping[str, float]]:
        """Returns what was kept; empty where nothing was."""


class ModelRepository(Component):
    """Knows which version of a model is registered, promoted, approved; and which one is the champion."""

    _is_framework = True

    @abstractmethod
    def register_model(self, model: Resource) -> None:
        """Makes a model a challenger."""

    @abstractmethod
    def promote_model(self, model: Resource) -> None:
        """Proposes a challenger as the champion of its name.

        Raises:
            UsageError: it is not registered.
        """

    @abstractmethod
    def approve_model(self, model: Resource, by: str) -> None:
        """Approves a promoted model: it is the champion from now on, the former one is not.

        Raises:
            UsageError: it is not promoted.
        """

    @abstractmethod
    def check_approval(self, model: Resource) -> bool:
        """Returns whether a model is approved."""

    @abstractmethod
    def champion(self, name: str) -> Resource | None:
        """Returns the approved model of a name; None where there is none."""


class ResourceVersionControl(Component):
    """Keeps contents, found again by their digest."""

    _is_framework = True

    @abstractmethod
    def version_data(self, data: pd.DataFrame, name: str) -> tuple[str, str]:
        """Keeps rows, and returns their digest and where they lie."""

    @abstractmethod
    def get_data(self, digest: str) -> pd.DataFrame:
        """Returns rows as they were kept: values, dtypes, order, index.

        Raises:
            DataFault: (a ValueError) there are none, or they are damaged.
        """

    @abstractmethod
    def version_model(self, directory: Path, name: str) -> tuple[str, str]:
        """Keeps a directory with a model, and returns its digest and where it lies."""

    @abstractmethod
    def get_model(self, digest: str) -> Path:
        """Returns a directory with the model, its content verified.

        Raises:
            DataFault: (a ValueError) there is none, or it is damaged.
        """


class CacheManager(Component):
    """Keeps results by content."""

    _is_framework = True

    @abstractmethod
    def cache(self, key: str, value: Any) -> None:
        """Keeps a value under a digest."""

    @abstractmethod
    def retrieve(self, key: str, default: Any = None) -> Any:
        """Returns what is kept under a digest; `default` where nothing is, or somebody else wrote it."""


class Notifier(Component):
    """Tells people what happened."""

    _is_framework = True

    @abstractmethod
    def notify(self, text: str, level: str = "info") -> None:
        """Sends a message; a server that does not answer never ends the workflow, but is logged.

        Args:
            text: what happened.
            level: info, warning or error.
        """


class TestRecorder(Component):
    """Remembers how checks ended."""

    _is_framework = True
    __test__ = False  # no class of tests, whatever pytest makes of its name

    @abstractmethod
    def record_test(self, method: str, test: str, status: str, message: str = "", seconds: float = 0.0) -> None:
        """Keeps how one check of a method ended: passed, failed, error or skipped."""

    @abstractmethod
    def generate_report(self) -> Path:
        """Writes the report, and returns where it lies."""

    def _run_ended(self, error: BaseException | None) -> None:
        """Records the workflow's checks, those that were not carried out included, and writes the report."""
        wiring: Wiring | None = self.__dict__.get(WIRING)
        if wiring is None:
            return
        root: Any = wiring.shared.root
        for each in wiring.shared.checks.of_this_run(root.plan.checks):
            name = f"{each.check.moment} {each.check.name}"
            self.record_test(each.check.target, name, str(each.status), each.message, each.seconds)
        self.generate_report()


class TextGenerator(Component):
    """Writes documentation, docstrings and tests for source code."""

    _is_framework = True

    @abstractmethod
    def generate(self, task: str, source: str) -> str:
        """Returns text.

        Args:
            task: documentation, docstrings or tests.
            source: Python.
        """
