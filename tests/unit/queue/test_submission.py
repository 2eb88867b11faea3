"""What an attempt's directory becomes when a scheduler did not live, or had no space, to acknowledge it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.errors import NotWritable
from mlpipeline.project import Project
from mlpipeline.queue.catalog import DescribedVersion, Description
from mlpipeline.queue.submission import Occasion, Prepared, draft, write
from mlpipeline.run import Run, State
from tests.unit.queue.test_plan import wish
from tests.unit.sample_runs import run_in

DESCRIPTION = Description(
    model="a",
    versions=(DescribedVersion(name="one", order=0, suffix=None, params={}, params_digest="params"),),
    files={},
)


@pytest.fixture
def occasion(tmp_path: Path) -> Occasion:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    project = Project.load(tmp_path.resolve())
    return Occasion(project=project, invocation="i", executor="local", threads=1, fresh=False, testing=False)


def lost_run() -> Run:
    run = run_in(State.LOST)
    return replace(run, model="a", version="one")


def written(occasion: Occasion) -> Prepared:
    prepared = draft(occasion, wish(), DESCRIPTION, lost_run())
    write(occasion, wish(), prepared)
    return prepared


def test_a_directory_that_no_ledger_knows_is_made_anew(occasion: Occasion) -> None:
    first = written(occasion)
    second = written(occasion)
    assert second.directory == first.directory
    spec = wire.read_json(second.directory / wire.SPEC)
    assert spec is not None
    assert spec["token"] == second.attempt.token != first.attempt.token


@pytest.mark.parametrize("name", [wire.STARTED, wire.OUTCOME])
def test_what_has_run_is_never_removed(occasion: Occasion, name: str) -> None:
    first = written(occasion)
    wire.write_json(first.directory / name, {"token": first.attempt.token})
    with pytest.raises(NotWritable, match="fsck --rebuild"):
        written(occasion)
    assert wire.read_json(first.directory / name) is not None
