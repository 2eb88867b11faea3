"""A fitted encoding goes through JSON, and encodes and decodes as before: without rows, and without anybody's code."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import Encoding, TrainTestSplit, encoders
from mlpipeline.data.encoders import Boolean, Norm, OneHot, Static, Unique
from mlpipeline.data.encoding_state import digest
from mlpipeline.data.transformers import Age, Extract, Log, LogPlusOne, NameAge
from mlpipeline.errors import DataFault, NotFitted
from tests.unit.data import stand_ins
from tests.unit.data.everything import Everything, Nested, rows, vectors


def saved(encoding: Encoding, **keep: Any) -> Any:
    return json.loads(json.dumps(encoding.state(**keep), allow_nan=False))


def fitted(*listed: Any, target: Any = None, **options: Any) -> Encoding:
    encoding = Encoding(listed, target, **options)
    encoding.fit(lambda names: rows())
    return encoding


def assert_same(loaded: Encoding, encoding: Encoding, frame: pd.DataFrame) -> None:
    expected, found = encoding.observations(frame), loaded.observations(frame)
    pd.testing.assert_frame_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.y, expected.y)
    pd.testing.assert_frame_equal(loaded.decode(found.x), encoding.decode(expected.x))
    assert loaded.schema == encoding.schema
    assert (loaded.inputs, loaded.fit_inputs) == (encoding.inputs, encoding.fit_inputs)
    for kept, own in zip(loaded.encoders, encoding.encoders, strict=True):
        assert (repr(kept), kept.tags, kept.embed_scale) == (repr(own), own.tags, own.embed_scale)


@pytest.fixture(scope="module")
def everything() -> Encoding:
    return Everything().encoding


def test_every_kind_of_encoder_comes_back_as_it_was(everything: Encoding) -> None:
    """All kinds, transformers within transformers, twins; on rows that were fitted, and on strange ones."""
    assert {type(encoder).__name__ for encoder in everything.encoders} == set(encoders.__all__)
    loaded = Encoding.from_state(saved(everything))
    assert_same(loaded, everything, rows())
    strange = rows().assign(number=np.inf, text="unheard of", words=None, name="Zzz", day=pd.NaT, y=1e9)
    assert_same(loaded, everything, strange)
    assert_same(loaded, everything, rows().iloc[[7]])


def test_every_kind_of_transformer_comes_back_as_it_was() -> None:
    nested = Nested().encoding
    assert_same(Encoding.from_state(saved(nested)), nested, rows())


def test_what_is_saved_again_is_the_same(everything: Encoding) -> None:
    state = saved(everything)
    assert saved(Encoding.from_state(state)) == state


def test_rows_are_neither_asked_for_nor_imported_from(everything: Encoding) -> None:
    state, before = saved(everything), set(sys.modules)
    assert "get_data" not in json.dumps(state)
    Encoding.from_state(state)
    assert set(sys.modules) == before


def test_tags_scales_and_the_index_are_kept() -> None:
    encoding = fitted(
        Norm("number", tags=("money", "daily"), embed_scale=2.5), Boolean("flag", tags=["flags"]), index=("id",)
    )
    loaded = Encoding.from_state(saved(encoding))
    assert loaded.names_tagged("money") == ("norm_number",)
    assert loaded.encode_x(rows()).index.name == "id"
    assert_same(loaded, encoding, rows())


def test_ages_are_measured_up_to_the_same_moment() -> None:
    encoding = fitted(Norm(LogPlusOne(Age("day", unit="days"))), as_of="2027-07-01")
    loaded = Encoding.from_state(saved(encoding))
    assert loaded.as_of == "2027-07-01"
    assert_same(loaded, encoding, rows())


def test_nested_transformers_keep_their_parameters() -> None:
    encoding = fitted(Norm(Log(NameAge("name"))), Unique(Extract("email", r"@(\w+)")), target=Norm("y"))
    loaded = Encoding.from_state(saved(encoding))
    assert_same(loaded, encoding, rows())
    assert loaded.encoders[1].column == encoding.encoders[1].column


def test_the_schema_is_enforced_as_before() -> None:
    loaded = Encoding.from_state(saved(fitted(Norm("number"))))
    with pytest.raises(TypeError, match="'number' holds text"):
        loaded.encode_x(rows().assign(number="x"))


def test_tables_can_be_put_aside() -> None:
    encoding = fitted(Static("words", vectors()), Static("text", vectors()), Unique("text"))
    tables: dict[str, Any] = {}
    state = saved(encoding, tables=tables)
    assert len(tables) == 2
    assert len(json.dumps(state)) < len(json.dumps(saved(encoding)))
    assert_same(Encoding.from_state(state, tables), encoding, rows())
    with pytest.raises(DataFault, match=r"table 'table-0'.*missing"):
        Encoding.from_state(state)


def test_words_that_a_table_holds_do_not_look_like_a_table() -> None:
    """What a user calls a parameter, or a level, is nobody's tag."""
    encoding = fitted(OneHot("text", tags=("table", "name"), name="table"))
    assert_same(Encoding.from_state(saved(encoding)), encoding, rows())


class Reading(TrainTestSplit):
    """Sees every text in small letters."""

    row_key = "id"

    def get_data(self) -> pd.DataFrame:
        return rows().assign(text=lambda frame: frame.text.str.upper())

    def get_encoders(self) -> Any:
        return Unique("text")

    def get_output_encoder(self) -> Any:
        return None

    def read_columns(self, frame: pd.DataFrame, names: Any) -> pd.DataFrame:
        return super().read_columns(frame, names).assign(text=lambda found: found.text.str.lower())


def test_a_reader_of_ones_own_is_not_saved_and_must_be_given() -> None:
    dataset = Reading()
    state = saved(dataset.encoding)
    with pytest.raises(DataFault, match=r"Reading\.read_columns took: give it, as read="):
        Encoding.from_state(state)
    loaded = Encoding.from_state(state, read=dataset.read_columns)
    found = loaded.encode_x(dataset.test_data)
    pd.testing.assert_frame_equal(found, dataset.encoded_test_data.x)
    assert found.to_numpy().max() > 1


def test_columns_that_are_taken_as_they_are_need_no_reader(everything: Encoding) -> None:
    assert everything.state()["read"] is None


# What cannot be saved, and what cannot be loaded.


def test_nothing_learnt_is_nothing_to_save() -> None:
    with pytest.raises(NotFitted, match="fit it before"):
        Encoding((Norm("number"),), None).state()


def test_an_encoder_without_a_state_is_refused_when_saving() -> None:
    with pytest.raises(DataFault, match=r"cannot be saved: derive its class from mlpipeline\.data\.Encoder"):
        fitted(stand_ins.Number("number")).state()


def _remove(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda state: state.pop(name)


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: state.update({name: value})


def _learnt(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: state["encoders"][0]["learnt"].update({name: value})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_set("format", 99), "format 99: load it with the release"),
        (_remove("schema"), "without schema: it is damaged"),
        (_remove("digest"), "damaged: it is not what its digest"),
        (_learnt("mean_", 5.0), "damaged: it is not what its digest"),
        (_set("index", {1, 2}), "damaged .*set"),
    ],
)
def test_a_damaged_state_is_refused(damage: Callable[[dict[str, Any]], Any], said: str) -> None:
    state = saved(fitted(Norm("number")))
    damage(state)
    with pytest.raises(DataFault, match=said):
        Encoding.from_state(state)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_set("encoders", None), "damaged"),
        (_set("encoders", []), "other features"),
        (_set("encoders", [[]]), "damaged"),
        (_set("encoders", [{"format": 1, "parameters": {}, "learnt": {}}]), "without class"),
        (_set("encoders", [{"format": 1, "class": "os:system", "parameters": {}, "learnt": {}}]), "no encoder 'os:sys"),
        (_set("encoders", [{"format": 1, "class": ["Norm"], "parameters": {}, "learnt": {}}]), "is no name"),
        (_set("output_encoder", {"format": 2, "parameters": {}, "learnt": {}}), "format 2"),
        (_set("schema", {}), "schema is damaged"),
        (_set("schema", {"columns": [{"name": "a"}]}), "schema is damaged"),
        (_set("as_of", {"moment": "x"}), "a saved moment is damaged"),
        (_set("as_of", {"odd": "x"}), "kind 'odd'"),
        (_set("feature_names", ["a"]), r"other features .*\(a, norm_number\): fit again"),
        (_learnt("transform", 1), "has learnt 'transform', which none does"),
        (_learnt("table_", {"table": "!"}), "a table cannot be read"),
        (_learnt("table_", {"table": "AAAA"}), "a table cannot be read"),
        (_learnt("table_", {"table": 3}), "damaged"),
    ],
)
def test_a_state_that_was_never_saved_is_refused(damage: Callable[[dict[str, Any]], Any], said: str) -> None:
    """Its digest is right, so that everything after it has to hold, too."""
    state = saved(fitted(Norm("number")))
    damage(state)
    state["digest"] = digest(state)
    before = set(sys.modules)
    with pytest.raises(DataFault, match=said):
        Encoding.from_state(state)
    assert set(sys.modules) == before


@pytest.mark.parametrize("state", [None, [], "{}", 3])
def test_what_is_no_state_is_refused(state: Any) -> None:
    with pytest.raises(DataFault, match="is a mapping, and this is"):
        Encoding.from_state(state)


def test_every_change_of_a_leaf_is_noticed(everything: Encoding, tmp_path: Path) -> None:
    """Some of them would load, and encode otherwise."""
    state = saved(everything)
    for path in list(_leaves(state))[::7]:
        damaged = copy.deepcopy(state)
        *way, last = path
        place: Any = damaged
        for step in way:
            place = place[step]
        place[last] = "changed" if place[last] != "changed" else None
        with pytest.raises(DataFault):
            Encoding.from_state(damaged)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict | list) and value:
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*path, key))
    else:
        yield path
