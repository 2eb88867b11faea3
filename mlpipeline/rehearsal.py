"""What `mlpipeline --drill` has planned for an attempt: its last step, a checkpoint, a kill. Kept by `run.steps()`."""

from __future__ import annotations

import os
import signal


class Rehearsal:
    """The part that an attempt plays in a drill, and how far it has come.

    Attributes:
        max_steps: all loops end after so many steps.
        checkpoint_at: a checkpoint is asked for at this step, and at each later one until it is made.
        kill_at: the process is killed after this step, or as soon afterwards as there is a checkpoint.
        taken: how many steps this attempt has done itself.
        is_over: all steps are done.
    """

    __slots__ = ("checkpoint_at", "is_over", "kill_at", "max_steps", "taken")

    def __init__(self, *, max_steps: int, checkpoint_at: int | None = None, kill_at: int | None = None) -> None:
        self.max_steps = max_steps
        self.checkpoint_at = checkpoint_at
        self.kill_at = kill_at
        self.taken = 0
        self.is_over = False

    def wants_checkpoint(self, step: int, saved: int | None) -> bool:
        """Whether the step in progress is to be saved.

        Args:
            step: the one in progress.
            saved: that of the last checkpoint.
        """
        return self.checkpoint_at is not None and (saved or 0) < self.checkpoint_at <= step

    def wants_death(self, step: int, saved: int | None) -> bool:
        """Whether the process is to be killed between this step and the next."""
        return self.kill_at is not None and saved is not None and step >= self.kill_at


def die() -> None:
    """Kills this process as `kill -9` does. From within, since only so it is between the same two steps each time."""
    os.kill(os.getpid(), signal.SIGKILL)
