"""Runs that MLflow has, of every experiment."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mlpipeline.errors import UsageError
from mlpipeline.observe.exchange.mlflow_store import TAG, Store
from mlpipeline.observe.exchange.portable import Portable, grouped, rows, safe, tag_words
from mlpipeline.run import Cause, State

_PAGE = 1000
_STATES = {"FINISHED": State.SUCCEEDED, "FAILED": State.FAILED, "KILLED": State.CANCELLED, "SCHEDULED": State.SUBMITTED}
_SEEDS = ("seed", "random_seed", "random_state")


def runs(place: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields the runs of an MLflow.

    Args:
        place: its tracking URI, or the path of its database.
        complain: is told of runs that cannot be read.

    Raises:
        MissingExtra: mlflow is not installed.
        StoreError: it cannot be reached.
        UsageError: there is no such database.
    """
    if "://" not in place:
        if not os.path.isfile(place):
            raise UsageError(f"{place}: is no database of MLflow: name one, or a tracking URI as http://127.0.0.1:5000")
        place = f"sqlite:///{os.path.abspath(place)}"
    yield from _all(Store(place), complain)


def _all(store: Store, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields every run of every experiment that is not deleted, oldest first in each."""
    with store.told():
        experiments = {each.experiment_id: each.name for each in _pages(store.client.search_experiments)}
        if not experiments:
            raise UsageError(f"MLflow at {store.shown}: has no experiment")

        def page(page_token: str | None) -> Any:
            return store.client.search_runs(
                list(experiments), max_results=_PAGE, order_by=["attributes.start_time ASC"], page_token=page_token
            )

        for each in _pages(page):
            try:
                yield _read(store, each, experiments[each.info.experiment_id])
            except (ValueError, TypeError, KeyError) as error:
                complain(f"MLflow's run {each.info.run_id}: left out: {error}")


def _read(store: Store, run: Any, experiment: str) -> Portable:
    tags: dict[str, str] = dict(run.data.tags)
    told = {name: _value(text) for name, text in run.data.params.items()}
    seed = next((told[name] for name in _SEEDS if isinstance(told.get(name), int)), 0)
    began, ended = _moment(run.info.start_time), _moment(run.info.end_time)
    state = _STATES.get(run.info.status, State.RUNNING)
    points = []
    for name in run.data.metrics:
        history = store.client.get_metric_history(run.info.run_id, name)
        points += [(_moment(each.timestamp), each.step, name, each.value) for each in history]
    note = tags.get("mlflow.note.content", "")
    return Portable(
        id=tags.get(TAG, ""),
        tool="mlflow",
        foreign=str(run.info.run_id),
        store=f"{store.shown}, experiment {experiment}",
        model=safe(tags.get("mlpipeline.model") or experiment),
        version=safe(tags.get("mlpipeline.version") or str(run.info.run_name or run.info.run_id[:8])),
        seed=int(tags.get("mlpipeline.seed", seed)),
        replicate=int(tags.get("mlpipeline.replicate", 0)),
        params=told,
        state=state,
        message=f"status {run.info.status}" if state in (State.FAILED, State.CANCELLED) else "",
        cause=Cause.NONE,
        created_at=began,
        started_at=began,
        ended_at=ended,
        metrics=grouped(run.data.metrics),
        recorded=rows(points),
        commit=tags.get("mlflow.source.git.commit", ""),
        tags=tuple(tag_words(_own_tags(tags))),
        notes=(note,) if note else (),
    )


def _pages(ask: Callable[..., Any]) -> Iterator[Any]:
    token = None
    while True:
        page = ask(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _own_tags(tags: Mapping[str, str]) -> Iterator[str]:
    for name, value in tags.items():
        if not name.startswith(("mlflow.", "mlpipeline.")):
            yield name if value.lower() in ("", "true", "yes", "1") else f"{name}={value}"


def _value(text: str) -> Any:
    """Returns the value of a parameter, which MLflow keeps as text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, int | float | bool | None) else text


def _moment(milliseconds: int | None) -> Any:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
