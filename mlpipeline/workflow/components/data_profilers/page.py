"""A page of HTML that describes columns: it needs no network, no script, and no other file; charts are SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from mlpipeline.data.profile import ColumnProfile

_STYLE = """
:root { color-scheme: light dark; --bar: #3b6fb6; --other: #d08a2e; --line: #8884; --note: #b3541e; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .2rem .7rem .2rem 0; text-align: left; }
section { border-top: 1px solid var(--line); padding: 1rem 0; display: grid; gap: 1rem;
  grid-template-columns: minmax(14rem, 1fr) minmax(16rem, 2fr); }
section.pair { grid-template-columns: 1fr 1fr; } .wide { grid-column: 1 / -1; } p, h3 { margin: .3rem 0; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; margin: .5rem 0; }
dt { opacity: .7; } dd { margin: 0; font-variant-numeric: tabular-nums; }
.note { color: var(--note); } svg { width: 100%; height: auto; font-size: 11px; fill: currentColor; }
nav { columns: 12rem; }
"""
Told = dict[str, tuple[str, bool]]
_WIDTH, _HEIGHT, _ROW = 480, 150, 18
_LONGEST = 40


def page(title: str, summary: Iterable[tuple[str, str]], columns: Sequence[ColumnProfile]) -> str:
    """Returns a page about columns.

    Args:
        title: at its top.
        summary: lines about all of it: what, and its value.
        columns: in order.
    """
    return _document(title, summary, (_section(number, each) for number, each in enumerate(columns)), columns)


def comparison(
    title: str,
    summary: Iterable[tuple[str, str]],
    pairs: Sequence[tuple[ColumnProfile | None, ColumnProfile | None]],
    told: Told,
) -> str:
    """Returns a page about columns of two frames: those of the former beside those of the latter.

    Args:
        title: at its top.
        summary: lines about all of it.
        pairs: of each column the former and the latter; None where it is not there.
        told: a sentence on each column by its name, and whether it differs.
    """
    names = [each for pair in pairs if (each := pair[1] or pair[0]) is not None]
    return _document(title, summary, (_pair(number, *pair, told) for number, pair in enumerate(pairs)), names)


def _document(
    title: str, summary: Iterable[tuple[str, str]], sections: Iterable[str], columns: Sequence[ColumnProfile]
) -> str:
    links = "".join(f'<div><a href="#c{n}">{escape(_cut(each.name))}</a></div>' for n, each in enumerate(columns))
    lines = "".join(f"<dt>{escape(what)}</dt><dd>{escape(value)}</dd>" for what, value in summary)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<h1>{escape(title)}</h1><dl>{lines}</dl><nav>{links}</nav>{''.join(sections)}"
    return f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>\n'


def _section(number: int, column: ColumnProfile) -> str:
    return f'<section id="c{number}">{_described(column)}{chart(column)}</section>'


def _pair(number: int, before: ColumnProfile | None, after: ColumnProfile | None, told: Told) -> str:
    name = (after or before).name  # type: ignore[union-attr]
    sides = []
    for title, side in (("before", before), ("now", after)):
        inner = f"{_numbers(side)}{chart(side, is_second=title == 'now')}" if side is not None else "<p>not there</p>"
        sides.append(f"<div><h3>{title}</h3>{inner}</div>")
    message, differs = told[name]
    note = f'<p class="note">{escape(message)}</p>' if differs else f"<p>{escape(message)}</p>"
    head = f'<div class="wide"><h2>{escape(name)}</h2>{note}</div>'
    return f'<section id="c{number}" class="pair">{head}{"".join(sides)}</section>'


def _described(column: ColumnProfile) -> str:
    notes = "".join(f'<p class="note">{escape(each)}</p>' for each in column.notes)
    return f"<div><h2>{escape(column.name)}</h2>{notes}{_numbers(column)}</div>"


def _numbers(column: ColumnProfile) -> str:
    facts = {
        "kind": f"{column.kind} ({column.dtype})",
        "missing": f"{column.missing} ({column.missing_share:.1%})",
        "distinct": str(column.distinct),
        **column.facts,
    }
    return f"<dl>{''.join(f'<dt>{escape(key)}</dt><dd>{escape(value)}</dd>' for key, value in facts.items())}</dl>"


def chart(column: ColumnProfile, *, is_second: bool = False) -> str:
    """Returns a histogram, or bars of values, as inline SVG."""
    if not column.counts:
        return "<div></div>"
    bars = _histogram(column, is_second) if column.is_binned else _bars(column, is_second)
    height = _HEIGHT if column.is_binned else _ROW * len(column.counts)
    label = escape(f"distribution of {column.name}", quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(bars)}</svg>'


def _histogram(column: ColumnProfile, is_second: bool) -> Iterator[str]:
    top, width = max(column.counts) or 1, _WIDTH / len(column.counts)
    room = _HEIGHT - _ROW
    for place, count in enumerate(column.counts):
        height = room * count / top
        told = escape(f"{column.labels[place]} to {column.labels[place + 1]}: {count}")
        where = f'x="{place * width + 0.5:.1f}" y="{room - height:.1f}" width="{width - 1:.1f}" height="{height:.1f}"'
        yield f"<rect {where} {_fill(is_second)}><title>{told}</title></rect>"
    yield f'<text x="0" y="{_HEIGHT - 4}">{escape(column.labels[0])}</text>'
    yield f'<text x="{_WIDTH}" y="{_HEIGHT - 4}" text-anchor="end">{escape(column.labels[-1])}</text>'


def _bars(column: ColumnProfile, is_second: bool) -> Iterator[str]:
    top, start = max(column.counts) or 1, _WIDTH / 3
    for place, (label, count) in enumerate(zip(column.labels, column.counts, strict=True)):
        width, y = (_WIDTH - start - 60) * count / top, place * _ROW
        yield f'<text x="{start - 6:.0f}" y="{y + 13}" text-anchor="end">{escape(_cut(label, 24))}</text>'
        yield f'<rect x="{start:.0f}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 4}" {_fill(is_second)}/>'
        yield f'<text x="{start + width + 4:.1f}" y="{y + 13}">{count}</text>'


def _fill(is_second: bool) -> str:
    return f'fill="var(--{"other" if is_second else "bar"})"'


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
