"""Tells people what happened where they look anyway: in the log."""

from __future__ import annotations

import logging

from mlpipeline.errors import DataFault
from mlpipeline.workflow import places, secrets
from mlpipeline.workflow.part import Part, side_effects
from mlpipeline.workflow.types.record import Notifier

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class LogNotifier(Notifier):
    """Writes to the log of the host, and to the output of the run."""

    @side_effects
    def notify(self, text: str, level: str = "info") -> None:
        """Logs a message.

        Raises:
            DataFault: (a ValueError) there is no such level.
        """
        self.log(said(self, text), log_to_file=True, level=number_of(level))


def number_of(level: str) -> int:
    """Returns the number that a level has in logs.

    Raises:
        DataFault: (a ValueError) there is no such level.
    """
    if level not in LEVELS:
        raise DataFault(f"there is no level {level!r}: it is one of {', '.join(LEVELS)}")
    return LEVELS[level]


def said(part: Part, text: str) -> str:
    """Returns a message without the secrets of the configuration."""
    shown: str = secrets.shown(str(text), places.hidden_of(part))
    return shown
