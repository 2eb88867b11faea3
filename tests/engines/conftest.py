"""Real engines, started once for all tests, in a network namespace with only loopback."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import ray_cluster, slurm_cluster
from tests.engines.namespace import only_loopback


def missing(what: str) -> None:
    """Skips the test for want of something; fails where engines are required."""
    if os.environ.get("MLP_REQUIRE_ENGINES") == "1":
        pytest.fail(f"{what}, and MLP_REQUIRE_ENGINES=1: run tests/engines/install.sh as root")
    pytest.skip(f"{what}: run tests/engines/install.sh as root")


@pytest.fixture(scope="session")
def loopback() -> Iterator[None]:
    """A network of this process's own."""
    if os.geteuid() != 0:
        missing("a network namespace needs root")
    if shutil.which("ip") is None:
        missing("the program ip is not there")
    with only_loopback():
        yield


@pytest.fixture(scope="session")
def cluster(loopback: None) -> Iterator[slurm_cluster.Cluster]:
    """A Slurm with two nodes."""
    if absent := slurm_cluster.missing():
        missing(f"the program {absent} is not there")
    directory = Path(tempfile.mkdtemp(prefix="mlp-"))
    directory.chmod(0o755)
    made = slurm_cluster.Cluster(directory)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def slurm(cluster: slurm_cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm_cluster.Cluster]:
    """The Slurm as it was at first: all daemons run, nothing is in the queue; clients of this process find it."""
    cluster.clear()
    for name, value in cluster.variables.items():
        monkeypatch.setenv(name, value)
    yield cluster
    cluster.clear()


@pytest.fixture(scope="session")
def two_nodes(loopback: None) -> Iterator[ray_cluster.Cluster]:
    """A Ray with two nodes."""
    if absent := ray_cluster.missing():
        missing(f"{absent} is not there")
    directory = Path(tempfile.mkdtemp(prefix="mlp-"))
    try:
        with ray_cluster.running(directory) as made:
            yield made
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def ray(two_nodes: ray_cluster.Cluster) -> ray_cluster.Cluster:
    """The Ray as it was at first: both nodes run."""
    two_nodes.start()
    return two_nodes
