"""The benchmarks' own bookkeeping: what is measured again replaces itself, and a tool that fails holds up nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import processes, report
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Unavailable
from benchmarks.figures import Figures, Series
from benchmarks.groups import beginning, growth, queue
from benchmarks.peers import WARM, Tool
from benchmarks.settings import Settings
from benchmarks.work import NOTHING, Stamp, gaps, spacing, stamps_of, write_script

MACHINE = {"cores": "2", "memory": "1 GiB", "processor": "p", "kernel": "k", "Python": "3"}


class Fake(Tool):
    cheap = True

    def __init__(self, name: str, fault: Exception | None = None) -> None:
        self.key = self.name = name
        self.fault = fault

    def prepare(self) -> None:
        if isinstance(self.fault, Unavailable):
            raise self.fault


def series(group: str, measure: str, tool: str, *values: float) -> Series:
    return Series(group=group, measure=measure, tool=tool, values=values)


def test_a_tool_that_fails_or_is_missing_leaves_its_reason_and_the_others_their_figures() -> None:
    tools = [Fake("a"), Fake("b", RuntimeError("broke")), Fake("c", Unavailable("not here"))]
    asked = []

    def once(tool: Tool) -> Iterator[Reading]:
        asked.append(tool.name)
        assert isinstance(tool, Fake)
        if tool.fault is not None:
            raise tool.fault
        yield Reading(measure="cost", values=(float(len(asked)),))

    found = {each.tool: each for each in Bench(Settings()).alternate("g", "cost", tools, 2, once)}
    assert asked == ["a", "b", "a"]
    assert found["a"].values == (1.0, 3.0)
    assert (found["b"].failed, found["b"].values) == ("RuntimeError: broke", ())
    assert (found["c"].skipped, found["c"].values) == ("not here", ())


def test_what_is_measured_again_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    figures = Figures.read(tmp_path / "results.json", MACHINE)
    figures.replace([series("g", "old", "a", 1), series("g", "cost", "b", 2), series("h", "cost", "c", 3)])
    figures.write(tmp_path / "results.json")
    again = Figures.read(tmp_path / "results.json", MACHINE)
    assert again.series == figures.series
    again.forget("g", {"a"})
    assert [each.tool for each in again.series.values()] == ["b", "c"]
    again.forget("g")
    assert [each.tool for each in again.series.values()] == ["c"]
    assert Figures.read(tmp_path / "results.json", MACHINE | {"cores": "8"}).series == {}


def test_the_report_says_what_is_reached_missed_and_not_measured() -> None:
    figures = Figures()
    figures.machine = MACHINE
    figures.replace([series("queue", queue.EDIT, WARM.name, 10, 30, 20), series("queue", queue.HELP, WARM.name, 500)])
    figures.replace([Series(group="queue", measure="m", tool="t", failed="broke | down")])
    lines = report.text(figures, {}).splitlines()
    assert "1 of 2 that were measured are reached." in lines
    assert "| edit saved -> in force on an idle scheduler | <= 50 ms | 20 ms | reached |  |" in lines
    assert "| `mlpipeline --help`, whole process | <= 120 ms | 500 ms | **missed** |  |" in lines
    assert "| m | t | **failed:** broke \\| down |" in lines


@pytest.mark.parametrize(("last", "word"), [(10.9, "reached"), (11.2, "**missed**"), (8.9, "**missed**")])
def test_a_cost_that_grows_or_shrinks_by_more_than_a_tenth_is_missed(last: float, word: str) -> None:
    figures = Figures()
    figures.machine = MACHINE
    figures.replace([series("growth", growth.after(0), WARM.name, 10.0)])
    figures.replace([series("growth", growth.after(100_000), WARM.name, last)])
    (line,) = (each for each in report.text(figures, {}).splitlines() if each.startswith("| cost of a run after"))
    assert line.split(" | ")[3] == word


def test_runs_leave_the_times_of_their_first_and_last_lines(tmp_path: Path) -> None:
    command = write_script(NOTHING, tmp_path)
    for _ in range(3):
        subprocess.run(command, check=True)
    assert [each.label for each in stamps_of(tmp_path / "stamps")] == ["script"] * 3
    stamps = [Stamp(1_000_000, 3_000_000, ""), Stamp(4_000_000, 5_000_000, ""), Stamp(9_000_000, 9_500_000, "")]
    assert gaps(stamps) == [1.0, 4.0]
    assert spacing(stamps) == 4.0


def test_what_was_started_and_left_behind_is_ended_and_nothing_else() -> None:
    sleep = "import time; time.sleep(600)"
    stranger = subprocess.Popen([sys.executable, "-c", sleep])
    try:
        with processes.directory() as root:
            detach = (
                f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleep!r}], start_new_session=True)"
            )
            processes.run([sys.executable, "-c", detach], root, dict(os.environ))
            (left,) = processes.carriers(root)
        assert not left.is_running() or left.status() == "zombie"
        assert not root.exists()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_report_says_when_others_were_at_work() -> None:
    figures = Figures()
    figures.machine = MACHINE
    figures.others = {"queue": 2.0}
    assert "busy" not in report.text(figures, {})
    figures.others = {"queue": 2.0, "idle": 55.0}
    assert "busy with other work (up to 55 % of it)" in report.text(figures, {})


def test_a_newcomer_installs_what_was_downloaded_before_or_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    status = 0

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        Path(command[command.index("--dest") + 1]).mkdir(parents=True, exist_ok=True)
        return subprocess.CompletedProcess(command, status, "", "")

    monkeypatch.setenv("MLP_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(beginning, "ROOT", tmp_path)
    with pytest.raises(Unavailable, match="this is no clone"):
        beginning.Newcomer().prepare()
    (tmp_path / ".git").mkdir()
    (tmp_path / "setup.cfg").write_text("[options]\ninstall_requires =\n    numpy>=1.26\n    click\n")
    monkeypatch.setattr(subprocess, "run", run)
    status = 1
    with pytest.raises(Unavailable, match="cannot be downloaded"):
        beginning.Newcomer().prepare()
    status = 0
    beginning.Newcomer().prepare()
    assert {"numpy>=1.26", "click", "setuptools>=68"} <= set(asked[-1])
    beginning.Newcomer().prepare()
    assert len(asked) == 2, "once is enough for one list of packages"
