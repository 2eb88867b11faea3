"""Describes rows on a page of its own, which works without a network."""

from __future__ import annotations

import pandas as pd

from mlpipeline.data import drift
from mlpipeline.data.profile import ColumnProfile, distinct_count, duplicated, profile
from mlpipeline.workflow.components import places
from mlpipeline.workflow.components.data_profilers import page
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Finding, Report, Status
from mlpipeline.workflow.types.data import DataProfiler


class LocalDataProfiler(DataProfiler):
    """Describes each column in numbers and a histogram.

    Attributes:
        local_dir: where pages go; by default the run's directory, or the project's outputs.
        least_p_value: in a comparison, a column differs where the test's p-value is below this, ...
        least_effect: ... and the distributions are at least so far apart (0 to 1), so that many rows alone make no
            difference.
    """

    local_dir: str | None = None
    least_p_value: float = 0.01
    least_effect: float = 0.1

    @side_effects
    def profile_data(self, data: pd.DataFrame) -> Report:
        """Returns a report of each column: kind, missing, range, distribution; with a page."""
        columns = profile(data)
        summary = [*_size(data), ("rows that are the same as an earlier one", str(duplicated(data)))]
        path = places.new_file(self, self.local_dir, "data_profile", ".html")
        path.write_text(page.page("Data profile", summary, columns), "utf-8")
        return Report(name="data_profile", findings=tuple(map(_finding, columns)), path=str(path))

    @side_effects
    def compare_data(self, data: pd.DataFrame, previous: pd.DataFrame) -> Report:
        """Returns how rows differ from earlier ones: columns, kinds, distributions; with a page."""
        before = {each.name: each for each in profile(previous, beside=data)}
        now = {each.name: each for each in profile(data, beside=previous)}
        drifts = {str(each.name): each for each in drift.compare(previous, data)}
        names = list(dict.fromkeys([*before, *now]))
        findings = tuple(self._compared(name, before.get(name), now.get(name), drifts.get(name)) for name in names)
        summary = [("before", _size(previous)[0][1]), ("now", _size(data)[0][1])]
        differing = sum(each.status is not Status.PASS for each in findings)
        summary.append(("columns that differ", f"{differing} of {len(findings)}"))
        told = {each.name: (each.message, each.status is not Status.PASS) for each in findings}
        pairs = [(before.get(name), now.get(name)) for name in names]
        path = places.new_file(self, self.local_dir, "data_comparison", ".html")
        path.write_text(page.comparison("Data comparison", summary, pairs, told), "utf-8")
        return Report(name="data_comparison", findings=findings, path=str(path))

    def _compared(
        self, name: str, before: ColumnProfile | None, now: ColumnProfile | None, found: drift.Drift | None
    ) -> Finding:
        if before is None or now is None or found is None:
            return Finding(
                name=name, status=Status.WARN, message="is new" if before is None else "is not there any more"
            )
        if before.kind != now.kind:
            message = f"held {before.kind} ({before.dtype}), and holds {now.kind} ({now.dtype})"
            return Finding(name=name, status=Status.WARN, message=message)
        is_drift = found.p_value < self.least_p_value and found.effect >= self.least_effect
        told = f"{found.test}: p {found.p_value:.2g}, distance {found.effect:.2f}; missing {before.missing_share:.1%} "
        message = f"{told}→ {now.missing_share:.1%}"
        is_drift = is_drift or found.missing_change >= self.least_effect
        status = Status.WARN if is_drift else Status.PASS
        return Finding(name=name, status=status, value=round(found.effect, 4), message=message)


def _size(frame: pd.DataFrame) -> list[tuple[str, str]]:
    kinds = distinct_count(pd.Series([str(each) for each in frame.dtypes]))
    size = f"{frame.memory_usage(deep=False).sum() / 1e6:.3g} MB"
    return [("size", f"{len(frame)} rows, {frame.shape[1]} columns of {kinds} dtypes"), ("memory", size)]


def _finding(column: ColumnProfile) -> Finding:
    facts = [f"{name} {column.facts[name]}" for name in ("minimum", "median", "maximum") if name in column.facts]
    told = [column.kind, f"{column.missing_share:.1%} missing", f"{column.distinct} distinct", *facts, *column.notes]
    return Finding(name=column.name, value=round(column.missing_share, 6), message=", ".join(told))
