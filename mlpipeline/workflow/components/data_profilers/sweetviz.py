"""Describes rows on pages of sweetviz."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import pandas as pd

from mlpipeline import errors
from mlpipeline.data.profile import ColumnProfile, profile
from mlpipeline.workflow.components import places
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Finding, Report
from mlpipeline.workflow.types.data import DataProfiler


class SweetvizDataProfiler(DataProfiler):
    """Pages with associations and the target: `pip install 'mlpipeline[profile]'`.

    Attributes:
        model_target: a column that all others are shown beside, where it is one of numbers or of yes and no.
        local_dir: where pages go; by default the run's directory, or the project's outputs.
    """

    model_target: str | None = None
    local_dir: str | None = None

    @side_effects
    def profile_data(self, data: pd.DataFrame) -> Report:
        """Returns a report of each column; with a page."""
        with _quiet() as sweetviz:
            made = sweetviz.analyze(data, target_feat=self._target(data), pairwise_analysis="off")
            return self._written("data_profile", made, data)

    @side_effects
    def compare_data(self, data: pd.DataFrame, previous: pd.DataFrame) -> Report:
        """Returns how rows differ from earlier ones; with a page."""
        with _quiet() as sweetviz:
            made = sweetviz.compare(
                [data, "now"], [previous, "before"], target_feat=self._target(data), pairwise_analysis="off",
            )  # fmt: skip
            return self._written("data_comparison", made, data)

    def _target(self, data: pd.DataFrame) -> str | None:
        """Returns the target where sweetviz can show one: it knows numbers and booleans without missing values."""
        if self.model_target not in data.columns:
            return None
        values = data[self.model_target]
        return self.model_target if values.dtype.kind in "biuf" and not values.hasnans else None

    def _written(self, name: str, made: Any, data: pd.DataFrame) -> Report:
        path = places.new_file(self, self.local_dir, name, ".html")
        made.show_html(str(path), open_browser=False)
        return Report(name=name, findings=tuple(map(_finding, profile(data))), path=str(path))


def _finding(column: ColumnProfile) -> Finding:
    message = f"{column.kind}, {column.distinct} distinct"
    return Finding(name=column.name, value=round(column.missing_share, 6), message=message)


@contextmanager
def _quiet() -> Iterator[Any]:
    """Yields sweetviz, whose progress bars and warnings of its own use of pandas are nobody's concern."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield errors.require("sweetviz", extra="profile")
