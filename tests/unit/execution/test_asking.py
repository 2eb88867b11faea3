"""Who draws trials: what Optuna proposes, that it is the same after a kill, and that it learns."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.execution import asking
from mlpipeline.versions import Versions

pytest.importorskip("optuna")

SPACE: dict[str, Any] = {"x": (-5.0, 5.0), "y": (-5.0, 5.0)}


def search(space: dict[str, Any] = SPACE, **more: Any) -> dict[str, Any]:
    found = Versions().search(space, **{"metric": "loss", **more}).searched
    assert found is not None
    return found.described() | {"base": {}}


def loss(drawn: dict[str, Any]) -> float:
    return float((drawn["x"] - 1) ** 2 + (drawn["y"] + 2) ** 2)


def made(directory: Path, **more: Any) -> asking.Study:
    directory.mkdir(exist_ok=True)
    return asking.Study(directory, "one", search(**more))


def trained(study: asking.Study, count: int) -> list[float]:
    """Asks and tells, one by one."""
    for _ in range(count):
        number = study.ask()
        assert number is not None
        study.hear({str(number): {"state": "done", "value": loss(study.drawn[number])}})
    return [loss(each) for each in study.drawn.values()]


def test_tpe_gets_better_than_chance(tmp_path: Path) -> None:
    best = {
        sampler: [
            min(trained(made(tmp_path / f"{sampler}{seed}", sampler=sampler, seed=seed), 40)) for seed in range(5)
        ]
        for sampler in ("tpe", "random")
    }
    assert statistics.median(best["tpe"]) < statistics.median(best["random"]) / 2, best


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_what_is_drawn_after_a_kill_is_what_would_have_been_drawn(tmp_path: Path, sampler: str) -> None:
    if sampler == "cmaes":
        pytest.importorskip("cmaes")
    whole = made(tmp_path / "whole", sampler=sampler)
    trained(whole, 30)
    killed: asking.Study | None = None
    for _ in range(3):
        before = killed
        killed = made(tmp_path / "killed", sampler=sampler)
        if before is not None:
            assert killed.drawn == before.drawn
        killed.hear({str(each): {"state": "done", "value": loss(drawn)} for each, drawn in killed.drawn.items()})
        trained(killed, 10)
    assert killed is not None
    assert killed.drawn == whole.drawn


def test_open_trials_are_taken_into_account(tmp_path: Path) -> None:
    study = made(tmp_path)
    numbers = [study.ask() for _ in range(4)]
    assert numbers == [1, 2, 3, 4]
    assert len({str(each) for each in study.drawn.values()}) == 4
    study.hear({"1": {"state": "failed", "value": None}, "3": {"state": "pruned", "value": 2.0}})
    assert study.ask() == 5


def test_nothing_is_drawn_twice_and_a_small_space_ends(tmp_path: Path) -> None:
    study = made(tmp_path, space={"kind": ["a", "b", "c"], "n": (1, 3)})
    for _ in range(9):
        number = study.ask()
        assert number is not None
        study.hear({str(number): {"state": "done", "value": 1.0}})
    assert study.ask() is None
    assert len({json.dumps(each) for each in study.drawn.values()}) == 9


def test_a_number_that_another_host_took_is_left_to_it(tmp_path: Path) -> None:
    study = made(tmp_path)
    (tmp_path / "1.json").write_text(json.dumps({"study": "another", "drawn": {"x": 0.0, "y": 0.0}}))
    assert study.ask() == 2
    study.hear({"2": {"state": "done", "value": 1.0}})
    assert study.ask() == 3
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["1.json", "2.json", "3.json"]


@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband"])
def test_the_worst_is_hopeless_and_the_best_is_not(tmp_path: Path, pruner: str) -> None:
    study = made(tmp_path / "study", pruner=pruner, sampler="random")
    row = '{{"t": "", "step": {}, "values": {{"loss": {}}}}}\n'
    told: dict[str, Any] = {}
    for place in range(12):
        number = study.ask()
        directory = tmp_path / str(place)
        directory.mkdir()
        value = 100.0 if place == 11 else 0.0 if place == 10 else 1.0 + place
        (directory / "metrics.jsonl").write_text("".join(row.format(step, value) for step in range(1, 82)))
        state = "open" if place >= 10 else "done"
        told = {str(number): {"state": state, "value": value, "directories": [str(directory)]}}
        study.hear(told)
    assert study.hopeless() == [12]
    assert study.hopeless() == []


def test_values_that_are_no_numbers_and_torn_lines_are_passed_over(tmp_path: Path) -> None:
    study = made(tmp_path / "study", pruner="median", sampler="random")
    number = study.ask()
    path = tmp_path / "metrics.jsonl"
    row = '{{"t": "", "step": {}, "values": {{"loss": {}}}}}\n'
    path.write_text(row.format(1, 0.5) + row.format(2, '"nan"') + '{"t": "", "step": 3, "val')
    study.hear({str(number): {"state": "open", "directories": [str(tmp_path), str(tmp_path / "gone")]}})
    assert study.hopeless() == []
    with path.open("a") as file:
        file.write('ues": {"loss": 0.25}}\n' + row.format(3, 9.0))
    study.hopeless()
    assert study.optuna.study.trials[0].intermediate_values == {1: 0.5, 3: 0.25}


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe"])
def test_two_that_draw_for_one_study_repeat_nothing_and_stop_together(tmp_path: Path, sampler: str) -> None:
    space = {"x": list(range(3)), "y": list(range(4))}
    one, two = (made(tmp_path, space=space, sampler=sampler, trials=10) for _ in range(2))
    stranger = asking.Study(tmp_path, "another", search(space, sampler="random"))
    asked = [study.ask() for _ in range(6) for study in (one, stranger, two)]
    found = [number for number in asked if number is not None]
    assert sorted(found) == list(range(1, len(found) + 1))
    mine = {number: each for number, each in asking._trials(tmp_path).items() if each["study"] == "one"}
    assert len({str(each["drawn"]) for each in mine.values()}) == len(mine) == 10
    assert (one.ask(), two.ask(), one.drawn, one.is_exhausted) == (None, None, two.drawn, False)
    for study in (one, two):
        study.hear({str(number): {"state": "done", "value": 1.0} for number in mine})
