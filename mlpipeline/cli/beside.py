"""What goes on beside a queue that runs from the command line: its live face, and who is notified."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from mlpipeline.cli.face import face
from mlpipeline.cli.notifying import notifying

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.options import Options


def run_queue(project: Project, options: Options) -> int:
    """Runs the queue as `launch.run_queue` does, shown and told where that is wanted.

    Raises:
        ConfigurationError: what is to be run, or who is to be notified, is faulty.
    """
    from mlpipeline.queue import launch

    with ExitStack() as beside:
        if not options.testing:
            beside.enter_context(notifying(project))
        if _has_face(project, options):
            beside.enter_context(face(project))
        return launch.run_queue(project, options)


def _has_face(project: Project, options: Options) -> bool:
    """Whether what runs may be drawn: not where the runs themselves write to the terminal."""
    executor = options.executor or project.settings.executor
    return not options.testing and not options.quiet and executor != "inline"
