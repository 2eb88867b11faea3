"""A request that is not answered: its status, and why, in one shape for all."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mlpipeline.errors import MlpipelineError


class Refusal(MlpipelineError):
    """The request cannot be answered: mend what the message names.

    Attributes:
        status: of HTTP.
        reason: one word for programs, e.g. `wrong_type`.
        row: the number of the row, the first is 1; None where no row is at fault.
        column: the column's name; None where none is at fault.
        headers: that go with the answer.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        row: int | None = None,
        column: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.row, self.column = status, reason, row, column
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Returns the answer's body."""
        told = {
            "status": self.status,
            "reason": self.reason,
            "message": str(self),
            "row": self.row,
            "column": self.column,
        }
        return json.dumps({"error": told}).encode()
