"""The experiment log as a document: written anew between its marks, no byte changed of what people wrote; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from mlpipeline.errors import UsageError
from mlpipeline.observe import text
from mlpipeline.observe.results import metrics_of
from mlpipeline.run import Run

_MOST_METRICS = 4
_LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A run within an entry: its number among all runs of the model, from 1 on, oldest first.

    `now` is what has become of a live one meanwhile: `lost`, say; else empty.
    """

    number: int
    run: Run
    now: str = ""
    commit: str = ""
    tags: tuple[str, ...] = ()
    notes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model: its number among all models, by their first runs, what its script says of it, and its runs."""

    number: int
    model: str
    description: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A markup language: how marks, headings, verbatim words and lists stand in it."""

    begin: str
    end: str
    heading: str
    code: str
    special: str

    def mark(self, model: str) -> str:
        """Returns the line that begins what is written for a model."""
        return self.begin.format(quote(model, safe="/"))

    def escaped(self, words: str) -> str:
        """Returns words as the language shows them unchanged."""
        return "".join(f"\\{each}" if each in self.special else each for each in words)

    def prose(self, line: str) -> str:
        """Returns a line of a docstring as it is, but for what would make more of it than a paragraph."""
        if self is ORG:
            return f" {line}" if line.startswith(("*", "#")) else line
        told = line.replace("<", "\\<")
        return _OPENING.sub(r"\1\\\2", told)

    def verbatim(self, words: str) -> str:
        """Returns words in a fixed font."""
        safe = words.replace(self.code, "'")
        return f"{self.code}{safe}{self.code}"


MARKDOWN = Form(
    begin="<!-- mlpipeline:begin {} -->", end="<!-- mlpipeline:end -->", heading="#", code="`", special="\\`*_[]<>#|"
)
ORG = Form(begin="# mlpipeline:begin {}", end="# mlpipeline:end", heading="*", code="~", special="")
_OPENING = re.compile(r"^(\s*)(#|```|~~~|[-=*_ ]+$)")
"""Begins a heading, a fence around all that follows, or makes a heading of the line above."""


def form_of(name: str) -> Form:
    """Returns the language of a file by its name: org for `.org`, else Markdown."""
    return ORG if name.endswith(".org") else MARKDOWN


def written(before: str, entries: Sequence[Entry], form: Form) -> str:
    """Returns a document with these entries: those that it has are written anew in their place, others at its end.

    Args:
        before: the document so far; what stands outside of marks is kept as it is.
        entries: in the order in which new ones are appended.
        form: of the document.

    Raises:
        UsageError: marks are damaged, with the line.
    """
    blocks = {entry.model: "".join(f"{line}\n" for line in _block(entry, form)) for entry in entries}
    lines = before.splitlines(keepends=True)
    found: list[str] = []
    at = 0
    for model, first, last in _marked(lines, form):
        found += lines[at:first]
        found.append(blocks.pop(model, "".join(lines[first : last + 1])))
        at = last + 1
    found += lines[at:]
    if found and not found[-1].endswith("\n"):
        found.append("\n")
    if not before.strip():
        found = [f"{form.heading} Experiments\n"]
    for entry in entries:
        if entry.model in blocks:
            title = f"{form.heading * 2} E{entry.number} {form.escaped(text.one_line(entry.model))}"
            conclusions = f"{form.heading * 3} Conclusions"
            found.append(f"\n{title}\n\n{blocks[entry.model]}\n{conclusions}\n\n")
    return "".join(found)


def _marked(lines: Sequence[str], form: Form) -> Iterator[tuple[str, int, int]]:
    """Yields the model of each pair of marks, and their lines."""
    pattern = re.compile(re.escape(form.begin).replace(r"\{\}", r"(\S+)"))
    open_at: tuple[str, int] | None = None
    seen: set[str] = set()
    for place, line in enumerate(lines):
        begins = pattern.fullmatch(line.rstrip())
        is_end = line.rstrip() == form.end
        if (begins and open_at) or (is_end and not open_at):
            raise UsageError(f"line {place + 1}: a mark `{line.strip()}` out of place: {_mend(form)}")
        if begins:
            open_at = unquote(begins[1]), place
            if open_at[0] in seen:
                raise UsageError(f"line {place + 1}: {open_at[0]} stands here a second time: remove one of the two")
            seen.add(open_at[0])
        elif is_end and open_at:
            yield open_at[0], open_at[1], place
            open_at = None
    if open_at:
        raise UsageError(f"line {open_at[1] + 1}: what begins here has no end: {_mend(form)}")


def _mend(form: Form) -> str:
    return f"put `{form.end}` back where what mlpipeline wrote ends, and nothing of yours is lost"


def _block(entry: Entry, form: Form) -> Iterator[str]:
    yield form.mark(entry.model)
    if entry.description:
        for line in entry.description.splitlines():
            yield form.prose(text.plain(line).rstrip())
        yield ""
    for step in entry.steps:
        yield from _step(step, form)
    if not entry.steps:
        yield "No run yet."
    yield form.end


def _step(step: Step, form: Form) -> Iterator[str]:
    run, last = step.run, step.run.last
    flat = metrics_of(run)
    shown = [f"{form.escaped(text.one_line(name, 40))} {text.number(each)}" for name, each in flat.items()]
    more = [f"{len(shown) - _MOST_METRICS} more"] if len(shown) > _MOST_METRICS else []
    result = ", ".join([*shown[:_MOST_METRICS], *more]) or form.escaped(text.one_line(last.message, 200))
    state = step.now or last.state.value
    state += f" ({last.cause.value})" if last.cause.value not in ("none", state) else ""
    seed = f", seed {run.replicate}" if run.replicate else ""
    about = [f"run {form.verbatim(run.id)}"]
    about += [f"commit {form.verbatim(step.commit)}"] if step.commit else []
    about += [f"tags {form.escaped(' '.join(step.tags))}"] if step.tags else []
    version = form.verbatim(text.one_line(run.version, 80))
    when = f"{run.created_at:%Y-%m-%d %H:%M}"
    yield f"{step.number}. {when} {version}{seed}: {state}{f'; {result}' if result else ''} ({', '.join(about)})"
    for note in step.notes:
        told = form.escaped(text.one_line(str(note.get("text")), _LONGEST_NOTE))
        who = form.escaped(text.one_line(str(note.get("by")), 60))
        yield f"    - {str(note.get('at'))[:10]}, {who}: {told}"
