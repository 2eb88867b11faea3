"""The models that answer; each is exchanged for a newer one, once that one is loaded and has proved that it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from mlpipeline.config_text import near_miss, shown
from mlpipeline.errors import MlpipelineError
from mlpipeline.learning.serving.batcher import Batcher
from mlpipeline.learning.serving.catalog import Catalog, Offer
from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.measures import Measures
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.rows import Values
from mlpipeline.learning.serving.served import Answers, Served

_log = logging.getLogger("mlpipeline")
RESERVED = ("docs", "healthz", "metrics", "openapi.json", "page.css")
"""Paths of the server's own, which no model can be called."""


class Lineup:
    """Holds the models that answer.

    Args:
        catalog: where saved models are found.
        load: makes a model of a place.
        limits: of the server.
        measures: what is counted.
    """

    def __init__(self, catalog: Catalog, load: Callable[[str], Any], limits: Limits, measures: Measures) -> None:
        self._catalog, self._load, self._limits, self._measures = catalog, load, limits, measures
        self._models: dict[str, Served] = {}
        self._batchers: dict[str, Batcher] = {}
        self._refused: set[str] = set()
        self._wanted: set[str] = set()
        self._told: set[str] = set()
        self._wake = asyncio.Event()

    @property
    def models(self) -> list[Served]:
        """The models that answer, by name."""
        return [self._models[name] for name in sorted(self._models)]

    @property
    def missing(self) -> list[str]:
        """The models of which none that was saved can answer, by name."""
        return sorted(self._wanted - self._models.keys())

    def __getitem__(self, name: str) -> Served:
        found = self._models.get(name)
        if found is None:
            known = sorted(self._models)
            message = f"there is no model '{shown(name)}'.{near_miss(name, known)} Known: {', '.join(known)}"
            raise Refusal(404, "unknown_model", message)
        return found

    async def answer(self, served: Served, values: Values, output: str) -> Answers:
        """Predicts rows that this model has checked."""
        return await self._batchers[served.name].answer(served, values, output)

    async def renew(self) -> list[str]:
        """Looks for other saved models, and exchanges those that have changed.

        Returns:
            what was wrong, a message each; a saved model that was refused is tried again once it has changed.
        """
        before = dict(self._models)
        refused: list[tuple[Offer, str]] = []
        while True:
            try:
                found = await asyncio.to_thread(self._catalog.look, frozenset(self._refused))
            except (MlpipelineError, OSError) as error:
                return [*self._told_of(refused, before), f"saved models cannot be looked for: {error}"]
            self._wanted = {saved.name for saved in found}
            faulty = [(saved, why) for saved in found if (why := await self._taken(saved)) is not None]
            if not faulty:
                return self._told_of(refused, before)
            refused += faulty  # and what comes next is looked for

    async def _taken(self, saved: Offer) -> str | None:
        """Has a saved model answer where it has changed; returns why it cannot, once."""
        present = self._models.get(saved.name)
        if (present and present.saved == saved) or saved.stamp in self._refused:
            return None
        try:
            self._exchange(await asyncio.to_thread(self._made, saved))
        except Exception as error:  # whatever a damaged model raises, the one that answers goes on
            self._refused.add(saved.stamp)
            self._measures.refused(saved.name)
            _log.debug("%s", saved.place, exc_info=True)
            return str(error) if isinstance(error, MlpipelineError) else f"{type(error).__name__}: {error}"
        return None

    def _told_of(self, refused: list[tuple[Offer, str]], before: dict[str, Served]) -> list[str]:
        """Returns what to say of models that were refused, and of what answers instead."""
        told = []
        for saved, why in refused:
            now = self._models.get(saved.name)
            instead = "it is not served"
            if now is not None:
                former = now is before.get(saved.name)
                instead = "the one before goes on answering" if former else f"{now.saved.place} answers instead"
            told.append(f"model '{saved.name}' ({saved.place}) is refused, {instead}: {why}")
        return told

    async def watch(self, every_seconds: float) -> None:
        """Renews at intervals, or when told to, until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), every_seconds)
                self._refused.clear()
                self._told.clear()
            except TimeoutError:
                pass
            self._wake.clear()
            self.tell(await self.renew())

    def tell(self, faults: Iterable[str]) -> None:
        """Says what was wrong; what has been said already is not said again."""
        found = set(faults)
        for fault in sorted(found - self._told):
            _log.warning("%s", fault)
        # Only what is wrong for good comes back at each look.
        self._told |= found

    def wake(self) -> None:
        """Has `watch` look now, also at what it has refused before."""
        self._wake.set()

    def measure(self) -> bytes:
        """Returns the counts of all models."""
        for name, batcher in self._batchers.items():
            self._measures.waiting(name, batcher.waiting_rows)
        return self._measures.page()

    def stop(self) -> None:
        """Ends the threads after what they have been given."""
        for batcher in self._batchers.values():
            batcher.stop()

    def _made(self, saved: Offer) -> Served:
        if saved.name in RESERVED or "/" in saved.name:
            raise MlpipelineError(f"a model cannot be called '{saved.name}' here: rename its file")
        served = Served(saved, self._load(saved.place), self._limits.rows)
        served.warm()
        return served

    def _exchange(self, served: Served) -> None:
        former = self._models.get(served.name)
        if former is None:
            self._batchers[served.name] = Batcher(
                served.name, self._limits, lambda _, rows: self._measures.batch(served.name, rows)
            )
        # One assignment: a request finds the one or the other, and keeps it.
        self._models[served.name] = served
        self._measures.loaded(served.name)
        verb = "answers" if former is None else "answers in place of the one before"
        _log.info("model '%s' (%s) %s", served.name, served.saved.place, verb)
