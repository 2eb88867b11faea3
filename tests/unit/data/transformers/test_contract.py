"""Every transformer keeps what all of them promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import transformers
from mlpipeline.data.transformer import Transformer
from mlpipeline.data.transformers import (
    Age,
    AreaCode,
    DateTime,
    Distance,
    EmailDomain,
    Extract,
    GeoIP,
    IsNull,
    Length,
    Log,
    LogPlusOne,
    Map,
    NameAge,
    NameFamilial,
    NamePopulation,
    NameSex,
    Period,
    String,
)
from mlpipeline.testing.transformer import TransformerContract

TEXTS = [
    "Bob",
    "mary",
    "Papa Smurf",
    "bob@mail.example.com",
    "+1 234-567-8901",
    "124.0.0.1",
    "",
    " ",
    "漢字",
    "İ",
    "a\nb",
]
MIXED = [*TEXTS, None, 1, 1.0, True, 2.5, float("inf"), float("nan"), pd.NaT, ["a"], b"b", 12345678901]
MOMENTS = pd.to_datetime(["2020-02-29 13:45", "1900-01-01", None, "2262-01-01", "2020-02-29"], format="ISO8601")


def mixed() -> pd.DataFrame:
    return pd.DataFrame({"t": pd.Series(MIXED, dtype=object), "other": 0})


class OfText(TransformerContract):
    def frame(self) -> pd.DataFrame:
        return mixed()


class TestAreaCode(OfText):
    def transformer(self) -> Transformer:
        return AreaCode("t")


class TestEmailDomain(OfText):
    def transformer(self) -> Transformer:
        return EmailDomain("t", registered=True)


class TestNameAge(OfText):
    def transformer(self) -> Transformer:
        return NameAge("t")


class TestNameSex(OfText):
    def transformer(self) -> Transformer:
        return NameSex("t")


class TestNamePopulation(OfText):
    def transformer(self) -> Transformer:
        return NamePopulation("t")


class TestNameFamilial(OfText):
    def transformer(self) -> Transformer:
        return NameFamilial("t")


class TestStringOfText(OfText):
    def transformer(self) -> Transformer:
        return String("t", "lower")


class TestStringOfFlags(OfText):
    def transformer(self) -> Transformer:
        return String("t", "contains", "b", case=False)


class TestStringOfLists(OfText):
    def transformer(self) -> Transformer:
        return String("t", "split", "@")


class TestExtract(OfText):
    def transformer(self) -> Transformer:
        return Extract("t", r"(\w)\W")


class TestLength(OfText):
    def transformer(self) -> Transformer:
        return Length("t")


class TestMap(OfText):
    def transformer(self) -> Transformer:
        return Map("t", {"Bob": 1, 1: 2})


class TestMapToText(OfText):
    def transformer(self) -> Transformer:
        return Map("t", {"Bob": "robert"})


class TestIsNull(OfText):
    def transformer(self) -> Transformer:
        return IsNull("t")


class TestLog(OfText):
    def transformer(self) -> Transformer:
        return Log("t")


class TestLogPlusOne(OfText):
    def transformer(self) -> Transformer:
        return LogPlusOne("t")


class TestGeoIP(OfText):
    @pytest.fixture(autouse=True)
    def _database(self, places: Path) -> None:
        self.database = str(places)

    def transformer(self) -> Transformer:
        return GeoIP("t", "lat", self.database)


class OfDates(TransformerContract):
    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({"t": MOMENTS, "r": MOMENTS[::-1].tz_localize("Asia/Seoul"), "other": 0})


class TestDateTime(OfDates):
    def transformer(self) -> Transformer:
        return DateTime("t", "dayofweek")


class TestDateTimeOfFlags(OfDates):
    def transformer(self) -> Transformer:
        return DateTime("r", "is_month_end")


class TestDateTimeOfObjects(OfDates):
    def transformer(self) -> Transformer:
        return DateTime("t", "date")


class TestPeriod(OfDates):
    def transformer(self) -> Transformer:
        return Period("t", "M")


class TestAge(OfDates):
    def transformer(self) -> Transformer:
        return Age("t", reference="r", unit="days")


class TestAgeAsOf(OfDates):
    def transformer(self) -> Transformer:
        return Age("t", as_of="2020-01-01")


class TestAgeInNanoseconds(OfDates):
    def transformer(self) -> Transformer:
        return Age("t", reference="r", unit="nanoseconds")

    def frame(self) -> pd.DataFrame:
        return super().frame().iloc[[0, 2, 4]]


@pytest.mark.filterwarnings("ignore:column 't' holds text")
class TestAgeOfObjects(TransformerContract):
    def transformer(self) -> Transformer:
        return Age("t", as_of="2020-01-01")

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({"t": pd.Series(["2020-01-01", *MOMENTS, 5, "x", MOMENTS[0].date()], dtype=object)})


class TestDistance(TransformerContract):
    def transformer(self) -> Transformer:
        return Distance("a", "b", "c", "d")

    def frame(self) -> pd.DataFrame:
        rows = np.array([[0, 0, 0, 0], [90, 0, -90, 180], [52.2, 21.0, 52.4, 16.9], [np.nan, 1, 2, 3], [np.inf] * 4])
        return pd.DataFrame(rows, columns=list("abcd"))


class TestNested(TransformerContract):
    def transformer(self) -> Transformer:
        return Log(Age("t", reference="r"))

    def frame(self) -> pd.DataFrame:
        return OfDates().frame()


def test_every_transformer_is_put_through_the_contract() -> None:
    tested = {type(contract().transformer()).__name__ for contract in _contracts() if contract is not TestGeoIP}
    assert tested | {"GeoIP"} == set(transformers.__all__)


def _contracts() -> list[type[TransformerContract]]:
    return [it for name, it in globals().items() if name.startswith("Test") and it is not TransformerContract]
