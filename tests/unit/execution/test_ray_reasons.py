"""Why an attempt waits in Ray."""

from __future__ import annotations

from mlpipeline.execution.ray_reasons import Cluster

NODES = [{"CPU": 4.0, "memory": 8e9}, {"CPU": 8.0, "GPU": 1.0, "memory": 16e9, "fast": 1.0}]


def test_nothing_is_made_up_before_ray_has_answered() -> None:
    assert Cluster().reason({"num_cpus": 1.0}) == "waits in Ray"


def test_what_is_short_is_named_with_what_there_is() -> None:
    told = Cluster(NODES, {"CPU": 0.5, "memory": 20e9}).reason({"num_cpus": 1.0, "num_gpus": 0.0})
    assert told == "waits in Ray for 1 CPU: free is 0.5 CPU of 12 CPU"


def test_what_no_node_has_names_the_key() -> None:
    cluster = Cluster(NODES, {})
    told = cluster.reason({"num_cpus": 1.0, "num_gpus": 2.0})
    assert told.startswith("no node of Ray's has 2 GPU: the most that one has is 1 GPU: change gpus in [RAY]")
    assert "none has any slow: change resources in [RAY]" in cluster.reason({"num_cpus": 1.0, "resources": {"slow": 1}})
    assert "20 GB of memory" in cluster.reason({"num_cpus": 1.0, "memory": 20e9})


def test_what_no_node_has_together_is_told() -> None:
    told = Cluster(NODES, {"CPU": 12.0}).reason({"num_cpus": 1.0, "num_gpus": 1.0, "memory": 8e9})
    assert "free is 0 GPU of 1 GPU" in told
    apart = Cluster([{"CPU": 4.0}, {"GPU": 1.0}], {"CPU": 4.0, "GPU": 1.0})
    assert "has 1 CPU and 1 GPU together" in apart.reason({"num_cpus": 1.0, "num_gpus": 1.0})


def test_what_is_free_is_about_to_start() -> None:
    assert "Ray starts it" in Cluster(NODES, {"CPU": 12.0}).reason({"num_cpus": 1.0})
