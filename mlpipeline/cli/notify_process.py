"""The process that notifies people: looks at the queue every few seconds, and sends what is new."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import signal
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from mlpipeline import wire
from mlpipeline.cli.setup import now, scheduler_line
from mlpipeline.errors import MlpipelineError
from mlpipeline.ledger import Ledger
from mlpipeline.observe import messenger, notices, outbox
from mlpipeline.observe import status as statuses
from mlpipeline.observe.looks import Looks
from mlpipeline.observe.view import Facts
from mlpipeline.project import Project
from mlpipeline.queue.output import HostFiles
from mlpipeline.run import State

_LOOK_SECONDS = 2.0
_MOST_RUNS = 500
_LAST_TRIES = 3
_YOUNG = timedelta(minutes=1)


class Post:
    """Looks, and sends.

    Args:
        project: whose queue it is.
        wanted: what `[NOTIFY]` says.
        start: what ended before is not told, unless an earlier process was about to.
    """

    def __init__(self, project: Project, wanted: messenger.Wanted, start: datetime) -> None:
        self.project, self.wanted = project, wanted
        self.looks = Looks()
        self.files = HostFiles(project, enabled=True)
        before, boxes = outbox.from_json(wire.read_json(project.notices_path) or {})
        with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
            past = ledger.runs(states={State.SUCCEEDED}, newest_first=False)
        self.notifier = notices.Notifier(before.since(start), past, before.live, set(before.told), set(before.stalled))
        self.sent_at = {name: box.sent_at for name, box in boxes.items()}
        self.pacings = {each: self._pacing(boxes.get(each.name)) for each in wanted.places()}
        self._written: tuple[object, ...] = ()
        self._trouble = ""

    def _pacing(self, box: outbox.Outbox | None) -> notices.Pacing:
        pacing = notices.Pacing(self.wanted.every)
        if box is not None:
            if box.sent_at is not None:  # how often is said of messages, not of schedulers
                ago = max(0.0, (now() - box.sent_at).total_seconds())
                pacing.sent(time.monotonic() - min(ago, self.wanted.every))
            pacing.waiting, pacing.left_out = list(box.waiting), Counter(box.left_out)
        return pacing

    def look(self, *, is_over: bool = False) -> Facts:
        """Looks for what is new."""
        moment = now()
        line = scheduler_line(self.project)
        facts = statuses.gather(self.project, line, moment, ended=_MOST_RUNS, looks=self.looks)
        found = self.notifier.gone(facts, moment) if is_over else self.notifier.look(facts, moment)
        wanted = [each for each in found if each.kind in self.wanted.on]
        for pacing in self.pacings.values():
            pacing.add(wanted)
        self.keep(facts, moment)
        return facts

    def send(self, facts: Facts, *, at_once: bool = False) -> None:
        """Sends what waits; what goes wrong is said in the log, and tried again later."""
        for place, pacing in self.pacings.items():
            if not (pacing.waiting if at_once else pacing.is_due(time.monotonic())):
                continue
            failure = messenger.send(place, notices.message(facts, pacing, now()))
            if failure:
                pacing.failed(time.monotonic())
                self._log(f"no notification could be sent: {failure}")
            else:
                pacing.sent(time.monotonic())
                self.sent_at[place.name] = now()
                self.keep(facts, now())

    def _log(self, told: str) -> None:
        with contextlib.suppress(MlpipelineError, OSError):  # a full disk: the scheduler says it
            self.files.log(told, "WARNING")

    def _looked(self, *, is_over: bool = False) -> Facts | None:
        try:
            facts = self.look(is_over=is_over)
        except (MlpipelineError, OSError) as error:  # the next look may find what this one could not read
            if str(error) != self._trouble:
                self._log(f"notifications wait: {error}")
            self._trouble = str(error)
            return None
        self._trouble = ""
        return facts

    def keep(self, facts: Facts, moment: datetime) -> None:
        """Writes down what the next one must know, where that has changed."""
        live = frozenset((run.id, run.last.number) for run in facts.live)
        waiting = tuple((place.name, len(each.waiting), each.left_out.total()) for place, each in self.pacings.items())
        state = (live, frozenset(self.notifier.stalled), len(self.notifier.known), waiting, *self.sent_at.values())
        if state == self._written:
            return
        young = {
            (run.id, run.last.number)
            for run in facts.ended
            if run.last.ended_at is not None and run.last.ended_at >= moment - _YOUNG
        }
        told = frozenset(self.notifier.known & young)
        seen = outbox.Seen(at=moment, live=live, told=told, stalled=frozenset(self.notifier.stalled))
        boxes = {
            place.name: outbox.Outbox(
                waiting=tuple(each.waiting), left_out=each.left_out, sent_at=self.sent_at.get(place.name)
            )
            for place, each in self.pacings.items()
        }
        with contextlib.suppress(OSError):  # a full disk: the next look tries again
            wire.write_json(self.project.notices_path, outbox.to_json(seen, boxes))
            self._written = state

    def run(self, parent: int) -> None:
        """Goes on until the queue has ended, and a moment longer for the last word."""
        poll = select.poll()
        poll.register(parent, select.POLLIN)
        while True:
            if facts := self._looked():
                self.send(facts)
            if poll.poll(_LOOK_SECONDS * 1000):
                break
        if facts := self._looked(is_over=True):
            self._last_word(facts)

    def _last_word(self, facts: Facts) -> None:
        for last in range(_LAST_TRIES):
            if last:
                time.sleep(_LOOK_SECONDS)
            self.send(facts, at_once=True)
            if not any(each.waiting for each in self.pacings.values()):
                break
        else:
            return  # the next one tries again
        if not facts.live:
            self.project.notices_path.unlink(missing_ok=True)  # nothing is left to be told


def main() -> None:
    """Notifies for the queue whose project and host the arguments name."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a terminal that is closed
    logging.disable()  # apprise's words hold URLs; what matters of them is in the host's log
    root, host, start = sys.argv[1:]
    project = Project.load(Path(root), host=host)
    project.outputs_dir.mkdir(parents=True, exist_ok=True)
    # One after the other: an earlier one may have its last word to send yet. That takes no longer than its last tries.
    lock = os.open(project.notices_path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    fcntl.lockf(lock, fcntl.LOCK_EX)
    Post(project, messenger.wanted(project), datetime.fromisoformat(start)).run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
