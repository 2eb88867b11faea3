"""Links: to values and to the environment, chained, in lists, in text; and none that is not meant."""

from __future__ import annotations

from typing import Any

import pytest

from mlpipeline.config_text import Fault
from mlpipeline.workflow.links import Linker
from mlpipeline.workflow.node import Place, from_plain

ENVIRONMENT = {"RATE": "0.5", "NAME": "x", "DB_PASSWORD": "123456", "EMPTY": ""}


def linked(root: dict[str, Any]) -> tuple[Any, list[str]]:
    faults: list[Fault] = []
    node = from_plain(root, Place("w.yaml", 1, 1))
    return Linker(node, ENVIRONMENT, faults).resolve(node).plain(), [each.message for each in faults]


@pytest.mark.parametrize("value", ["", "0", 0, False, None, "$", "$5", "a $b c", "5$", "$-x", [], {}, 0.0, "^$"])
def test_what_is_no_link_stays_as_it_is(value: object) -> None:
    assert linked({"a": value}) == ({"a": value}, [])


@pytest.mark.parametrize("value", [0, False, "", None, [], {"x": 1}, 1.5, "text"])
def test_a_link_gives_the_value_itself_whatever_it_is(value: object) -> None:
    for link in ("$config.v", "${config.v}", "${ config.v }", "$v", "${v}"):
        found, faults = linked({"config": {"v": value}, "to": link})
        assert (found["to"], faults) == (value, [])


@pytest.mark.parametrize(
    ("text", "value"), [("$$", "$"), ("$$config.v", "$config.v"), ("a$$b", "a$b"), ("$${x}", "${x}"), ("$$$$", "$$")]
)
def test_two_dollars_are_one(text: str, value: str) -> None:
    assert linked({"a": text, "config": {"v": 1}})[0]["a"] == value


def test_links_are_followed_in_lists_in_text_and_along_chains() -> None:
    root = {
        "config": {"a": 1, "b": "$config.a", "c": "$config.b"},
        "l": ["$config.c", {"x": "${config.c}"}, "p${a}/${b}"],
    }
    assert linked(root) == ({"config": {"a": 1, "b": 1, "c": 1}, "l": [1, {"x": 1}, "p1/1"]}, [])


def test_the_level_config_may_be_left_out_and_items_of_lists_have_numbers() -> None:
    root = {
        "train": {"model": {"config": {"p": {"d": 8}, "l": ["x", "y"]}}},
        "a": "$train.model.p.d",
        "b": "$train.model.l.1",
    }
    found, faults = linked(root)
    assert (found["a"], found["b"], faults) == (8, "y", [])


def test_a_circle_is_told_with_every_link_of_it() -> None:
    found, faults = linked({"a": "$b", "b": "$c", "c": "$a"})
    assert len(faults) == 1
    assert "a circle of links: $b → $c → $a → $b" in faults[0]
    assert set(found.values()) == {None}


@pytest.mark.parametrize("root", [{"a": "$a"}, {"a": {"b": "$a"}}, {"a": ["$a"]}, {"a": "x${a}"}])
def test_what_contains_itself_is_a_circle(root: dict[str, Any]) -> None:
    assert any("a circle of links" in each for each in linked(root)[1])


def test_a_link_to_nothing_names_the_nearest() -> None:
    assert linked({"config": {"rate": 1}, "a": "$config.rat"})[1] == [
        "${config.rat} leads to nothing. Did you mean 'rate'?"
    ]
    assert "Known there: a, xyz" in linked({"xyz": 1, "a": "$qqq"})[1][0]
    assert "leads to nothing" in linked({"l": [1], "a": "$l.1"})[1][0]
    assert "leads to nothing" in linked({"l": 3, "a": "${}"})[1][0]


def test_several_faults_are_told_together() -> None:
    assert len(linked({"a": "$no", "b": "${env:NOWHERE}", "c": "${open", "d": "x ${e}", "e": {"f": 1}})[1]) == 4


def test_the_environment_gives_values_as_they_would_stand_in_the_file() -> None:
    root = {"a": "${env:RATE}", "b": "run-${env:NAME}", "c": "${env:GONE,7}", "d": "${env:EMPTY}", "e": "${env:GONE,}"}
    assert linked(root) == ({"a": 0.5, "b": "run-x", "c": 7, "d": None, "e": None}, [])
    assert linked({"a": "${env:GONE}"})[1][0].startswith("the environment variable GONE is not set")


def test_secrets_of_the_environment_stay_text_and_are_marked_wherever_they_go() -> None:
    node = from_plain({"p": "${env:DB_PASSWORD}", "u": "x:${p}", "again": "$u"}, Place("w.yaml", 1, 1))
    found = Linker(node, ENVIRONMENT, []).resolve(node)
    assert found.get("p").value == "123456"
    assert [found.get(key).secret for key in ("p", "u", "again")] == [True, True, True]


def test_a_link_remembers_where_it_leads() -> None:
    node = from_plain({"config": {"a": 1}, "b": "$config.a"}, Place("w.yaml", 3, 1))
    linker = Linker(node, {}, [])
    assert linker.resolve(node.get("b")).origin == "$config.a at w.yaml:3:1"
    assert linker.used == {("config", "a")}
