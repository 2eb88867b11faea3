"""Starts the child that notifies people while the queue works, where `[NOTIFY]` of mlp.config names somebody."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpipeline.project import Project


@contextlib.contextmanager
def notifying(project: Project) -> Iterator[None]:
    """Has people notified for as long as the body lasts, and of its end. Nothing is waited for.

    Raises:
        ConfigurationError: `[NOTIFY]` is faulty.
        MissingExtra: it names URLs of apprise, which is not installed.
    """
    if not project.settings.sections.get("NOTIFY"):
        yield
        return
    from mlpipeline.cli.daemon import python_path
    from mlpipeline.observe import messenger

    wanted = messenger.wanted(project)
    if wanted.urls:
        messenger.check_apprise()
    if not wanted:
        yield
        return
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlpipeline.cli.notify_process",
            str(project.root),
            project.host,
            datetime.now(UTC).isoformat(),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for it: it has a last word to send
        env=dict(os.environ) | {"PYTHONPATH": python_path()},
    )
    try:
        yield
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.returncode = child.poll() or 0  # it outlives us for as long as its last message takes
