"""`deployment approve`: a person makes a model the champion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlpipeline.cli.main import cli
from mlpipeline.workflow import Kind, load
from mlpipeline.workflow.components.local_model_repository import LocalModelRepository

PARTS = {"component": {"metadata_tracker": "LedgerTracker", "model_repository": "LocalModelRepository"}}


def approve(*words: str) -> Result:
    return CliRunner().invoke(cli, ["deployment", "approve", *words])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalModelRepository:
    """Has two models, of which the first is promoted."""
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLP_SUPERVISOR", raising=False)
    runner = load(PARTS)
    first, _ = (runner.metadata_tracker.register(Kind.MODEL, "ship", digest) for digest in ("a1", "b2"))
    found: LocalModelRepository = runner.model_repository
    found.register_model(first)
    found.promote_model(first)
    return found


def test_a_promoted_model_becomes_the_champion_and_who_said_so_is_kept(repository: LocalModelRepository) -> None:
    done = approve("ship", "--which", "model-ship-1", "--by", "Ada", "--json")
    assert json.loads(done.output) == {"format": 1, "model": "model-ship-1", "approved": True}
    champion = repository.champion("ship")
    assert champion is not None
    assert champion.id == "model-ship-1"
    assert repository.history("ship")[-1]["by"] == "Ada"


def test_what_no_workflow_has_promoted_is_refused(repository: LocalModelRepository) -> None:
    done = approve("ship")
    assert done.exit_code == 2
    assert "model-ship-2 is not registered" in done.output
    assert repository.champion("ship") is None


def test_a_former_champion_comes_back(repository: LocalModelRepository) -> None:
    for which in ("model-ship-1", "model-ship-2", "model-ship-1"):
        model = load(PARTS).metadata_tracker.get(which)
        repository.register_model(model)
        done = approve("ship", "--which", which)
        assert done.output == f"{which} is the champion of ship.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [(("boat",), "no workflow has kept a model 'boat'"), (("ship", "--which", "x"), "no version 'x' of 'ship'")],
)
@pytest.mark.usefixtures("repository")
def test_a_model_that_is_not_there_is_told(words: tuple[str, ...], told: str) -> None:
    done = approve(*words)
    assert done.exit_code == 2
    assert told in done.output
