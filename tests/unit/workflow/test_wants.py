"""What a class wants, how interfaces are kept, and which values fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Optional

import pytest

from mlpipeline.workflow import Component, Pipeline, Runner, checking
from mlpipeline.workflow.interface import interface_faults, method_faults, public_methods
from mlpipeline.workflow.wants import MISSING, wants


class Trainer(Component):
    @abstractmethod
    def fit(self, data, weights=None): ...

    @abstractmethod
    def predict(self, data): ...


class Other(Component): ...


class Above(Pipeline):
    trainer: Trainer
    rate: float = 0.1
    kind: ClassVar[str] = "x"
    _private: int


class Train(Above):
    other: Other | None
    either: Trainer | Other
    old: Optional[Other]  # noqa: UP045 - as people still write it
    names: list[str]

    def __init__(self, problem_type: str, epochs: int = 3) -> None: ...

    def main(self) -> None: ...


def test_annotations_and_arguments_are_what_a_class_wants() -> None:
    found = wants(Train)
    assert {name: (need.types, need.optional) for name, need in found.needs.items()} == {
        "trainer": ((Trainer,), False),
        "other": ((Other,), True),
        "either": ((Trainer, Other), False),
        "old": ((Other,), True),
    }
    assert {name: (key.default, key.in_constructor) for name, key in found.keys.items()} == {
        "rate": (0.1, False),
        "names": (MISSING, False),
        "problem_type": (MISSING, True),
        "epochs": (3, True),
    }
    assert (found.defaults, found.takes_any, found.faults) == ({"rate": 0.1, "epochs": 3}, False, ())


def test_what_the_framework_annotates_is_no_want() -> None:
    class Mine(Runner):
        rows: int

    assert set(wants(Mine).keys) == {"rows"}
    assert not wants(Mine).needs


def test_a_constructor_that_takes_any_keyword_says_so() -> None:
    class Open(Component):
        def __init__(self, a: int, **params: Any) -> None: ...

    assert wants(Open).takes_any
    assert set(wants(Open).keys) == {"a"}


def test_an_annotation_of_an_unknown_name_is_a_fault_where_the_part_is_needed() -> None:
    namespace: dict[str, Any] = {"Pipeline": Pipeline, "__name__": __name__}
    exec("class Mine(Pipeline):\n    trainer: 'Nowhere'\n    given: 'Nowhere' = 3\n", namespace)
    found = wants(namespace["Mine"])
    assert len(found.faults) == 1
    assert "Mine.trainer: name 'Nowhere' is not defined: import it" in found.faults[0]
    assert found.defaults == {"given": 3}


class Good(Trainer):
    def fit(self, data, weights=None, more=3): ...

    def predict(self, data, *, fast=False): ...


class Loose(Trainer):
    def fit(self, *args, **kwargs): ...

    def predict(self, data, **kwargs): ...


def test_implementations_that_take_every_call_keep_the_interface() -> None:
    assert interface_faults(Good) == ()
    assert interface_faults(Loose) == ()


def test_an_interface_half_implemented_is_told_method_by_method() -> None:
    class Half(Trainer):
        def predict(self, rows): ...

    assert interface_faults(Half) == (
        "has no fit(self, data, weights=None): define it",
        "predict(self, rows) must be predict(self, data), as Trainer declares it",
    )


@pytest.mark.parametrize(
    "method",
    [
        "def fit(self): ...",
        "def fit(self, data): ...",
        "def fit(self, data, weights): ...",
        "def fit(self, weights=None, data=None): ...",
        "def fit(self, data, weights=None, *, more): ...",
        "def fit(self, extra, data, weights=None): ...",
        "def fit(self, data, *, weights=None): ...",
        "fit = 3",
    ],
)
def test_methods_that_do_not_take_every_call_are_faults(method: str) -> None:
    namespace: dict[str, Any] = {"Trainer": Trainer}
    exec(f"class Bad(Trainer):\n    {method}\n    def predict(self, data): ...\n", namespace)
    (told,) = interface_faults(namespace["Bad"])
    assert "must be fit(self, data, weights=None), as Trainer declares it" in told


def test_methods_that_a_configuration_may_name_are_the_users_own() -> None:
    assert set(public_methods(Train)) == {"main"}
    assert method_faults(Good, "fit") is None
    assert method_faults(Good, "ft") == "Good has no method 'ft'. Did you mean 'fit'?"
    assert method_faults(Good, "_fit") == "_fit is not public"
    assert method_faults(Good, "address") is not None


@pytest.mark.parametrize(
    ("value", "annotation", "fits"),
    [
        (1, int, True), (True, int, False), (1, float, True), (1.5, int, False), ("1", int, False), ("x", str, True),
        (None, int, False), (None, int | None, True), (3, int | str, True), ([1], list[int], True),
        (["x"], list[int], False), ("x", list[str], False), ((1, 2), tuple[int, ...], True),
        ({"a": 1}, dict[str, int], True),
        ({"a": "x"}, dict[str, int], False), ({"a": 1}, Mapping[str, Any], True), ([1], Sequence[int], True),
        ("a", Literal["a", "b"], True), ("c", Literal["a", "b"], False), (1, Literal[True], False), ("x", Path, True),
        (object(), Any, True), (3, Path, False), ([], list, True), ({}, dict, True), ([], dict, False),
        ("no", bool, False),
    ],
)  # fmt: skip
def test_values_fit_annotations(value: object, annotation: Any, fits: bool) -> None:
    assert checking.fits(value, annotation) is fits


def test_types_are_called_by_plain_words() -> None:
    assert checking.words(int | None) == "a whole number or null"
    assert checking.words(list[str]) == "a list of text"
    assert checking.words(dict[str, float]) == "a mapping of a number"
    assert checking.words(Literal["a", "b"]) == "one of a, b"
    assert checking.words(Trainer) == "Trainer"


def test_values_are_converted_to_what_annotations_say() -> None:
    assert checking.converted("a/b", Path) == Path("a/b")
    assert checking.converted([1], tuple[int, ...]) == (1,)
    assert isinstance(checking.converted(1, float), float)


def test_unknown_names_in_values_are_told_with_the_nearest() -> None:
    known = ("max_depth", "rate")
    assert checking.unknown_names({"max_dept": 1, "rate": 2}, known) == [
        ("max_dept", "there is no 'max_dept'. Did you mean 'max_depth'?")
    ]
    assert checking.unknown_names(["rate", "x"], known) == [("x", "there is no 'x'.")]
    assert checking.unknown_names("rate", known) == []
    assert checking.unknown_names(3, known) == []
