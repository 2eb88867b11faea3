"""One way to find a value: own, parents', environment, defaults; with origins and without secrets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mlpipeline
from mlpipeline.workflow.node import Place, from_plain
from mlpipeline.workflow.resolve import PREFIX, QUEUE_VARIABLES, Config, Scope

ENVIRONMENT = {"MLP_RATE": "0.25", "MLP_DB_PASSWORD": "0123", "MLP_KEEP": "from environment"}


def scope(
    own: dict[str, object], defaults: dict[str, object], parent: Scope | None = None, name: str = "Mine"
) -> Scope:
    config = {key: from_plain(value, Place(f"{name}.yaml", 1, 2)) for key, value in own.items()}
    return Scope(name, config, defaults, parent, ENVIRONMENT)


def test_the_order_is_own_then_parents_then_environment_then_defaults() -> None:
    top = scope({"a": "top", "b": "top", "keep": "top"}, {"f": "default of top", "e": "default of top"}, name="Top")
    middle = scope({"b": "middle"}, {}, top, "Middle")
    mine = scope({"c": "own"}, {"a": "default", "e": "default", "rate": 1}, middle)
    found = {key: mine.find(key) for key in ("a", "b", "c", "rate", "e", "f", "keep")}
    assert {key: each.value for key, each in found.items() if each} == {
        "a": "top", "b": "middle", "c": "own", "rate": 0.25, "e": "default", "f": "default of top", "keep": "top",
    }  # fmt: skip
    assert {key: each.origin for key, each in found.items() if each} == {
        "a": "Top.yaml:1:2", "b": "Middle.yaml:1:2", "c": "Mine.yaml:1:2", "rate": "environment MLP_RATE",
        "e": "default of Mine", "f": "default of Top", "keep": "Top.yaml:1:2",
    }  # fmt: skip
    assert mine.find("nothing") is None


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_values_that_are_nothing_mask_what_lies_further_out(value: object) -> None:
    top = scope({"a": 1}, {})
    found = scope({"a": value}, {"a": 2}, top).find("a")
    assert found is not None
    assert found.value == value


def test_values_are_new_each_time() -> None:
    mine = scope({"a": [1]}, {"b": {"c": [2]}})
    config = Config(mine)
    config["a"].append(3)
    config["b"]["c"].append(3)
    assert (config["a"], config["b"]) == ([1], {"c": [2]})


def test_a_config_is_a_mapping_that_prints_no_secret() -> None:
    config = Config(scope({"api_key": "abcdef", "url": "x://me:hunter2@h", "n": 3}, {"d": 4}))
    assert (config["api_key"], config["n"], config.get("gone"), "d" in config, "gone" in config) == (
        "abcdef", 3, None, True, False,
    )  # fmt: skip
    assert dict(config).keys() == {"api_key", "url", "n", "d"}
    assert repr(config) == "Config(api_key='***', url='x://me:***@h', n=3, d=4)"
    assert config.origin("d") == "default of Mine"
    with pytest.raises(KeyError):
        config["gone"]
    with pytest.raises(KeyError):
        config.origin("gone")


def test_what_the_queue_tells_its_processes_is_no_configuration() -> None:
    package = Path(mlpipeline.__file__).parent
    used = {name for path in package.rglob("*.py") for name in re.findall(r'"(MLP_[A-Z_]+)"', path.read_text("utf-8"))}
    assert used - {PREFIX} <= QUEUE_VARIABLES
    assert Scope("Mine", {}, {}, None, {"MLP_TOKEN": "x"}).find("token") is None


def test_secrets_of_the_environment_stay_text() -> None:
    found = scope({}, {}).find("db_password")
    assert found is not None
    assert (found.value, found.shown()) == ("0123", "***")


def test_what_came_from_a_secret_is_hidden_under_whatever_key() -> None:
    node = from_plain({"plain": {"deep": ["x"]}}, Place("w.yaml"))
    secret = type(node)("opensesame", Place("w.yaml"), "environment TOKEN", True)
    config = {"where": node.with_value({"deep": node.with_value([secret])})}
    found = Scope("Mine", config, {}, None, {}).find("where")
    assert found is not None
    assert found.shown() == {"deep": ["***"]}
    assert "opensesame" not in str(found.leaves())


def test_a_change_is_laid_over_wherever_the_value_comes_from() -> None:
    change = {"p": [(("d",), from_plain(8, Place("--set p.d")))]}
    top = scope({"p": {"d": 1, "e": 2}}, {})
    mine = Scope("Mine", {}, {}, top, {}, change)
    found = mine.find("p")
    assert found is not None
    assert found.value == {"d": 8, "e": 2}
    assert [(path, value, origin) for path, value, origin in found.leaves()] == [
        (("d",), 8, "--set p.d"), (("e",), 2, "Mine.yaml:1:2"),
    ]  # fmt: skip
    of_default = Scope("Mine", {}, {"p": {"e": 3}}, None, {}, change).find("p")
    assert of_default is not None
    assert of_default.value == {"e": 3, "d": 8}
    with pytest.raises(ValueError, match="d"):
        Scope("Mine", {}, {"p": 3}, None, {}, change).find("p")
