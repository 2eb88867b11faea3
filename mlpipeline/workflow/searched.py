"""The search that a workflow file asks for: its trials are versions, each a run of the whole workflow in the queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from mlpipeline import plugins
from mlpipeline.config_text import Fault, near_miss
from mlpipeline.errors import MlpipelineError, VersionsError
from mlpipeline.searches import direction_of, draws
from mlpipeline.versions import Version, Versions
from mlpipeline.workflow import space
from mlpipeline.workflow.document import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEARCH = "search"
_OPTIONS = ("trials", "metric", "direction", "sampler", "pruner", "seed")
_KEYS = ("space", *_OPTIONS)
_FIRST = {"sampler": "random"}


def add(versions: Versions, document: Document) -> list[Fault]:
    """Has the queue search where the file has a section `search`; returns what is wrong with it."""
    node = document.root.get(SEARCH)
    if node is None or (node.value is None and not node.is_mapping):
        return []
    if not node.is_mapping:
        return [node.place.fault("search is a mapping: space, trials, metric, direction, sampler, pruner, seed")]
    told = {str(key): each for key, each in node.items()}
    faults = [each.place.fault(_unknown(key)) for key, each in told.items() if key not in _KEYS]
    given = told.get("space")
    if given is None or not given.is_mapping:
        return [
            *faults,
            (given or node).place.fault("search: space is a mapping of addresses to their values or ranges"),
        ]
    options = {key: told[key].plain() for key in _OPTIONS if key in told}
    try:
        spaces = space.read(given.plain())
        versions.search(spaces, **_directed(options))
    except (VersionsError, TypeError) as error:
        faults.append(given.place.fault(str(error)))
    return faults


def samples(versions: Versions) -> Iterator[Version]:
    """Yields a trial as the search may draw it, by which its addresses can be checked."""
    if versions.searched is not None:
        described = {**versions.searched.described(), **_FIRST}
        for drawn in islice(draws(described), 1):
            yield versions.trial("trial-1", drawn)


def _directed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Adds the direction of a metric that is a score, `validation__rocauc` say."""
    metric = options.get("metric")
    if isinstance(metric, str) and "direction" not in options and direction_of(metric) is None:
        try:
            score = plugins.load("learning", "score")(metric.rpartition("__")[2])
        except (MlpipelineError, ValueError):
            return dict(options)
        return {**options, "direction": "maximize" if score.greater_is_better else "minimize"}
    return dict(options)


def _unknown(key: str) -> str:
    return f"search: there is no key {key!r}.{near_miss(key, _KEYS)}"
