"""Models are exchanged while they answer: a newer one takes over, a damaged one does not."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Container, Coroutine
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import ArtefactError
from mlpipeline.learning import serializers
from mlpipeline.learning.serving.catalog import Offer, offer
from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.lineup import Lineup
from mlpipeline.learning.serving.measures import Measures
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.served import PROBA
from tests.unit.learning.serving.conftest import ROW, Guests, Linear
from tests.unit.learning.small_models import fitted


class Listed:
    """A catalog of what a test puts into it."""

    def __init__(self, *offers: Offer) -> None:
        self.offers = list(offers)
        self.fault: Exception | None = None

    def look(self, without: Container[str] = ()) -> list[Offer]:
        if self.fault is not None:
            raise self.fault
        return self.offers


def run(
    catalog: Any, load: Callable[[str], Any], work: Callable[[Lineup], Coroutine[Any, Any, None]], measures: Any = None
) -> None:
    async def inside() -> None:
        lineup = Lineup(catalog, load, Limits(), measures or Measures())
        try:
            await work(lineup)
        finally:
            lineup.stop()

    asyncio.run(inside())


async def answer(lineup: Lineup) -> float:
    served = lineup["guests"]
    found = await lineup.answer(served, served.reader.read([ROW]), PROBA)
    chance: float = found.rows[0][1]
    return chance


def other(tmp_path: Path, shift: float) -> Offer:
    path = tmp_path / f"shift-{shift}"
    serializers.save(fitted(Guests(), Linear(shift=shift)), path, facts={"run": {"id": "r2", "model": "guests.py"}})
    return offer(str(path))


def test_a_newer_model_takes_over_and_requests_keep_the_one_that_checked_them(
    saved: Offer, load: Callable[[str], Any], tmp_path: Path
) -> None:
    catalog = Listed(saved)

    async def work(lineup: Lineup) -> None:
        assert await lineup.renew() == []
        before, old = await answer(lineup), lineup["guests"]
        assert await lineup.renew() == []
        assert lineup["guests"] is old
        catalog.offers = [other(tmp_path, 2.0)]
        assert await lineup.renew() == []
        assert await answer(lineup) < before
        assert lineup["guests"].run == "r2"
        late = await lineup.answer(old, old.reader.read([ROW]), PROBA)
        assert late.rows[0][1] == before

    run(catalog, load, work)


def test_a_damaged_model_is_refused_once_and_the_one_before_goes_on(
    saved: Offer, load: Callable[[str], Any], tmp_path: Path
) -> None:
    catalog, measures = Listed(saved), Measures()

    async def work(lineup: Lineup) -> None:
        await lineup.renew()
        before = await answer(lineup)
        damaged = other(tmp_path, 2.0)
        path = Path(damaged.place) / "estimator.json"
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"0.", b"1.", 1))
        catalog.offers = [damaged]
        (fault,) = await lineup.renew()
        assert "model 'guests'" in fault
        assert "the one before goes on answering" in fault
        assert "estimator.json: was changed" in fault
        assert await lineup.renew() == []
        assert await answer(lineup) == before
        assert b'mlpipeline_swaps_total{model="guests",outcome="refused"} 1.0' in measures.page()
        path.write_bytes(whole)
        catalog.offers = [dataclasses.replace(damaged, stamp="another")]
        assert await lineup.renew() == []
        assert await answer(lineup) < before

    run(catalog, load, work, measures)


class Ranked(Listed):
    """A catalog of one model, the best one first."""

    def look(self, without: Container[str] = ()) -> list[Offer]:
        return ([each for each in self.offers if each.stamp not in without] or self.offers)[:1]


def test_the_next_best_answers_where_the_best_is_damaged_from_the_start(
    saved: Offer, load: Callable[[str], Any], tmp_path: Path
) -> None:
    damaged = [other(tmp_path, shift) for shift in (1.0, 2.0)]
    for each in damaged:
        (Path(each.place) / "estimator.json").write_text("{}")
    catalog = Ranked(*damaged, saved)

    async def work(lineup: Lineup) -> None:
        faults = await lineup.renew()
        assert [
            f"({each.place}) is refused, {saved.place} answers instead" in fault
            for each, fault in zip(damaged, faults, strict=True)
        ] == [True, True]
        assert lineup["guests"].saved == saved
        assert await lineup.renew() == []
        assert (lineup["guests"].saved, lineup.missing) == (saved, [])
        catalog.offers = damaged[:1]
        assert await lineup.renew() == []

    run(catalog, load, work)


def test_a_look_that_fails_is_said_and_changes_nothing(saved: Offer, load: Callable[[str], Any]) -> None:
    catalog = Listed(saved)

    async def work(lineup: Lineup) -> None:
        await lineup.renew()
        catalog.fault = ArtefactError("the disk is gone")
        assert await lineup.renew() == ["saved models cannot be looked for: the disk is gone"]
        assert 0 < await answer(lineup) < 1

    run(catalog, load, work)


def test_watching_looks_at_once_when_told(saved: Offer, load: Callable[[str], Any], tmp_path: Path) -> None:
    catalog = Listed(saved)

    async def work(lineup: Lineup) -> None:
        await lineup.renew()
        before = await answer(lineup)
        watching = asyncio.create_task(lineup.watch(3600))
        catalog.offers = [other(tmp_path, 2.0)]
        lineup.wake()
        async with asyncio.timeout(60):
            while await answer(lineup) == before:
                await asyncio.sleep(0.01)
        watching.cancel()

    run(catalog, load, work)


def test_an_unknown_model_is_refused_with_the_nearest_name(saved: Offer, load: Callable[[str], Any]) -> None:
    async def work(lineup: Lineup) -> None:
        await lineup.renew()
        with pytest.raises(Refusal, match=r"there is no model 'gusts'\. Did you mean 'guests'") as found:
            lineup["gusts"]
        assert found.value.status == 404
        json.loads(found.value.body())

    run(Listed(saved), load, work)


def test_a_model_cannot_have_the_name_of_a_page(saved: Offer, load: Callable[[str], Any]) -> None:
    async def work(lineup: Lineup) -> None:
        (fault,) = await lineup.renew()
        assert "a model cannot be called 'metrics' here" in fault
        assert not lineup.models
        assert lineup.missing == ["metrics"]

    run(Listed(dataclasses.replace(saved, name="metrics")), load, work)
