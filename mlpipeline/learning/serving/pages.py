"""The pages that a person sees: which models there are, how good they are, and a form that predicts."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any
from urllib.parse import quote

from mlpipeline import errors
from mlpipeline.learning.serving.served import Served

_FILES = resources.files("mlpipeline.learning.serving") / "templates"
_PARTS = ("validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a row that was typed into a form.

    Attributes:
        prediction: as JSON can hold it.
        chances: each class and its probability.
        fault: why there is no prediction; None where there is one.
        column: whose value was refused.
    """

    prediction: Any = None
    chances: Sequence[tuple[Any, float]] = ()
    fault: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A field of a form."""

    name: str
    kind: str
    hint: str
    value: str = ""
    is_wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A model as pages show it."""

    name: str
    path: str
    target: str
    kind: str
    run: str | None
    created_at: str
    estimator: str
    metric: str | None
    scores: Sequence[tuple[str, Sequence[str]]]
    inputs: Sequence[Input]
    example: str
    has_proba: bool
    facts: Sequence[tuple[str, str]] = field(default=())


def home(models: Sequence[Served]) -> str:
    """Returns the page that lists models."""
    return _rendered("home.html", title="Models", cards=[_card(each) for each in models], told=None)


def model(served: Served, told: Told | None, typed: Mapping[str, str]) -> str:
    """Returns the page of one model.

    Args:
        served: the model.
        told: what came of what was typed; None before.
        typed: the values of the form.
    """
    return _rendered("model.html", title=served.name, card=_card(served, told, typed), told=told)


def docs(document: Mapping[str, Any], models: Sequence[Served]) -> str:
    """Returns the page that shows the OpenAPI document."""
    cards = [_card(each) for each in models]
    return _rendered("docs.html", title="API", document=document, cards=cards, told=None)


@functools.cache
def style() -> str:
    """Returns the style sheet."""
    return (_FILES / "page.css").read_text("utf-8")


def _card(served: Served, told: Told | None = None, typed: Mapping[str, str] | None = None) -> Card:
    manifest = served.manifest
    metrics = manifest.get("metrics") or {}
    names = list(dict.fromkeys(name for part in _PARTS for name in metrics.get(part) or {}))
    return Card(
        name=served.name,
        path=f"/{quote(served.name)}",
        target=", ".join(served.outputs) or "the target",
        kind=served.kind,
        run=served.run,
        created_at=str(manifest.get("created_at") or "")[:19].replace("T", " "),
        estimator=str((manifest.get("estimator") or {}).get("class", "")).rpartition(":")[2],
        metric=(manifest.get("metric") or {}).get("name"),
        scores=[(name, [_number((metrics.get(part) or {}).get(name)) for part in _PARTS]) for name in names],
        inputs=[_input(served, column, told, typed or {}) for column in served.reader.columns],
        example=json.dumps([dict.fromkeys(served.reader.names)]),
        has_proba=served.has_proba,
    )


def _input(served: Served, column: Any, told: Told | None, typed: Mapping[str, str]) -> Input:
    kinds = served.reader.forms[column.name].schema["type"]
    kind = next(each for each in kinds if each != "null")
    missing = f"{column.missing:.0%} were missing" if column.missing else "never missing"
    wrong = told is not None and told.column == column.name
    hint = f"{column.kind}, {missing}"
    return Input(name=column.name, kind=kind, hint=hint, value=typed.get(column.name, ""), is_wrong=wrong)


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}"


def _rendered(template: str, **values: Any) -> str:
    return str(_templates().get_template(template).render(**values))


@functools.cache
def _templates() -> Any:
    jinja = errors.require("jinja2", extra="serve")
    loader = jinja.FunctionLoader(lambda name: (_FILES / name).read_text("utf-8"))
    found = jinja.Environment(loader=loader, autoescape=True, undefined=jinja.StrictUndefined, trim_blocks=True)
    found.filters["number"] = lambda value: f"{value:.4g}" if isinstance(value, float) else str(value)
    return found
