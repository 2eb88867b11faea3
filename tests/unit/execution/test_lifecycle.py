"""A hook gets those optional keywords that it takes, however it is written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from mlpipeline.execution.lifecycle import call


class Hooks:
    """Ways to write one."""

    def bare(self, first: int) -> Any:
        return first

    def named(self, first: int, mode: str = "none") -> Any:
        return first, mode

    def only_by_keyword(self, first: int, *, mode: str = "none") -> Any:
        return first, mode

    def everything(self, first: int, **more: Any) -> Any:
        return first, more

    @staticmethod
    def without_self(first: int, mode: str = "none") -> Any:
        return first, mode

    @functools.wraps(bare)
    def decorated(self, *arguments: Any, **more: Any) -> Any:
        assert not more
        return arguments[0]

    def __call__(self, first: int, mode: str = "none") -> Any:
        return first, mode


HOOKS = Hooks()


@pytest.mark.parametrize(
    ("hook", "gets"),
    [
        (HOOKS.bare, 1),
        (HOOKS.named, (1, "test")),
        (HOOKS.only_by_keyword, (1, "test")),
        (HOOKS.everything, (1, {"mode": "test", "other": 2})),
        (HOOKS.without_self, (1, "test")),
        (HOOKS.decorated, 1),
        (HOOKS, (1, "test")),
        (functools.partial(HOOKS.named, 3), 3),
        (lambda first, mode: mode, "test"),
    ],
)
def test_a_hook_gets_what_it_takes(hook: Callable[..., Any], gets: Any) -> None:
    if isinstance(hook, functools.partial):
        assert call(hook, mode="test", other=2) == (3, "test")
    else:
        assert call(hook, 1, mode="test", other=2) == gets
