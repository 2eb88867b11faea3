"""What a model may ask of the system: metrics, loops, requests, checkpoints."""

import itertools
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import checkpoint as checkpoints
from mlpipeline import wire
from mlpipeline.context import ExecutionModeKeys, RunContext
from mlpipeline.errors import MetricError, ModelFault


@pytest.fixture
def run(tmp_path: Path) -> RunContext:
    return context(tmp_path)


def context(tmp_path: Path, mode: ExecutionModeKeys = ExecutionModeKeys.TRAIN) -> RunContext:
    for name in ("attempt", "model"):
        (tmp_path / name).mkdir(exist_ok=True)
    return RunContext(
        model="digits.py",
        version="a",
        mode=mode,
        directory=tmp_path / "attempt",
        model_dir=tmp_path / "model",
        seed=3,
        run_id="r",
    )


def metrics(run: RunContext) -> list[dict[str, Any]]:
    assert run.directory is not None
    return [json.loads(line) for line in (run.directory / wire.METRICS).read_text().splitlines()]


def ask(run: RunContext, action: str) -> None:
    """Asks as the queue does, and lets the next look happen at once."""
    assert run.directory is not None
    wire.write_json(run.directory / wire.CONTROL, {"action": action})
    run._polled = -1.0


def saver(text: str = "x") -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def test_metrics_are_written_with_the_step_of_the_loop(run: RunContext) -> None:
    run.record(start=1)
    for number in run.steps(total=2):
        run.record({"loss": 0.5, 1: 2}, accuracy=number)
    run.record({"loss": 1}, step=9)
    run.close()
    rows = metrics(run)
    assert [row["step"] for row in rows] == [None, 1, 2, 9]
    assert rows[1]["values"] == {"loss": 0.5, "1": 2, "accuracy": 0}
    assert rows[0]["t"].endswith("+00:00")


def test_scalars_of_numpy_are_recorded_and_infinities_are_texts(run: RunContext) -> None:
    np = pytest.importorskip("numpy")
    run.record(a=np.float32(0.5), b=np.array(2), c=float("nan"), d=-np.inf, e=True)
    run.close()
    assert metrics(run)[0]["values"] == {"a": 0.5, "b": 2.0, "c": "nan", "d": "-inf", "e": 1.0}


def test_any_name_and_any_number_of_metrics_stand_in_one_row(run: RunContext) -> None:
    names = {'100 % "sure"\n', "%s", "größe", "{0}"} | {f"loss {number}" for number in range(10_000)}
    run.record(dict.fromkeys(names, 0.5))
    run.record(loss=float("inf"), **{"%d": 1})
    run.close()
    assert [row["values"] for row in metrics(run)] == [dict.fromkeys(names, 0.5), {"loss": "inf", "%d": 1}]


def test_threads_record_side_by_side(run: RunContext) -> None:
    together = threading.Barrier(4)

    def record(thread: int) -> None:
        for number in range(10_000):
            run.record(number=number, thread=thread)
            if number % 5000 == 4999:
                together.wait()
                run.flush()

    threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    finally:
        sys.setswitchinterval(interval)
    run.close()
    told = [(row["values"]["thread"], row["values"]["number"]) for row in metrics(run)]
    assert sorted(told) == [(thread, number) for thread in range(4) for number in range(10_000)]


@pytest.mark.parametrize("value", ["1", None, [1], {}, object()])
def test_what_is_no_number_is_refused_at_once(run: RunContext, value: Any) -> None:
    with pytest.raises(MetricError, match="metric 'loss'"):
        run.record(loss=value)


@pytest.mark.parametrize("step", ["first", [1], float("nan"), float("inf"), object()])
def test_a_step_that_is_no_number_is_refused_at_once_and_loses_nothing(run: RunContext, step: Any) -> None:
    run.record(loss=1, step=2.0)
    with pytest.raises(MetricError, match=r"step is .*: give a whole number"):
        run.record(loss=1, step=step)
    run.flush()
    assert run.directory is not None
    (row,) = map(json.loads, (run.directory / "metrics.jsonl").read_text().splitlines())
    assert row["step"] == 2


def test_arrays_are_refused(run: RunContext) -> None:
    np = pytest.importorskip("numpy")
    with pytest.raises(MetricError, match="single numbers"):
        run.record(loss=np.zeros(1))


def test_a_full_disk_loses_no_metrics(run: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    run.record(a=1)
    with monkeypatch.context() as patch:
        patch.setattr("mlpipeline.context.append", lambda path, content: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            run.flush()
    run.record(a=2)
    run.close()
    run.close()
    assert [row["values"]["a"] for row in metrics(run)] == [1, 2]


def test_a_loop_yields_its_items_and_tells_how_far_it_is(run: RunContext) -> None:
    assert list(run.steps("abc", description="letters")) == ["a", "b", "c"]
    assert run.step == 3
    assert run.directory is not None
    progress = wire.read_json(run.directory / wire.PROGRESS)
    assert progress is not None
    assert (progress["step"], progress["total"], progress["description"]) == (3, 3, "letters")


def test_a_loop_writes_its_progress_and_draws_its_bar_at_a_bounded_rate(
    run: RunContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []
    monkeypatch.setattr(wire, "write_json", lambda path, content: written.append(content["step"]))
    clock = itertools.count(0.0, 0.001)  # the time of day stands still: what counts is that between steps
    monkeypatch.setattr("mlpipeline.progress.time.monotonic", lambda: next(clock))
    for _ in run.steps(total=3000):
        pass
    assert written == [0, *written[1:-1], 3000]
    assert len(written) <= 5  # at the beginning, each second, at the end
    shown = capsys.readouterr().err
    assert "3000/3000" in shown
    assert shown.count("\r") < 50


def test_total_ends_a_loop_that_would_never_end(run: RunContext) -> None:
    assert list(run.steps(itertools.count(), total=3)) == [0, 1, 2]
    assert list(itertools.islice(run.steps(), 2)) == [3, 4]


def test_a_loop_goes_on_from_the_checkpoint_and_the_next_from_there(tmp_path: Path) -> None:
    context(tmp_path).checkpoint(saver(), step=5)
    run = context(tmp_path)
    assert list(run.steps(total=2)) == [5, 6]
    assert list(run.steps(total=1)) == [7]
    assert list(run.steps(total=1, initial=0)) == [0]


def test_in_test_mode_a_loop_ends_after_one_item(tmp_path: Path) -> None:
    taken = iter("abc")
    assert list(context(tmp_path, ExecutionModeKeys.TEST).steps(taken)) == ["a"]
    assert next(taken) == "b"


def test_a_detached_context_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunContext.detached()
    for _ in run.steps(range(3)):
        run.record(loss=1)
    assert not run.checkpoint(saver())
    assert run.restore(lambda path: path) is None
    assert not run.should_stop
    run.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["stop", "prune"])
def test_a_stop_ends_the_loop_before_its_next_item(run: RunContext, action: str) -> None:
    seen = []
    for number in run.steps(total=100):
        seen.append(number)
        if number == 2:
            ask(run, action)
            assert run.should_stop
    assert seen == [0, 1, 2]
    assert run.stop_reason == action
    assert not run.yielded


def test_a_request_for_room_waits_for_the_next_checkpoint(run: RunContext) -> None:
    seen = []
    for number in run.steps(total=100):
        seen.append(number)
        if number == 1:
            ask(run, "yield")
            assert run.checkpoint_asked
            assert not run.should_stop
        if number == 4:
            assert run.checkpoint(saver(), every_seconds=3600)
    assert seen == [0, 1, 2, 3, 4]
    assert run.yielded
    assert run.checkpoint_step == 5


def test_a_request_for_room_right_after_a_checkpoint_is_met_at_once(run: RunContext) -> None:
    seen = []
    for number in run.steps(total=100):
        seen.append(number)
        if number == 1:
            run.checkpoint(saver())
            ask(run, "yield")
            assert run.should_stop
    assert seen == [0, 1]
    assert run.yielded


def test_a_loop_that_is_done_anyway_made_no_room(run: RunContext) -> None:
    for number in run.steps(total=2):
        if number == 1:
            ask(run, "yield")
            run.checkpoint(saver())
    assert not run.yielded
    assert run.step == 2


def test_a_loop_without_steps_makes_room_after_a_checkpoint_of_its_own(run: RunContext) -> None:
    run.checkpoint(saver(), step=1)
    ask(run, "yield")
    first = run.should_stop
    run.checkpoint(saver(), step=2)
    assert (first, run.should_stop, run.yielded) == (False, True, True)


def test_a_checkpoint_that_is_asked_for_is_made_once(run: RunContext) -> None:
    assert not run.checkpoint(saver(), every_seconds=3600)
    ask(run, "checkpoint")
    assert run.checkpoint_asked
    assert run.checkpoint(saver(), every_seconds=3600)
    assert not run.checkpoint(saver(), every_seconds=3600)
    assert not run.should_stop
    ask(run, "checkpoint")
    assert run.checkpoint_asked


def test_a_damaged_or_unknown_request_changes_nothing(run: RunContext) -> None:
    assert run.directory is not None
    (run.directory / wire.CONTROL).write_text('{"act')
    assert not run.should_stop
    ask(run, "dance")
    assert not run.should_stop
    assert not run.checkpoint_asked


def test_a_checkpoint_is_found_again_with_the_suffix_it_needs(tmp_path: Path) -> None:
    run = context(tmp_path)
    assert run.restore(lambda path: path) is None
    run.checkpoint(saver("one"), step=120, name="net.weights.h5")
    later = context(tmp_path)
    assert later.checkpoint_step == 120
    assert later.restore(lambda path: (path.name, path.read_text())) == ("net.weights.h5", "one")
    told = wire.read_json(tmp_path / "model" / checkpoints.FILE)
    assert told is not None
    assert (told["step"], told["run"], told["attempt"], told["seed"]) == (120, "r", 1, 3)
    assert (tmp_path / "model" / told["name"]).is_file()


def test_a_directory_and_several_files_of_one_beginning_are_checkpoints_too(tmp_path: Path) -> None:
    run = context(tmp_path)
    run.checkpoint(Path.mkdir, step=1)
    assert run.restore(lambda path: path.is_dir())
    run.checkpoint(lambda path: path.with_suffix(".index").write_text("x"), step=2)
    assert run.restore(lambda path: path.with_suffix(".index").read_text()) == "x"


def test_only_the_last_checkpoint_is_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    run = context(tmp_path)
    mine = tmp_path / "model" / "checkpoint-000500"
    mine.mkdir()
    for step in (1, 2, 2, 3):
        run.checkpoint(saver(str(step)), step=step)
    names = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert names == ["checkpoint-000003.saved", "checkpoint-000500", "checkpoint.json"]


@pytest.mark.parametrize("broken", ["save", "sync", "rename", "json", "removal"])
def test_an_end_at_any_moment_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    run = context(tmp_path)
    run.checkpoint(saver("old"), step=1)

    def die(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    def save(path: Path) -> None:
        path.write_text("half" if broken == "save" else "new")
        if broken == "save":
            die()

    places = {
        "sync": "mlpipeline.checkpoint._sync_tree",
        "rename": "pathlib.Path.rename",
        "json": "mlpipeline.wire.write_json",
        "removal": "mlpipeline.checkpoint._remove_others",
    }
    with monkeypatch.context() as patch:
        if broken in places:
            patch.setattr(places[broken], die)
        with pytest.raises(KeyboardInterrupt):
            run.checkpoint(save, step=2)
    later = context(tmp_path)
    expected = (2, "new") if broken == "removal" else (1, "old")
    assert (later.checkpoint_step, later.restore(Path.read_text)) == expected
    later.checkpoint(saver("next"), step=2)
    assert context(tmp_path).restore(Path.read_text) == "next"
    assert len(list((tmp_path / "model").iterdir())) == 2


def test_a_save_that_writes_nothing_and_a_bad_name_are_refused(run: RunContext) -> None:
    with pytest.raises(ModelFault, match="wrote nothing"):
        run.checkpoint(lambda path: None)
    for name in ("", "a/b", ".hidden"):
        with pytest.raises(ModelFault, match="plain file name"):
            run.checkpoint(saver(), name=name)
    assert run.checkpoint_step is None


def test_metrics_recorded_before_a_checkpoint_are_on_disk_with_it(run: RunContext) -> None:
    run.record(loss=1)
    run.checkpoint(saver())
    assert len(metrics(run)) == 1


def test_a_checkpoint_whose_files_are_gone_is_none(tmp_path: Path) -> None:
    run = context(tmp_path)
    run.checkpoint(saver(), step=1)
    (tmp_path / "model" / "checkpoint-000001.saved" / "checkpoint").unlink()
    (tmp_path / "model" / "checkpoint-000001.saved").rmdir()
    assert context(tmp_path).checkpoint_step is None
