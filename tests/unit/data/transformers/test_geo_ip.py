"""Places of addresses, by a database that the test has written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.transformers import Distance, GeoIP
from tests.unit.data.transformers.conftest import PARIS, SEOUL


def located(addresses: list[object], operator: str, database: Path) -> list[float]:
    frame = pd.DataFrame({"ip": pd.Series(addresses, dtype=object)})
    return list(GeoIP("ip", operator, database).transform(frame))


@pytest.mark.parametrize(
    ("operator", "field"),
    [
        ("lat", "latitude"),
        ("latitude", "latitude"),
        ("lon", "longitude"),
        ("longitude", "longitude"),
        ("acc", "accuracy_radius"),
        ("accuracy", "accuracy_radius"),
    ],
)
def test_an_address_has_a_place(operator: str, field: str, places: Path) -> None:
    assert located(["124.0.0.1", "2001:db8::1"], operator, places) == [SEOUL[field], PARIS[field]]


@pytest.mark.parametrize("address", ["127.0.0.2", None, "", "no address", 124, "124.0.0", "125.0.0.1", "124.0.0.1 "])
def test_what_is_not_known_has_none(address: object, places: Path) -> None:
    assert located([address, "124.0.0.1"], "lat", places) == pytest.approx([np.nan, SEOUL["latitude"]], nan_ok=True)


def test_another_operator_is_refused(places: Path) -> None:
    with pytest.raises(NameError, match="'altitude' is none of lat"):
        located(["124.0.0.1"], "altitude", places)


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.DataFault, match=r"gone\.mmdb is not there"):
        located(["124.0.0.1"], "lat", tmp_path / "gone.mmdb")


def test_a_damaged_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "damaged.mmdb"
    path.write_bytes(b"not a database")
    with pytest.raises(errors.DataFault, match=r"damaged\.mmdb is no MaxMind database"):
        located(["124.0.0.1"], "lat", path)


def test_the_distance_of_an_unknown_place_is_missing(places: Path) -> None:
    frame = pd.DataFrame({"ip": ["124.0.0.1", "127.0.0.2"], "lat": 37.5112, "lon": 126.9741})
    found = Distance(GeoIP("ip", "lat", places), GeoIP("ip", "lon", places), "lat", "lon").transform(frame)
    assert list(found) == pytest.approx([0, np.nan], nan_ok=True)
