"""Rows that look like others, and how alike they are."""

from __future__ import annotations

import pandas as pd
import pytest

from mlpipeline.errors import DataFault, NotFitted
from mlpipeline.workflow.types.contract import Status
from tests.unit.workflow.components.conftest import Make


def test_rows_look_like_those_learnt_from(make: Make, passengers: pd.DataFrame) -> None:
    synthesizer = make("LocalDataSynthesizer").fit(passengers)
    drawn = synthesizer.sample(500)
    assert drawn.shape == (500, 5)
    pd.testing.assert_series_equal(drawn.dtypes, passengers.dtypes)
    pd.testing.assert_frame_equal(drawn, synthesizer.sample(500))
    assert not drawn.equals(make("LocalDataSynthesizer", seed=1).fit(passengers).sample(500))
    unlike = ["passenger", "age"]  # so many values which few have, and which are not copied
    report = synthesizer.evaluate(passengers.drop(columns=unlike), drawn.drop(columns=unlike))
    assert report.status is Status.PASS
    assert all(0.8 <= float(each.value) <= 1 for each in report.findings[:-1])  # type: ignore[arg-type]


def test_copied_rows_are_found(make: Make, passengers: pd.DataFrame) -> None:
    report = make("LocalDataSynthesizer").fit(passengers).evaluate(passengers, passengers.head(7))
    assert (report.findings[-1].name, report.findings[-1].value) == ("copied rows", 7)
    assert report.status is Status.WARN


def test_rows_that_many_have_are_nobody_s_own(make: Make) -> None:
    data = pd.DataFrame({"a": ["x", "y"] * 50, "b": [1, 2] * 50})
    report = make("LocalDataSynthesizer").fit(data).evaluate(data, data.head(20))
    assert report.findings[-1].value == 0


def test_it_must_have_seen_rows(make: Make, passengers: pd.DataFrame) -> None:
    synthesizer = make("LocalDataSynthesizer")
    with pytest.raises(NotFitted, match=r"call fit first"):
        synthesizer.sample(1)
    with pytest.raises(DataFault, match=r"there are no rows to look like"):
        synthesizer.fit(passengers.head(0))
    with pytest.raises(DataFault, match=r"-1 rows cannot be made"):
        synthesizer.fit(passengers).sample(-1)
