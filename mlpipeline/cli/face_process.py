"""The process that draws the live face: messages from a pipe scroll, and what runs stands below them."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path

from rich.text import Text

from mlpipeline.cli.setup import now, scheduler_line
from mlpipeline.errors import MlpipelineError
from mlpipeline.observe import frame, text, view
from mlpipeline.observe import status as statuses
from mlpipeline.observe.looks import Looks
from mlpipeline.observe.screen import Screen, is_ours
from mlpipeline.project import Project

_SECONDS = 1.0
_AFTER_MESSAGE_SECONDS = 0.1
_CHUNK = 1 << 16


class Face:
    """Reads messages and draws.

    Args:
        project: whose queue it is.
        told: the pipe that messages come from.
        parent: the pipe that ends when the queue does.
    """

    def __init__(self, project: Project, told: int, parent: int) -> None:
        self.project, self.told, self.parent = project, told, parent
        self.screen = Screen(sys.stdout.fileno())
        self.looks = Looks()
        self.unsaid = b""
        self.resized, self._resize = os.pipe()
        os.set_blocking(self._resize, False)
        signal.signal(signal.SIGWINCH, lambda *_: None)
        signal.set_wakeup_fd(self._resize, warn_on_full_buffer=False)

    def run(self) -> None:
        """Draws until the queue has ended; then only what was said is left on the terminal."""
        poll = select.poll()
        for each in (self.told, self.parent, self.resized):
            poll.register(each, select.POLLIN)
        due = 0.0
        while True:
            ready = dict(poll.poll(max(0.0, due - time.monotonic()) * 1000))
            if self.resized in ready:
                os.read(self.resized, _CHUNK)
                due = 0.0
            if self.told in ready and not self._hear():
                poll.unregister(self.told)
            if self.unsaid:
                due = min(due, time.monotonic() + _AFTER_MESSAGE_SECONDS)
            if self.parent in ready:
                break
            if time.monotonic() >= due:
                self._draw()
                due = time.monotonic() + _SECONDS
        while self._hear():
            pass
        if not is_ours(self.screen.descriptor):
            self.screen.forget()  # a shell has written below by now
        self.screen.draw_region([], self._said(all_of_it=True))

    def _hear(self) -> bool:
        data = os.read(self.told, _CHUNK)
        self.unsaid += data
        return bool(data)

    def _said(self, *, all_of_it: bool = False) -> str:
        """Returns the lines that are complete."""
        whole, newline, rest = self.unsaid.rpartition(b"\n")
        self.unsaid = b"" if all_of_it else rest
        return (whole + newline + (rest if all_of_it else b"")).decode("utf-8", "replace")

    def _draw(self) -> None:
        if not is_ours(self.screen.descriptor):  # in the background the lines stay plain
            self.screen.forget()
            if said := self._said():
                self.screen.draw_region([], said)
            return
        try:
            lines = self._lines()
        except (MlpipelineError, OSError) as error:  # the queue says it as well, if it is the queue's trouble
            lines = [Text(text.one_line(f"what runs cannot be shown: {error}", self.screen.size()[0] - 1))]
        self.screen.draw_region(lines, self._said())

    def _lines(self) -> list[Text]:
        moment = now()
        facts = statuses.gather(self.project, scheduler_line(self.project), moment, ended=0, looks=self.looks)
        return frame.region(view.picture(facts, moment), *self.screen.size())


def main() -> None:
    """Draws for the queue whose project and pipe the arguments name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the queue's: the face goes when that has gone
    root, host, told = sys.argv[1:]
    Face(Project.load(Path(root), host=host), int(told), sys.stdin.fileno()).run()


if __name__ == "__main__":
    main()
