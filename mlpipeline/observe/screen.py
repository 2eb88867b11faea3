"""A terminal that is drawn on again and again: a whole screen, or a region below what scrolls."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

# In one piece, where the terminal knows how (synchronized output); the others do not know the code and ignore it.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_TO_END, _REST_OF_LINE = "\x1b[J", "\x1b[K"
_OTHER_SCREEN, _BACK = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"


def can_draw(descriptor: int, environment: Mapping[str, str]) -> bool:
    """Whether a descriptor is a terminal on which the cursor can be moved."""
    return os.isatty(descriptor) and environment.get("TERM", "") not in ("", "dumb", "unknown")


def is_ours(descriptor: int) -> bool:
    """Whether this process is in the terminal's foreground: who was sent to the background must not draw."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError as error:
        return error.errno == errno.ENOTTY  # no terminal of this session: nobody can send it to the background


class Screen:
    """Turns lines into what a terminal understands: colors by its own kind, none with NO_COLOR.

    Args:
        descriptor: of the terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._drawn: list[int] = []

    def size(self) -> tuple[int, int]:
        """Returns width and height in cells."""
        try:
            width, height = os.get_terminal_size(self.descriptor)
        except OSError:
            return 80, 24
        return width or 80, height or 24  # 0: nobody told the terminal

    def draw_whole(self, lines: Sequence[Text]) -> None:
        """Shows lines as the whole screen."""
        told = f"{_REST_OF_LINE}\n".join(self._styled(lines))
        self._write(f"{_BEGIN}\x1b[H{told}{_REST_OF_LINE}{_TO_END}{_END}")

    def draw_region(self, lines: Sequence[Text], before: str = "") -> None:
        """Shows lines below everything else, in place of those shown last; `before` is to scroll up above them."""
        told = "".join(f"{line}\n" for line in self._styled(lines))
        self._write(f"{_BEGIN}{self._up()}\r{_TO_END}{before}{told}{_END}")
        self._drawn = [line.cell_len for line in lines]

    def forget(self) -> None:
        """Leaves the region where it stands: others have written below it."""
        self._drawn = []

    def _up(self) -> str:
        """Returns what leads back to the first line of the region: a narrower terminal has wrapped what stood there."""
        width, height = self.size()
        rows = sum(max(1, -(-cells // width)) for cells in self._drawn)
        return f"\x1b[{min(rows, height - 1)}A" if rows else ""

    def enter(self) -> None:
        """Turns to a screen of its own: what stands on the terminal comes back with `leave`."""
        self._write(_OTHER_SCREEN)

    def leave(self) -> None:
        """Turns back."""
        self._write(_BACK)

    def _styled(self, lines: Sequence[Text]) -> list[str]:
        from io import StringIO

        from rich.console import Console
        from rich.text import Text

        out = StringIO()
        console = Console(file=out, force_terminal=True, width=10_000, highlight=False, legacy_windows=False)
        console.print(Text("\n").join(lines), soft_wrap=True)
        return out.getvalue().split("\n")[: len(lines)]

    def _write(self, told: str) -> None:
        data = told.encode("utf-8", "replace")
        while data:
            data = data[os.write(self.descriptor, data) :]
