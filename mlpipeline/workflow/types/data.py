"""The types of components that bring rows, change them, look at them and make more of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from mlpipeline.workflow.component import Component

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    import pandas as pd

    from mlpipeline.workflow.types.contract import Report, Splits


class DataConnector(Component):
    """Reads and writes tables of one kind of store: files, a database, a bucket."""

    _is_framework = True
    CHANGES_UNSEEN: ClassVar[bool] = False
    """Whether tables change without the workflow knowing: then nothing that uses the connector can be cached."""

    def files_meant(self, name: str) -> Iterable[str]:
        """Returns the files that a source's name stands for here: their content tells one call from another."""
        return ()

    @abstractmethod
    def get_data(self, source: str, sql: str | None = None) -> pd.DataFrame:
        """Returns rows.

        Args:
            source: a file, a table (`schema.table`) or a key, as the store has it.
            sql: a query, where the store takes one; then `source` does not matter.

        Raises:
            DataFault: (a ValueError) there is no such source, or it cannot be read as a table.
        """

    @abstractmethod
    def save_data(self, data: pd.DataFrame, target: str) -> str:
        """Writes rows: a file is replaced whole, to a table they are appended by the names of their columns.

        Columns that the table lacks are added; those that the rows lack are NULL. The index is not written.

        Returns:
            Where they lie, for a person.

        Raises:
            DataFault: (a ValueError) the store cannot hold them, e.g. an extension that nobody writes.
        """


class DataTransformer(Component):
    """Makes the rows that a model learns from."""

    _is_framework = True

    @abstractmethod
    def transform(self, source: str | Mapping[str, str] | pd.DataFrame) -> pd.DataFrame:
        """Returns transformed rows of a source, of several by name, or of rows that were read already."""


class DataSplitter(Component):
    """Tells apart what is learnt from, what selects, and what reports."""

    _is_framework = True

    @abstractmethod
    def split_data(self, data: pd.DataFrame) -> Splits:
        """Returns the splits: the same for the same rows and seed; no row is in two of them, none is left out."""


class FeatureTransformer(Component):
    """Makes features; learns only from what `fit` is given, which is the training part."""

    _is_framework = True

    @abstractmethod
    def fit(self, data: pd.DataFrame, target: pd.Series | None = None) -> Self:
        """Learns from features of shape (rows, columns), and the target of shape (rows,)."""

    @abstractmethod
    def transform(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns features under the same index, of shape (rows, features)."""

    def fit_transform(self, data: pd.DataFrame, target: pd.Series | None = None) -> pd.DataFrame:
        """Learns, and returns the features of the same rows."""
        return self.fit(data, target).transform(data)


class DataProfiler(Component):
    """Describes rows to a person, and how they differ from others."""

    _is_framework = True

    @abstractmethod
    def profile_data(self, data: pd.DataFrame) -> Report:
        """Returns a report of each column: kind, missing, range, distribution; with a page."""

    @abstractmethod
    def compare_data(self, data: pd.DataFrame, previous: pd.DataFrame) -> Report:
        """Returns how rows differ from earlier ones: columns, kinds, distributions; with a page."""


class DataChecker(Component):
    """Says whether rows are fit to be learnt from."""

    _is_framework = True

    @abstractmethod
    def check_data(self, data: pd.DataFrame, reference: pd.DataFrame | None = None) -> Report:
        """Returns what is wrong with rows, by themselves and beside those of `reference`."""


class DataSynthesizer(Component):
    """Makes rows that look like others."""

    _is_framework = True

    @abstractmethod
    def fit(self, data: pd.DataFrame) -> Self:
        """Learns what rows look like."""

    @abstractmethod
    def sample(self, rows: int) -> pd.DataFrame:
        """Returns so many rows with the columns and dtypes of those learnt from; the same for the same seed."""

    @abstractmethod
    def evaluate(self, real: pd.DataFrame, synthetic: pd.DataFrame) -> Report:
        """Returns how alike they are, column by column, and how many rows were copied."""
