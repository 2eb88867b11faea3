"""The distance between two places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.given import name_of
from mlpipeline.data.transformer import Transformer

RADIUS_KM = 6373.0
"""The earth as a sphere, at about 39 degrees from the equator; the mean radius would be 6371.0088."""


class Distance(Transformer):
    """Makes the distance of two places in kilometers, float64, along the sphere: the haversine formula.

    A place of which something is missing or infinite, or which lies beyond a pole, has no distance. Text that reads as
    a number counts.

    Args:
        lat_a: latitude of the first place, a column or a transformer, like the others.
        lon_a: its longitude.
        lat_b: latitude of the second place.
        lon_b: its longitude.
        input: what the angles are in: degrees or radians.
    """

    def __init__(
        self,
        lat_a: str | Transformer,
        lon_a: str | Transformer,
        lat_b: str | Transformer,
        lon_b: str | Transformer,
        input: str = "degrees",  # noqa: A002 - what it is called in code that is out there
    ) -> None:
        self.lat_a = lat_a
        self.lon_a = lon_a
        self.lat_b = lat_b
        self.lon_b = lon_b
        self.input = input

    @property
    def columns(self) -> tuple[str | Transformer, ...]:
        return (self.lat_a, self.lon_a, self.lat_b, self.lon_b)

    @property
    def name(self) -> str:
        return "_".join([*map(name_of, self.columns), "distance"])

    def combine(self, columns: Sequence[pd.Series]) -> pd.Series:
        if self.input not in {"degrees", "radians"}:
            raise errors.UnknownOption(f"{self!r}: input '{self.input}' is neither degrees nor radians: choose one")
        angles = np.stack([column.numbers(values) for values in columns])
        angles[~np.isfinite(angles)] = np.nan
        lat_a, lon_a, lat_b, lon_b = np.radians(angles) if self.input == "degrees" else angles
        lat_a, lat_b = (np.where(np.abs(lat) <= np.pi / 2, lat, np.nan) for lat in (lat_a, lat_b))
        squared = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
        # Rounding leads a little beyond 1 where the places lie opposite each other.
        return pd.Series(2 * RADIUS_KM * np.arcsin(np.sqrt(np.minimum(squared, 1))), index=columns[0].index)
