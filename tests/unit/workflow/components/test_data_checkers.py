"""Rows that are fit to be learnt from, and rows that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.errors import ConfigurationError, DataFault
from mlpipeline.workflow.types.contract import Report, Status
from tests.unit.workflow.components.conftest import Make

RULES: dict[str, Any] = {
    "required": ["passenger"],
    "model_target": "survived",
    "kinds": {"fare": "number", "town": "text"},
    "ranges": {"age": [0, 120], "fare": [0, None]},
    "classes": {"town": ["Southampton", "Cherbourg", "Queenstown"], "survived": [0, 1]},
    "unique": ["passenger", ["passenger", "town"]],
}


def wrong(report: Report) -> dict[str, Status]:
    return {each.name: each.status for each in report.findings if each.status is not Status.PASS}


def test_good_rows_pass_and_each_check_says_so(make: Make, passengers: pd.DataFrame) -> None:
    report = make("LocalDataChecker", **RULES).check_data(passengers)
    assert report.status is Status.PASS
    names = ["rows", "required", "missing", "kinds", "ranges", "classes", "duplicates", "constant"]
    assert [each.name for each in report.findings] == names


BROKEN: dict[str, tuple[Any, str, Status, str]] = {
    "missing target": (
        lambda d: d.assign(survived=d.survived.astype(float).where(d.index > 2)), "required.survived", Status.ERROR,
        "3 of 200 rows have no survived",
    ),
    "no column": (lambda d: d.drop(columns="passenger"), "required.passenger", Status.ERROR, "there is no column"),
    "many missing": (
        lambda d: d.assign(age=d.age.where(d.index < 50)), "missing.age", Status.WARN, "more than 50%"
    ),
    "another kind": (lambda d: d.assign(fare="x"), "kinds.fare", Status.ERROR, "fare holds text (str), and must hold"),
    "out of range": (lambda d: d.assign(age=d.age - 50), "ranges.age", Status.ERROR, "outside of 0 to 120"),
    "open range": (lambda d: d.assign(fare=-1.0), "ranges.fare", Status.ERROR, "values of fare are outside of 0 to"),
    "no range": (lambda d: d.assign(age="old"), "ranges.age", Status.ERROR, "holds text, which has no range"),
    "unknown class": (lambda d: d.assign(town="Bremen"), "classes.town", Status.ERROR, "town has 'Bremen'"),
    "the same rows": (lambda d: pd.concat([d, d.head(3)]), "duplicates", Status.WARN, "3 of 203 rows are the same"),
    "the same keys": (lambda d: d.assign(passenger=1), "unique.passenger", Status.ERROR, "199 rows have the passenger"),
    "constant": (lambda d: d.assign(fare=1.0), "constant.fare", Status.WARN, "is the same in all rows"),
    "no rows": (lambda d: d.head(0), "rows", Status.ERROR, "0 rows, and at least 1 are needed"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_found(make: Make, passengers: pd.DataFrame, case: str) -> None:
    change, name, status, message = BROKEN[case]
    report = make("LocalDataChecker", **RULES).check_data(change(passengers))
    assert wrong(report)[name] is status
    assert message in next(each.message for each in report.findings if each.name == name)


def test_rows_are_held_beside_those_of_a_reference(make: Make, passengers: pd.DataFrame) -> None:
    checker = make("LocalDataChecker")
    town = passengers["town"].replace("Cherbourg", "Bremen")
    now = passengers.assign(fare=passengers["fare"] * 100, town=town, age="old", new=passengers["age"])
    now = now.drop(columns="survived")
    found = wrong(checker.check_data(now, passengers))
    assert {name: found[name] for name in found if name.startswith("reference")} == {
        "reference.age": Status.ERROR,
        "reference.fare": Status.WARN,
        "reference.town": Status.WARN,
        "reference.survived": Status.ERROR,
        "reference.new": Status.WARN,
    }


def test_a_part_of_the_same_rows_is_not_strange(make: Make, passengers: pd.DataFrame) -> None:
    checker = make("LocalDataChecker", max_outside=0.05)
    shuffled = passengers.sample(frac=1, random_state=0).drop(columns="passenger")
    assert wrong(checker.check_data(shuffled.head(60), shuffled.tail(140))) == {}


def test_rules_that_cannot_be_are_told_when_it_is_made(make: Make) -> None:
    with pytest.raises(
        ConfigurationError, match=r"(?s)a cannot be 'numbers': there are number.*give \[least, greatest\] for b"
    ):
        make("LocalDataChecker", kinds={"a": "numbers"}, ranges={"b": [1]})


def test_times_have_ranges_of_text(make: Make) -> None:
    data = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=10)})
    report = make("LocalDataChecker", ranges={"day": ["2026-01-03", None]}).check_data(data)
    assert wrong(report) == {"ranges.day": Status.ERROR}


def test_rows_of_one_distribution_have_not_drifted(make: Make) -> None:
    draw = np.random.default_rng(1)
    frames = [
        pd.DataFrame({f"x{n}": draw.normal(size=500) for n in range(60)} | {"c": draw.choice(list("abcd"), 500)})
        for _ in range(2)
    ]
    assert make("DriftDataChecker", drift_effect=0.0).check_data(*frames).status is Status.PASS


def test_drift_is_found_and_told_column_by_column(make: Make, passengers: pd.DataFrame) -> None:
    now = passengers.assign(fare=passengers["fare"] + 40, town=passengers["town"].replace("Southampton", "Cherbourg"))
    report = make("DriftDataChecker").check_data(now, passengers)
    assert wrong(report) == {"drift": Status.WARN, "drift.fare": Status.WARN, "drift.town": Status.WARN}
    told = {each.name: each.message for each in report.findings}
    assert told["drift"] == "2 of 5 columns have drifted"
    assert told["drift.fare"].startswith("KS: p ")
    assert told["drift.town"].startswith("chi-square: p ")
    assert make("DriftDataChecker", drift_share=0.3).check_data(now, passengers).status is Status.ERROR


def test_a_change_that_is_small_is_no_drift_however_many_rows_there_are(make: Make) -> None:
    draw = np.random.default_rng(0)
    before, now = (pd.DataFrame({"x": draw.normal(mean, size=100_000)}) for mean in (0, 0.05))
    assert make("DriftDataChecker").check_data(now, before).status is Status.PASS
    assert make("DriftDataChecker", drift_effect=0.01).check_data(now, before).status is Status.ERROR


def test_more_missing_values_are_drift(make: Make, passengers: pd.DataFrame) -> None:
    now = passengers.assign(age=passengers["age"].where(passengers.index % 2 == 0))
    assert "drift.age" in wrong(make("DriftDataChecker").check_data(now, passengers))


def test_a_first_run_has_no_reference_to_drift_from(make: Make, passengers: pd.DataFrame) -> None:
    assert make("DriftDataChecker").check_data(passengers).status is Status.PASS
    with pytest.raises(DataFault, match=r"drift_columns: 'no' is not in both frames"):
        make("DriftDataChecker", drift_columns=["no"]).check_data(passengers, passengers)
    with pytest.raises(ConfigurationError, match=r"is 7: give 0 to 1"):
        make("DriftDataChecker", drift_share=7)


def test_a_schema_of_pandera_is_read_from_yaml(make: Make, passengers: pd.DataFrame) -> None:
    pandera = pytest.importorskip("pandera.pandas", reason="pandera is not installed: mlpipeline[quality]")
    columns = {
        "age": pandera.Column(float, pandera.Check.in_range(0, 120), nullable=True),
        "town": pandera.Column(str, pandera.Check.isin(["Southampton", "Cherbourg", "Queenstown"])),
    }
    Path("schema.yaml").write_text(pandera.DataFrameSchema(columns).to_yaml())
    checker = make("PanderaDataChecker", schema_path="schema.yaml")
    assert checker.check_data(passengers).status is Status.PASS
    broken = passengers.assign(age=passengers["age"] + 100, town="Bremen")
    report = checker.check_data(broken)
    assert wrong(report) == {"schema.age": Status.ERROR, "schema.town": Status.ERROR}
    assert "Bremen" in report.findings[-1].message
    assert "schema.rows" in wrong(checker.check_data(passengers.drop(columns="age")))


def test_what_is_no_schema_is_told_when_it_is_made(make: Make) -> None:
    pytest.importorskip("pandera.pandas", reason="pandera is not installed: mlpipeline[quality]")
    with pytest.raises(ConfigurationError, match=r"schema_path: no.yaml: there is no such file"):
        make("PanderaDataChecker", schema_path="no.yaml")
    Path("schema.yaml").write_text("columns: {age: {dtype: nonsense}}")
    with pytest.raises(ConfigurationError, match=r"schema_path: schema.yaml holds no schema of pandera"):
        make("PanderaDataChecker", schema_path="schema.yaml")


def test_what_stands_out_of_a_series_is_found(make: Make) -> None:
    pytest.importorskip("stumpy", reason="stumpy is not installed: mlpipeline[matrix-profile]")
    wave = np.sin(np.arange(400) / 5) + np.random.default_rng(0).normal(0, 0.05, 400)
    wave[200:215] += np.linspace(0, 4, 15)
    data = pd.DataFrame({"hour": pd.date_range("2026-01-01", periods=400, freq="h"), "wave": wave})
    values: dict[str, Any] = {"time_index": "hour", "stumpy_window_size": [30], "local_dir": "pages"}
    report = make("StumpyMatrixProfiler", **values).check_data(data.sample(frac=1, random_state=0))
    starts = [pd.Timestamp(each.message.partition("from ")[2][:19]) for each in report.findings]
    assert abs((starts[0] - data["hour"][200]) / pd.Timedelta("1h")) < 30
    assert len(report.findings) == 3
    assert "<polyline" in Path(str(report.path)).read_text()
    warned = make("StumpyMatrixProfiler", **values, stumpy_warn_distance=1.0).check_data(data)
    assert warned.status is Status.WARN


def test_windows_that_do_not_fit_are_told(make: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"has 2: 3 rows or more"):
        make("StumpyMatrixProfiler", stumpy_window_size=[2])
    with pytest.raises(DataFault, match=r"10 rows are too few for windows of 30"):
        make("StumpyMatrixProfiler").check_data(pd.DataFrame({"x": range(10)}))
