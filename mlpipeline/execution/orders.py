"""The words between the scheduler's side, the warm process and the pairs that it forks."""

from __future__ import annotations

RUN = "run"
DESCRIBE = "describe"
ENDED = "ended.json"
"""Where a pair says how the process ended that described a model, beside the request."""
NO_TOKEN = "0" * 80
"""A place in the environment as long as a token and the mark of a lock file."""
