"""Real engines, started once for all tests, in a network namespace with only loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines import ray_cluster, slurm_accounting, slurm_cgroups, slurm_cluster, slurm_mounts
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


@contextlib.contextmanager
def started(make: Callable[[Path], slurm_cluster.Cluster]) -> Iterator[slurm_cluster.Cluster]:
    """Starts a Slurm in a directory of its own, and ends it."""
    directory = Path(tempfile.mkdtemp(prefix="mlp-"))
    directory.chmod(0o755)
    made = make(directory)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def found(cluster: slurm_cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Has clients of this process find a Slurm, which is as it was at first: all daemons run, nothing is queued."""
    cluster.clear()
    for name, value in cluster.variables.items():
        monkeypatch.setenv(name, value)
    yield
    cluster.clear()


@pytest.fixture(scope="session")
def cluster(loopback: None) -> Iterator[slurm_cluster.Cluster]:
    """A Slurm with two nodes."""
    if absent := slurm_cluster.missing():
        missing(f"the program {absent} is not there")
    with started(slurm_cluster.Cluster) as made:
        yield made


@pytest.fixture
def slurm(cluster: slurm_cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm_cluster.Cluster]:
    """The Slurm as it was at first."""
    with found(cluster, monkeypatch):
        yield cluster


@pytest.fixture(scope="session")
def accounting(loopback: None) -> Iterator[slurm_cluster.Cluster]:
    """A Slurm that keeps accounts, and their limits."""
    if absent := slurm_accounting.missing():
        missing(f"the program {absent} is not there")
    with started(slurm_accounting.Accounts) as made:
        yield made


@pytest.fixture
def accounts(accounting: slurm_cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm_cluster.Cluster]:
    """The Slurm with accounts as it was at first."""
    with found(accounting, monkeypatch):
        yield accounting


@pytest.fixture(scope="session")
def grouping(loopback: None) -> Iterator[slurm_cluster.Cluster]:
    """A Slurm that keeps jobs in control groups."""
    if absent := slurm_cluster.missing():
        missing(f"the program {absent} is not there")
    if why := slurm_cgroups.missing():
        pytest.skip(why)  # of the machine: nothing that could be installed
    with slurm_cgroups.alone(), started(slurm_cgroups.Groups) as made:
        yield made


@pytest.fixture
def groups(grouping: slurm_cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm_cluster.Cluster]:
    """The Slurm with control groups as it was at first."""
    with found(grouping, monkeypatch):
        yield grouping


@pytest.fixture(scope="session")
def mounting(loopback: None) -> Iterator[slurm_cluster.Cluster]:
    """A Slurm whose nodes see files through mounts of their own."""
    if absent := slurm_mounts.missing():
        missing(f"the program {absent} is not there")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("this machine has no /dev/fuse")
    with started(slurm_mounts.Mounts) as made:
        yield made


@pytest.fixture
def mounts(mounting: slurm_cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm_cluster.Cluster]:
    """The Slurm with mounts as it was at first."""
    with found(mounting, monkeypatch):
        yield mounting


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
