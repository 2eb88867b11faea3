"""Versions side by side: what differs, what is best in which direction, and what the seeds say of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import UsageError
from mlpipeline.observe import comparison, comparison_table, results, table
from mlpipeline.observe.comparison import Comparison
from mlpipeline.observe.comparison_rows import Study, by_version
from mlpipeline.observe.studies import find_study, read_studies
from mlpipeline.run import BY_HAND, Cause, Run, State
from tests.unit.sample_runs import run_in, sample_run


def ran(suffix: str, version: str, metrics: Mapping[str, Any], replicate: int = 0, **more: Any) -> Run:
    """A run that succeeded with these results."""
    run = replace(sample_run(suffix, version=version, **more), replicate=replicate)
    return replace(run, attempts=(replace(run.last, metrics=metrics),))


def seeds(version: str, values: list[float], metric: str = "accuracy", **more: Any) -> list[Run]:
    """A run for each value."""
    return [
        ran(f"{version[:3]}aa{'bcdefghij'[place]}", version, {"test": {metric: value}}, place, **more)
        for place, value in enumerate(values)
    ]


def compared(*runs: Run, **more: Any) -> Comparison:
    return comparison.compared(by_version(runs), **more)


def study(metric: str = "gain", direction: str = "maximize", name: str = "abc123", trials: int = 3) -> Study:
    names = frozenset(f"trial-{number}" for number in range(1, trials + 1))
    return Study(name=name, model="digits.py", metric=metric, direction=direction, trials=names)


def test_only_parameters_that_differ_are_shown_by_their_address() -> None:
    one = ran("aaaaaa", "one", {}, params={"same": 1, "net": {"depth": 3, "width": 8}})
    two = ran("bbbbbb", "two", {}, params={"same": 1, "net": {"depth": 4, "width": 8}, "more": None})
    two = replace(two, params_digest="other")
    assert compared(one, two).parameters == ("net__depth", "more")


def test_what_only_one_model_has_and_never_changes_tells_nothing_of_its_versions() -> None:
    forests = [
        replace(ran(f"aaaaa{letter}", letter, {}, params={"trees": 9, "depth": depth}), params_digest=letter)
        for letter, depth in (("b", 3), ("c", 4))
    ]
    boosted = ran("dddddd", "d", {}, params={"rate": 0.1, "depth": 4})
    boosted = replace(boosted, model="boosted.py", params_digest="d")
    assert compared(*forests, boosted).parameters == ("depth",)
    more = replace(ran("eeeeee", "e", {}, params={"depth": 4}), model="boosted.py", params_digest="e")
    assert compared(*forests, boosted, more).parameters == ("depth", "rate")


def test_a_parameter_of_a_wrapped_estimator_is_shown_once() -> None:
    def forest(depth: int) -> dict[str, Any]:
        tree = {"class": "Forest", "arguments": {"depth": depth}}
        return {"estimator": {"class": "SKLearn", "arguments": {"sklearn": tree}}, "estimator__sklearn__depth": depth}

    one = ran("aaaaaa", "one", {}, params=forest(3))
    two = replace(ran("bbbbbb", "two", {}, params=forest(8)), params_digest="other")
    assert compared(one, two).parameters == ("estimator__sklearn__depth",)


def by_hand(run: Run) -> Run:
    return replace(run, attempts=(replace(run.last, executor=BY_HAND),))


def test_a_run_by_hand_adds_no_parameters_that_versions_do_not_name() -> None:
    one = ran("aaaaaa", "one", {}, params={"depth": 3})
    two = replace(ran("bbbbbb", "two", {}, params={"rate": 0.1}), params_digest="two")
    hand = ran("cccccc", "by-hand", {}, params={"depth": 4, "rate": 0.1, "seed": 0, "metrics": ["f1"]})
    hand = by_hand(replace(hand, params_digest="hand"))
    assert compared(one, two, hand).parameters == ("depth", "rate")
    assert compared(hand, one).parameters == ("depth",)


def test_a_fit_with_other_parameters_speaks_for_itself_and_not_for_its_version() -> None:
    queued = ran("aaaaaa", "wide", {"accuracy": 0.8}, params={"depth": 3})
    hand = by_hand(replace(ran("bbbbbb", "wide", {"accuracy": 0.9}, params={"depth": 9}), params_digest="nine"))
    hand = replace(hand, attempts=(replace(hand.last, changes={"depth": 9}),))
    broken = replace(hand, id="20261121-040506-cccccc", attempts=(replace(hand.last, state=State.FAILED),))
    found = compared(broken, hand, queued)
    assert [row.label for row in found.rows] == ["wide with depth=9", "wide"]
    assert [row.scores["accuracy"].mean for row in found.rows] == [0.9, 0.8]
    assert found.parameters == ("depth",)
    policy = replace(queued, attempts=(replace(queued.last, changes={"batch_size": 16}),))
    assert [row.label for row in compared(policy).rows] == ["wide"]
    assert [row.label for row in compared(broken).rows] == ["wide with depth=9"]


def test_runs_by_hand_alone_show_all_in_which_they_differ() -> None:
    one = by_hand(ran("aaaaaa", "one", {}, params={"depth": 3, "seed": 0}))
    two = by_hand(replace(ran("bbbbbb", "two", {}, params={"depth": 3, "seed": 1, "more": 1}), params_digest="two"))
    assert compared(one, two).parameters == ("seed", "more")


def test_of_a_workflow_what_is_held_out_decides() -> None:
    scores = {"training": {"train__f1": 0.9, "validation__f1": 0.8, "test__f1": 0.7}}
    assert compared(ran("aaaaaa", "one", scores)).metric == "training validation__f1"


def test_one_and_true_are_different_values() -> None:
    one = ran("aaaaaa", "one", {}, params={"a": 1})
    two = replace(ran("bbbbbb", "two", {}, params={"a": True}), params_digest="other")
    assert compared(one, two).parameters == ("a",)


@pytest.mark.parametrize(("metric", "best"), [("accuracy", "high"), ("loss", "low"), ("val_loss", "low")])
def test_the_best_is_first_in_the_direction_of_its_metric(metric: str, best: str) -> None:
    found = compared(ran("aaaaaa", "low", {"test": {metric: 0.1}}), ran("bbbbbb", "high", {"test": {metric: 0.9}}))
    assert (found.rows[0].label, found.best) == (best, 0)


def test_a_metric_of_unknown_direction_marks_nothing_before_it_is_said() -> None:
    runs = [ran("aaaaaa", "one", {"test": {"fuzz": 1.0}}), ran("bbbbbb", "two", {"test": {"fuzz": 2.0}})]
    found = compared(*runs)
    assert (found.metric, found.best) == ("test fuzz", None)
    assert "--direction" in found.sentences[0]
    assert compared(*runs, direction="maximize").rows[0].label == "two"


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), "nan", "-inf", None])
def test_what_is_not_finite_is_shown_and_never_the_best(odd: Any) -> None:
    found = compared(ran("aaaaaa", "odd", {"test": {"loss": odd}}), ran("bbbbbb", "good", {"test": {"loss": 5.0}}))
    assert [row.label for row in found.rows] == ["good", "odd"]
    cells = [row[1] for row in comparison_table.table(found)[0].rows]
    assert cells == ["5.0 *", str(odd)]


def test_a_version_without_the_metric_comes_last() -> None:
    found = compared(
        ran("aaaaaa", "without", {}),
        run_in(State.FAILED, "cccccc", version="broken"),
        ran("bbbbbb", "good", {"test": {"loss": 5.0}}),
    )
    assert [row.label for row in found.rows] == ["good", "without", "broken"]
    assert found.best == 0


def test_where_nothing_has_a_metric_nothing_is_best() -> None:
    found = compared(run_in(State.FAILED, "cccccc", version="broken"), ran("aaaaaa", "without", {}))
    assert (found.metric, found.best, found.sentences) == ("", None, ())
    assert comparison.compared([]).rows == ()


def test_seeds_become_a_mean_with_its_interval() -> None:
    found = compared(*seeds("wide", [0.5, 0.6, 0.7]))
    shown = comparison_table.table(found)[0]
    assert shown.columns[:3] == ("version", "seeds", "test accuracy ↑")
    # Student's t of 2 degrees of freedom at 97.5 %: 4.3027; times 0.1 / sqrt(3).
    assert shown.rows[0][1:3] == ("3", "0.6 ± 0.25 *")


def test_seeds_of_other_code_or_parameters_are_not_averaged() -> None:
    old = replace(ran("zzzzzz", "wide", {"test": {"accuracy": 0.1}}, replicate=2), code_digest="old")
    found = compared(*seeds("wide", [0.5, 0.6]), old)
    assert len(found.rows[0].runs) == 2


def test_a_failure_does_not_hide_what_succeeded() -> None:
    failed = run_in(State.FAILED, "cccccc", version="wide")
    found = compared(failed, *seeds("wide", [0.5]))
    assert (found.rows[0].state, found.best) == ("succeeded", 0)


def test_five_seeds_say_what_is_better() -> None:
    wide, narrow = seeds("wide", [0.91, 0.93, 0.92, 0.94, 0.92]), seeds("narrow", [0.90, 0.91, 0.91, 0.92, 0.90])
    (sentence,) = compared(*narrow, *wide).sentences
    # SciPy's ttest_rel says the same.
    assert sentence == "wide beats narrow by 0.016 in test accuracy: p = 0.0028, n = 5."


def test_seeds_that_overlap_say_nothing() -> None:
    wide, narrow = seeds("wide", [0.9, 0.5, 0.8, 0.6]), seeds("narrow", [0.6, 0.8, 0.5, 0.85])
    (sentence,) = compared(*narrow, *wide).sentences
    assert sentence.startswith("These runs do not say that wide beats narrow in test accuracy: p = 0.9")


def test_single_runs_are_not_enough_to_say() -> None:
    (sentence,) = compared(*seeds("wide", [0.9]), *seeds("narrow", [0.1])).sentences
    assert sentence == (
        "Not enough runs to say whether wide beats narrow: 1 seed in common, 3 are needed: "
        "replicates=3 behind the model in models.config trains them."
    )


def test_several_rivals_are_corrected_for_their_number() -> None:
    found = compared(
        *seeds("aaa", [0.91, 0.93, 0.92, 0.94]), *seeds("bbb", [0.90, 0.91, 0.91, 0.92]), *seeds("ccc", [0.1] * 4)
    )
    assert len(found.sentences) == 3
    assert "corrected for 2 comparisons" in found.sentences[-1]


def test_a_smaller_loss_wins_by_a_positive_amount() -> None:
    found = compared(*seeds("high", [0.5, 0.6, 0.71], "loss"), *seeds("low", [0.1, 0.2, 0.3], "loss"))
    assert found.sentences[0].startswith("low beats high by 0.4033 in test loss: p < 0.001")


def test_a_search_says_metric_and_direction() -> None:
    runs = [
        ran(
            f"{'abc'[n - 1] * 6}", f"trial-{n}", {"search": {"gain": float(n)}, "test": {"gain": float(n), "loss": 1.0}}
        )
        for n in (1, 2, 3)
    ]
    found = compared(*runs, studies=[study()])
    assert (found.metric, found.directions["gain"], found.rows[0].label) == ("gain", "maximize", "trial-3")
    assert found.metrics == ("gain", "test loss")  # the value of the trial is not shown twice
    assert compared(*runs, studies=[study(direction="minimize")]).rows[0].label == "trial-1"


def test_a_pruned_trial_is_not_the_best() -> None:
    early = ran("aaaaaa", "trial-1", {"search": {"gain": 9.0}})
    early = replace(early, attempts=(replace(early.last, cause=Cause.PRUNED),))
    found = compared(early, ran("bbbbbb", "trial-2", {"search": {"gain": 1.0}}), studies=[study()])
    assert found.best is not None
    assert found.rows[found.best].label == "trial-2"
    assert [row.state for row in found.rows] == ["succeeded", "pruned"]


@pytest.mark.parametrize("wanted", ["test accuracy", "test_accuracy", "accuracy"])
def test_a_metric_is_found_however_it_is_written(wanted: str) -> None:
    names = ["train accuracy", "test accuracy", "test log_loss"]
    assert results.resolve(wanted, names) == "test accuracy"


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no metric 'acuracy'.*Did you mean 'accuracy'\?"):
        compared(*seeds("wide", [0.1]), metric="acuracy")
    with pytest.raises(UsageError, match="none of these runs has recorded any result"):
        compared(run_in(State.FAILED, "cccccc"), metric="loss")


def test_what_does_not_fit_is_left_out_and_named() -> None:
    many = {f"metric_{number}_loss": 0.5 for number in range(20)}
    found = compared(ran("aaaaaa", "one", {"test": many}))
    shown, left_out = comparison_table.table(found, 80)
    assert max(map(len, table.lines(shown))) <= 80
    assert (len(shown.columns) + len(left_out), shown.columns[0]) == (22, "version")
    assert comparison_table.table(found)[1] == []


def test_markdown_shows_names_as_they_are() -> None:
    text = comparison_table.to_markdown(compared(ran("aaaaaa", "a|b<i>*", {"test": {"loss": 1.0}})))
    assert "| a\\|b\\<i\\>\\* | **1.0** |" in text


def test_csv_has_all_numbers_and_every_parameter_that_differs() -> None:
    other = [replace(run, params_digest="other") for run in seeds("deep", [0.3], params={"hidden": [64, "x,y"]})]
    rows = list(csv.DictReader(io.StringIO(comparison_table.to_csv(compared(*seeds("wide", [0.5, 0.7]), *other)))))
    assert [row["version"] for row in rows] == ["wide", "deep"]
    assert (float(rows[0]["test accuracy"]), rows[0]["test accuracy n"]) == (pytest.approx(0.6), "2")
    assert json.loads(rows[1]["hidden"]) == [64, "x,y"]


def write_trial(directory: Path, number: int, **more: Any) -> None:
    told = {"study": "abc", "drawn": {}, "params": {}, "params_digest": "d", "metric": "loss", "direction": "minimize"}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{number}.json").write_text(json.dumps(told | more))


def test_studies_are_read_newest_first_and_damaged_trials_passed_over(tmp_path: Path) -> None:
    write_trial(tmp_path / "m", 1)
    write_trial(tmp_path / "m", 2, study="def", metric="auc", direction="maximize")
    write_trial(tmp_path / "m", 10, study="def", metric="auc", direction="maximize")
    write_trial(tmp_path / "m", 11, drawn=None)
    (tmp_path / "m" / "12.json").write_text("{")
    (tmp_path / "m" / "new.json.part").write_text("")
    found = read_studies(tmp_path / "m", "m.py")
    assert [(each.name, each.metric, each.direction) for each in found] == [
        ("def", "auc", "maximize"),
        ("abc", "loss", "minimize"),
    ]
    assert found[0].trials == {"trial-2", "trial-10"}
    assert read_studies(tmp_path / "nowhere", "m.py") == []
    assert (find_study(found, "last").name, find_study(found, "a").name) == ("def", "abc")
    with pytest.raises(UsageError, match=r"no study 'x'.*abc"):
        find_study(found, "x")
    with pytest.raises(UsageError, match="several studies"):
        find_study(found, "")
    with pytest.raises(UsageError, match=r"name one of them, .*other\.py"):
        find_study([*found, replace(found[0], model="other.py")], "last")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_breaks_no_row(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    found = compared(*seeds("wide", [0.51, 0.52, 0.57]), *seeds("narrow", [0.1]), *seeds("other", [0.2], "log_loss"))
    shown, _ = comparison_table.table(found, width)
    stream = Terminal()
    table.write(shown, stream)
    # A line of names, and one for each row.
    assert len(stream.getvalue().splitlines()) == 1 + 3
