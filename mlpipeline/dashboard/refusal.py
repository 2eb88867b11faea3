"""Why a request is not answered, in words for a person."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not carried out.

    Args:
        status: of HTTP.
        message: what is wrong, and what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
