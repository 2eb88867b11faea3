"""How long the last runs of a version, or of its model, took: looked up in the ledger's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from mlpipeline.durations import LATEST, Estimate, Past, Size, estimate, size, training_seconds
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
    "SELECT seq, tries.started_at, tries.ended_at, tries.steps, params ->> '$.epoc_count', params ->> '$.batch_size' "
    "FROM attempts AS tries JOIN runs ON seq = tries.run WHERE tries.run IN (SELECT value FROM json_each(?)) "
    "ORDER BY tries.run, tries.number"
)


class Timings:
    """Estimates from a ledger, which is asked for each version and each model once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
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
        attempts: dict[int, list[tuple[float | None, int | None]]] = {}
        sizes: dict[int, Size] = {}
        with translated(self._ledger.path):
            execute = self._ledger.connection.execute
            runs = json.dumps([seq for (seq,) in execute(choice, values)])
            for run, started, ended, steps, epochs, batch in execute(_ATTEMPTS, (runs,)):
                attempts.setdefault(run, []).append((_seconds(started, ended), steps))
                sizes[run] = size({"epoc_count": epochs, "batch_size": batch})
        times = {run: training_seconds(each) for run, each in attempts.items()}
        return [Past(seconds, attempts[run][-1][1], sizes[run]) for run, seconds in times.items() if seconds]


def _seconds(started: str | None, ended: str | None) -> float | None:
    if started is None or ended is None:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
