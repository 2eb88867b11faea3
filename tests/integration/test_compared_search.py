"""A search that was carried out for real is looked at: compared and plotted by its own metric and direction."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Workshop

MODEL = """
from mlpipeline.helper import Model
from mlpipeline.utils import Versions

class Cheap(Model):
    def train_model(self, input_fn, steps):
        for step in self.run.steps(range(6)):
            self.gain = 10 - (self.current_version["x"] - 1) ** 2 - 1 / (step + 1)
            self.run.record(gain=self.gain)
    def evaluate_model(self, input_fn, steps):
        return {"gain": self.gain, "error": self.current_version["x"]}

space = {"x": (-5.0, 5.0), "kind": ["a", "b"]}
MODEL = Cheap(Versions().search(space, trials=8, metric="gain", direction="maximize", sampler="random"))
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("searched"))
    workshop.config("preload = none\n")
    (workshop.models / "m.py").write_text(MODEL)
    workshop.list("m.py")
    status, text = workshop.run("-r", "-u", "-j", "2")
    assert status == 0, text
    return workshop


def trials(workshop: Workshop) -> dict[str, dict[str, Any]]:
    """What was drawn, by the files of the study."""
    files = (workshop.outputs / "studies").rglob("*.json")
    return {f"trial-{path.stem}": json.loads(path.read_text())["drawn"] for path in files}


def test_the_trials_of_a_search_are_compared_by_its_metric(searched: Workshop) -> None:
    drawn = trials(searched)
    assert len(drawn) == 8
    expected = sorted(drawn, key=lambda name: abs(drawn[name]["x"] - 1))
    read = searched.json("compare", "m.py")
    assert (read["metric"], read["direction"], read["study"]["trials"]) == ("gain", "maximize", 8)
    assert [row["version"] for row in read["rows"]] == expected
    assert read["best"] == expected[0] == searched.json("status")["studies"][0]["best"][0]
    assert read["parameters"] == ["x", "kind"]
    for row in read["rows"]:
        assert row["parameters"]["x"] == drawn[row["version"]]["x"]
    status, text = searched.run("compare", "m.py", "--study", "last")
    assert (status, text.count("*")) == (0, 2), text  # the best gain, and the best error
    assert "by gain, maximize" in text


def test_a_search_is_plotted(searched: Workshop) -> None:
    status, text = searched.run("plot", "m.py")
    assert status == 0, text
    assert "best so far" in text
    status, text = searched.run("plot", "m.py", "--kind", "scatter", "--x", "x")
    assert status == 0, text
    assert len(searched.json("plot", "m.py", "--kind", "curves")["chart"]["series"]) == 8
    pytest.importorskip("matplotlib")
    for name, kind, magic in (("a.png", "parallel", b"\x89PNG"), ("b.svg", "trials", b"<?xml")):
        status, text = searched.run("plot", "m.py", "--study", "last", "--kind", kind, "-o", name)
        assert status == 0, text
        assert (searched.root / name).read_bytes().startswith(magic)


def test_runs_are_chosen_by_tags_that_the_scheduler_has_written(searched: Workshop) -> None:
    for words in (["m.py:trial-3", "paper", "first"], ["m.py:trial-5", "paper"], ["m.py:trial-3", "--remove", "first"]):
        status, text = searched.run("tag", *words)
        assert (status, "accepted" in text) == (0, True), text
    status, text = searched.run("-r", "-u")
    assert status == 0, text
    assert sorted(row["version"] for row in searched.json("compare", "--tag", "paper")["rows"]) == [
        "trial-3",
        "trial-5",
    ]
    assert searched.json("tag", "m.py:trial-3")["tags"] == ["paper"]
    assert "tags: paper" in searched.run("show", "m.py:trial-5")[1]
    assert searched.json("compare", "--tag", "first")["rows"] == []
