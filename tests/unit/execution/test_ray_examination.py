"""What doctor says of a node of Ray that is other than this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlpipeline.execution import ray_node
from mlpipeline.execution.ray_examination import differences, unusable
from mlpipeline.execution.ray_settings import RaySettings

HERE: dict[str, Any] = {"node": "here", "directory": [7, 1000], "may_write": True}
PATH = Path("/shared/outputs")


def test_the_same_machine_has_nothing_to_say(tmp_path: Path) -> None:
    found = ray_node.look(str(tmp_path), str(tmp_path))
    assert [*differences(found, ray_node.look(str(tmp_path), str(tmp_path)), tmp_path)] == []
    assert "numpy" in found["packages"]


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({"directory": None, "error": "No such file or directory"}, "n1 does not see /shared/outputs (No such file"),
        ({"directory": [8, 1000]}, "n1 sees another directory at /shared/outputs"),
        ({"may_write": False}, "n1 may not write to /shared/outputs"),
    ],
)
def test_another_file_system_is_told_with_what_to_do(there: dict[str, Any], told: str) -> None:
    ((weight, text),) = differences(HERE, HERE | {"node": "n1"} | there, PATH)
    assert weight == "problem"
    assert told in text


def test_a_place_that_is_not_there_is_looked_at_all_the_same(tmp_path: Path) -> None:
    found = ray_node.look(str(tmp_path), str(tmp_path / "away"))
    assert (found["directory"], found["error"]) == (None, "No such file or directory")


def test_an_interpreter_that_fails_is_named_with_its_last_words() -> None:
    told = unusable("Traceback\nModuleNotFoundError: No module named 'mlpipeline'\n", RaySettings(python="/opt/python"))
    assert told.startswith("/opt/python cannot be used there (ModuleNotFoundError: No module named 'mlpipeline')")
    assert "set python in [RAY]" in told
