"""What `mlpipeline doctor --executor slurm` finds out about a real Slurm."""

from __future__ import annotations

from tests.engines.slurm_cluster import Cluster
from tests.engines.test_slurm_queue import shop
from tests.integration.conftest import Workshop

__all__ = ["shop"]


def _engine(shop: Workshop) -> list[tuple[str, str]]:
    found = shop.json("doctor", "--executor", "slurm", "--no-imports")["findings"]
    return [(each["weight"], each["text"]) for each in found if each["area"] == "Engine"]


def test_all_is_well(slurm: Cluster, shop: Workshop) -> None:
    found = _engine(shop)
    assert {weight for weight, _ in found} == {"ok"}, found
    told = " ".join(text for _, text in found)
    assert "2 nodes take jobs" in told
    assert "n1 sees the project" in told
    assert "n2 sees the project" in told
    assert slurm.jobs() == []
    assert not list(shop.outputs.glob("examination-*"))


def test_what_is_wrong_is_said_in_words(slurm: Cluster, shop: Workshop) -> None:
    shop.config("executor = slurm\n[SLURM]\npartition = nope\n")
    assert any("there is no partition nope" in text for weight, text in _engine(shop) if weight == "problem")
    shop.config("executor = slurm\n[SLURM]\nsetup = module load nothing\npython = /no/python\n")
    problems = [text for weight, text in _engine(shop) if weight == "problem"]
    assert any("/no/python" in text for text in problems), problems


def test_a_controller_that_is_away(slurm: Cluster, shop: Workshop) -> None:
    slurm.kill("slurmctld")
    (problem,) = [text for weight, text in _engine(shop) if weight == "problem"]
    assert "Slurm does not answer" in problem
