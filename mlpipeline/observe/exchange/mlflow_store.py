"""Runs in MLflow, written once however often they are sent; the one module here that imports it."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mlpipeline import errors, params
from mlpipeline.errors import StoreError
from mlpipeline.observe.exchange.portable import Portable
from mlpipeline.observe.text import flat_metrics
from mlpipeline.run import State

TAG = "mlpipeline.run"
_BATCH = 1000
"""MLflow takes so many metrics at once, and 100 parameters or tags."""
_FEW = 100
_LONGEST = 6000
_NAME = 250
_NOT_TAKEN = re.compile(r"[^\w\-. /]")
_STATUS = {
    State.SUBMITTED: "SCHEDULED",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "FINISHED",
    State.FAILED: "FAILED",
    State.LOST: "FAILED",
    State.CANCELLED: "KILLED",
    State.YIELDED: "SCHEDULED",
}


class Store:
    """One MLflow: a server or a database.

    Args:
        uri: its tracking URI.
        patient: whether a server that does not answer is asked again, and for long; else one short try.

    Raises:
        MissingExtra: mlflow is not installed.
    """

    def __init__(self, uri: str, *, patient: bool = True) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        if not patient:
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        tracking = errors.require("mlflow.tracking", extra="mlflow")
        self.entities: Any = errors.require("mlflow.entities", extra="mlflow")
        if not uri.startswith("http"):
            errors.require("sqlalchemy", extra="mlflow")
        self._exception = errors.require("mlflow.exceptions", extra="mlflow").MlflowException
        for name in ("mlflow.store.db.utils", "alembic.runtime.migration"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.shown = without_password(uri)
        self._experiments: dict[str, str] = {}
        with self.told():
            self.client: Any = tracking.MlflowClient(uri)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raises what MLflow raises as an error of this package, without passwords.

        Raises:
            StoreError: MLflow cannot be reached, or refuses.
        """
        try:
            yield
        except (self._exception, OSError) as error:
            first = _hidden((str(error).splitlines() or [type(error).__name__])[0])
            if "Max retries exceeded" in first or "Read timed out" in first:
                number = re.search(r"\[Errno -?\d+\] ([^\"')]+)", first)
                why = number[1] if number else "no answer"
                raise StoreError(
                    f"MLflow at {self.shown} cannot be reached ({why}): start it, or mend the address"
                ) from None
            raise StoreError(f"MLflow at {self.shown}: {first}") from None

    def experiment(self, name: str, *, anew: bool = False) -> str:
        """Returns an experiment's id; one that is not there is made. What is known already is not asked for `anew`."""
        if anew or name not in self._experiments:
            with self.told():
                found = self.client.get_experiment_by_name(name)
                self._experiments[name] = found.experiment_id if found else self.client.create_experiment(name)
        return self._experiments[name]

    def find(self, experiment: str, run_id: str) -> str | None:
        """Returns the id that a run of ours has there."""
        with self.told():
            query = f"tags.`{TAG}` = '{run_id}'"
            found = self.client.search_runs([self.experiment(experiment)], query, max_results=1)
        return found[0].info.run_id if found else None

    def begin(self, experiment: str, run: Portable) -> str:
        """Makes a run there, with all that is known of it at its start; the one that is there already stays.

        The tag that it is found by comes with it at once: whoever is killed afterwards finds it again.
        """
        identity = self.find(experiment, run.id)
        if identity is None:
            with self.told():
                made = self.client.create_run(
                    self.experiment(experiment),
                    start_time=_milliseconds(run.started_at or run.created_at),
                    tags=_tags(run),
                    run_name=f"{run.model}:{run.version}"[:_NAME],
                )
            identity = str(made.info.run_id)
        param = self.entities.Param
        told = [param(_name(key), _text(value)) for key, value in params.flatten(run.params).items()]
        self._log(identity, params=told)
        return identity

    def record(self, identity: str, told: Iterable[Mapping[str, Any]], first: int = 0) -> None:
        """Sends recorded rows. Rows that are there already are left as they are: MLflow itself tells them by value.

        Args:
            identity: of the run there.
            told: as `metrics.jsonl` has them.
            first: the place of the first one, which is the step of a row that has none.
        """
        metric = self.entities.Metric
        points = []
        for place, row in enumerate(told, first):
            at, step = _stamp(row.get("t")), row.get("step")
            for name, value in (row.get("values") or {}).items():
                if (number := _number(value)) is not None:
                    points.append(metric(_name(name), number, at, step if isinstance(step, int) else place))
        self._log(identity, metrics=points)

    def end(self, identity: str, run: Portable) -> None:
        """Sends results and how it ended; of a run that goes on, that."""
        metric = self.entities.Metric
        at = _milliseconds(run.ended_at or run.started_at or run.created_at)
        flat = {name.replace(" ", "/", 1): value for name, value in flat_metrics(run.metrics).items()}
        numbers = {name: number for name, value in flat.items() if (number := _number(value)) is not None}
        self._log(identity, metrics=[metric(_name(name), value, at, run.steps or 0) for name, value in numbers.items()])
        tag = self.entities.RunTag
        self._log(identity, tags=[tag(name, value) for name, value in _tags(run).items()])
        with self.told():
            if run.state.is_final and run.state is not State.YIELDED:
                self.client.set_terminated(identity, _STATUS[run.state], end_time=at)
            else:
                self.client.update_run(identity, status=_STATUS[run.state])

    def _log(
        self, identity: str, *, metrics: list[Any] | None = None, params: list[Any] | None = None,
        tags: list[Any] | None = None,
    ) -> None:  # fmt: skip
        with self.told():
            for start in range(0, len(metrics or ()), _BATCH):
                self.client.log_batch(identity, metrics=(metrics or [])[start : start + _BATCH])
            for start in range(0, max(len(params or ()), len(tags or ())), _FEW):
                few = slice(start, start + _FEW)
                self.client.log_batch(identity, params=(params or [])[few], tags=(tags or [])[few])


def without_password(uri: str) -> str:
    """Returns an address that can be shown."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="")) if parts.netloc else uri


def _hidden(text: str) -> str:
    return re.sub(r"://[^/\s@]*@", "://", text)


def _tags(run: Portable) -> dict[str, str]:
    found = {
        TAG: run.id,
        "mlpipeline.model": run.model,
        "mlpipeline.version": run.version,
        "mlpipeline.seed": str(run.seed),
        "mlpipeline.replicate": str(run.replicate),
        "mlpipeline.state": run.state.value,
        "mlpipeline.cause": run.cause.value,
        "mlpipeline.message": run.message[:_LONGEST],
        "mlflow.source.git.commit": run.commit,
        "mlflow.note.content": "\n".join(run.notes)[:_LONGEST],
    }
    return {name: value for name, value in found.items() if value} | dict.fromkeys(map(_name, run.tags), "true")


def _name(name: str) -> str:
    """Returns a name as MLflow takes one."""
    return _NOT_TAKEN.sub("_", str(name)).strip("/. ")[:_NAME] or "_"


def _text(value: Any) -> str:
    return str(value)[:_LONGEST]


def _number(value: Any) -> float | None:
    """Returns a number; NaN and infinities are written as text here."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _stamp(text: Any) -> int:
    try:
        return _milliseconds(datetime.fromisoformat(str(text)))
    except ValueError:
        return 0
