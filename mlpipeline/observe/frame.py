"""The picture as lines of a terminal of a given size, for faces that draw it again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from mlpipeline import trials
from mlpipeline.observe import left, text, view

_LOUD = {"LOST": "bold red", "STALLED": "bold yellow", "ADOPTED": "cyan", "ended": "dim", "submitted": "dim"}
_WORDS = {"succeeded": "green", "failed": "red", "lost": "red", "faulty": "red"}
_QUIET = "dim"
_GAP = 2
_BAR, _LONGEST_BAR = 8, 40
_NAME, _METRICS = 16, 14
_FEW = 3
_WIDEST = 0.35
_WIDE = 110
_MOST_METRICS = 6


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under a title, of which as much is made into lines as there is room for."""

    title: str
    items: Sequence[Any]
    drawn: Callable[[Sequence[Any]], list[Text]]

    @property
    def count(self) -> int:
        """How many lines all of it takes."""
        return len(self.items)

    def first(self, count: int) -> list[Text]:
        """Returns so many lines; where that is not all, the last one says how many more there are."""
        if self.count <= count:
            return self.drawn(self.items)
        shown = max(0, count - 1)
        return [*self.drawn(self.items[:shown]), Text(f"… and {self.count - shown} more", _QUIET)]


def whole(picture: view.Picture, width: int, height: int) -> list[Text]:
    """Returns the picture as the lines of a whole screen."""
    name = text.one_line(picture.project.rstrip("/").rpartition("/")[2])
    first, *others = summary(picture)
    head = [Text.assemble((f"{name} · ", "bold"), first), *others, *_trouble(picture)]
    coming, still = _coming(picture), _still(picture)
    room = max(1, height - len(head))
    sections = [
        Section("Running", _sorted_runs(picture), lambda lines: runs(lines, width)),
        Section("Waits for you", still, lambda lines: _aligned([_next(each) for each in lines], width)),
        Section("Next", coming, lambda lines: _aligned([_next(each) for each in lines], width)),
        Section(
            "Ended lately", picture.ended, lambda lines: _aligned([_ended(each, picture) for each in lines], width)
        ),
    ]
    body = _fitted([each for each in sections if each.count], room)
    return [_cut(line, width) for line in (head + body)[:height]]


def region(picture: view.Picture, width: int, height: int) -> list[Text]:
    """Returns the picture as the few lines that stand below what scrolls: at most half of the screen."""
    head = [*summary(picture), *_trouble(picture)[:_FEW]]
    room = max(1, height // 2 - len(head) - 2)
    running = Section("", _sorted_runs(picture), lambda lines: runs(lines, width))
    lines = [Text("─" * (width - 1), _QUIET), *head, *running.first(room)]
    if coming := _coming(picture):
        names = ", ".join(text.title_of(each) for each in coming[:_FEW])
        more = sum(picture.versions.get(each, 0) for each in ("due", "waiting")) - len(coming[:_FEW])
        lines.append(Text.assemble(("next ", _QUIET), names, f" and {more} more" if more > 0 else ""))
    return [_cut(line, width) for line in lines]


def _cut(line: Text, width: int) -> Text:
    # The last column stays free: a full line would make some terminals begin another one.
    line.truncate(max(1, width - 1), overflow="ellipsis")
    return line


def summary(picture: view.Picture) -> list[Text]:
    """Returns what is said first: what runs, how much is open and done, when all of it will be; who serves it."""
    running = sum(line.now in ("alive", "unknown") for line in picture.running)
    slots = f" of {picture.scheduler.slots} slots" if picture.scheduler.running and picture.scheduler.slots else ""
    parts = [Text(f"{running} running{slots}", "bold")]
    parts += [Text(f"{count} {word}", _LOUD[word]) for word, count in _odd(picture).items()]
    counts = dict(picture.versions) or {each: picture.runs.get(each, 0) for each in ("succeeded", "failed", "lost")}
    order = ("due", "waiting", "held", "done", "succeeded", "failed", "gave_up", "lost")
    parts += [
        Text(f"{counts[each]} {each.replace('_', ' ')}", _WORDS.get(each, "") if each in view.STILL else "")
        for each in order
        if counts.get(each)
    ]
    if picture.faults:
        parts.append(Text(f"{len(picture.faults)} faulty", "bold red"))
    if picture.scheduler.running and picture.scheduler.state in ("stopping", "stopped"):
        parts.append(Text(picture.scheduler.state, "yellow"))
    lines = [Text(" · ").join(parts)]
    if picture.left and picture.scheduler.running:
        lines.append(Text(left.sentence(picture.left, picture.at)))
    return lines + [Text(f"{trials.sentence(each)}.") for each in picture.studies]


def _odd(picture: view.Picture) -> Counter[str]:
    words = (_word(line) for line in _sorted_runs(picture))
    return Counter(word for word in words if word in ("LOST", "STALLED", "ended"))


def _word(line: view.LiveLine) -> str:
    if line.word == "running":
        return ""
    return line.word.upper() if line.word in ("lost", "adopted") else line.word


def _trouble(picture: view.Picture) -> list[Text]:
    lines = []
    if not picture.scheduler.running:
        sentence, _, hint = view.scheduler_sentence(picture.scheduler, picture.at).partition(" Start it with: ")
        lines.append(Text(sentence, "bold red"))
        alive = sum(line.now in ("alive", "unknown") for line in picture.running)
        goes = "1 run goes" if alive == 1 else f"{alive} runs go"
        lines.append(
            Text(f"{goes} on without it; the next takes the results: {hint}" if alive else f"Start it: {hint}")
        )
    lines += [Text(f"faulty: {text.one_line(each)}", "red") for each in picture.faults]
    lines += [Text(f"warning: {text.one_line(each)}", "yellow") for each in picture.warnings]
    if picture.requests:
        lines.append(Text(f"{text.many(picture.requests, 'request')} not carried out yet", "yellow"))
    return lines


def _coming(picture: view.Picture) -> list[view.NextLine]:
    return [each for each in picture.next if each.verdict not in view.STILL]


def _still(picture: view.Picture) -> list[view.NextLine]:
    return [each for each in picture.next if each.verdict in view.STILL]


def _next(line: view.NextLine) -> tuple[Text, ...]:
    verdict = "HELD" if line.verdict == "held" else line.verdict.replace("_", " ")
    reason = left.reason(line).removeprefix(f"{line.verdict}: ")
    told = (text.title_of(line), verdict, left.of_one(line.takes), reason)
    return tuple(
        Text(each, style) for each, style in zip(told, ("", _WORDS.get(line.verdict, ""), "", _QUIET), strict=True)
    )


def _ended(line: view.RunLine, picture: view.Picture) -> tuple[Text, ...]:
    told = text.metrics(line.metrics) if line.state == "succeeded" else text.one_line(line.message or line.cause)
    state = Text("LOST" if line.state == "lost" else line.state, _WORDS.get(line.state, "yellow"))
    when = text.ago(line.ended_at or line.created_at, picture.at)
    return Text(text.title_of(line)), state, Text(when, _QUIET), Text(text.duration(line.seconds)), Text(told)


def _aligned(rows: Sequence[tuple[Text, ...]], width: int) -> list[Text]:
    """Returns rows as lines, their cells below one another; columns in which nothing stands are left out."""
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            _padded(cell, min(wide, max(_NAME, int(width * _WIDEST))))
            for cell, wide in zip(row[:-1], widths, strict=False)
            if wide
        ]
        lines.append(Text("  ").join([*cells, row[-1]]))
    return lines


def _fitted(sections: Sequence[Section], room: int) -> list[Text]:
    """Returns sections with as many lines as there is room for: a few of each, then the first ones whole."""
    room -= 2 * len(sections)  # a blank line and a title
    shares = [min(each.count, _FEW) for each in sections]
    spare = room - sum(shares)
    for place, each in enumerate(sections):
        more = max(0, min(spare, each.count - shares[place]))
        shares[place] += more
        spare -= more
    lines = []
    for each, share in zip(sections, shares, strict=True):
        lines += [Text(), Text(each.title, "bold"), *each.first(share)]
    return lines


def _sorted_runs(picture: view.Picture) -> list[view.LiveLine]:
    """Returns what runs, those first that somebody should look at."""
    return sorted(picture.running, key=lambda line: line.word not in ("lost", "STALLED"))


@dataclass(frozen=True, slots=True)
class _Cells:
    name: str
    word: str
    share: float | None
    numbers: tuple[str, ...]
    metrics: tuple[str, ...]


def _cells(line: view.LiveLine, *, is_wide: bool) -> _Cells:
    progress, goes_on = line.progress, line.now in ("alive", "unknown")
    share = min(1.0, progress.step / progress.total) if progress.step is not None and progress.total else None
    steps = "" if progress.step is None else f"{progress.step}" + (f"/{progress.total}" if progress.total else "")
    rate = f"{progress.rate:.3g}/s" if progress.rate and goes_on else ""
    takes = left.of_one(line.left, is_running=True) if goes_on else ""
    cores = "" if line.cores is None else f"{line.cores:.1f} cores"
    gpu = "" if line.gpu_memory is None else f"GPU {text.memory(line.gpu_memory)}"
    used = (text.memory(line.memory), cores, gpu) if is_wide else ()
    if line.stalled is not None:
        rate, takes = "", f"silent {text.rough(line.stalled)}"
    return _Cells(
        name=text.title_of(line.run),
        word=_word(line),
        share=share,
        numbers=("" if share is None else f"{share:.0%}", steps, rate, takes or _so_far(line), *used),
        metrics=_metrics(line.latest),
    )


def _so_far(line: view.LiveLine) -> str:
    is_over = line.now in ("ended", "gone")
    return "" if line.run.seconds is None or is_over else f"for {text.rough(line.run.seconds)}"


def runs(lines: Sequence[view.LiveLine], width: int) -> list[Text]:
    """Returns a line per run: its name, what is odd about it, a bar, how far and how fast it is, its last metrics.

    A wide terminal shows what it takes of the machine as well.
    """
    cells = [_cells(line, is_wide=width >= _WIDE) for line in lines]
    words = max((len(each.word) for each in cells), default=0)
    numbers = [max(map(len, column)) for column in zip(*(each.numbers for each in cells), strict=True)]
    fixed = sum(each + _GAP for each in (words, *numbers) if each) + 1
    spare = width - fixed
    name = min(max((_long(each.name) for each in cells), default=0), max(_NAME, spare - _BAR - _GAP))
    spare -= name
    bar = min(_LONGEST_BAR, max(0, spare - _GAP))
    metrics = 0
    if spare - _BAR - 2 * _GAP >= _METRICS and any(each.metrics for each in cells):
        bar = max(_BAR, min(_LONGEST_BAR, (spare - 2 * _GAP) // 3))
        metrics = spare - bar - 2 * _GAP
    if bar < _BAR // 2 or all(each.share is None for each in cells):
        bar = 0
    return [_run(each, name, words, bar, numbers, metrics) for each in cells]


def _long(name: str) -> int:
    return Text(name).cell_len


def _run(cells: _Cells, name: int, words: int, bar: int, numbers: Sequence[int], metrics: int) -> Text:
    line = _padded(Text(cells.name), name)
    if words:
        line.append("  ").append(cells.word.ljust(words), _LOUD.get(cells.word, ""))
    if bar:
        line.append("  ").append_text(_bar(cells.share, bar))
    for told, wide in zip(cells.numbers, numbers, strict=True):
        if wide:
            line.append("  ").append(told.rjust(wide))
    if metrics and cells.metrics:
        line.append("  ").append(_as_many(cells.metrics, metrics), _QUIET)
    return line


def _metrics(values: Mapping[str, Any]) -> tuple[str, ...]:
    flat = text.flat_metrics(values)
    return tuple(f"{text.one_line(name, 40)} {text.number(flat[name])}" for name in list(flat)[:_MOST_METRICS])


def _as_many(told: Sequence[str], wide: int) -> str:
    """Returns as many of these as there is room for, at least a part of the first one."""
    count = next((count for count in range(len(told), 1, -1) if _long(", ".join(told[:count])) <= wide), 1)
    return text.one_line(", ".join(told[:count]), wide)


def _padded(told: Text, wide: int) -> Text:
    shown = told.copy()
    shown.truncate(wide, overflow="ellipsis", pad=True)
    return shown


def _bar(share: float | None, wide: int) -> Text:
    """Returns a bar that can be read without color as well."""
    if share is None:
        return Text(" " * wide)
    full = int(share * wide)
    return Text.assemble(("━" * full, "green" if share >= 1 else "cyan"), ("─" * (wide - full), _QUIET))
