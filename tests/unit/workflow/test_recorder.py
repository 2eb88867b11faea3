"""Results by content: of steps of a run, and from run to run."""

from __future__ import annotations

import logging
import pickle
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.context import RunContext
from mlpipeline.errors import MlpipelineError
from mlpipeline.workflow import Runner, content, signing
from mlpipeline.workflow.sources import Sources

from .conftest import WORKFLOW, Workbench

PARTS = """
from pathlib import Path
from mlpipeline.workflow import Component, Pipeline, Runner
def count(name):
    with Path("calls.txt").open("a") as file:
        file.write(name + "\\n")
class Fits(Component):
    rate: float = 0.5
    def fit(self, data):
        count("fit")
        self.model = {"sum": sum(data)}
        return self.model
    def predict(self, data):
        return [self.model["sum"] for _ in data]
    def read(self, path):
        count("read")
        return Path(path).read_text()
    def odd(self, data):
        count("odd")
        return lambda: data
class One(Pipeline):
    fits: Fits
    def first(self, data):
        count("first")
        return self.fits.fit(data)
    def second(self, data):
        count("second")
        if Path("fail").exists():
            raise RuntimeError("interrupted")
        return self.fits.predict(data)
    def third(self):
        count("third")
        return lambda: 3
class Two(Runner):
    def main(self):
        model = self.one.first([1, 2])
        again = self.one.first([1, 2])
        assert self.one.fits.model is again
        self.one.third()
        return {"predicted": self.one.second([0])[0], "sum": model["sum"]}
"""
RECORDED = "runner: Two\npipeline: {one: One}\ncomponent: {fits: Fits}\n"


@pytest.fixture
def recorded(bench: Workbench) -> Workbench:
    bench.write("components/rec.py", PARTS)
    return bench


def calls(bench: Workbench) -> list[str]:
    path = bench.root / "calls.txt"
    found = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def attempt(bench: Workbench, run: str = "run-1", text: str = RECORDED) -> Runner:
    """Loads a runner as the queue would train it."""
    for name in [name for name in sys.modules if name.startswith("components")]:
        del sys.modules[name]  # another process
    runner = bench.load(text, lazy=True)
    runner.run = RunContext(model="w.yaml", run_id=run, model_dir=bench.root / "model", directory=None)
    return runner


def test_a_run_that_was_interrupted_goes_on_behind_the_steps_it_had_done(recorded: Workbench) -> None:
    (recorded.root / "fail").touch()
    with pytest.raises(RuntimeError, match="interrupted"):
        attempt(recorded).train_model(None, 1)
    assert calls(recorded) == ["first", "fit", "first", "fit", "third", "second"]
    (recorded.root / "fail").unlink()
    assert attempt(recorded).train_model(None, 1) == {"predicted": 3, "sum": 3}
    # The third step's result cannot be kept, so it is repeated; the trainer is fitted without a call of fit.
    assert calls(recorded) == ["third", "second"]


def test_another_run_repeats_everything_and_removes_the_records(recorded: Workbench) -> None:
    attempt(recorded).train_model(None, 1)
    calls(recorded)
    attempt(recorded, "run-2").train_model(None, 1)
    assert calls(recorded) == ["first", "fit", "first", "fit", "third", "second"]
    assert [path.name for path in (recorded.root / "model" / "steps").iterdir()] == ["run-2"]


def test_the_records_go_when_the_run_is_complete(recorded: Workbench) -> None:
    runner = attempt(recorded)
    runner.train_model(None, 1)
    runner.post_execution_hook(next(iter(runner.versions)), str(recorded.root / "model"))
    assert list((recorded.root / "model" / "steps").iterdir()) == []


def test_a_damaged_record_is_no_record(recorded: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    attempt(recorded).train_model(None, 1)
    calls(recorded)
    for path in (recorded.root / "model" / "steps" / "run-1").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING, "mlpipeline.model"):
        attempt(recorded).train_model(None, 1)
    assert calls(recorded).count("first") == 2
    assert "is damaged, or somebody else's: the call is made again" in caplog.text


def test_what_somebody_else_has_written_is_not_read(
    recorded: Workbench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stranger:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (recorded.root / "harm",)

    attempt(recorded).train_model(None, 1)
    calls(recorded)
    payload = pickle.dumps((Stranger(), {}))
    with monkeypatch.context() as theirs:
        theirs.setenv("XDG_STATE_HOME", str(recorded.root / "theirs"))
        signed = signing.sign(payload) + payload
    for path in (recorded.root / "model" / "steps" / "run-1").iterdir():
        path.write_bytes(signed)
    with caplog.at_level(logging.WARNING, "mlpipeline.model"):
        attempt(recorded).train_model(None, 1)
    assert calls(recorded).count("first") == 2
    assert not (recorded.root / "harm").exists()
    assert "somebody else's" in caplog.text


def test_the_key_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    signature = signing.sign(b"content")
    assert signing.is_signed(b"content", signature)
    assert not signing.is_signed(b"Content", signature)
    (key,) = (tmp_path / "mlpipeline").iterdir()
    assert (stat.S_IMODE(key.stat().st_mode), key.stat().st_size) == (0o600, 32)
    signing._key.cache_clear()
    key.chmod(0o644)
    with pytest.raises(MlpipelineError, match="can be read by others"):
        signing.sign(b"content")
    key.chmod(0o600)
    key.write_bytes(b"")
    with pytest.raises(MlpipelineError, match="is no key"):
        signing.sign(b"content")


@pytest.mark.parametrize(
    ("text", "repeated"), [(PARTS, 0), (f"# more\n{PARTS}", 0), (PARTS.replace("sum(data)", "1 + sum(data)"), 2)]
)
def test_a_change_of_source_repeats_the_step(recorded: Workbench, text: str, repeated: int) -> None:
    attempt(recorded).train_model(None, 1)
    calls(recorded)
    recorded.write("components/rec.py", text)
    attempt(recorded).train_model(None, 1)
    assert calls(recorded).count("fit") == repeated


def test_each_step_of_a_list_is_recorded(recorded: Workbench) -> None:
    text = """
    pipeline:
      one:
        - {call: fits.fit, with: {data: [1, 2]}, as: model}
        - {call: fits.odd, with: {data: $model}}
        - {call: fits.predict, with: {data: [0]}, as: predicted}
    component: {fits: Fits}
    """
    assert attempt(recorded, text=text).train_model(None, 1) is None
    assert calls(recorded) == ["fit", "odd"]
    attempt(recorded, text=text).train_model(None, 1)
    assert calls(recorded) == ["odd"]


def test_what_happens_within_a_step_is_not_recorded_by_itself(recorded: Workbench) -> None:
    recorded.write(
        "components/outer.py",
        "from components.rec import One\nfrom mlpipeline.workflow import Pipeline, Runner\n"
        "class Outer(Pipeline):\n    one: One\n"
        "    def main(self):\n        return self.inner([1, 2])\n"
        "    def inner(self, data):\n        return self.one.first(data)\n",
    )
    text = "pipeline: {outer: Outer, one: One}\nrunner: [{call: outer.main}]\ncomponent: {fits: Fits}\n"
    attempt(recorded, text=text).train_model(None, 1)
    assert len(list((recorded.root / "model" / "steps" / "run-1").iterdir())) == 1
    attempt(recorded, text=text).train_model(None, 1)
    assert calls(recorded) == ["first", "fit"]


CACHED = "component: {fits: Fits}\ncache: {methods: [fits.fit, fits.read]}\n"


def test_a_cached_fit_restores_a_usable_trainer_in_every_run(recorded: Workbench) -> None:
    assert recorded.load(CACHED).fits.fit([1, 2]) == {"sum": 3}
    trainer = recorded.load(CACHED).fits
    assert trainer.fit([1, 2]) == {"sum": 3}
    assert trainer.predict([0, 0]) == [3, 3]
    assert calls(recorded) == ["fit"]


def test_the_cache_tells_arguments_configuration_files_and_source_apart(recorded: Workbench) -> None:
    given = ([1], [1, 2], (1, 2), [1, 2], [True, 2])
    assert [recorded.load(CACHED).fits.fit(data)["sum"] for data in given] == [1, 3, 3, 3, 3]
    assert calls(recorded) == ["fit"] * 4  # a list is no tuple, and True is not 1
    trainer = recorded.load(CACHED).fits
    path = recorded.write("data.csv", "a")
    assert (trainer.read("data.csv"), trainer.read("data.csv")) == ("a", "a")
    path.write_text("b")
    assert trainer.read("data.csv") == "b"
    assert calls(recorded) == ["read", "read"]
    recorded.load(CACHED, "config: {rate: 0.7}\n").fits.fit([1])
    assert calls(recorded) == ["fit"]


def test_a_file_named_by_the_configuration_is_part_of_the_content(recorded: Workbench) -> None:
    named = (
        PARTS.partition("class One")[0].replace("rate: float = 0.5", "rate: str").replace("class Fits", "class Named")
    )
    recorded.write("components/named.py", named)
    text = "component: {named: Named}\ncache: {methods: [named.fit]}\nconfig: {rate: rates.csv}\n"
    recorded.write("rates.csv", "1")
    recorded.load(text).named.fit([1])
    recorded.load(text).named.fit([1])
    recorded.write("rates.csv", "2")
    recorded.load(text).named.fit([1])
    assert calls(recorded) == ["fit", "fit"]


@pytest.mark.parametrize(
    ("cache", "told"),
    [
        ("{methods: [fits.ft]}", "cache: Fits has no method 'ft'. Did you mean 'fit'?"),
        ("{methods: [fit.fit]}", "cache: there is no part 'fit'. Did you mean 'fits'?"),
        ("{methods: fits.fit}", "cache takes a list of methods"),
        ("{method: []}", "'method' means nothing in cache. Did you mean 'methods'?"),
        ("{methods: [], dir: 3}", "dir is the name of a directory"),
        ("{methods: [printer.tell]}", "tell of Printer has side effects, which a cached result would leave out"),
    ],
)
def test_a_faulty_cache_is_told(recorded: Workbench, cache: str, told: str) -> None:
    assert any(
        told in each for each in recorded.faults(f"component: {{fits: Fits, printer: Printer}}\ncache: {cache}\n")
    )


def test_equal_values_have_equal_digests_and_others_have_not() -> None:
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    values = [1, 1.5, "1", [1], [1, 2], (1,), {"a": 1}, {"a": 2}, None, b"1", numpy.arange(3), numpy.arange(3.0), frame]
    digests = [content.of_value(value) for value in values]
    assert len(set(digests)) == len(values)
    assert content.of_value(numpy.arange(3)) == digests[10]
    assert content.of_value(pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})) == digests[12]
    assert content.of_value({"x": 1, "y": 2}) == content.of_value({"y": 2, "x": 1})
    with pytest.raises(content.NoContent):
        content.of_value(lambda: 3)


def test_a_module_that_a_class_imports_is_part_of_its_source(bench: Workbench) -> None:
    bench.write(
        "components/part.py", "from mlpipeline.workflow import Component\nimport helping\nclass Part1(Component): ...\n"
    )
    bench.write("helping.py", "x = 1  # comment\n")
    kind = type(bench.load("component: {p: Part1}\n").p)
    one = content.of_class(kind, Sources(bench.root))
    bench.write("helping.py", "x = 1\n")
    assert content.of_class(kind, Sources(bench.root)) == one
    bench.write("helping.py", "x = 2\n")
    assert content.of_class(kind, Sources(bench.root)) != one


def test_directories_count_by_what_lies_in_them(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    empty = content.of_files(["d", "not there", "a\nb"], tmp_path)
    (tmp_path / "d" / "x").write_text("1")
    assert content.of_files(["d"], tmp_path) != empty
    assert [name for name, _ in empty] == ["d"]


def test_outside_the_queue_nothing_is_recorded(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW)
    assert runner.train_model() == {"mean": 2}
    assert not (bench.root / "steps").exists()


def test_what_was_cut_out_of_a_table_is_the_same_when_it_is_read_back() -> None:
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {"a": range(9), "text": list("abcabcabc"), "b": numpy.linspace(0, 1, 9), "c": range(9), "t": None}
    ).assign(kind=lambda frame: frame["text"].astype("category"), when=pandas.Timestamp("2026-01-01"))
    cut = table.iloc[[1, 5, 7]]
    values = [cut, cut.drop(columns="a"), cut["text"], cut.index, numpy.arange(12).reshape(3, 4)[:, ::2]]
    for value in values:
        assert content.of_value(pickle.loads(pickle.dumps(value))) == content.of_value(value)
    assert len({content.of_value(each) for each in (cut, cut.iloc[::-1], cut.rename(columns={"a": "z"}), table)}) == 4
    assert content.of_value(cut["a"]) != content.of_value(cut["c"].rename("d"))
    lists = pandas.DataFrame({"x": [[1], [2]]})
    assert content.of_value(lists) == content.of_value(lists.copy())
