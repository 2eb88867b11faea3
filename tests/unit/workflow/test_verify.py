"""What is wrong with values: each fault once, though several parts read the value."""

from __future__ import annotations

import pytest

from .conftest import Workbench

STANDARD = "runner: ClassificationRunner\nconfig: {{train_data: rows.csv, {}}}\n"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("model_target: y, metrics: [acuracy]", "there is no metric 'acuracy' for classification"),
        (
            "model_target: y, metrics: accuracy",
            "metrics is 'accuracy': ClassificationRunner takes a list of text or null",
        ),
        ("model_target: 0", "model_target is 0: ClassificationRunner takes text"),
        ("model_target: $nothing", "${nothing} leads to nothing"),
        (
            "model_target: y}\ntrain: {component: {hyperparameter_tuner: GridTuner}",
            "3:43: search_space of GridTuner (train.hyperparameter_tuner): there is none: give the values",
        ),
        ("eval_data: x.csv", "ClassificationRunner needs the key 'model_target'"),
    ],
)
def test_what_several_parts_inherit_is_told_once(bench: Workbench, given: str, told: str) -> None:
    found = bench.faults(STANDARD.format(given))
    assert len(found) == 1
    assert told in found[0]


def test_an_unknown_name_is_told_where_it_stands(bench: Workbench) -> None:
    text = STANDARD.format("model_target: y") + "train: {model_trainer: {config: {training_params: {max_depth: 3}}}}\n"
    inside = text.replace("{max_depth: 3}", "{max_depth: 3,\n  max_dept: 4}")
    (told,) = bench.faults(inside)
    assert told.startswith("w0.yaml:4:13: training_params of XGBoostTrainer"), told
