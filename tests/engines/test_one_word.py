"""The same project on processes of this machine, on Slurm and on Ray: one word in mlp.config, and equal results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import checkpoint, wire
from tests.engines import ray_cluster, slurm_cluster
from tests.engines.test_slurm_queue import SLURM
from tests.integration.conftest import Workshop

# A least-squares fit by gradient descent on noisy batches: every number depends on seeds and on each step before it.
FIT = """
import math, random
rate = self.current_version["rate"]
weights = [random.gauss(0.0, 1.0) for _ in range(20)]
for step in self.run.steps(total=200):
    row = [random.gauss(0.0, 1.0) for _ in weights]
    miss = math.fsum(w * x for w, x in zip(weights, row)) - math.sin(row[0]) + random.gauss(0.0, 0.1)
    weights = [w - rate * miss * x / len(row) for w, x in zip(weights, row)]
    self.run.record(loss=miss * miss)
self.run.checkpoint(lambda path: path.write_text(json.dumps(weights)), name="weights.json")
self.weights = weights
"""
VERSIONS = 'Versions(0.1, Loader(), 2, 1).add("slow", rate=0.1).add("fast", rate=0.7).add("wild", rate=1.3)'
HOOKS = """
    def evaluate_model(self, input_fn, steps):
        return {"first": self.weights[0], "norm": sum(each * each for each in self.weights) ** 0.5}
"""


@pytest.fixture
def shop(slurm: slurm_cluster.Cluster, ray: ray_cluster.Cluster, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path.resolve() / "project")
    made.model("fit.py", FIT, VERSIONS)
    path = made.models / "fit.py"
    path.write_text(path.read_text().replace("\nMODEL =", f"{HOOKS}\nMODEL ="))
    made.list("fit.py")
    yield made
    made.close()


def _results(shop: Workshop, executor: str) -> dict[str, Any]:
    """Returns, by version, everything that the last runs gave: metrics, each step's, and weights."""
    found = {}
    for row in shop.history()[:3]:
        assert (row["executor"], row["state"]) == (executor, "succeeded"), row
        rows = (shop.root / row["directory"] / wire.METRICS).read_text().splitlines()
        steps = [{key: value for key, value in json.loads(each).items() if key != "t"} for each in rows]
        kept = checkpoint.find(shop.outputs / "model_dirs" / row["model_dir"])
        assert kept is not None
        found[row["version"]] = (row["metrics"], steps, kept.path.read_bytes())
    return found


def test_one_word_of_the_configuration_moves_a_project(shop: Workshop, ray: ray_cluster.Cluster) -> None:
    results = {}
    for executor in ("local", "slurm", "ray"):
        shop.config(f"{SLURM}{ray.config}".replace("executor = slurm", f"executor = {executor}"))
        code, told = shop.run("-r")
        assert code == 0, told
        results[executor] = _results(shop, executor)
    assert results["slurm"] == results["local"]
    assert results["ray"] == results["local"]
    assert len(results["local"]) == 3
    assert all(len(steps) == 200 for _, steps, _ in results["local"].values())
    assert len({weights for _, _, weights in results["local"].values()}) == 3
    assert shop.run("fsck")[0] == 0
