"""What the command line asks of one invocation of the queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks of one invocation."""

    mode: str = "execution"
    use_history: bool = False
    watch: bool = False
    names: tuple[str, ...] = ()
    slots: int | None = None
    executor: str | None = None
    write_files: bool = True
    pdb: bool = False
    quiet: bool = False

    @property
    def testing(self) -> bool:
        """Whether this is test mode."""
        return self.mode == "test"
