"""What is called before and after a method."""

from __future__ import annotations

from typing import Any

import pytest

from mlpipeline.learning.hooks import hooked


class Thing:
    def __init__(self) -> None:
        self.said: list[Any] = []

    @hooked
    def work(self, one: int, *, two: int = 2) -> int:
        """Works."""
        self.said.append("work")
        if one < 0:
            raise ValueError(one)
        return one + two


class Plain(Thing):
    def before_work(self) -> None:
        self.said.append("before")

    def after_work(self) -> None:
        self.said.append("after")


class Curious(Thing):
    def before_work(self, one: int, two: int = 0) -> None:
        self.said.append((one, two))

    def after_work(self, one: int, result: int) -> None:
        self.said.append((one, result))


class Everything(Thing):
    def before_work(self, *arguments: Any, **named: Any) -> None:
        self.said.append((arguments, named))

    def after_work(self, *arguments: Any, result: int, **named: Any) -> None:
        self.said.append((arguments, named, result))


def test_a_class_without_hooks_works_as_it_is() -> None:
    thing = Thing()
    assert (thing.work(1), thing.said) == (3, ["work"])
    assert Thing.work.__doc__ == "Works."


def test_hooks_surround_the_method() -> None:
    thing = Plain()
    assert thing.work(1) == 3
    assert thing.said == ["before", "work", "after"]


def test_hooks_get_what_the_method_gets_and_after_the_result_too() -> None:
    thing = Curious()
    thing.work(1, two=5)
    assert thing.said == [(1, 5), "work", (1, 6)]


def test_hooks_may_take_everything() -> None:
    thing = Everything()
    thing.work(1, two=5)
    assert thing.said == [((1,), {"two": 5}), "work", ((1,), {"two": 5}, 6)]


def test_there_is_no_after_where_the_method_raises() -> None:
    thing = Plain()
    with pytest.raises(ValueError, match="-1"):
        thing.work(-1)
    assert thing.said == ["before", "work"]
