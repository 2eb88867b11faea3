"""Words for times, numbers and names, fit for any terminal; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
_MOST_METRICS = 4
_ORDER = {"test": 0, "train": 1}
_GRAINS = ((_MINUTE, 1), (5 * _MINUTE, 10), (_HOUR, _MINUTE), (10 * _HOUR, 5 * _MINUTE), (_DAY, 15 * _MINUTE))

# Escape sequences (CSI, OSC up to BEL or ST, the string kinds, and two-character ones), then single controls. Bidi
# controls count: they can make a line read as something else.
_ESCAPES = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")


def plain(text: str) -> str:
    """Returns text without escape codes and control characters; newlines and tabs stay.

    What a model prints over its own line (progress bars, by carriage returns) is reduced to the last state of the line.
    """
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(_last_state(line) for line in text.split("\n"))
    return _CONTROLS.sub("", text)


def _last_state(line: str) -> str:
    states = [each for each in line.split("\r") if each.strip()]
    return states[-1] if states else ""


def one_line(text: str, longest: int = 200) -> str:
    """Returns the text's words in one line without control characters, cut where it is too long."""
    line = " ".join(plain(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def duration(seconds: float | None) -> str:
    """Returns a length of time as people say it: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def rough(seconds: float) -> str:
    """Returns a length of time no more exactly than an estimate is: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 10 min`."""
    if seconds < 9.95 or seconds >= _DAY:
        return duration(seconds)
    grain = next(grain for limit, grain in _GRAINS if seconds < limit)
    whole = round(seconds / grain) * grain
    hours, minutes, rest = whole // _HOUR, whole % _HOUR // _MINUTE, whole % _MINUTE
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def between(low: float, middle: float, high: float) -> str:
    """Returns an estimate in the space of a table's cell: `24 s (13-45)`, `8 min (4-14)`, `2.2 h (1.8-2.7)`."""
    unit, name = next((unit, name) for unit, name in _UNITS if middle >= 2 * unit or unit == 1)
    told = [f"{each / unit:.0f}" if each >= 9.95 * unit else f"{each / unit:.2g}" for each in (low, middle, high)]
    return f"{told[1]} {name}" + ("" if told[0] == told[2] else f" ({told[0]}-{told[2]})")


def ago(then: datetime | None, now: datetime) -> str:
    """Returns how long ago something was; the future, as a clock that was set back makes it, is `just now`."""
    if then is None:
        return ""
    seconds = (now - then).total_seconds()
    return "just now" if seconds < 1 else f"{duration(seconds)} ago"


def clock(moment: datetime, now: datetime) -> str:
    """Returns the local time of day, with the date where it is not today's: `14:05`, `2026-11-22 14:05`."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def at(moment: datetime, now: datetime) -> str:
    """Returns when something will be, and how long that is from now: `at 14:05, in 12 s`."""
    return f"at {clock(moment, now)}, in {duration((moment - now).total_seconds())}"


def memory(size: int | None) -> str:
    """Returns a size as `512 MiB` or `1.5 GiB`."""
    if size is None:
        return ""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def size(count: float) -> str:
    """Returns a size as people read it: `812 B`, `3.4 kB`, `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def ended(signal: int | None, exit_code: int | None) -> str:
    """Returns how a process ended: `signal 9`, `status 1`, or nothing where that is not known."""
    if signal is not None:
        return f"signal {signal}"
    return "" if exit_code is None else f"status {exit_code}"


def number(value: Any) -> str:
    """Returns a metric's value with four significant digits where it is a fraction."""
    if isinstance(value, float) and value == value and not value.is_integer():
        return f"{value:.4g}"
    return one_line(str(value), 40)


def metrics(values: Mapping[str, Any], most: int = _MOST_METRICS) -> str:
    """Returns the first few metrics as `test accuracy 0.9722, test loss 0.1`; test before train."""
    flat = flat_metrics(values)
    shown = [f"{one_line(name, 40)} {number(value)}" for name, value in list(flat.items())[:most]]
    more = len(flat) - most
    return ", ".join([*shown, f"{more} more"] if more > 0 else shown)


def flat_metrics(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns nested metrics by names of one level, `test accuracy`; those of the test input first."""
    flat: dict[str, Any] = {}
    for group in sorted(values, key=_place):
        value = values[group]
        if isinstance(value, Mapping):
            for name, item in value.items():
                flat[f"{group} {name}"] = item
        else:
            flat[group] = value
    return flat


def _place(group: str) -> int:
    return _ORDER.get(group, len(_ORDER))


def cells(told: str) -> int:
    """Returns how many columns of a terminal text takes: an ideogram takes two."""
    return len(told) if told.isascii() else sum(_width(each) for each in told)


def _width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def padded(told: str, wide: int) -> str:
    """Returns text with blanks behind it, so many columns wide."""
    return told + " " * (wide - cells(told))


def many(count: int, noun: str) -> str:
    """Returns a count with its noun, `1 run` or `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Titled(Protocol):
    """What is about one seed of a version: a run, a line of a list, a wish."""

    @property
    def model(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """The version's name."""

    @property
    def replicate(self) -> int:
        """Which seed."""


def title_of(each: Titled) -> str:
    """Returns what something is called in lists and sentences: see `title`."""
    return title(each.model, each.version, each.replicate)


def title(model: str, version: str, replicate: int = 0) -> str:
    """Returns `model:version`, and which seed where there are several."""
    seed = f" seed {replicate}" if replicate else ""
    return one_line(f"{model}:{version}{seed}")
