"""Parameters as people type them, and spaces of `tune`."""

from __future__ import annotations

from typing import Any

import pytest

from mlpipeline.cli import model_parameters, tune, typed
from mlpipeline.cli.typed import Parameter
from mlpipeline.data.parameters import Parameterized
from mlpipeline.errors import UsageError
from mlpipeline.model import Model
from mlpipeline.versions import Versions

KNOWN = {
    "epochs": Parameter(kinds="int"),
    "estimator__max_depth": Parameter(kinds="int | None"),
    "estimator__rate": Parameter(kinds="float"),
    "kind": Parameter(kinds="str"),
    "verbose": Parameter(kinds="bool"),
    "sizes": Parameter(kinds="Sequence[int]"),
    "options": Parameter(kinds="dict[str, int]"),
    "anything": Parameter(),
    "other": Parameter(kinds="pathlib.Path"),
    "either": Parameter(kinds="str | int"),
}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--epochs", "5", "--kind=a=b"], {"epochs": 5, "kind": "a=b"}),
        (["--estimator__max_depth", "none"], {"estimator__max_depth": None}),
        (["--estimator__max_depth", "1e2"], {"estimator__max_depth": 100}),
        (["--estimator__rate", "3"], {"estimator__rate": 3.0}),
        (["--estimator__rate", "-1e-3"], {"estimator__rate": -0.001}),
        (["--verbose", "--kind", "none"], {"verbose": True, "kind": "none"}),
        (["--verbose", "off"], {"verbose": False}),
        (["--sizes", "1,2", "--options", '{"a": 1}'], {"sizes": [1, 2], "options": {"a": 1}}),
        (["--sizes", "[1, 2]"], {"sizes": [1, 2]}),
        (["--anything", "[1]", "--other", "a/b"], {"anything": [1], "other": "a/b"}),
        (["--either", "5"], {"either": 5}),
        (["--either", "five"], {"either": "five"}),
        ([], {}),
    ],
)
def test_texts_become_values_of_their_types(words: list[str], found: dict[str, Any]) -> None:
    values = typed.values(typed.words(words), KNOWN, "m.py:one")
    assert values == found
    assert list(map(type, values.values())) == list(map(type, found.values()))


def test_set_is_another_way() -> None:
    assert typed.words(["--a", "1"], ["b__c=2"]) == {"a": "1", "b__c": "2"}


@pytest.mark.parametrize(
    ("words", "sets", "told"),
    [
        (["--epoch", "5"], [], "m.py:one has no parameter 'epoch'. Did you mean 'epochs'?"),
        (["--max_depth", "5"], [], "Did you mean 'estimator__max_depth'?"),
        (["--part__rate", "5"], [], "Did you mean 'estimator__rate'?"),
        (["--zzz", "5"], [], "It has: epochs, estimator__max_depth"),
        (["--epochs", "five"], [], "--epochs five: must be int"),
        (["--epochs", "5.5"], [], "--epochs 5.5: must be int"),
        (["--epochs", "inf"], [], "--epochs inf: must be int"),
        (["--estimator__max_depth", "deep"], [], "must be int or None"),
        (["--verbose", "perhaps"], [], "--verbose perhaps: must be bool"),
        (["--options", "[1]"], [], "must be dict"),
        (["epochs"], [], "'epochs' belongs to no parameter"),
        (["-e", "5"], [], "'-e' belongs to no parameter"),
        (["--epochs", "5", "--epochs", "6"], [], "given twice"),
        (["--epochs", "5"], ["epochs=5"], "given twice"),
        ([], ["epochs"], "write --set name=value"),
    ],
)
def test_what_cannot_be_is_told(words: list[str], sets: list[str], told: str) -> None:
    with pytest.raises(UsageError) as raised:
        typed.values(typed.words(words, sets), KNOWN, "m.py:one")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("text", "kinds", "found"),
    [
        ("3..10", "int", (3, 10)),
        ("3..10", "", (3, 10)),
        ("3..10", "float", (3.0, 10.0)),
        ("0.01..0.3log", "float", (0.01, 0.3, "log")),
        ("1e-4..1e-1 log", "float", (1e-4, 1e-1, "log")),
        ("-5..5", "int", (-5, 5)),
        ("-0.5..0.5", "float", (-0.5, 0.5)),
        ("1..100log", "int", (1, 100, "log")),
        ("1..2", "int | float", (1, 2)),
        ("16,32", "int", [16, 32]),
        ("a, b", "str", ["a", "b"]),
        ("relu", "str", ["relu"]),
        ("[1, 2]", "list", [[1, 2]]),
    ],
)
def test_spaces_are_read(text: str, kinds: str, found: Any) -> None:
    assert tune.space("x", text, kinds) == found


@pytest.mark.parametrize(
    ("texts", "given", "told"),
    [
        ({}, {}, "nothing to search"),
        ({"epochs": "5"}, {}, "nothing to search"),
        ({"epochs": "a..b"}, {}, "a range is LOW..HIGH"),
        ({"epochs": "3.."}, {}, "an end is missing: a range is LOW..HIGH"),
        ({"estimator__rate": "..0.5"}, {}, "an end is missing: a range is LOW..HIGH"),
        ({"epochs": "0.5..3"}, {}, "give whole numbers"),
        ({"epochs": "5..3"}, {}, "low 5 is above high 3"),
        ({"epochs": "0..3log"}, {}, "above 0 for a logarithm"),
        ({"epochs": "1,x"}, {}, "--epochs x: must be int"),
        ({"kind": "1..3"}, {}, "must be str: list its values"),
        ({"epochs": "1..3"}, {"metric": "gain"}, "direction='maximize' or 'minimize'"),
        ({"estimator__rate": "1..3"}, {"sampler": "grid"}, "a grid has no cells"),
    ],
)
def test_what_is_no_space_is_told(texts: dict[str, str], given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as raised:
        tune._search(texts, KNOWN, {"metric": "loss", **given})
    assert told in str(raised.value)


class Part(Parameterized):
    OPTIONS = ("index",)
    index: str | None = None

    def __init__(self, *, depth: int = 3, name: str | None = None, inner: Any = None) -> None:
        self.depth, self.name, self.inner = depth, name, inner


class Whole(Model):
    def __init__(self) -> None:
        super().__init__(Versions(batch_size=4).add("one", width=2, flag=True, epochs=3))
        self.estimator = Part(inner=Part(depth=9))


def test_the_parameters_of_a_model_are_those_of_its_version_and_its_parts() -> None:
    found = model_parameters.of(Whole(), "one")
    assert {name: each["kinds"] for name, each in found.items()} == {
        "epochs": "int | float",
        "batch_size": "int",
        "learning_rate": "float",
        "width": "int",
        "flag": "bool",
        "estimator__depth": "int",
        "estimator__name": "str | None",
        "estimator__inner": "Any",
        "estimator__inner__depth": "int",
        "estimator__inner__name": "",
        "estimator__inner__inner": "",
        "estimator__index": "str | None",
    }
    assert (found["estimator__inner__depth"]["default"], found["epochs"]["default"]) == ("9", "3")


def test_a_value_that_was_forgotten_is_told() -> None:
    with pytest.raises(UsageError, match=r"must be float\. Its value is missing: --estimator__rate VALUE"):
        typed.values(typed.words(["--estimator__rate"]), KNOWN, "m.py")
