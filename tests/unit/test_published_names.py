"""The names, values and signatures that published model scripts rely on."""

import inspect
import logging

import pytest

import mlpipeline
from mlpipeline import helper, utils


def arguments(function: object) -> list[str]:
    names = list(inspect.signature(function).parameters)  # type: ignore[arg-type]
    return [name for name in names if name not in ("self", "parameters_", "defaults")]


def test_the_helper_has_its_names() -> None:
    assert helper.DataLoader is helper.Dataloader
    assert helper.Model is mlpipeline.Model


def test_keys_have_their_published_values() -> None:
    assert [str(key) for key in utils.ExecutionModeKeys] == ["Train", "Test"]
    assert all(key == str(key) for key in utils.ExecutionModeKeys)
    assert [str(key) for key in utils.ModeKeys] == ["Train", "Predict", "Evaluate"]
    expected = "name dataloader batch_size epoc_count learning_rate model_dir_suffix order hooks classes_count"
    expected += " classes_offset use_all_classes"
    assert [str(key) for key in utils.version_parameters] == expected.split()
    assert all(key.name == key.value.upper() for key in utils.version_parameters)


def test_signatures_are_in_their_published_order() -> None:
    constructor = "learning_rate dataloader batch_size epoc_count model_dir_suffix order hooks"
    constructor += " use_all_classes classes_count classes_offset"
    assert arguments(utils.Versions) == constructor.split()
    added = "name dataloader batch_size epoc_count learning_rate model_dir_suffix order custom_paramters hooks"
    added += " use_all_classes classes_count classes_offset parameters"
    assert arguments(utils.Versions.addV) == added.split()
    assert arguments(utils.Versions().add_version) == added.split()
    assert arguments(utils.Versions.rangeOnParameters) == ["names", "combining_parameters", "parameters"]
    assert arguments(helper.Model) == ["versions", "allow_delete_model_dir", "reset_steps"]
    logged = "names log_to_file complete_epoc items_per_row charachters_per_row"
    assert arguments(utils.MetricContainer.log_metrics) == logged.split()
    assert arguments(utils.log) == ["message", "level", "log_to_file", "modifier_1", "modifier_2"]


@pytest.mark.parametrize("name", ["set_logger", "add_script_dir_to_PATH", "console_colors", "Metric", "log"])
def test_utils_has(name: str) -> None:
    assert hasattr(utils, name)


def test_public_names_are_found_on_the_package_and_unknown_ones_are_not() -> None:
    assert mlpipeline.Versions is utils.Versions
    assert {"Model", "RunContext"} <= set(dir(mlpipeline))
    with pytest.raises(AttributeError, match="no attribute 'Modell'"):
        _ = mlpipeline.Modell


def test_a_message_reaches_the_log_without_colors(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mlpipeline.model"):
        utils.log("hello %s", modifier_1=utils.console_colors.RED_FG, modifier_2=utils.console_colors.BOLD)
    assert [record.getMessage() for record in caplog.records] == ["hello %s"]
    assert caplog.records[0].log_to_file is True  # type: ignore[attr-defined]


def test_a_message_is_printed_where_nobody_set_logging_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Logger, "hasHandlers", lambda self: False)
    utils.log("hello", modifier_1=utils.console_colors.RED_FG)
    assert capsys.readouterr().out == "hello\n"


def test_the_script_s_directory_comes_first_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from pathlib import Path

    monkeypatch.setattr(sys, "path", ["elsewhere"])
    utils.add_script_dir_to_PATH()
    utils.add_script_dir_to_PATH()
    assert sys.path == [str(Path(__file__).resolve().parent), "elsewhere"]
