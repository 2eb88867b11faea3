"""YAML with places, and every way in which it can be broken."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.workflow import yaml_text


def faults(text: str | bytes) -> list[str]:
    return [str(each) for each in yaml_text.read(text.encode() if isinstance(text, str) else text, "w.yaml")[1]]


def test_every_value_knows_its_line_and_column() -> None:
    node, found = yaml_text.read(b"a: 1\nb:\n  c: [x, yy]\n  d:\n", "w.yaml")
    assert found == []
    assert str(node.get("a").place) == "w.yaml:1:4"
    assert [str(each.place) for each in node.at(["b", "c"]).value] == ["w.yaml:3:7", "w.yaml:3:10"]
    assert str(node.get("b").place) == "w.yaml:2:1"
    assert str(node.at(["b", "d"]).place) == "w.yaml:4:3"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0o17", 15), ("0x1F", 31), ("012", 12), ("1e-3", 1e-3), ("1.", 1.0), (".5", 0.5),
        ("6.0e+2", 600.0), ("-.inf", -math.inf), ("true", True), ("FALSE", False), ("null", None), ("~", None),
        ("", None), ("1:30", "1:30"), ("2026-11-21", "2026-11-21"), ("'1'", "1"), ('"no"', "no"), ("1_000", "1_000"),
        ("nullable", "nullable"), ("[]", []), ("{}", {}), ("$5", "$5"), ("a b", "a b"), ("0", 0), ('""', ""),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    node, found = yaml_text.read(f"key: {text}\n".encode(), "w.yaml")
    assert found == []
    assert node.get("key").plain() == value
    assert type(node.get("key").plain()) is type(value)


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF"])
def test_words_that_are_booleans_to_some_are_faults(word: str) -> None:
    assert faults(f"a: {word}") == [
        f"w.yaml:1:4: {word} is a boolean to some, text to others: write true, false or quotes"
    ]


def test_keys_are_text_whatever_they_say() -> None:
    node, found = yaml_text.read(b"on: 1\n'off': 2\ny: 3\n4: 5\ntrue: 6\n", "w.yaml")
    assert (node.plain(), found) == ({"on": 1, "off": 2, "y": 3, 4: 5, True: 6}, [])


@pytest.mark.parametrize("text", ["a: {b: ${env:X}}\n", "a: [${b.c}]\n"])
def test_a_reference_within_braces_of_yaml_is_told_to_need_quotes(text: str) -> None:
    (told,) = faults(text)
    assert "put quotes around what holds ${...}" in told
    node, found = yaml_text.read(text.replace("$", '"$').replace("}]", '}"]').replace("X}}", 'X}"}').encode(), "w.yaml")
    assert not found
    assert node is not None


def test_broken_yaml_is_told_with_line_column_and_the_line_itself() -> None:
    (told,) = faults("a: 1\nb: [1, 2\nc: 3\n")
    assert told.startswith("w.yaml:3:2: ")
    assert "    c: 3" in told
    assert "that begins in line 2" in told


def test_a_tab_is_called_a_tab() -> None:
    assert faults("a:\n\tb: 1\n")[0].startswith("w.yaml:2:1: a tab: indent with blanks")
    assert "a tab" in faults("a:\n  \tb: 1\n  c: 2\n")[0]


def test_every_duplicate_key_is_told_with_the_line_of_the_first() -> None:
    text = "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"
    assert faults(text) == [
        "w.yaml:4:3: 'c' stands in line 3 already: keep one of them",
        "w.yaml:5:1: 'a' stands in line 1 already: keep one of them",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "w.yaml:1: is no mapping"),
        ("just text", "w.yaml:1: is no mapping"),
        (b"a: \xff", "is no UTF-8"),
        ("a: \x07", "control character 0x07"),
        ("a: !!python/object:os.system x", "the tag"),
        ("a: !!int x", "'x' is no int"),
        ("? [a]\n: 1", "this cannot be a key"),
        ("null: 1", "this cannot be a key"),
        ("a: &x [*x]", "an alias that contains itself"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a: *nothing", "undefined alias"),
        ("[" * 5000, "w.yaml"),
    ],
)
def test_what_is_no_workflow_file_is_told(text: str | bytes, told: str) -> None:
    assert told in faults(text)[0]


def test_a_bomb_of_aliases_is_a_fault_and_no_end_of_the_process() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert any("aliases stand for more than" in each for each in faults("\n".join(rows)))


def test_merge_keys_lie_under_a_mappings_own() -> None:
    node, found = yaml_text.read(b"x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n", "w.yaml")
    assert found == []
    assert node.get("y").plain() == {"a": 1, "b": 3}
    assert "takes a mapping" in faults("a: {<<: 3}")[0]


def test_an_empty_file_is_an_empty_mapping() -> None:
    for text in ("", "# nothing\n", "---\n"):
        node, found = yaml_text.read(text.encode(), "w.yaml")
        assert (node.plain(), found) == ({} if text != "---\n" else node.plain(), found)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_the_bytes_are_reading_them_never_raises(content: bytes) -> None:
    node, found = yaml_text.read(content, "w.yaml")
    assert node.is_mapping
    assert all(str(each).startswith("w.yaml") for each in found)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="ascii")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
        max_leaves=12,
    )
)
def test_what_json_says_is_read_as_it_is(value: object) -> None:
    import json

    node, found = yaml_text.read(json.dumps({"value": value}).encode(), "w.yaml")
    assert found == []
    assert node.get("value").plain() == value


def test_a_typed_value_is_what_would_stand_in_a_file() -> None:
    assert yaml_text.scalar("3") == 3
    assert yaml_text.scalar("[a, 1]") == ["a", 1]
    assert yaml_text.scalar("") is None
    assert yaml_text.scalar("yes") == "yes"
    assert yaml_text.scalar("[broken") == "[broken"
    assert yaml_text.scalar("a\nb: 3") == "a\nb: 3"
