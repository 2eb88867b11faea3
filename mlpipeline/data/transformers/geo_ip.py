"""Where an IP address is, by a database that the user brings."""

from __future__ import annotations

import ipaddress
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer

FIELDS = {
    "lat": "latitude",
    "latitude": "latitude",
    "lon": "longitude",
    "longitude": "longitude",
    "acc": "accuracy_radius",
    "accuracy": "accuracy_radius",
}


class GeoIP(Transformer):
    """Makes latitude, longitude (degrees) or accuracy (kilometers) of an IP address, float64; NaN where not known.

    What is no address is NaN as well, and an IPv6 address where the database knows IPv4 only.

    Args:
        column: holds addresses as text.
        operator: lat or latitude, lon or longitude, acc or accuracy.
        database: the path of a MaxMind database of cities (.mmdb). None is shipped, and none is fetched.
    """

    def __init__(self, column: str | Transformer, operator: str, database: str | PathLike[str]) -> None:
        super().__init__(column)
        self.operator = operator
        self.database = database

    @property
    def suffix(self) -> str | None:
        return self.operator

    def apply(self, values: pd.Series) -> pd.Series:
        field = FIELDS.get(self.operator)
        if field is None:
            raise errors.UnknownOption(f"{self!r}: operator '{self.operator}' is none of {', '.join(FIELDS)}")
        maxminddb = errors.require("maxminddb", extra="transform")
        addresses = column.stored_text(values)
        try:
            with maxminddb.open_database(self.database) as reader:
                return column.each_distinct(addresses, lambda address: _located(reader, address, field), np.float64)
        except FileNotFoundError as error:
            raise errors.DataFault(
                f"{self.database} is not there: give GeoIP the path of a MaxMind database"
            ) from error
        except maxminddb.InvalidDatabaseError as error:
            raise errors.DataFault(f"{self.database} is no MaxMind database, or damaged: fetch it anew") from error


def _located(reader: Any, address: str, field: str) -> float:
    try:
        # Read strictly: what looks up addresses in C takes `124.0` for `124.0.0.0`.
        record = reader.get(ipaddress.ip_address(address))
    except ValueError:
        return np.nan
    location = record.get("location", {}) if isinstance(record, dict) else {}
    return float(location.get(field, np.nan))
