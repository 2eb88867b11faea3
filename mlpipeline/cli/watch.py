"""Goes on showing the status: drawn on a terminal, a line for whatever happens where it is piped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlpipeline.cli.setup import Setup, draw, now, say, scheduler_line

if TYPE_CHECKING:
    from types import FrameType

    from mlpipeline.observe.view import Picture
    from mlpipeline.project import Project

SECONDS = 1.0


def watch_status(setup: Setup, project: Project, ended: int) -> None:
    """Shows the picture until Ctrl-C, or until nobody reads it."""
    from mlpipeline.observe.screen import can_draw

    with contextlib.suppress(KeyboardInterrupt):
        if setup.json:
            for picture in pictures(project, ended):
                setup.emit(picture.to_json())
        elif can_draw(sys.stdout.fileno(), os.environ):
            _draw(project, ended)
        else:
            _tell(project, ended)


def pictures(project: Project, ended: int) -> Iterator[Picture]:
    """Yields the picture once a second, for ever."""
    from mlpipeline.observe import status as statuses
    from mlpipeline.observe import view
    from mlpipeline.observe.looks import Looks

    looks = Looks()
    while True:
        began, moment = time.monotonic(), now()
        facts = statuses.gather(project, scheduler_line(project), moment, ended=ended, looks=looks)
        yield view.picture(facts, moment)
        time.sleep(max(0.0, SECONDS - (time.monotonic() - began)))


def _draw(project: Project, ended: int) -> None:
    from mlpipeline.observe import frame
    from mlpipeline.observe.screen import Screen, is_ours

    screen = Screen(sys.stdout.fileno())
    picture: Picture | None = None

    def redraw(*_: int | FrameType | None) -> None:
        if picture is not None and is_ours(screen.descriptor):
            screen.draw_whole(frame.whole(picture, *screen.size()))

    def pause(*_: int | FrameType | None) -> None:
        screen.leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)

    def resume(*_: int | FrameType | None) -> None:
        if is_ours(screen.descriptor):
            screen.enter()
            signal.signal(signal.SIGTSTP, pause)
            redraw()

    def end(*_: int | FrameType | None) -> None:
        raise KeyboardInterrupt

    screen.enter()
    try:
        wanted = {"SIGTERM": end, "SIGTSTP": pause, "SIGCONT": resume, "SIGWINCH": redraw}
        for name, heed in wanted.items():
            signal.signal(signal.Signals[name], heed)
        for each in pictures(project, ended):
            picture = each
            redraw()
    finally:
        signal.signal(signal.SIGWINCH, signal.SIG_IGN)
        screen.leave()


def _tell(project: Project, ended: int) -> None:
    from mlpipeline.observe import happened
    from mlpipeline.observe import status as statuses

    before: Picture | None = None
    for picture in pictures(project, ended):
        if before is None:
            for line in statuses.headlines(picture):
                say(line)
            for table in statuses.sections(picture):
                say()
                draw(table)
        for line in happened.between(before, picture) if before is not None else ():
            say(f"{picture.at.astimezone():%H:%M:%S} {line}")
        sys.stdout.flush()
        before = picture
