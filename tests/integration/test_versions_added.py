"""A script gets another version, and that alone is trained; what an earlier release did stays done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mlpipeline import params, wire
from mlpipeline.execution import fingerprint
from mlpipeline.ledger import Key
from mlpipeline.project import Project
from mlpipeline.queue.claims import Claims
from tests.integration.conftest import Workshop

SCRIPT = """
from truthful import *
from mlpipeline import Versions

class Mine(Truthful):
    def body(self, steps):
        truth("rate", self.run.version, rate=self.current_version["rate"])
        while (ROOT / f"hold-{self.run.version}").exists():
            time.sleep(0.01)
    def evaluate_model(self, input_fn, steps):
        return {"loss": 1.0 / self.current_version["rate"]}

versions = Versions(dataloader=Loader(), batch_size=2, epochs=1)
versions.add("slow", rate=1)
versions.add("fast", rate=2)

MODEL = Mine(versions)
"""
SEARCH = SCRIPT.replace('add("slow", rate=1)', 'search({"rate": [1, 2]}, metric="loss", sampler="grid")').replace(
    'versions.add("fast", rate=2)\n', ""
)


@pytest.fixture
def project(workshop: Workshop) -> Workshop:
    workshop.config("preload = none\n")
    (workshop.models / "m.py").write_text(SCRIPT)
    workshop.list("m.py")
    return workshop


def edit(project: Workshop, old: str, new: str) -> None:
    path = project.models / "m.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def trained(project: Workshop, *arguments: str) -> Counter[str]:
    """Runs the queue to its end. Returns how many times each version was trained meanwhile."""
    before = Counter(row["version"] for row in project.truth("train"))
    status, output = project.run("-r", "-u", *arguments)
    assert status == 0, output
    return Counter(row["version"] for row in project.truth("train")) - before


def digests(project: Workshop) -> tuple[str, str]:
    """Returns today's digest of the model's code and that of earlier releases, which differ."""
    files = {f"models/{path.name}": path.read_bytes() for path in project.models.glob("*.py")}
    today = fingerprint.code_digest(files, "models/m.py")
    former = fingerprint.code_digest(files, "models/m.py", fingerprint.FORMER)
    assert today != former
    return today, former


def test_another_version_is_trained_alone_and_a_changed_one_too(project: Workshop) -> None:
    assert trained(project) == {"slow": 1, "fast": 1}
    edit(project, "\nMODEL", 'versions.add("faster", rate=3)\n\nMODEL')
    due = [each["version"] for each in project.json("plan")["items"] if each["verdict"] == "due"]
    assert due == ["faster"]
    assert trained(project) == {"faster": 1}
    edit(project, '"fast", rate=2', '"fast", rate=2.5')
    assert "rate: 2 → 2.5" in project.run("why", "m.py:fast")[1]
    assert trained(project) == {"fast": 1}
    assert project.truth("rate")[-1]["rate"] == 2.5
    edit(project, 'versions.add("slow", rate=1)\n', "")
    assert trained(project) == {}
    edit(project, "1.0 /", "2.0 /")
    assert "Mine.evaluate_model" in project.run("why", "m.py:fast")[1]
    assert trained(project) == {"fast": 1, "faster": 1}


def test_a_version_is_added_while_the_queue_runs(project: Workshop) -> None:
    hold = project.root / "hold-fast"
    hold.touch()
    queue = project.start("-r")
    project.until(lambda: len(project.truth("rate")) == 2, "the second trains")
    edit(project, "\nMODEL", 'versions.add("faster", rate=3)\n\nMODEL')
    hold.unlink()
    queue.communicate(timeout=120)
    assert queue.returncode == 0
    assert Counter(row["version"] for row in project.truth("train")) == {"slow": 1, "fast": 1, "faster": 1}


def test_what_another_host_did_by_an_earlier_release_stays_done(project: Workshop) -> None:
    assert trained(project, "--host", "red") == {"slow": 1, "fast": 1}
    today, former = digests(project)
    red = Claims(Project.load(project.root, host="red"))
    for version in project.json("history", "--host", "red", "-n", "0")["runs"]:
        key = Key("m.py", version["version"], 0, params.digest(run_params(project, version["run"])), today)
        place, before = red._place(key), red._place(key._replace(code_digest=former))
        before.parent.mkdir(exist_ok=True)
        Path(f"{place}.1").rename(f"{before}.1")
    (project.outputs / "ledger-red.db").rename(project.outputs / "ledger-red.aside")
    assert trained(project, "--host", "blue") == {}
    items = project.json("plan", "--all", "--host", "blue")["items"]
    assert [each["reason"].split(" (")[0] for each in items] == ["done on host red"] * 2


def run_params(project: Workshop, run: str) -> object:
    return (wire.read_json(project.outputs / "runs" / run / "1" / wire.SPEC) or {})["params"]


def test_a_search_of_an_earlier_release_goes_on(project: Workshop) -> None:
    (project.models / "m.py").write_text(SEARCH.replace('"grid")', '"grid")\nversions.add("slow", rate=1)'))
    assert trained(project) == {"slow": 1, "trial-1": 1, "trial-2": 1}
    files = sorted((project.outputs / "studies").rglob("*.json"))
    today, former = digests(project)
    described = wire.read_json(project.outputs / "catalog-here.json") or {}
    search = described["models"]["m.py"]["search"]["digest"]
    for path in files:
        content = wire.read_json(path) or {}
        assert content["study"] == params.digest([search, today])
        wire.write_json(path, content | {"study": params.digest([search, former])})
    assert trained(project) == {}
    assert sorted((project.outputs / "studies").rglob("*.json")) == files
