"""Generic resources of Slurm: a run has the GPUs that it asked for and no others, and waits where they are taken."""

from __future__ import annotations

from tests.engines.slurm_cluster import Cluster
from tests.engines.test_slurm_queue import SLURM, shop
from tests.integration.conftest import Workshop

__all__ = ["shop"]

_TELL = """
truth("given", self.run.version, job=os.environ.get("SLURM_JOB_GPUS"), cuda=os.environ.get("CUDA_VISIBLE_DEVICES"))
while not (ROOT / "finish").exists():
    time.sleep(0.05)
"""
_FIVE = "Versions(0.1, Loader(), 2, 1)" + "".join(f'.add("v{n}")' for n in range(5))


def test_a_run_has_the_gpu_that_slurm_gave_it(slurm: Cluster, shop: Workshop) -> None:
    """There are two on each of two nodes: four runs have one each, and the fifth waits for one of them."""
    shop.config(f"{SLURM}gres = gpu:1\n")
    shop.model("a.py", _TELL, _FIVE)
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("given")) == 4, "four have a GPU")
    shop.until(lambda: "waits for resources (Resources)" in _reasons(shop), "the fifth says what it waits for")
    nodes = {row["version"]: shop.json("show", row["id"])["files"]["node"] for row in shop.history()}
    first = shop.truth("given")
    assert sorted((nodes[row["version"]]["node"], row["cuda"]) for row in first) == [
        *(("n1", "0"), ("n1", "1"), ("n2", "0"), ("n2", "1")),
    ]
    (shop.root / "finish").touch()
    assert queue.wait(60) == 0
    found = shop.truth("given")
    assert len(found) == 5
    for row in found:
        assert row["job"] == row["cuda"]
    nodes = {row["version"]: shop.json("show", row["id"])["files"]["node"] for row in shop.history()}
    assert {each["version"]: each["cuda"] for each in found} == {name: each["devices"] for name, each in nodes.items()}
    assert "GPU" in shop.run("show", "a.py:v0")[1]


def _reasons(shop: Workshop) -> str:
    return " ".join(row["reason"] for row in shop.json("status")["running"])


def test_a_models_line_goes_before_the_section(slurm: Cluster, shop: Workshop) -> None:
    (shop.root / "finish").touch()
    shop.config(f"{SLURM}gres = gpu:1\n")
    for name in ("none.py", "two.py", "three.py"):
        shop.model(name, _TELL)
    shop.list("none.py = gpus=0", "two.py = gpus=2", "three.py = gpus=3")
    # What the queue's own machine has is none of a job's business.
    queue = shop.start("-r", "-u", variables={"CUDA_VISIBLE_DEVICES": "7"})
    assert queue.wait(60) == 1
    rows = {row["model"]: row for row in shop.history()}
    assert [rows[name]["state"] for name in ("none.py", "two.py", "three.py")] == ["succeeded", "succeeded", "failed"]
    given = {row["run"]: row["cuda"] for row in shop.truth("given")}
    assert given == {rows["none.py"]["id"]: None, rows["two.py"]["id"]: "0,1"}
    refused = rows["three.py"]
    assert refused["cause"] == "refused"
    assert "Requested node configuration is not available (it asked for" in refused["message"]
    assert "--gres=gpu:3" in refused["message"]
    assert "`gres`" in refused["message"]


def test_a_kind_that_no_node_has_is_refused(slurm: Cluster, shop: Workshop) -> None:
    shop.config(f"{SLURM}gres = licence:1\n")
    shop.model("a.py", "pass")
    shop.list("a.py")
    assert shop.run("-r", "-u")[0] == 1
    (row,) = shop.history()
    assert (row["state"], row["cause"]) == ("failed", "refused")
    assert "Invalid generic resource" in row["message"]
    assert "see `gres` in [SLURM]" in row["message"]
