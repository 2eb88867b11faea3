"""Models and loaders: defaults of the hooks, and how many steps a version has."""

from pathlib import Path
from typing import Any

import pytest

from mlpipeline.context import RunContext
from mlpipeline.errors import ModelFault
from mlpipeline.model import DataLoader, ExecutionModeKeys, Model
from mlpipeline.versions import Versions


class Rows(DataLoader):
    def __init__(self, count: Any = 10) -> None:
        self.log("before anything else")
        self.count = count
        self.add_to_summery("ten rows")

    def get_train_sample_count(self) -> int:
        return int(self.count) if isinstance(self.count, float) else self.count


class Silent(Model):
    """Never calls the parent's constructor."""

    def __init__(self) -> None:
        self.add_to_summary("a line")


def model(**defaults: Any) -> Model:
    return Model(Versions(**defaults).add("a"))


def steps(loader: Any, **defaults: Any) -> int:
    made = model(**defaults)
    return made.steps_for(made.versions["a"], loader)


def test_anything_but_versions_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="versions is a dict"):
        Model({})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("epochs", "batch_size", "samples", "expected"),
    [(10, 1, 10, 100), (1, 3, 10, 4), (0.5, 4, 10, 2), (1.1, 10, 100, 11), (1, 100, 10, 1)],
)
def test_steps_are_epochs_times_samples_by_batch_size_rounded_up(
    epochs: float, batch_size: int, samples: int, expected: int
) -> None:
    assert steps(Rows(samples), epochs=epochs, batch_size=batch_size) == expected


def test_numbers_of_numpy_count_as_numbers() -> None:
    np = pytest.importorskip("numpy")
    assert steps(Rows(np.int64(10)), epochs=np.int32(2), batch_size=np.int64(5)) == 4


@pytest.mark.parametrize(
    ("loader", "defaults", "message"),
    [
        (None, {"epochs": 1, "batch_size": 1}, "version 'a' has no dataloader"),
        (Rows(), {"epochs": 1}, "has no batch_size"),
        (Rows(), {"batch_size": 1}, "has no epochs"),
        (Rows(), {"epochs": 0, "batch_size": 1}, "epochs is 0"),
        (Rows(), {"epochs": -1, "batch_size": 1}, "epochs is -1"),
        (Rows(), {"epochs": float("nan"), "batch_size": 1}, "epochs is nan"),
        (Rows(), {"epochs": 1, "batch_size": 0}, "batch_size is 0"),
        (Rows(), {"epochs": 1, "batch_size": "32"}, "batch_size is '32'"),
        (Rows(0), {"epochs": 1, "batch_size": 1}, r"Rows.get_train_sample_count\(\) is 0"),
        (DataLoader(), {"epochs": 1, "batch_size": 1}, "define get_train_sample_count"),
    ],
)
def test_numbers_that_give_no_steps_are_named(loader: Any, defaults: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelFault, match=message):
        steps(loader, **defaults)


def test_a_version_that_says_nothing_of_steps_has_one_more_than_trained(tmp_path: Path) -> None:
    made = model()
    assert made.steps_for(made.versions["a"], None) == 1
    made.run = RunContext.detached(tmp_path)
    made.run.checkpoint(lambda path: path.write_text("x"), step=7)
    assert made.get_trained_step_count() == 7
    assert made.steps_for(made.versions["a"], None) == 8


def test_hooks_have_defaults_and_what_must_be_defined_says_so() -> None:
    made = model()
    version = made.versions["a"]
    made.pre_execution_hook(version, "dir")
    made.post_execution_hook(version, "dir", exec_mode=ExecutionModeKeys.TRAIN)
    assert made.evaluate_model(None, 1) is None
    assert made.get_trained_step_count() is None
    with pytest.raises(ModelFault, match="define train_model"):
        made.train_model(None, 1)
    with pytest.raises(ModelFault, match="clean_model_dir"):
        made.clean_model_dir("dir")
    with pytest.raises(ModelFault, match="no current version"):
        made.get_current_version()
    made.current_version = version
    assert made.get_current_version() is version
    assert made.name == "Model"
    made.run = RunContext(model="digits.py")
    assert made.name == "digits.py"


def test_subclasses_that_never_call_a_constructor_work_and_share_nothing() -> None:
    first, second = Silent(), Silent()
    first.add_to_summery(2)
    assert (first.summery, second.summary) == ("a line\n2\n", "a line\n")
    assert first.run is first.run
    assert first.run is not second.run
    assert Rows().get_dataloader_summery() == "ten rows\n"
    assert not first.allow_delete_model_dir


def test_a_loader_takes_any_keyword_and_says_what_it_lacks() -> None:
    loader = DataLoader(path="x")
    for call in (loader.get_train_input, loader.get_test_input, loader.get_test_sample_count):
        with pytest.raises(ModelFault, match="DataLoader has no get_"):
            call()
