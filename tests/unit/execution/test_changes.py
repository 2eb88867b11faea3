"""Differences of sources are named as a person would name them, and only those that the fingerprint counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpipeline.execution import changes
from mlpipeline.execution.fingerprint import code_digest

MODEL = '''"""A model."""

import helpers

RATE = 0.1


class Net(Model):
    """A net."""

    size = 3

    def build(self):
        return helpers.layer(self.size)

    def train_model(self, input_fn, steps):
        for step in range(steps):
            self.run.record(loss=step)


MODEL = Net()
'''
HELPERS = b"def layer(size):\n    return size\n"


def told(after: str, before: str = MODEL) -> list[str]:
    found = changes.of_code({"m/a.py": before.encode()}, "m/a.py", {"m/a.py": after.encode()}, "m/a.py")
    return [each.text for each in found]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("record(loss=step)", "record(loss=-step)", ["Net.train_model in m/a.py changed"]),
        ("RATE = 0.1", "RATE = 0.2", ["module level of m/a.py changed"]),
        ("import helpers", "import helpers as h", ["module level of m/a.py changed"]),
        ("size = 3", "size = 4", ["Net in m/a.py changed"]),
        ("size = 3", "size = 3\n    pass", ["Net in m/a.py changed"]),
        ("class Net(Model)", "class Net(Other)", ["Net in m/a.py changed"]),
        ("def build", "@cached\n    def build", ["Net.build in m/a.py changed"]),
        ("def build", "def make", ["Net.make in m/a.py is new", "Net.build in m/a.py is gone"]),
        ("\n\nMODEL =", "\n\ndef more():\n    pass\n\n\nMODEL =", ["more in m/a.py is new"]),
        ("class Net", "class Tiny:\n    def f(self): pass\n\n\nclass Net", ["Tiny in m/a.py is new"]),
    ],
)
def test_a_change_is_named_by_function_class_or_module(old: str, new: str, said: list[str]) -> None:
    assert old in MODEL
    assert told(MODEL.replace(old, new)) == said


def test_a_renamed_class_is_one_that_came_and_one_that_went() -> None:
    assert told(MODEL.replace("class Net(", "class Grid(")) == ["Grid in m/a.py is new", "Net in m/a.py is gone"]


@pytest.mark.parametrize(
    "after",
    [
        MODEL.replace('"""A net."""', '"""Another text."""'),
        MODEL.replace("RATE = 0.1", "RATE  =  0.1  # why"),
        MODEL.replace("\n\n\n", "\n\n"),
    ],
)
def test_what_the_fingerprint_does_not_count_is_no_change(after: str) -> None:
    assert after != MODEL
    assert told(after) == []


def test_definitions_that_changed_places_are_said_to_have() -> None:
    assert told("def b(): 1\ndef a(): 2\n", "def a(): 2\ndef b(): 1\n") == [
        "the order of definitions in m/a.py changed"
    ]


def test_a_file_that_does_not_parse_changed_as_a_whole() -> None:
    assert told("def (", "def )") == ["m/a.py changed"]


def test_files_come_and_go() -> None:
    before = {"m/a.py": MODEL.encode(), "m/gone.py": b"", "m/table.csv": b"1"}
    after = {"m/b.py": MODEL.encode(), "m/helpers.py": HELPERS, "m/table.csv": b"2"}
    found = changes.of_code(before, "m/a.py", after, "m/b.py")
    assert [each.text for each in found] == ["m/gone.py is gone", "m/helpers.py is new", "m/table.csv changed"]


def test_the_models_own_file_is_compared_whatever_it_is_called() -> None:
    new = MODEL.replace("RATE = 0.1", "RATE = 1").encode()
    found = changes.of_code(
        {"m/a.py": MODEL.encode(), "m/b.py": b""}, "m/a.py", {"m/z.py": new, "m/b.py": b"x"}, "m/z.py"
    )
    assert [each.text for each in found] == ["module level of m/z.py changed", "module level of m/b.py changed"]


LINES = st.sampled_from(
    (
        "x = 1",
        "x = 2",
        "def f(): return 1",
        "def f(): return 2",
        "def g(): pass",
        "class A: pass",
        "pass",
        "# no",
        '"doc"',
        "class A:\n    def f(self): return 1",
        "class A:\n    pass\n    def f(self): return 2",
        "if x:\n    def f(): 3",
        "(",
    )
)
SOURCES = st.lists(LINES, max_size=4).map("\n".join)


@example("", "", "", "pass")
@given(SOURCES, SOURCES, SOURCES, SOURCES)
def test_something_is_said_exactly_where_the_fingerprint_differs(a: str, b: str, c: str, d: str) -> None:
    before, after = {"a.py": a.encode(), "b.py": b.encode()}, {"a.py": c.encode(), "b.py": d.encode()}
    differs = code_digest(before, "a.py") != code_digest(after, "a.py")
    assert bool(changes.of_code(before, "a.py", after, "a.py")) == differs


def test_parameters_are_told_with_both_values() -> None:
    before = {"rate": 0.1, "loader": {"class": "m.Loader", "arguments": {"rows": 4}}, "old": 1, "same": [1]}
    after = {"rate": 0.01, "loader": {"class": "m.Loader", "arguments": {"rows": 8}}, "same": [1], "more": "x" * 99}
    found = changes.of_params(before, after)
    assert [each.text for each in found] == [
        "rate: 0.1 → 0.01",
        "loader__rows: 4 → 8",
        f'more = "{"x" * 38}… is new',
        "old is gone (it was 1)",
    ]
    assert {each.kind for each in found} == {"parameter"}


def test_true_is_not_one() -> None:
    assert [each.text for each in changes.of_params({"a": 1}, {"a": True})] == ["a: 1 → true"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda each: st.lists(each) | st.dictionaries(st.text(max_size=3), each),
    max_leaves=5,
)


@given(st.dictionaries(st.text(max_size=3), JSON), st.dictionaries(st.text(max_size=3), JSON))
def test_any_parameters_can_be_compared(before: dict[str, object], after: dict[str, object]) -> None:
    assert changes.of_params(before, before) == ()
    if changes.of_params(before, after):
        assert json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
