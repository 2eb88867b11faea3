"""Searches as scripts write them, what cannot be searched, and what is drawn without any library."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import params, searches
from mlpipeline.errors import VersionsError
from mlpipeline.execution import fingerprint, trial
from mlpipeline.learning.scores import SCORES
from mlpipeline.trials import Progress, sentence
from mlpipeline.versions import Versions

SPACE: dict[str, Any] = {"lr": (0.001, 0.1, "log"), "depth": (1, 5), "kind": ["a", "b"], "rate": (0.0, 1.0)}


def described(space: dict[str, Any] = SPACE, **more: Any) -> dict[str, Any]:
    found = Versions().search(space, **{"metric": "loss", "sampler": "random", **more}).searched
    assert found is not None
    return found.described()


@pytest.mark.parametrize(
    ("space", "more", "told"),
    [
        ({}, {}, "the space of the search is empty"),
        ({"x": []}, {}, "the list of values is empty"),
        ({"x": (3, 1)}, {}, "low 3 is above high 1"),
        ({"x": (0, 1, "log")}, {}, "above 0 for a logarithm"),
        ({"x": (1, 2, "lag")}, {}, "is no space"),
        ({"x": (1, 2, 3, 4)}, {}, "is no space"),
        ({"x": ("a", "b")}, {}, "is no space"),
        ({"x": (0.0, float("inf"))}, {}, "must be finite"),
        ({"x": 3}, {}, "give it outside the space"),
        ({"x": max}, {}, "a function is no space"),
        ({"x": {1, 2}}, {}, "a set has no order|is one value"),
        ({"name": ["a"]}, {}, "belongs to each trial"),
        ({"x": [1]}, {"x": 2}, "is searched and a constant"),
        ({"epochs": [1], "epoc_count": [2]}, {}, "the same parameter"),
        (SPACE, {"sampler": "tpu"}, "no sampler 'tpu'. Did you mean 'tpe'"),
        (SPACE, {"pruner": "medium"}, "no pruner 'medium'. Did you mean 'median'"),
        (SPACE, {"metric": "gain"}, "direction='maximize' or 'minimize'"),
        (SPACE, {"metric": ""}, "give the name of a recorded metric"),
        (SPACE, {"direction": "up"}, "no direction 'up'"),
        (SPACE, {"trials": 0}, "trials is 0"),
        (SPACE, {"trials": True}, "trials is True"),
        (SPACE, {"seed": -1}, "seed is -1"),
        (SPACE, {"sampler": "grid"}, "lr: a grid has no cells"),
        (SPACE, {"sampler": "cmaes"}, "kind is a list, and cmaes draws numbers"),
        ({"a": (1, 10_000), "b": (1, 10_000)}, {"sampler": "grid"}, "the grid has 100000000 cells"),
    ],
)
def test_what_cannot_be_searched_is_told(space: dict[str, Any], more: dict[str, Any], told: str) -> None:
    with pytest.raises(VersionsError, match=told):
        Versions().search(space, **{"metric": "loss", **more})


def test_a_model_has_one_search_and_versions_are_not_called_like_trials() -> None:
    versions = Versions().search(SPACE, metric="loss")
    with pytest.raises(VersionsError, match="a search already"):
        versions.search(SPACE, metric="loss")
    with pytest.raises(VersionsError, match="called like a trial"):
        versions.add("trial-3")
    with pytest.raises(VersionsError, match="called like a trial"):
        Versions().add("trial-3").search(SPACE, metric="loss")
    with pytest.raises(VersionsError, match="the space is a list"):
        Versions().search([1, 2], metric="loss")  # type: ignore[arg-type]


@pytest.mark.parametrize("score", SCORES.values(), ids=list(SCORES))
def test_every_score_has_its_direction(score: Any) -> None:
    wanted = "maximize" if score.greater_is_better else "minimize"
    assert searches.direction_of(score.name) == searches.direction_of(f"validation_{score.name}") == wanted


def test_a_trial_has_the_constants_and_what_was_drawn() -> None:
    marker = object()
    versions = Versions(batch_size=8).search({"kind": ["a", marker], "epochs": (1, 3)}, metric="loss", width=4)
    version = versions.trial("trial-7", {"kind": {"choice": 1}, "epoc_count": 2})
    assert (version.name, version["batch_size"], version["width"], version.epochs) == ("trial-7", 8, 4, 2)
    assert version["kind"] is marker
    with pytest.raises(VersionsError, match="drawn for another one"):
        versions.trial("trial-7", {"other": 1})


@given(st.integers(0, 5))
def test_random_draws_lie_in_the_space_and_are_the_same_every_time(seed: int) -> None:
    search = described(seed=seed)
    rows = list(itertools.islice(searches.draws(search), 30))
    assert rows == list(itertools.islice(searches.draws(search), 30))
    assert len({params.digest(row) for row in rows}) == 30
    for row in rows:
        told = searches.described_parameters({"fixed": 1}, search["space"], row)
        assert 0.001 <= told["lr"] <= 0.1
        assert type(told["depth"]) is int
        assert 1 <= told["depth"] <= 5
        assert told["kind"] in ("a", "b")
        assert (0.0 <= told["rate"] <= 1.0, told["fixed"]) == (True, 1)


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_a_small_space_is_drawn_once(sampler: str) -> None:
    search = described({"depth": (1, 3), "kind": ["a", "b"]}, sampler=sampler)
    rows = [searches.described_parameters({}, search["space"], each) for each in searches.draws(search)]
    cells = [{"depth": depth, "kind": kind} for depth in (1, 2, 3) for kind in "ab"]
    assert sorted(rows, key=str) == cells
    assert sampler == "random" or rows == cells


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("auc", 0.7), ("validation_auc", 0.7), ("test_auc", 0.6), ("train_auc", 0.9), ("loss", 0.5), ("extra", 3),
        ("recorded", 0.1), ("test_loss", 0.5), ("nothing", None), ("word", "nan"),
    ],
)  # fmt: skip
def test_the_value_of_a_run_is_found_by_its_name(metric: str, value: Any) -> None:
    evaluated = {
        "train": {"auc": 0.9, "extra": 3},
        "test": {"auc": 0.6, "loss": 0.5, "word": "nan"},
        "validation": {"auc": 0.7},
        "search": {"nothing": 1},
    }
    found, known = searches.value_of(metric, evaluated, {"recorded": 0.1, "loss": 9.0})
    assert found == value
    assert (metric in known) == (value is not None)


def test_the_last_recorded_value_counts_over_all_attempts_and_torn_lines(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for each in (first, second):
        each.mkdir()
    row = '{{"t": "2026-11-21T00:00:00.000+00:00", "step": {}, "values": {{"{}": {}}}}}\n'
    (first / "metrics.jsonl").write_text(row.format(1, "rare", 0.25) + row.format(2, "loss", 0.5))
    lines = "".join(row.format(step, "loss", 1 / step) for step in range(3, 500))
    (second / "metrics.jsonl").write_text(lines + row.format(500, "loss", '"nan"') + '{"t": "2026')
    assert trial.value(second, "rare", {}) == (0.25, ["loss", "rare"])
    assert trial.value(second, "loss", {})[0] == "nan"
    assert trial.value(first, "loss", {})[0] == 0.5
    (first / "metrics.jsonl").write_text("")
    assert trial.value(first, "loss", {"test": {"loss": 2}}) == (2, ["loss", "test_loss"])
    early = "".join(row.format(step, "loss", 1) for step in range(1000))
    (first / "metrics.jsonl").write_text(row.format(0, "rare", 0.75) + early)
    assert trial.value(first, "rare", {})[0] == 0.75


def test_the_number_of_trials_is_no_code() -> None:
    text = "versions.search({{'x': [1]}}, trials={}, metric='loss')\nother(trials={})"
    one, more = (text.format(count, 5).encode() for count in (5, 50))
    assert fingerprint.normalized(one) == fingerprint.normalized(more)
    assert fingerprint.normalized(one) != fingerprint.normalized(text.format(5, 6).encode())


def test_grids_and_random_draws_never_import_optuna(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mlpipeline.execution.asking import Study\n"
        "from mlpipeline.versions import Versions\n"
        "found = Versions().search({'x': (1, 9)}, metric='loss', sampler='random').searched.described()\n"
        f"study = Study(Path({str(tmp_path)!r}), 'one', found | {{'base': {{}}}})\n"
        "assert [study.ask() for _ in range(10)] == [*range(1, 10), None]\n"
        "assert not {'optuna', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_sentence_says_what_is_known() -> None:
    about = {"model": "m.py", "study": "s", "metric": "loss", "direction": "minimize", "sampler": "tpe", "trials": 9}
    found = Progress(**about, drawn=4, done=2, failed=1, best=("trial-2", 0.123456789))  # type: ignore[arg-type]
    assert Progress.from_json(found.to_json()) == found
    assert sentence(found) == (
        "Search of m.py (tpe): 4 of 9 trials drawn, 2 done, 1 failed; best loss so far 0.123457 (trial-2)"
    )
    assert "no value of 'loss' yet" in sentence(Progress(**about))  # type: ignore[arg-type]
