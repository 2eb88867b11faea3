"""A few rows take shorter ways than many: what comes out is the same, to the type and the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data.encoders import Boolean, Norm, OneHot, Pass, Token, Uniform, Unique
from mlpipeline.data.encoding import Encoding
from mlpipeline.data.transformers import Length, Log

ROWS = 2500


def frame() -> pd.DataFrame:
    numbers = np.arange(ROWS)
    age = (numbers * 7 % 90).astype(float)
    age[::5] = np.nan
    return pd.DataFrame(
        {
            "age": age,
            "visits": numbers % 40,
            "town": [("Bonn", "Köln", None, "Ulm")[number % 4] for number in numbers],
            "is_member": numbers % 3 == 0,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="h"),
            "more": numbers,
        },
        index=numbers * 2,
    )


OF_ONE_TYPE = (Norm("age"), Uniform("visits"), Norm(Log("visits")), Norm("since"))
OF_MANY_TYPES = (*OF_ONE_TYPE, Pass("visits"), Unique("town"), Boolean("is_member"), OneHot("town"), Token("town"))
OF_TRANSFORMERS = (Norm(Length("town")), Unique("town", name="place"))


@pytest.mark.parametrize("encoders", [OF_ONE_TYPE, OF_MANY_TYPES, OF_TRANSFORMERS], ids=["one", "many", "transformers"])
def test_one_row_is_encoded_as_within_a_frame(encoders: Any) -> None:
    rows = frame()
    encoding = Encoding(encoders, None)
    encoding.fit(lambda names: rows)
    whole = encoding.encode_x(rows)
    for part in (rows.iloc[:1], rows.iloc[5:6], rows.iloc[:4], rows.iloc[:999], rows.iloc[:1001], rows.iloc[:0]):
        pd.testing.assert_frame_equal(encoding.encode_x(part), whole.loc[part.index])
    alone = pd.concat([encoding.encode_x(rows.iloc[[place]]) for place in range(60)])
    pd.testing.assert_frame_equal(alone, whole.iloc[:60])


def test_an_encoder_with_a_way_of_its_own_sees_its_inputs_and_nothing_else() -> None:
    seen = []

    class Curious(Norm):
        def transform(self, frame: Any) -> Any:
            seen.append(list(frame.columns))
            return super().transform(frame)

    rows = frame()
    encoding = Encoding([Curious("age")], None)
    encoding.fit(lambda names: rows)
    encoding.encode_x(rows)
    assert seen == [["age"]]


def test_what_is_changed_in_encoded_rows_does_not_change_their_source() -> None:
    rows = frame()
    encoding = Encoding([Pass("age")], None)
    encoding.fit(lambda names: rows)
    few = rows.iloc[:3]
    encoded = encoding.encode_x(few)
    encoded.iloc[1, 0] = -1.0
    assert encoded.columns.tolist() == ["pass_age"]
    assert few["age"].tolist()[1] == 7.0
    assert encoding.encode_x(few).iloc[1, 0] == 7.0
