#!/usr/bin/env python3
"""Makes the pictures of the terminal in docs/images, from a real queue: python tools/terminal_pictures.py."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH, HEIGHT = 80, 24
LIVE_SECONDS, DEAD_SECONDS = 22.0, 6.0
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
MODEL = '''
"""Walks down a parabola."""
import time
from mlpipeline import Model, Versions

class Descent(Model):
    def train_model(self, input_fn, steps):
        x, rate = 5.0, self.current_version["rate"]
        for step in self.run.steps(total=int(self.current_version["steps"])):
            x -= rate * 2 * (x - 3)
            time.sleep(0.04)
            self.run.record(loss=(x - 3) ** 2)
        self.x = x

    def evaluate_model(self, input_fn, steps):
        return {"distance": abs(self.x - 3)}

MODEL = Descent(Versions().add("coarse", rate=0.02, steps=COARSE).add("fine", rate=0.005, steps=FINE))
'''
LISTED = {"small": ("120", "150"), "middle": ("800", "700"), "large": ("900", "1500")}


def project(root: Path) -> None:
    """Writes a project with a few models, one of them faulty."""
    (root / "models").mkdir()
    for name, (coarse, fine) in LISTED.items():
        (root / "models" / f"{name}.py").write_text(MODEL.replace("COARSE", coarse).replace("FINE", fine))
    (root / "models" / "typo.py").write_text("import mlpipeline\nMODEL = (\n")
    listed = "\n".join([*(f"{name}.py" for name in LISTED), "typo.py"])
    text = f"[MLP]\nuse_blacklist = false\n\n[WHITELISTED_MODELS]\n{listed}\n\n[BLACKLISTED_MODELS]\n"
    (root / "models.config").write_text(text)
    (root / "mlp.config").write_text("[MLP]\nhost = desk\nslots = 2\npreload = none\ngrace_seconds = 2\n")


class Terminal:
    """A command on a terminal of its own, and the screen as its last frame left it."""

    def __init__(self, root: Path, *words: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(root)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, "-m", "mlpipeline", *words])
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        os.set_blocking(self.descriptor, False)
        self.written = ""

    def watch(self, seconds: float) -> None:
        """Reads what is drawn for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.written += os.read(self.descriptor, 1 << 16).decode("utf-8", "replace")
            except BlockingIOError:
                time.sleep(0.05)

    def screen(self) -> list[str]:
        """Returns the lines that stand there, with their colors."""
        lines: list[str] = []
        for frame in re.findall(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", self.written.replace("\r\n", "\n"), re.DOTALL):
            up = re.match(r"\x1b\[(\d+)A", frame)
            kept = [] if frame.startswith("\x1b[H") else lines[: len(lines) - int(up[1])] if up else lines
            told = re.sub(r"^\x1b\[\d+A|\x1b\[[HJK]|\r", "", frame)
            lines = kept + told.removesuffix("\n").split("\n")
        return [piece for line in lines for piece in wrapped(line)][-HEIGHT:]

    def end(self) -> None:
        """Ends the command."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


def wrapped(line: str) -> list[str]:
    """Returns a line as the rows of a terminal that it takes."""
    if "\x1b" in line or len(line) <= WIDTH:
        return [line]
    return [line[at : at + WIDTH] for at in range(0, len(line), WIDTH)]


def draw(lines: list[str], title: str, name: str, *themes: str) -> None:
    """Writes a picture on each of these grounds."""
    for theme in themes:
        console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
        for line in [*lines, ""]:  # the last line is cut in half otherwise
            console.print(Text.from_ansi(line), no_wrap=True, overflow="crop")
        picture = console.export_svg(title=title, theme=THEMES[theme], unique_id=name)
        # Nothing is fetched from elsewhere when a page is read: the reader's own fonts do.
        picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
        picture = picture.replace("Fira Code, monospace", "ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace")
        (IMAGES / f"{name}-{theme}.svg").write_text(picture, encoding="utf-8")


def main() -> None:
    """Runs a queue, and looks at it: live; then with its scheduler and a run killed."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve() / "parabolas"
        root.mkdir()
        project(root)
        subprocess.run([sys.executable, "-m", "mlpipeline", "hold", "large.py:fine"], cwd=root, check=True)
        queue = Terminal(root, "-r", "-u")
        queue.watch(LIVE_SECONDS)
        draw(queue.screen(), "mlpipeline -r -u", "terminal-live", "light", "dark")
        queue.end()
        started = [json.loads(path.read_text()) for path in root.glob("models/outputs/runs/*/1/started.json")]
        alive = [each["pid"] for each in started if os.path.exists(f"/proc/{each['pid']}")]
        os.kill(alive[0], signal.SIGKILL)
        watching = Terminal(root, "status", "--watch")
        watching.watch(DEAD_SECONDS)
        draw(watching.screen(), "mlpipeline status --watch", "terminal-status", "dark")
        watching.end()
        for pid in alive[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        while any(os.path.exists(f"/proc/{pid}") for pid in alive):
            time.sleep(0.1)


if __name__ == "__main__":
    main()
