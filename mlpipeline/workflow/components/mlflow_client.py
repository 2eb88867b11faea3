"""What both MLflow components share: the connection, names that MLflow takes, and long texts in tags."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlpipeline import errors
from mlpipeline.errors import StoreError
from mlpipeline.workflow import places, secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.workflow.part import Part

TAG = "mlpipeline"
KEY = f"{TAG}.key"
_PIECE = 4000
"""Characters of a text in one tag; MLflow cuts tags at 8000."""
_PAGE = 1000
_TAKEN = re.compile(r"[^A-Za-z0-9_\-. /]")
_ESCAPED = re.compile(r":([0-9A-F]+):")


class Mlflow:
    """One experiment of one MLflow.

    Args:
        part: whose project it belongs to.
        uri: of the server or database; None is a database in the project's outputs: nothing has to be started.
        experiment: its name; it is made where it is not there.

    Raises:
        MissingExtra: mlflow is not installed.
        StoreError: MLflow cannot be reached, or refuses.
    """

    def __init__(self, part: Part, uri: str | None, experiment: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        errors.require("sqlalchemy", extra="mlflow")
        tracking = errors.require("mlflow.tracking", extra="mlflow")
        self._exception = errors.require("mlflow.exceptions", extra="mlflow").MlflowException
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        self.uri, artifacts = uri, None
        if uri is None:
            outputs = places.outputs_of(part)
            outputs.mkdir(parents=True, exist_ok=True)
            self.uri, artifacts = f"sqlite:///{outputs / 'mlflow.db'}", (outputs / "mlflow-artifacts").as_uri()
        self._hidden = places.hidden_of(part)
        with self.told():
            self.client: Any = tracking.MlflowClient(self.uri)
            found = self.client.get_experiment_by_name(experiment)
            self.experiment: str = (
                found.experiment_id if found else self.client.create_experiment(experiment, artifact_location=artifacts)
            )

    @property
    def shown(self) -> str:
        """The address, without passwords."""
        return str(secrets.shown(self.uri, self._hidden))

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raises what MLflow raises as an error of this package, without passwords.

        Raises:
            StoreError: MLflow cannot be reached, or refuses.
        """
        try:
            yield
        except (self._exception, OSError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise StoreError(f"MLflow at {self.shown}: {secrets.shown(first, self._hidden)}") from None

    def search(self, **tags: str) -> list[Any]:
        """Returns the runs whose tags have these values, which hold no quotes."""
        query = " and ".join(f"tags.`{TAG}.{name}` = '{value}'" for name, value in tags.items())
        found: list[Any] = []
        token = None
        with self.told():
            while True:
                page = self.client.search_runs([self.experiment], query, max_results=_PAGE, page_token=token)
                found += page
                token = page.token
                if not token:
                    return found

    def run(self, run_id: str) -> Any:
        """Returns a run; None where there is none."""
        with self.told():
            try:
                return self.client.get_run(run_id)
            except self._exception as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def put(self, run_id: str, name: str, content: Mapping[str, Any]) -> None:
        """Writes an object into tags of a run, the last piece last."""
        text = json.dumps(content)
        with self.told():
            for start in range(0, len(text), _PIECE):
                self.client.set_tag(run_id, f"{TAG}.{name}.{start // _PIECE:06}", text[start : start + _PIECE])


def got(tags: Mapping[str, str], name: str) -> dict[str, Any] | None:
    """Returns an object from the tags of a run; None where it is not there, or not whole."""
    first = f"{TAG}.{name}."
    pieces = [tags[tag] for tag in sorted(tags) if tag.startswith(first) and tag[len(first) :].isdecimal()]
    try:
        found: dict[str, Any] = json.loads("".join(pieces))
    except ValueError:
        return None
    return found


def key_of(*words: str) -> str:
    """Returns a digest of words, which can be asked for whatever is in them."""
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]


def escaped(name: str, more: str = "") -> str:
    """Returns a name as MLflow takes one; other characters become `:27:`."""
    taken = re.compile(f"{_TAKEN.pattern}|[{re.escape(more)}]") if more else _TAKEN
    return taken.sub(lambda match: f":{ord(match[0]):X}:", name)


def unescaped(name: str) -> str:
    """Returns the name that was escaped."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)


def is_file(path: str | None) -> bool:
    """Whether a text names a file."""
    return path is not None and Path(path).is_file()
