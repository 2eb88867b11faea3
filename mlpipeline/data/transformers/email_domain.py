"""The domain of an e-mail address; nothing is asked of the network."""

from __future__ import annotations

import functools
import re
from typing import Any

import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer

# Local parts that need no further look: RFC 5321's dot-atom, at most 64 characters. Others go to the library.
PLAIN = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9.-]{1,180}",
    re.IGNORECASE | re.ASCII,
)


class EmailDomain(Transformer):
    """Makes the domain of an e-mail address, in lower case; empty where it is missing or mail could not reach it.

    Args:
        column: holds addresses; `bob@mail.example.co.uk` gives `mail.example.co.uk`.
        registered: gives what was registered, `example.co.uk`, by the list of public suffixes that tldextract ships.
    """

    def __init__(self, column: str | Transformer, registered: bool = False) -> None:
        super().__init__(column)
        self.registered = registered

    @property
    def suffix(self) -> str | None:
        return "registered" if self.registered else None

    def apply(self, values: pd.Series) -> pd.Series:
        check = errors.require("email_validator", extra="transform")

        def valid(address: str) -> str:
            try:
                return str(check.validate_email(address, check_deliverability=False).domain)
            except check.EmailNotValidError:
                return ""

        known = functools.cache(lambda domain: self._wanted(valid(f"x@{domain}")))

        def domain(address: str) -> str:
            return known(address.rpartition("@")[2]) if PLAIN.fullmatch(address) else self._wanted(valid(address))

        return column.each_distinct(column.stored_text(values), domain, column.TEXT).fillna("")

    def _wanted(self, domain: str) -> str:
        return str(_suffixes()(domain).top_domain_under_public_suffix) if self.registered and domain else domain


@functools.cache
def _suffixes() -> Any:
    """Returns what splits domains, by the list in the package alone."""
    return errors.require("tldextract", extra="transform").TLDExtract(suffix_list_urls=(), cache_dir=None)
