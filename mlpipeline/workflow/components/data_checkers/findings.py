"""What checkers share: findings of a check, one for each thing that is wrong, and one where nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlpipeline.config_text import near_miss
from mlpipeline.workflow.types.contract import Finding, Status


def told(check: str, wrong: Iterable[Finding], what: str) -> Iterator[Finding]:
    """Yields what is wrong; where nothing is, that a check was passed.

    Args:
        check: its name.
        wrong: findings that do not pass.
        what: was looked at, e.g. `12 columns`.
    """
    count = 0
    for count, each in enumerate(wrong, 1):  # noqa: B007 - the count is asked for below
        yield each
    if count == 0:
        yield Finding(name=check, message=what)


def no_column(check: str, name: str, known: Iterable[object]) -> Finding:
    """Returns that a column is not there."""
    near = near_miss(name, map(str, known))
    return Finding(name=f"{check}.{name}", status=Status.ERROR, message=f"there is no column {name!r}.{near}")
