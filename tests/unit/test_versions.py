"""Versions: names, defaults, order, products, samples, digests."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import VersionsError
from mlpipeline.versions import Version, Versions, version_parameters


def names(versions: Versions) -> list[str]:
    return [version.name for version in versions]


def test_positional_defaults_reach_every_version_as_published() -> None:
    versions = Versions(0.01, "loader", 1, 10)
    versions.addV("a")
    versions.addV("b", batch_size=4, custom_paramters={"hidden": 3, version_parameters.LEARNING_RATE: 0.5})
    a, b = versions.getVersion("a"), versions.getVersion("b")
    assert (a["learning_rate"], a["dataloader"], a["batch_size"], a["epoc_count"]) == (0.01, "loader", 1, 10)
    assert (b[version_parameters.BATCH_SIZE], b["hidden"], b["learning_rate"]) == (4, 3, 0.5)
    assert a[version_parameters.HOOKS] is None
    assert dict(a)["name"] == "a"
    assert versions.versions["b"] is b


def test_an_unknown_version_is_a_value_error_that_names_the_known() -> None:
    with pytest.raises(ValueError, match="known are a"):
        Versions().add("a").getVersion("b")


def test_versions_run_in_order_of_definition_and_order_changes_it() -> None:
    assert names(Versions().add("c").add("a").add("b")) == ["c", "a", "b"]
    assert names(Versions().add("a").add("last", order=9).add("b").add("first", order=-1)) == [
        "first",
        "a",
        "b",
        "last",
    ]
    assert names(Versions(order=3).add("b").add("a")) == ["b", "a"]


def test_epochs_and_epoc_count_are_one_parameter() -> None:
    version = Versions(epochs=3).add("a").getVersion("a")
    assert version["epoc_count"] == version["epochs"] == version.epochs == 3
    assert Versions(epochs=3).add("a", epoc_count=5)["a"].epochs == 5
    with pytest.raises(VersionsError, match="same parameter"):
        Versions().add("a", epochs=1, epoc_count=2)


def test_a_script_s_own_epochs_beside_epoc_count_stay_its_own() -> None:
    version = Versions(0.01, None, 1, 10).addV("a", custom_paramters={"epochs": 2})["a"]
    assert (version["epochs"], version["epoc_count"], version.epochs) == (2, 10, 10)


def test_versions_share_nothing() -> None:
    layers = [1, 2]
    custom = {"sizes": {"a": 1}}
    versions = Versions(layers=layers).addV("a", custom_paramters=custom).addV("b", custom_paramters=custom)
    layers.append(3)
    versions["a"]["layers"].append(4)
    versions["a"]["sizes"]["a"] = 9
    assert versions["b"]["layers"] == [1, 2]
    assert versions["b"]["sizes"] == {"a": 1}
    assert "a" not in Versions()


@pytest.mark.parametrize("name", ["", " ", ".hidden", "a/b", "a\\b", "a::b", "a\nb", "a\x00", "x" * 201, 3, None, " a"])
def test_a_name_that_cannot_be_one_is_refused(name: Any) -> None:
    with pytest.raises(VersionsError):
        Versions().add(name)


@pytest.mark.parametrize("name", ["first", "with blank", "v1.2", "größe=3", "a:b", "学习"])
def test_blanks_dots_and_unicode_are_fine_in_names(name: str) -> None:
    assert Versions().add(name)[name].name == name


def test_two_versions_of_one_name_are_refused() -> None:
    with pytest.raises(VersionsError, match="already"):
        Versions().add("a").addV("a")


def test_a_version_is_frozen_and_survives_copying() -> None:
    version = Versions().add("a", lr=1)["a"]
    with pytest.raises(VersionsError, match="frozen"):
        version.lr = 2
    with pytest.raises(TypeError):
        version["lr"] = 2
    with pytest.raises(AttributeError, match="no parameter 'lrr'"):
        _ = version.lrr
    for twin in (copy.deepcopy(version), pickle.loads(pickle.dumps(version))):
        assert twin == version
        assert twin.lr == 1


def test_a_grid_is_the_product_of_the_lists_named_by_them() -> None:
    versions = Versions().grid(hidden=[32, 64], lr=[0.1, 0.01], seed=7)
    assert names(versions) == ["hidden=32,lr=0.1", "hidden=32,lr=0.01", "hidden=64,lr=0.1", "hidden=64,lr=0.01"]
    assert {version["seed"] for version in versions} == {7}


def test_a_grid_names_what_reads_alike_differently_and_refuses_equal_values() -> None:
    versions = Versions().grid(x=[1, "1"], path=["a/b"])
    first, second = names(versions)
    assert first == "x=1,path=a-b"
    assert second.startswith("x=1,path=a-b,#")
    with pytest.raises(VersionsError, match="already"):
        Versions().grid(x=[1, 1])
    with pytest.raises(VersionsError, match="empty"):
        Versions().grid(x=[])


def test_range_on_parameters_combines_the_named_and_spreads_the_rest() -> None:
    parameters = {"learning_rate": [0.1, 0.2], "x": [1, 2], "batch_size": 100, "layers": [3, 4]}
    versions = Versions(0.5, "loader").rangeOnParameters(None, ["learning_rate", "x"], parameters)
    assert [(v["learning_rate"], v["x"]) for v in versions] == [(0.1, 1), (0.1, 2), (0.2, 1), (0.2, 2)]
    assert all(v["batch_size"] == 100 and v["layers"] == [3, 4] and v["dataloader"] == "loader" for v in versions)
    named = Versions().rangeOnParameters(names=["p", "q"], combining_parameters=["x"], parameters={"x": [1, 2]})
    assert names(named) == ["p", "q"]
    assert parameters["batch_size"] == 100


def test_range_on_parameters_refuses_a_wrong_number_of_names() -> None:
    with pytest.raises(ValueError, match="1 names for 2 combinations"):
        Versions().rangeOnParameters(["p"], ["x"], {"x": [1, 2]})
    with pytest.raises(ValueError, match="no values for 'y'"):
        Versions().rangeOnParameters(combining_parameters=["y"], parameters={"x": [1]})
    assert names(Versions().rangeOnParameters(parameters={"x": 1})) == ["version-1"]


@given(st.integers(0, 2**40), st.integers(1, 8))
def test_a_sample_is_the_same_for_the_same_seed_and_within_its_spaces(seed: int, n: int) -> None:
    def drawn(count: int) -> list[Version]:
        spaces: dict[str, Any] = {"lr": (1e-4, 1e-1, "log"), "units": (16, 64), "kind": ["a", "b"], "drop": (0.0, 0.5)}
        return list(Versions().sample(count, seed=seed, **spaces))

    versions = drawn(n)
    assert len(versions) == n
    assert versions == drawn(n)
    assert drawn(n + 1)[:n] == versions
    for version in versions:
        assert 1e-4 <= version.lr <= 1e-1
        assert 16 <= version.units <= 64
        assert version.kind in "ab"
        assert 0 <= version.drop <= 0.5


def test_a_sample_larger_than_its_spaces_is_refused() -> None:
    assert len(Versions().sample(2, kind=["a", "b"], x=lambda draws: 1)) == 2
    with pytest.raises(VersionsError, match="give 2 different versions, not 3"):
        Versions().sample(3, kind=["a", "b"])
    with pytest.raises(VersionsError, match="no space"):
        Versions().sample(1, kind=("a", "b"))


def test_the_digest_leaves_out_name_and_order_and_nothing_else() -> None:
    versions = Versions(lr=1).add("a").add("b", order=7).add("c", lr=2)
    assert versions["a"].digest == versions["b"].digest != versions["c"].digest
    assert versions["a"].described() == {"lr": 1}
    assert versions["a"].suffix is None
    assert Versions(model_dir_suffix="x").add("a")["a"].suffix == "x"


@pytest.mark.parametrize("order", ["1", True, float("nan"), [1]])
def test_an_order_that_is_no_number_is_refused(order: Any) -> None:
    with pytest.raises(VersionsError, match="order"):
        Versions().add("a", order=order)


def test_a_parameter_called_name_is_refused() -> None:
    with pytest.raises(VersionsError, match="name"):
        Versions().addV("a", custom_paramters={"name": "b"})
