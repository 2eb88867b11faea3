"""What is told of an error: a traceback that begins at the user's code, and none where no code of theirs took part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest

from mlpipeline import errors
from mlpipeline.execution import failure
from mlpipeline.learning.estimators import Naive


def caught(call: Callable[[], object]) -> BaseException:
    """Returns what was raised, as if the queue had called: without the line of this file."""
    with pytest.raises(errors.MlpipelineError) as raised:
        call()
    error = raised.value
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_next is not None
    return error.with_traceback(error.__traceback__.tb_next.tb_next)


def nothing_learnt() -> object:
    return Naive().save(Path("nowhere"))


class Rows:
    """Refuses something in code of its own."""

    @cached_property
    def refused(self) -> object:
        raise errors.DataFault("no column 'y'")


def test_what_is_refused_without_a_line_of_the_user_has_neither_traceback_nor_place() -> None:
    error = caught(nothing_learnt)
    assert failure.story(error).startswith("mlpipeline.errors.NotFitted: Naive()")
    told = failure.describe(error, Path("/project"))
    assert told["message"] == f"NotFitted: {error}"
    assert told["error"]["where"] == ""


def test_a_line_of_the_user_is_shown() -> None:
    error = caught(lambda: Rows().refused)
    assert failure.story(error).startswith("Traceback")
    told = failure.describe(error, Path(__file__).parent)
    assert told["error"]["where"].startswith("test_failure.py:")


def test_a_cause_is_shown() -> None:
    def reread() -> object:
        raise errors.DataFault("cannot be read") from OSError("gone")

    assert "OSError: gone" in failure.story(caught(reread))


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("from mlpipeline.learning.estimators import Niave", "Naive"),  # whose module is called naive
        ("import mlpipeline.learning.estimators as e; e.Kears", "Keras"),
        ("import mlpipeline.learnings", "learning"),
        ("from mlpipeline.data.encoders import norm", "Norm"),
        ("from mlpipeline.data.encoders import Zzzzz", None),
        ("import nothere_at_all", None),
        ("raise ImportError('no such luck')", None),
    ],
)
def test_a_misspelt_name_of_an_import_has_its_nearest(code: str, near: str | None) -> None:
    with pytest.raises((ImportError, AttributeError)) as raised:
        exec(code)
    assert failure.near_name(raised.value) == ("" if near is None else f" Did you mean '{near}'?")


@contextmanager
def explained() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise errors.ParameterError("max_depth is -3: it must be 0 or more") from error


def test_a_line_of_pythons_own_library_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "OURS", str(Path(__file__)))  # as if a library had raised in what is ours

    @explained()
    def refused() -> object:
        return int("x")

    told = failure.describe(caught(refused), Path("/project"))
    assert told["message"] == "ParameterError: max_depth is -3: it must be 0 or more"
    assert "int()" in told["error"]["traceback"]
