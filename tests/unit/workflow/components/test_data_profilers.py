"""Pages that describe rows: complete, safe to open, and readable without a network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.errors import NotWritable
from mlpipeline.workflow.types.contract import Status
from tests.unit.workflow.components.conftest import Make


class Page(HTMLParser):
    """Reads a page, and fails where a tag is not closed as it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def odd() -> pd.DataFrame:
    """Columns that profilers stumble over."""
    return pd.DataFrame(
        {
            "a<script>alert(1)</script>": ["<b>bold</b>", '"', "&"] * 20,
            "nothing": np.nan,
            "same": 1,
            "when": pd.date_range("2026-01-01", periods=60, freq="h", tz="Europe/Berlin"),
            "took": pd.to_timedelta(np.arange(60), unit="min"),
            "flag": [True, False, None] * 20,
            "kind": pd.Categorical(["x", "y", "z"] * 20),
            "lists": [[1], [2], [3]] * 20,
            "far": [np.inf, 1.0, 2.0] * 20,
            "name": [f"n{number}" for number in range(60)],
        }
    )


def test_a_page_describes_every_column_and_asks_no_network(make: Make, passengers: pd.DataFrame) -> None:
    report = make("LocalDataProfiler", local_dir="pages").profile_data(passengers)
    text = Path(str(report.path)).read_text("utf-8")
    page = Page(text)
    assert page.count["section"] == page.count["svg"] == 5
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)
    assert [each.name for each in report.findings] == list(passengers.columns)
    age = report.findings[1]
    assert age.value == pytest.approx(passengers["age"].isna().mean())
    assert f"median {passengers['age'].median():.5g}"[:9] in age.message
    assert report.status is Status.PASS


def test_the_bars_of_a_histogram_hold_all_rows(make: Make, passengers: pd.DataFrame) -> None:
    report = make("LocalDataProfiler", local_dir="pages").profile_data(passengers[["fare"]])
    counts = re.findall(r"<title>[\d.e+-]+ to [\d.e+-]+: (\d+)</title>", Path(str(report.path)).read_text())
    assert (len(counts), sum(map(int, counts))) == (30, 200)


def test_odd_columns_are_described_and_what_is_in_them_is_only_text(make: Make, odd: pd.DataFrame) -> None:
    profiler = make("LocalDataProfiler", local_dir="pages")
    report = profiler.profile_data(odd)
    for path in (report.path, profiler.compare_data(odd, odd).path):
        text = Path(str(path)).read_text("utf-8")
        Page(text)
        assert "<script>" not in text
        assert "<b>bold" not in text
    told = {each.name: each.message for each in report.findings}
    assert "has no value" in told["nothing"]
    assert "is constant" in told["same"]
    assert "minimum 2026-01-01" in told["when"]
    assert "has infinite values" in told["far"]
    assert "it names rows" in told["name"]


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame({"a": [1]})])
def test_hardly_any_data_is_no_reason_to_fail(make: Make, frame: pd.DataFrame) -> None:
    profiler = make("LocalDataProfiler", local_dir="pages")
    Page(Path(str(profiler.profile_data(frame).path)).read_text())
    Page(Path(str(profiler.compare_data(frame, frame).path)).read_text())


def test_a_comparison_tells_what_differs(make: Make, passengers: pd.DataFrame) -> None:
    profiler = make("LocalDataProfiler", local_dir="pages")
    shuffled = passengers.sample(frac=1, random_state=1).drop(columns="passenger")
    assert profiler.compare_data(shuffled.tail(100), shuffled.head(100)).status is Status.PASS
    now = passengers.assign(fare=passengers["fare"] * 2, new=1, survived=passengers["survived"].astype(str))
    report = profiler.compare_data(now.drop(columns="town"), passengers)
    Page(Path(str(report.path)).read_text())
    told = {each.name: each.message for each in report.findings if each.status is Status.WARN}
    assert told.keys() == {"fare", "new", "survived", "town"}
    assert told["fare"].startswith("KS: p ")
    assert told["new"] == "is new"
    assert told["town"] == "is not there any more"
    assert told["survived"] == "held number (int64), and holds text (str)"


def test_pages_never_take_the_place_of_one_another(make: Make, passengers: pd.DataFrame) -> None:
    profiler = make("LocalDataProfiler")
    paths = [profiler.profile_data(passengers).path for _ in range(3)]
    names = [Path(str(path)).name for path in paths]
    assert names == ["part.data_profile.html", "part.data_profile-2.html", "part.data_profile-3.html"]
    assert Path(str(paths[0])).parent == Path("models/outputs/reports").resolve()


def test_a_place_that_cannot_be_written_is_told(make: Make, passengers: pd.DataFrame) -> None:
    Path("taken").write_text("")
    with pytest.raises(NotWritable, match=r"taken: cannot be made .*: set local_dir"):
        make("LocalDataProfiler", local_dir="taken").profile_data(passengers)


def test_sweetviz_writes_its_own_pages(make: Make, passengers: pd.DataFrame) -> None:
    pytest.importorskip("sweetviz", reason="sweetviz is not installed: mlpipeline[profile]")
    profiler = make("SweetvizDataProfiler", local_dir="pages", model_target="survived")
    for report in (profiler.profile_data(passengers), profiler.compare_data(passengers.head(90), passengers.tail(90))):
        assert "sweetviz" in Path(str(report.path)).read_text("utf-8").lower()
        assert len(report.findings) == 5


def test_histograms_beside_one_another_have_the_same_bins(make: Make, passengers: pd.DataFrame) -> None:
    day = pd.Series(pd.date_range("2026-01-01", periods=200))
    before = pd.DataFrame({"fare": passengers["fare"], "day": day})
    now = pd.DataFrame({"fare": passengers["fare"] + 500, "day": day + pd.Timedelta(days=300)})
    report = make("LocalDataProfiler", local_dir="pages").compare_data(now, before)
    bins = re.findall(r"<title>([^<]+?) to ([^<]+?): (\d+)</title>", Path(str(report.path)).read_text())
    assert len(bins) == 4 * 30
    for start in (0, 60):
        one, other = bins[start : start + 30], bins[start + 30 : start + 60]
        assert [each[:2] for each in one] == [each[:2] for each in other]
        assert sum(int(each[2]) for each in one) == sum(int(each[2]) for each in other) == 200
