"""What the command line asks of one invocation of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks of one invocation.

    Attributes:
        search: of the one model that is named, in place of its versions: as `Search.described` gives it, with the
            `version` whose other parameters all trials have.
    """

    mode: str = "execution"
    use_history: bool = False
    watch: bool = False
    names: tuple[str, ...] = ()
    slots: int | None = None
    executor: str | None = None
    write_files: bool = True
    pdb: bool = False
    quiet: bool = False
    search: Mapping[str, Any] | None = None

    @property
    def testing(self) -> bool:
        """Whether this is test mode."""
        return self.mode == "test"
