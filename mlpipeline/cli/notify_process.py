"""The process that notifies people: looks at the queue every few seconds, and sends what is new."""

from __future__ import annotations

import logging
import select
import signal
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

from mlpipeline.cli.setup import now, scheduler_line
from mlpipeline.errors import MlpipelineError
from mlpipeline.ledger import Ledger
from mlpipeline.observe import messenger, notices
from mlpipeline.observe import status as statuses
from mlpipeline.observe.looks import Looks
from mlpipeline.observe.view import Facts
from mlpipeline.project import Project
from mlpipeline.queue.output import HostFiles
from mlpipeline.run import State

_LOOK_SECONDS = 2.0
_MOST_RUNS = 500
_LAST_TRIES = 3


class Post:
    """Looks, and sends.

    Args:
        project: whose queue it is.
        wanted: what `[NOTIFY]` says.
        since: what ended before is not told.
    """

    def __init__(self, project: Project, wanted: messenger.Wanted, since: datetime) -> None:
        self.project, self.wanted = project, wanted
        self.pacing = notices.Pacing(wanted.every)
        self.looks = Looks()
        with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
            self.notifier = notices.Notifier(since, ledger.runs(states={State.SUCCEEDED}, newest_first=False))
        self.files = HostFiles(project, enabled=True)

    def look(self, *, is_over: bool = False) -> Facts:
        """Looks for what is new."""
        moment = now()
        line = scheduler_line(self.project)
        facts = statuses.gather(self.project, line, moment, ended=_MOST_RUNS, looks=self.looks)
        found = self.notifier.gone(facts, moment) if is_over else self.notifier.look(facts, moment)
        self.pacing.add([each for each in found if each.kind in self.wanted.on])
        return facts

    def send(self, facts: Facts) -> bool:
        """Sends what waits; what goes wrong is said in the log, and tried again later."""
        failures = messenger.send(self.wanted, notices.message(facts, self.pacing, now()))
        if not failures:
            self.pacing.sent(time.monotonic())
            return True
        self.pacing.failed(time.monotonic())
        try:
            self.files.log(f"no notification could be sent: {'; '.join(failures)}", "WARNING")
        except (MlpipelineError, OSError):
            return False  # a full disk: the scheduler says it
        return False

    def run(self, parent: int) -> None:
        """Goes on until the queue has ended, and a moment longer for the last word."""
        poll = select.poll()
        poll.register(parent, select.POLLIN)
        facts = self.look()
        while not poll.poll(_LOOK_SECONDS * 1000):
            facts = self.look()
            if self.pacing.is_due(time.monotonic()):
                self.send(facts)
        facts = self.look(is_over=True)
        for _ in range(_LAST_TRIES):
            if not self.pacing.waiting or self.send(facts):
                break
            time.sleep(_LOOK_SECONDS)


def main() -> None:
    """Notifies for the queue whose project and host the arguments name."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a terminal that is closed
    logging.disable()  # apprise's words hold URLs; what matters of them is in the host's log
    root, host, since = sys.argv[1:]
    project = Project.load(Path(root), host=host)
    Post(project, messenger.wanted(project), datetime.fromisoformat(since)).run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
