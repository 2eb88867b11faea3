"""The command that draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline import metrics
from tests.unit.cli.conftest import Desk
from tests.unit.observe.test_comparison import seeds


def record(desk: Desk, rows: int = 5) -> None:
    """Two versions, two seeds of one, with curves."""
    runs = [*seeds("wide", [0.8, 0.9]), *seeds("narrow", [0.1])]
    desk.record(*runs)
    for run in runs:
        told = metrics.lines((1.0, n, {"loss": 1 / n, "odd": float("nan")}) for n in range(1, rows + 1))
        (desk.attempt_directory(run) / "metrics.jsonl").write_text(told)


def test_curves_are_drawn_where_there_are_any_else_bars(desk: Desk) -> None:
    desk.record(*seeds("deep", [0.5], model="old.py"))
    record(desk)
    assert "step" in desk.type("plot", "digits.py").stdout
    assert "█" in desk.type("plot", "old.py").stdout
    read = desk.json("plot", "digits.py", "--metric", "loss")["chart"]
    assert [each["name"] for each in read["series"]] == ["narrow", "wide", "wide"]
    assert read["series"][0]["y"] == pytest.approx([1 / n for n in range(1, 6)])


@pytest.mark.parametrize("kind", ["curves", "bars", "trials", "parallel"])
def test_every_chart_is_told_to_programs(desk: Desk, kind: str) -> None:
    record(desk)
    read = desk.json("plot", "digits.py", "--kind", kind)
    assert read["file"] is None
    assert read["chart"]["axes" if kind == "parallel" else "series"]


def test_an_axis_may_be_logarithmic(desk: Desk) -> None:
    record(desk, 3000)
    chart = desk.json("plot", "digits.py:narrow", "--metric", "loss", "--log-x", "--log-y")["chart"]
    assert (chart["log_x"], chart["log_y"]) == (True, True)
    assert chart["series"][0]["x"][:4] == [1, 2, 3, 4]
    assert "(log)" in desk.type("plot", "digits.py:narrow", "--metric", "loss", "--log-y").stdout


def test_long_curves_are_thinned_out_and_odd_values_told(desk: Desk) -> None:
    record(desk, 3000)
    read = desk.json("plot", "digits.py:narrow", "--metric", "loss")["chart"]
    assert len(read["series"][0]["x"]) == 1000
    result = desk.type("plot", "digits.py:narrow", "--metric", "odd", "--kind", "curves")
    assert "3000 values not finite, not drawn" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "parallel"], "need a file"),
        (["--kind", "curves", "--metric", "los"], "Did you mean 'loss'?"),
        (["--kind", "scatter"], "all of these have the same parameters"),
        (["--kind", "bars", "--log-y"], "bars have no such axis"),
        (["--kind", "curves", "--metric", "odd", "--log-y"], "no value of odd is above 0"),
        (["-o", "x.gif"], "a picture's name ends in"),
        (["-o", "/nowhere/x.png"], "make its directory"),
        (["-o", "/proc/x.png"], "cannot be written"),
        (["nix.py"], "is no run"),
    ],
)
def test_what_cannot_be_drawn_is_told(desk: Desk, words: list[str], said: str) -> None:
    pytest.importorskip("matplotlib")
    record(desk)
    result = desk.type("plot", *words)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_without_a_run_there_is_nothing_to_draw(desk: Desk) -> None:
    result = desk.type("plot")
    assert (result.exit_code, "nothing to draw" in result.output) == (2, True)


def test_without_matplotlib_a_file_names_the_extra(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mlpipeline import errors

    def missing(module: str, *, extra: str) -> None:
        raise errors.MissingExtra(f"{module} is not installed: pip install 'mlpipeline[{extra}]'")

    record(desk)
    monkeypatch.setattr(errors, "require", missing)
    result = desk.type("plot", "-o", str(tmp_path / "x.png"))
    assert (result.exit_code, "mlpipeline[plots]" in result.output) == (1, True)
