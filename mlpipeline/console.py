"""How a model's code speaks: messages to the log, with colors where somebody watches."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LOGGER = "mlpipeline.model"


class console_colors:  # noqa: N801 - the published name
    """Codes that color text on a terminal; named as published scripts name it."""

    RESET = "\033[0m"
    BOLD = "\033[1m"
    UNDERLINE = "\033[4m"
    BLACK_FG, RED_FG, GREEN_FG, YELLOW_FG = "\033[30m", "\033[31m", "\033[32m", "\033[33m"
    BLUE_FG, MAGENTA_FG, CYAN_FG, WHITE_FG = "\033[34m", "\033[35m", "\033[36m", "\033[37m"
    MEGENTA_FG = MAGENTA_FG  # as some published scripts spell it
    BLACK_BG, RED_BG, GREEN_BG, YELLOW_BG = "\033[40m", "\033[41m", "\033[42m", "\033[43m"
    BLUE_BG, MAGENTA_BG, CYAN_BG, WHITE_BG = "\033[44m", "\033[45m", "\033[46m", "\033[47m"


def log(
    message: object,
    level: int = logging.INFO,
    log_to_file: bool = True,
    modifier_1: str | None = None,
    modifier_2: str | None = None,
) -> None:
    """Logs a message of a model's code.

    In a run it reaches the run's output, and the host's log where `log_to_file`. Where nobody set logging up (a
    notebook, a script run by hand) it is printed. The modifiers are color codes: only a terminal gets them.
    """
    logger = logging.getLogger(LOGGER)
    if logger.hasHandlers():
        logger.log(level, "%s", message, extra={"log_to_file": bool(log_to_file)})
        return
    if level < logging.INFO:
        return
    colors = f"{modifier_1 or ''}{modifier_2 or ''}" if sys.stdout.isatty() else ""
    sys.stdout.write(f"{colors}{message}{console_colors.RESET if colors else ''}\n")


def log_said(message: object, log_to_file: bool, options: Mapping[str, Any]) -> None:
    """Logs what a model, or a part of a workflow, says by its method `log`.

    Args:
        message: anything that prints.
        log_to_file: whether the host's log gets it.
        options: what `log` takes besides, by name; others are ignored.
    """
    known = {key: options[key] for key in ("modifier_1", "modifier_2") if key in options}
    log(message, options.get("level", logging.INFO), log_to_file, **known)


def set_logger(*_arguments: Any, **_options: Any) -> logging.Logger:
    """Returns the logger of models' code.

    Published scripts call this to prepare logging. A run's logging is the queue's own, so arguments change nothing.
    """
    return logging.getLogger(LOGGER)


def add_script_dir_to_PATH(current_dir: str | None = None) -> None:  # noqa: N802 - the published name
    """Puts a directory, by default that of the calling script, at the front of the import path."""
    if current_dir is None:
        caller = sys._getframe(1).f_globals.get("__file__")
        current_dir = str(Path(caller).resolve().parent) if caller else str(Path.cwd())
    if str(current_dir) not in sys.path:
        sys.path.insert(0, str(current_dir))
