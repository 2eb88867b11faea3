"""Tags are asked for durably, and refused where they are none."""

from __future__ import annotations

import json

import pytest

from mlpipeline import requests, rundir
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import sample_run


def test_a_tag_is_a_request(desk: Desk) -> None:
    run = sample_run()
    desk.record(run)
    result = desk.type("tag", "digits.py", "paper", "v1.0", "--remove", "old")
    assert (result.exit_code, "accepted" in result.stdout) == (0, True), result.output
    (asked,) = requests.pending(desk.project)
    assert (asked.action, asked.target) == ("tag", run.id)
    assert asked.options == {"add": ["paper", "v1.0"], "remove": ["old"]}


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "a\x1b[31m", "x" * 61, "line\n"])
def test_what_is_no_tag_is_refused(desk: Desk, tag: str) -> None:
    desk.record(sample_run())
    result = desk.type("tag", "digits.py", "good", tag)
    assert (result.exit_code, "is no tag" in result.output, requests.pending(desk.project)) == (2, True, [])


def test_tags_come_and_go_and_torn_rows_are_passed_over(desk: Desk) -> None:
    run = sample_run()
    desk.record(run)
    assert "has no tags" in desk.type("tag", run.id).stdout
    path = desk.project.runs_dir / run.id / "tags.jsonl"
    path.parent.mkdir(parents=True)
    rows = [{"add": ["b", "a"]}, {"add": ["c"], "remove": ["b"]}, {"add": 7}, {"remove": ["never"]}]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + '{"add": ["torn')
    assert rundir.read_tags(path.parent) == ["a", "c"]
    assert desk.json("tag", run.id)["tags"] == ["a", "c"]
    assert "tags: a c" in desk.type("show", run.id).stdout
    assert len(desk.json("compare", "--tag", "a", "--tag", "c")["rows"]) == 1
    assert "No run has these tags" in desk.type("compare", "--tag", "b").stdout
    assert "no run has these tags" in desk.type("plot", "--tag", "b").output
