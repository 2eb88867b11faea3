"""The area code of a phone number, by the numbering plans that phonenumbers knows."""

from __future__ import annotations

import math
import numbers
from decimal import Decimal
from typing import Any

import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer


class AreaCode(Transformer):
    """Makes the geographic area code of a phone number, as text; empty where there is none.

    Mobile phones have one in some countries only, toll-free numbers have none. Whole numbers are read as digits. A
    missing value stays missing; whatever is no phone number gives the empty text.

    Args:
        column: holds the phone numbers, in any way of writing them.
        region: the country, as two letters of ISO 3166, whose number it is where the number names no country.
    """

    def __init__(self, column: str | Transformer, region: str = "US") -> None:
        super().__init__(column)
        self.region = region

    def apply(self, values: pd.Series) -> pd.Series:
        phonenumbers = errors.require("phonenumbers", extra="transform")
        if self.region not in phonenumbers.SUPPORTED_REGIONS:
            raise errors.UnknownOption(
                f"{self!r}: region '{self.region}' is no country: use two capitals, such as US or DE"
            )

        def area_code(value: Any) -> str:
            try:
                number = phonenumbers.parse(_digits(value), self.region)
            except phonenumbers.NumberParseException:
                return ""
            length = phonenumbers.length_of_geographical_area_code(number)
            return str(phonenumbers.national_significant_number(number)[:length])

        return column.each_distinct(values, area_code, column.TEXT)


def _digits(value: Any) -> str:
    """Returns a phone number as text: 12345678901.0 is what a whole number becomes where others are missing."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, numbers.Real | Decimal) and math.isfinite(value)
    return str(int(value)) if is_number and value == int(value) >= 0 else ""
