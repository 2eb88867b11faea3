"""Files, what they include, overlays and settings."""

from __future__ import annotations

import copy

from mlpipeline.workflow import document

from .conftest import Workbench


def told(found: document.Document) -> list[str]:
    return [str(each) for each in found.faults]


def test_an_included_file_lies_under_the_one_that_includes_it(bench: Workbench) -> None:
    bench.write("base/a.yaml", "config: {a: 1, b: {c: 1, d: 2}, l: [1, 2]}\n")
    path = bench.write("w.yaml", "include: base/a.yaml\nconfig: {b: {c: 3}, l: [9]}\n")
    found = document.load(path)
    assert found.root.plain() == {"config": {"a": 1, "b": {"c": 3, "d": 2}, "l": [9]}}
    assert found.files == ("w.yaml", "base/a.yaml")
    assert str(found.root.at(["config", "a"]).place) == "base/a.yaml:1:13"


def test_a_section_may_include_a_file_and_a_list_of_them_is_laid_in_order(bench: Workbench) -> None:
    bench.write("one.yaml", "a: 1\nb: 1\n")
    bench.write("two.yaml", "b: 2\n")
    found = document.load(bench.write("w.yaml", "train:\n  include: [one.yaml, two.yaml]\n  c: 3\n"))
    assert found.root.plain() == {"train": {"a": 1, "b": 2, "c": 3}}


def test_a_circle_of_includes_is_told_whole(bench: Workbench) -> None:
    bench.write("a.yaml", "include: b.yaml\nx: 1\n")
    bench.write("b.yaml", "include: a.yaml\ny: 1\n")
    found = document.load(bench.root / "a.yaml")
    assert told(found) == ["b.yaml:1:10: includes itself: a.yaml → b.yaml → a.yaml: remove one of these"]
    assert found.root.plain() == {"x": 1, "y": 1}


def test_faults_of_all_files_are_collected(bench: Workbench) -> None:
    bench.write("b.yaml", "a: 1\na: 2\n")
    path = bench.write("w.yaml", "include: [b.yaml, gone.yaml, 3]\nc: 1\nc: 2\n")
    found = told(document.load(path, settings=["=1", "a..b=2", "ok.x=1"]))
    assert [each.split(":")[0] for each in found] == [
        "w.yaml",
        "b.yaml",
        "w.yaml",
        "w.yaml",
        "--set =1",
        "--set a..b=2",
    ]
    assert "gone.yaml cannot be read: No such file" in found[2]


def test_later_files_lie_over_earlier_ones_and_null_replaces(bench: Workbench) -> None:
    one = bench.write("one.yaml", "config: {a: 1, b: 2}\n")
    two = bench.write("two.yaml", "config: {b: null, c: 3}\n")
    assert document.load([one, two, {"config": {"c": 4}}]).root.plain() == {"config": {"a": 1, "b": None, "c": 4}}


def test_what_is_passed_is_never_changed_nor_shared(bench: Workbench) -> None:
    given = {"config": {"a": [1, {"b": 2}], "link": "$config.a"}}
    before = copy.deepcopy(given)
    found = document.load(given)
    found.root.plain()["config"]["a"].append(3)
    given["config"]["a"].append(4)
    assert found.root.plain() == before


def test_settings_are_read_as_yaml(bench: Workbench) -> None:
    found = document.load({}, settings=["a.b=3", "c=[1, x]", "d=x=y", "e="])
    assert [(address, node.plain()) for address, node in found.settings] == [
        ("a.b", 3), ("c", [1, "x"]), ("d", "x=y"), ("e", None),
    ]  # fmt: skip
