"""Writes texts as Python literals, as a formatter would leave them."""

from __future__ import annotations


def literal(text: str) -> str:
    """Returns a text as a literal: whatever it holds, it comes back as it is, and ends nothing.

    Double quotes are preferred; what cannot be printed is escaped.
    """
    quote = "'" if '"' in text and text.count('"') > text.count("'") else '"'
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return quote + "".join(each if each.isprintable() else ascii(each)[1:-1] for each in escaped) + quote
