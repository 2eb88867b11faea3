"""The example for Slurm, used as its first lines say, in a copy."""

from __future__ import annotations

from pathlib import Path

from mlpipeline import wire
from tests.acceptance.test_small_examples import Example
from tests.engines.slurm_cluster import Cluster


def test_a_grid_becomes_an_array_of_jobs(slurm: Cluster, tmp_path: Path) -> None:
    example = Example("slurm", tmp_path / "slurm")
    config = example.root / "mlp.config"
    config.write_text(config.read_text() + "poll_seconds = 0.3\n")
    example.run()
    assert example.history() == [], "test mode records nothing"
    example.run("-r", "-u")
    runs = example.history()
    assert [each["version"] for each in reversed(runs)] == [
        f"width={w},rate={r}" for w in (2, 8, 32) for r in ("0.1", "1")
    ]
    assert {each["state"] for each in runs} == {"succeeded"}
    specs = [wire.read_json(example.root / each["directory"] / wire.SPEC) or {} for each in runs]
    assert {each["executor"] for each in specs} == {"slurm"}
    assert max(each["metrics"]["train"]["accuracy"] for each in runs) > 0.95
    assert "width=32" in example.run("compare").splitlines()[1]
    example.run("-r", "-u")
    assert len(example.history()) == 6, "what is done is not done again"
