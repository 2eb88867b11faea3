"""How long the last runs of a version, or of its model, took: looked up in the ledger's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mlpipeline import wire
from mlpipeline.durations import LATEST, Estimate, Past, Size, Try, estimate, size, training_seconds
from mlpipeline.ledger import Ledger
from mlpipeline.ledger_file import translated

_LOOKED_AT = 100
"""Where runs rarely succeed, only so many of the last ones are looked at."""
_MOST_VERSIONS = 50

# Indexes alone choose the runs: what one version has run 100,000 times is found in 11 ms, by its rows in 190.
_CHOICE = (
    "SELECT seq FROM runs WHERE seq IN (SELECT seq FROM runs INDEXED BY {index} WHERE {same} ORDER BY seq DESC "
    f"LIMIT {_LOOKED_AT}) AND state = 'succeeded' ORDER BY seq DESC LIMIT {LATEST}"
)
_OF_VERSION = _CHOICE.format(index="wishes", same="model = ? AND version = ?")
_OF_MODEL = _CHOICE.format(index="models", same="model = ?")
_ATTEMPTS = (
    "SELECT seq, tries.started_at, tries.ended_at, tries.steps, tries.state, tries.directory, "
    "params ->> '$.epoc_count', params ->> '$.batch_size' FROM attempts AS tries JOIN runs ON seq = tries.run "
    "WHERE tries.run IN (SELECT value FROM json_each(?)) ORDER BY tries.run, tries.number"
)


class Timings:
    """Estimates from a ledger, which is asked for each version and each model once.

    Args:
        ledger: what happened.
        root: the project's, in which the attempts' directories lie.
    """

    def __init__(self, ledger: Ledger, root: Path) -> None:
        self._ledger = ledger
        self._root = root
        self._versions: dict[tuple[str, str], list[Past]] = {}
        self._models: dict[str, list[Past]] = {}
        self._known: dict[tuple[str, str, Size], Estimate | None] = {}

    def estimate(self, model: str, version: str, wanted: Size) -> Estimate | None:
        """Estimates how long a version takes: from its own runs under any fingerprint, else from those of its model.

        Once many versions have been looked up, the others are estimated by their models alone.
        """
        key = (model, version, wanted)
        if key not in self._known:
            own = estimate(self._of_version(model, version), wanted, "version")
            self._known[key] = own or estimate(self._of_model(model), wanted, "model")
        return self._known[key]

    def _of_version(self, model: str, version: str) -> list[Past]:
        key = (model, version)
        if key not in self._versions and version and len(self._versions) < _MOST_VERSIONS:
            self._versions[key] = self._past(_OF_VERSION, key)
        return self._versions.get(key, [])

    def _of_model(self, model: str) -> list[Past]:
        if model not in self._models:
            self._models[model] = self._past(_OF_MODEL, (model,))
        return self._models[model]

    def _past(self, choice: str, values: Sequence[str]) -> list[Past]:
        attempts: dict[int, list[Try]] = {}
        sizes: dict[int, Size] = {}
        with translated(self._ledger.path):
            execute = self._ledger.connection.execute
            runs = json.dumps([seq for (seq,) in execute(choice, values)])
            for run, started, ended, steps, state, directory, epochs, batch in execute(_ATTEMPTS, (runs,)):
                saved = None if state == "succeeded" else self._checkpoint(directory)
                attempts.setdefault(run, []).append(Try(_seconds(started, ended), steps, saved))
                sizes[run] = size({"epoc_count": epochs, "batch_size": batch})
        times = {run: training_seconds(each) for run, each in attempts.items()}
        return [Past(seconds, attempts[run][-1].steps, sizes[run]) for run, seconds in times.items() if seconds]

    def _checkpoint(self, directory: str) -> int | None:
        """Returns the step that the next attempt went on from, as long as the directory is there."""
        files = (wire.read_json(self._root / directory / name) or {} for name in (wire.OUTCOME, wire.PROGRESS))
        steps = (each.get("checkpoint_step") for each in files)
        return next((step for step in steps if isinstance(step, int)), None)


def _seconds(started: str | None, ended: str | None) -> float | None:
    if started is None or ended is None:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
