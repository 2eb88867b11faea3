"""Turns what is true into HTML: whole pages, and the regions of a page that are sent anew while it is open."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from mlpipeline.observe import left, text

_FILES = resources.files("mlpipeline.dashboard")
_REGION = "live_"
_LAYOUT = "layout.html"
_FEW = 3
_PARTS = re.compile("([:/_])(?!$)")
_LOUD = ("adopted", "faulty", "held", "lost", "stalled")


def _source(template: str) -> str:
    return (_FILES / "templates" / template).read_text("utf-8")


@functools.cache
def environment() -> Environment:
    """Returns the templates. Everything is escaped; a name that nobody set is an error."""
    made = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_controls,
    )
    made.filters |= {
        "duration": text.duration,
        "number": text.number,
        "metrics": text.metrics,
        "memory": text.memory,
        "line": text.one_line,
        "reason": left.reason,
        "plain": text.plain,
        "iso": lambda moment: moment.isoformat(timespec="seconds"),
        "told": lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        "takes": left.of_one,
        "words": lambda name: name.replace("_", " "),
        "said": said,
        "few": few,
        "breaking": breaking,
    }
    made.globals |= {"title_of": text.title, "clock": text.clock, "many": text.many}
    made.globals["parts"] = made.get_template("parts.html").module
    return made


def said(state: str) -> str:
    """Returns what a state is called: those in capitals that somebody should notice."""
    return state.upper() if state.lower() in _LOUD else state.replace("_", " ")


def breaking(name: str) -> Markup:
    """Returns a name that may be broken over lines where its parts end."""
    return Markup(_PARTS.sub(r"\1<wbr>", str(escape(name))))


def few(metrics: Mapping[str, Any]) -> Markup:
    """Returns the first metrics, each so that it is not broken over lines."""
    flat = text.flat_metrics(metrics)
    shown = [f"{text.one_line(name, 30)} {text.number(flat[name])}" for name in list(flat)[:_FEW]]
    return Markup(" ".join(f"<span>{escape(each)}</span>" for each in shown))


def _without_controls(value: Any) -> Any:
    """Returns what a template prints, without the escape codes and bidi controls that a model's text may hold."""
    if type(value) is str and not value.isprintable():
        return text.plain(value)
    return value


def page(template: str, context: Mapping[str, Any]) -> str:
    """Returns a whole page."""
    made: str = environment().get_template(template).render(context)
    return made


def regions(template: str, context: Mapping[str, Any]) -> dict[str, str]:
    """Returns the inner HTML of a page's live regions, by their names.

    A region is a block of the template whose name begins with `live_`; the page has an element of this id around it.
    """
    made: dict[str, str] = {}
    for each in map(environment().get_template, (_LAYOUT, template)):
        shared = each.new_context(dict(context))
        made |= {name: "".join(block(shared)) for name, block in each.blocks.items() if name.startswith(_REGION)}
    return made


@functools.cache
def static(name: str) -> bytes:
    """Returns a file that pages load.

    Raises:
        FileNotFoundError: there is none.
    """
    if name not in {each.name for each in (_FILES / "static").iterdir()}:
        raise FileNotFoundError(name)
    return (_FILES / "static" / name).read_bytes()
