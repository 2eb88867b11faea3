"""What happens around methods: per object, in order, and without changing what they are."""

from __future__ import annotations

import logging
import traceback

import pytest

from mlpipeline.workflow import Component
from mlpipeline.workflow.middleware import ORDER

from .conftest import WORKFLOW, Workbench

RAISES = """
from mlpipeline.workflow import Component
class MyError(ValueError):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code
class Connects(Component):
    def __init__(self, password: str, url: str = "", early: bool = False):
        self.password = password
        if early:
            raise RuntimeError(f"cannot log in with {password}")
    def connect(self):
        try:
            raise KeyError(f"inner {self.password}")
        except KeyError as error:
            raise MyError(f"refused: {self.password} at 3", 42) from error
"""


def test_the_order_is_stated_from_the_outside_in() -> None:
    assert [each.__name__ for each in ORDER] == [
        "logged",
        "timed",
        "told_in_errors",
        "surrounded",
        "checked",
        "recorded",
        "kept",
    ]


def test_a_method_is_wrapped_once_per_object_however_often_it_is_built(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "mlpipeline.model"):
        for _ in range(3):
            runner = bench.load()
        runner.main()
    told = [record.getMessage() for record in caplog.records]
    assert [each for each in told if each.endswith("begins")] == [
        "main begins", "train.train_model begins", "train.trainer.fit begins",
    ]  # fmt: skip
    kind = type(runner.train.trainer)
    assert "fit" in vars(runner.train.trainer)
    assert not hasattr(kind.fit, "__wrapped__")
    assert kind().fit([2, 4]) == 3


def test_a_subclass_that_calls_its_parent_is_wrapped_once(bench: Workbench) -> None:
    text = "class Twice(Mean):\n    def fit(self, data):\n        return 2 * super().fit(data)\n"
    bench.write("components/twice.py", f"from components.parts import Mean\n{text}")
    runner = bench.load(WORKFLOW, "train: {component: {trainer: Twice}}\n")
    assert runner.main() == {"mean": 4}
    assert runner.timings.by_method["train.trainer.fit"].calls == 1


def test_methods_keep_their_names_documentation_and_signatures(bench: Workbench) -> None:
    import inspect

    fit = bench.load().train.trainer.fit
    assert (fit.__name__, str(inspect.signature(fit))) == ("fit", "(data)")


def test_times_are_added_up_also_of_what_raises(bench: Workbench) -> None:
    runner = bench.load()
    for _ in range(3):
        runner.main()
    with pytest.raises(ZeroDivisionError):
        runner.train.trainer.fit([])
    timing = runner.timings.by_method["train.trainer.fit"]
    assert timing.calls == 4
    assert timing.seconds > 0


def test_an_errors_type_survives_and_its_story_says_where(bench: Workbench) -> None:
    bench.write("components/raises.py", RAISES)
    runner = bench.load("component: {db: Connects}\ndb: {config: {password: opensesame}}\n")
    with pytest.raises(ValueError, match="refused: ") as caught:
        runner.db.connect()
    assert (type(caught.value).__name__, caught.value.code) == ("MyError", 42)
    assert caught.value.__notes__ == ["in db.connect"]
    assert isinstance(caught.value.__cause__, KeyError)


def test_no_traceback_shows_a_secret(bench: Workbench) -> None:
    bench.write("components/raises.py", RAISES)
    text = "component: {db: Connects}\ndb: {config: {password: opensesame}}\n"
    runner = bench.load(text)
    with pytest.raises(ValueError, match=r"refused: \*\*\* at 3") as caught:
        runner.db.connect()
    assert "opensesame" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(RuntimeError, match=r"cannot log in with \*\*\*") as early:
        bench.load(text, "db: {config: {early: true}}\n")
    assert "while db was built, which w0.yaml:1:17 declares" in early.value.__notes__


def test_a_fault_of_the_configuration_shows_no_secret(bench: Workbench) -> None:
    bench.write("components/raises.py", RAISES)
    text = "component: {db: Connects}\ndb: {config: {password: [opensesame], url: 3, api_token: opensesame}}\n"
    found = "\n".join(bench.faults(text))
    assert found.count("w0.yaml:2") == 3
    assert "opensesame" not in found


def test_parts_made_by_hand_are_plain_objects() -> None:
    class Mine(Component):
        def work(self) -> int:
            return 3

    mine = Mine()
    assert (mine.work(), mine.address, dict(mine.config), mine.parent) == (3, "", {}, None)
    assert mine.run.directory is None
    with pytest.raises(AttributeError, match="Mine has no 'other'"):
        mine.other  # noqa: B018


def test_asking_for_a_part_that_was_not_declared_says_how_to_have_it(bench: Workbench) -> None:
    with pytest.raises(AttributeError, match="to have a part of the workflow, annotate it: `data: ItsType`"):
        bench.load().train.data  # noqa: B018
