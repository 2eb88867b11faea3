"""Reads the fenced blocks of a page, and what comments in front of them say.

A comment `<!-- not run: WORD: why -->` directly in front of a block keeps it from being run; `<!-- exits: N -->` says
with which status a command ends, `<!-- stays: why -->` that it does not end: the page goes on beside it, and Ctrl-C
ends it when the page is over. `<!-- needs: MODULE (EXTRA), ... -->` anywhere says what the page needs to be run. A
block within a comment is run, and not shown to readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Why a block may be left out: nothing else is a reason.
REASONS = {
    "install": "it installs packages",
    "gpu": "it needs a GPU",
    "cluster": "it needs Slurm, Ray or another machine",
    "service": "it needs a server or an account",
    "person": "it needs somebody at a keyboard or a browser",
    "elsewhere": "it is a file or command of another tool",
    "repository": "it is about this repository, not about a project",
}
RUN = ("sh", "console", "python")
# The ending of files that such a block is about, where it names none.
CHECKED = {"ini", "yaml", "toml", "json", "sql"}
SHOWN = {"text", "markdown", "csv", "html"}
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
_FIRST_LINE = re.compile(r"\A(?:#|--|;|//) (?P<path>[\w./-]*[\w-]\.\w+)(?: .*)?\n")
_BEFORE = re.compile(r"`(?P<path>[\w./-]*[\w-]\.\w+)`[^`\n]*:\s*\Z")
_COMMENT = re.compile(r"<!-- (?P<key>not run|exits|stays): (?P<value>[^>]*?) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        line: where its fence stands, from 1 on.
        path: the file that its text is written to, where it is one.
        left_out: why it is not run, "WORD: sentence", where it is not.
        status: the exit status that its last command has.
        stays: whether its command goes on until the page is over.
    """

    language: str
    text: str
    line: int
    path: str | None = None
    left_out: str | None = None
    status: int = 0
    stays: bool = False

    @property
    def action(self) -> str:
        """What is done with it: leave, show, write, check, stay, or run as a language."""
        if self.left_out:
            return "leave"
        if self.stays:
            return "stay"
        if self.path and self.language not in {"sh", "console", "text"}:
            return "write"
        if self.language in RUN:
            return self.language
        return "check" if self.language in CHECKED else "show"

    def step(self) -> dict[str, Any]:
        """What the player is told."""
        return {"action": self.action, "text": self.text, "line": self.line, "path": self.path, "status": self.status}


@dataclass(frozen=True)
class Page:
    """A page with its blocks."""

    path: Path

    @cached_property
    def source(self) -> str:
        """The page as it is on disk."""
        return self.path.read_text(encoding="utf-8")

    @property
    def name(self) -> str:
        """Its path from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def blocks(self) -> list[Block]:
        """All blocks, in order, but for Sphinx's own (```{toctree}`)."""
        return [block for match in _FENCE.finditer(self.source) if (block := self._block(match))]

    @cached_property
    def needs(self) -> list[tuple[str, str]]:
        """Modules that its blocks import, each with the extra that brings it."""
        told = ",".join(re.findall(r"^<!-- needs: (.*?) -->", self.source, re.MULTILINE))
        return re.findall(r"([\w.]+) \(([\w-]+)\)", told)

    def _block(self, match: re.Match[str]) -> Block | None:
        words = match["info"].split()
        if words and words[0].startswith("{"):
            return None
        text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        before = self.source[: match.start()].rstrip(" ")
        said: dict[str, str] = {}
        while comment := _COMMENT.search(before):
            said[comment["key"]] = comment["value"]
            before = before[: comment.start()]
        named = _FIRST_LINE.match(text) or _BEFORE.search(before)
        return Block(
            language=words[0] if words else "",
            text=text,
            line=self.source.count("\n", 0, match.start()) + 1,
            path=named["path"] if named else None,
            left_out=said.get("not run"),
            status=int(said.get("exits", 0)),
            stays="stays" in said,
        )


def pages() -> list[Page]:
    """README, what else is at the root, and all of docs/."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return [Page(path) for path in sorted(found) if "_build" not in path.parts and path.name != "CHANGELOG.md"]
