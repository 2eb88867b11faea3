"""Which names of hosts are worth a warning in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.project import Project
from mlpipeline.queue.launch import is_passing


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("3f2a9c01be77", True),
        ("trainer-6d4cf56db6-x2x4z", True),
        ("vm", False),
        ("gpu-box", False),
        ("build-agent-7", False),
        ("feedface", False),
    ],
)
def test_a_name_that_nobody_has_chosen_may_be_another_one_tomorrow(
    name: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.node", lambda: name)
    assert is_passing(Project.load(tmp_path)) is expected
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = 3f2a9c01be77\n")
    assert not is_passing(Project.load(tmp_path))
