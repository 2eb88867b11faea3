"""Runs as lines of JSON, one a run: what `export runs jsonl` writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from mlpipeline.errors import UsageError
from mlpipeline.observe.exchange.long_rows import Spooled
from mlpipeline.observe.exchange.portable import Portable

_CHUNK = 1 << 20
_DECODER = json.JSONDecoder()


def runs(place: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields the runs of a file.

    Args:
        place: the file; `-` is what is piped.
        complain: is told of lines that are none, with their numbers.

    Raises:
        UsageError: it cannot be read.
        NotWritable: there is no room for what a run recorded.
    """
    try:
        with sys.stdin if place == "-" else Path(place).open(encoding="utf-8", errors="replace") as file:
            number = 0
            while (line := _Line(file)).text:
                number += 1
                try:
                    if line.text.strip():
                        yield Portable.from_json(line.content())
                except (ValueError, TypeError, KeyError, RecursionError) as error:
                    what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    complain(f"{place}:{number}: left out: {what}")
                line.pass_over()
    except OSError as error:
        raise UsageError(f"{place}: cannot be read ({error.strerror}): name a file of `export runs jsonl`") from error


class _Line:
    """A line, of which only so much is held as is being read.

    Attributes:
        text: its beginning; empty where the file has ended.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.text = file.readline(_CHUNK)
        self._at = 0
        self._is_whole = len(self.text) < _CHUNK or self.text.endswith("\n")

    def content(self) -> dict[str, Any]:
        """Returns the run that the line holds; the rows of a long one lie in a file.

        Raises:
            ValueError, TypeError: it is none.
        """
        if self._is_whole:
            found = json.loads(self.text)
            if not isinstance(found, dict):
                raise TypeError("is no object")
            return found
        if self._mark("{") != "{":
            raise TypeError("is no object")
        content: dict[str, Any] = {}
        mark = ","
        while mark == ",":
            name = self._value()
            if not isinstance(name, str) or self._mark(":") != ":":
                raise ValueError("is no JSON: a name and a colon are missing")
            content[name] = Spooled(self._rows()) if name == "recorded" and self._peek() == "[" else self._value()
            mark = self._mark(",}")
        if mark != "}" or self._peek():
            raise ValueError("is no JSON: it does not end where its object does")
        return content

    def pass_over(self) -> None:
        """Goes to the next line."""
        while not self._is_whole:
            self.text, self._at = "", 0
            self._more()

    def _rows(self) -> Iterator[str]:
        """Yields the objects of a list as they stand there."""
        self._mark("[")
        mark = "," if self._peek() != "]" else self._mark("]")
        while mark == ",":
            if self._peek() != "{":
                raise TypeError("recorded is no list of objects")
            self._value()
            yield self.text[self._begin : self._at]
            mark = self._mark(",]")
        if mark != "]":
            raise ValueError("is no JSON: a list does not end")

    def _value(self) -> Any:
        while True:
            self._peek()
            try:
                value, end = _DECODER.raw_decode(self.text, self._at)
            except ValueError:
                end = len(self.text)
                if self._is_whole:
                    raise
            if end < len(self.text) or self._is_whole:  # the digits of a number may go on behind the end
                self._begin, self._at = self._at, end
                return value
            self._more()

    def _peek(self) -> str:
        """Returns the next character that is no blank; none at the end of the line."""
        while True:
            rest = len(self.text)
            while self._at < rest and self.text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < rest or self._is_whole:
                return self.text[self._at : self._at + 1]
            self._more()

    def _mark(self, marks: str) -> str:
        """Takes one of these characters; returns nothing where there is another one."""
        found = self._peek()
        if not found or found not in marks:
            return ""
        self._at += 1
        return found

    def _more(self) -> None:
        kept = self.text[self._at :]
        part = self._file.readline(max(_CHUNK, len(kept)))
        self._is_whole = not part or part.endswith("\n")
        self.text, self._at = kept + part, 0
