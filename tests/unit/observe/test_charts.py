"""Charts hold what was compared, and are drawn in letters and in files whatever the numbers are."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import NotWritable, UsageError
from mlpipeline.observe import charts, text_chart
from mlpipeline.observe.charts import Chart, Series
from tests.unit.observe.test_comparison import compared, ran, seeds, study

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def searched(values: dict[int, float]) -> charts.Comparison:
    """A search whose trials have these values, and twice them as a parameter."""
    runs = []
    for n, value in values.items():
        run = ran("abcdefgh"[n] * 6, f"trial-{n}", {"search": {"gain": value}}, params={"x": 2 * value, "kind": "a"})
        runs.append(replace(run, params_digest=str(n)))
    return compared(*runs, studies=[study(trials=8)])


def test_the_course_of_a_search_has_the_best_so_far() -> None:
    points, line = charts.trials(searched({1: 3.0, 2: 1.0, 3: 7.0, 4: 2.0})).series
    assert (list(points.x), list(points.y)) == ([1, 2, 3, 4], [3.0, 1.0, 7.0, 2.0])
    assert dict(zip(line.x, line.y, strict=True)) == {1: 3.0, 2: 3.0, 3: 7.0, 4: 7.0}


def test_a_pruned_trial_is_never_the_best_so_far() -> None:
    found = searched({1: 3.0, 2: 9.0, 3: 4.0})
    rows = tuple(replace(row, is_eligible=row.label != "trial-2") for row in found.rows)
    points, line = charts.trials(replace(found, rows=rows)).series
    assert list(points.y) == [3.0, 9.0, 4.0]
    assert max(line.y) == 4.0


def test_a_scatter_is_of_numbers_or_of_names() -> None:
    found = searched({1: 3.0, 2: 1.0})
    assert list(charts.scatter(found, "x").series[0].x) == [6.0, 2.0]
    assert charts.scatter(found, "kind").ticks == ("a",)
    with pytest.raises(UsageError, match=r"no parameter 'kin'\. Did you mean 'kind'"):
        charts.scatter(found, "kin")


def test_parallel_lines_go_through_all_axes_and_the_best_is_known() -> None:
    chart = charts.parallel(searched({1: 3.0, 2: 1.0, 3: 7.0}))
    assert [axis.name for axis in chart.axes] == ["x", "gain"]
    assert chart.axes[1].places == pytest.approx((1.0, 1 / 3, 0.0))
    assert chart.best == 0


def test_bars_have_the_interval_and_say_who_is_left_out() -> None:
    found = compared(*seeds("wide", [0.5, 0.6, 0.7]), *seeds("narrow", [0.1]), ran("zzzzzz", "none", {}))
    chart = charts.bars(found)
    assert chart.ticks == ("wide", "narrow")
    assert list(chart.series[0].errors) == pytest.approx([0.24841377, 0.0])
    assert chart.notes == ("whiskers: 95 % interval over seeds", "1 row without a finite test accuracy, not drawn")
    lines = text_chart.lines(chart, 60)
    assert max(map(len, lines)) <= 60
    assert lines[2].count("█") > lines[3].count("█") > 0
    assert lines[2].endswith("0.6 ± 0.25")


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        charts.bars(compared(ran("aaaaaa", "one", {"test": {"loss": "nan"}})))


@given(st.lists(st.tuples(FINITE, FINITE), max_size=20), st.booleans(), st.integers(1, 200))
def test_letters_are_drawn_of_any_finite_numbers(points: list[tuple[float, float]], is_line: bool, width: int) -> None:
    points = sorted(points)
    series = Series(name="s", x=[x for x, _ in points], y=[y for _, y in points], is_line=is_line)
    chart = Chart(title="t", x_label="x", y_label="y", series=(series,))
    drawn = text_chart.lines(chart, width)
    assert max(map(len, drawn)) <= max(width, 40)
    assert ("*" in "".join(drawn)) == bool(points)
    bars = replace(chart, ticks=tuple("v" for _ in points), is_bars=True)
    assert len(text_chart.lines(bars, width)) == len(points) + 2


def test_a_curve_falls_in_letters_as_it_falls() -> None:
    chart = charts.curves([("one", [1, 2, 3], [3.0, 2.0, 1.0])], "loss", [])
    drawn = [line for line in text_chart.lines(chart, 40) if "|" in line]
    columns = [line.split("|")[1].rfind("*") for line in drawn]
    assert columns == sorted(columns)
    assert (drawn[0].strip()[0], drawn[-1].strip()[0]) == ("3", "1")


def test_on_a_logarithmic_axis_a_decay_is_a_straight_line() -> None:
    chart = charts.curves([("one", range(41), [10.0**-n for n in range(41)])], "loss", [])
    drawn = [line for line in text_chart.lines(charts.logarithmic(chart, x=False, y=True), 54) if "|" in line]
    ends = [line.split("|")[1].rfind("*") for line in drawn]
    assert {after - before for before, after in itertools.pairwise(ends)} <= {2, 3}
    assert (drawn[0].split()[0], drawn[-1].split()[0]) == ("1", "1e-40")


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=20), st.booleans(), st.booleans(), st.booleans())
def test_a_logarithmic_chart_has_what_is_above_zero_and_tells_the_rest(
    points: list[tuple[float, float]], is_line: bool, x: bool, y: bool
) -> None:
    series = Series(name="s", x=[x for x, _ in points], y=[y for _, y in points], is_line=is_line)
    chart = Chart(title="t", x_label="a", y_label="b", series=(series,))
    kept = [(a, b) for a, b in points if (a > 0 or not x) and (b > 0 or not y)]
    if not kept:
        with pytest.raises(UsageError, match="above 0"):
            charts.logarithmic(chart, x=x, y=y)
        return
    found = charts.logarithmic(chart, x=x, y=y)
    assert list(zip(found.series[0].x, found.series[0].y, strict=True)) == kept
    assert len(found.notes) == (len(kept) < len(points))
    assert "*" in "".join(text_chart.lines(found, 60))


def test_names_along_an_axis_have_no_logarithm() -> None:
    chart = charts.scatter(searched({1: 3.0, 2: 1.0}), "kind")
    with pytest.raises(UsageError, match="'kind' has values that are no numbers"):
        charts.logarithmic(chart, x=True, y=False)


@pytest.fixture(scope="module")
def figures() -> object:
    pytest.importorskip("matplotlib")
    from mlpipeline.observe import figures

    return figures


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_pictures_are_written_whole_and_are_the_same_twice(figures: object, tmp_path: Path, suffix: str) -> None:
    found = searched({1: 3.0, 2: 1.0, 3: 700.0})
    drawn = [charts.trials(found), charts.parallel(found), charts.bars(found), charts.scatter(found, "kind")]
    drawn.append(charts.logarithmic(charts.scatter(found, "x"), x=True, y=True))
    for place, chart in enumerate(drawn):
        one, two = tmp_path / f"{place}a{suffix}", tmp_path / f"{place}b{suffix}"
        figures.draw(chart, one)  # type: ignore[attr-defined]
        figures.draw(chart, two)  # type: ignore[attr-defined]
        assert one.read_bytes() == two.read_bytes()
        assert one.stat().st_size > 2000
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_names_are_no_formulas_and_no_markup(figures: object, tmp_path: Path) -> None:
    chart = charts.curves([("$\\frac{<i>$", [1, 2], [1.0, 2.0]), ("two", [1, 2], [1.0, 3.0])], "a$b^$", [])
    figures.draw(chart, tmp_path / "x.svg")  # type: ignore[attr-defined]
    told = "".join(ET.parse(tmp_path / "x.svg").getroot().itertext())
    assert "<i>$" in told


@pytest.mark.parametrize("name", ["x.gif", "x", "nowhere/x.png", "."])
def test_places_for_no_picture_are_refused(figures: object, tmp_path: Path, name: str) -> None:
    with pytest.raises((UsageError, NotWritable)):
        figures.check(tmp_path / name)  # type: ignore[attr-defined]
