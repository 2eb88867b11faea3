"""Packages offer encoders, transformers, stores and dialects; what is saved of theirs is found by its name."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import create_engine

from mlpipeline import plugins
from mlpipeline.data import Encoder, Encoding, Transformer, dialects, encoders, open_store, transformers
from mlpipeline.data.dialects.dialect import Dialect
from mlpipeline.data.store import Store
from mlpipeline.errors import DataFault
from mlpipeline.wiring import BUILT_IN

PACKAGE = '''
import pandas as pd
from mlpipeline.data import Transformer
from mlpipeline.data.encoders import Norm as BuiltIn
from mlpipeline.data.stores.memory import MemoryStore

class Halved(BuiltIn):
    """Half of what Norm gives."""
    def _encode(self, values):
        return super()._encode(values) / 2

class Norm(BuiltIn):
    """Has a name that is taken."""

class Negative(Transformer):
    """The number below zero."""
    def apply(self, values):
        return -values

class Shelf(MemoryStore):
    """A store."""

NOTHING = 3
'''
POINTS = """[mlpipeline.encoder]
halved = mlptest_offers.parts:Halved
Norm = mlptest_offers.parts:Norm
nothing = mlptest_offers.parts:NOTHING
[mlpipeline.transformer]
negative = mlptest_offers.parts:Negative
[mlpipeline.store]
shelf = mlptest_offers.parts:Shelf
"""

KINDS = ("encoder", "transformer", "store", "dialect")
PARENTS = {"store": Store, "dialect": Dialect}


@pytest.fixture
def offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package that is installed, and imported when it is asked for; `forget` makes it not so."""
    site = tmp_path / "site"
    (site / "mlptest_offers").mkdir(parents=True)
    (site / "mlptest_offers" / "__init__.py").write_text("")
    (site / "mlptest_offers" / "parts.py").write_text(PACKAGE)
    (site / "mlptest_offers-1.dist-info").mkdir()
    (site / "mlptest_offers-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mlptest-offers\n")
    (site / "mlptest_offers-1.dist-info" / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(site))
    invalidate_caches()
    yield lambda: import_module("mlptest_offers.parts")
    forget()


def forget() -> None:
    for name in ("mlptest_offers.parts", "mlptest_offers"):
        sys.modules.pop(name, None)


FRAME = pd.DataFrame({"n": [1.0, 2.0, 5.0]})


def test_an_offered_encoder_is_saved_and_found_by_its_name(offers: Any) -> None:
    parts = offers()
    encoding = Encoding((parts.Halved(parts.Negative("n"), name="h"),), None)
    encoding.fit(lambda names: FRAME)
    state = json.loads(json.dumps(encoding.state()))
    (saved,) = state["encoders"]
    assert saved["class"] == "halved"
    assert saved["parameters"]["column"]["transformer"]["class"] == "negative"
    expected = encoding.encode_x(FRAME)
    del parts, encoding
    forget()
    loaded = Encoding.from_state(state)
    assert "mlptest_offers.parts" in sys.modules
    pd.testing.assert_frame_equal(loaded.encode_x(FRAME), expected)


def test_an_offer_replaces_nothing_that_is_built_in(offers: Any) -> None:
    theirs = offers().Norm("n").fit(FRAME).state()
    assert theirs["class"] == "mlptest_offers.parts:Norm"
    assert type(Encoder.from_state(theirs)) is offers().Norm
    assert type(Encoder.from_state(encoders.Norm("n").fit(FRAME).state())) is encoders.Norm


def test_what_is_offered_and_is_no_encoder_is_refused(offers: Any) -> None:
    state = encoders.Norm("n").fit(FRAME).state() | {"class": "nothing"}
    with pytest.raises(DataFault, match="installed as the encoder 'nothing' is none"):
        Encoder.from_state(state)


def test_who_offers_it_must_be_installed() -> None:
    state = encoders.Norm("n").fit(FRAME).state() | {"class": "halved"}
    with pytest.raises(DataFault, match=r"no encoder 'halved'.* if a package offers it, install that"):
        Encoder.from_state(state)
    with pytest.raises(DataFault, match=r"no transformer 'Lg'\. Did you mean 'Log'"):
        Transformer.from_state({"class": "Lg", "parameters": {"column": "n"}})


def test_an_offered_store_is_opened_by_its_scheme(offers: Any) -> None:
    store = open_store("shelf://")
    store.put("a", b"b")
    assert (store.get("a"), type(store).__name__) == (b"b", "Shelf")


def test_an_offered_dialect_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plugins.names("dialect")  # filled, from now on
    monkeypatch.setitem(plugins._registry._targets, "dialect", {})
    monkeypatch.setattr(plugins, "_installed", lambda kind: {"sqlite": "mlpipeline.data.dialects.duck:DuckDialect"})
    assert type(dialects.of(create_engine("sqlite://"))).__name__ == "DuckDialect"


def test_the_registry_lists_all_that_is_built_in() -> None:
    listed = {kind: {name for each, name, _ in BUILT_IN if each == kind} for kind in {each for each, *_ in BUILT_IN}}
    assert listed["encoder"] == set(encoders.__all__)
    assert listed["transformer"] == set(transformers.__all__)


@pytest.mark.parametrize(("kind", "name", "target"), [each for each in BUILT_IN if each[0] in KINDS])
def test_every_entry_leads_to_what_its_room_uses(kind: str, name: str, target: str) -> None:
    registry = plugins.Registry()
    registry.register(kind, name, target)
    found = registry.load(kind, name)
    if kind in PARENTS:
        assert issubclass(found, PARENTS[kind])
    else:
        assert found.__name__ == name


def test_what_is_built_in_is_found_by_its_url(tmp_path: Path) -> None:
    stores = [open_store(url) for url in ("memory://", str(tmp_path), "unix:///s", "rediss://h")]
    assert [type(each).__name__ for each in stores] == ["MemoryStore", "DiskStore", "RedisStore", "RedisStore"]
    assert type(dialects.of(create_engine("sqlite://"))).__name__ == "SqliteDialect"
