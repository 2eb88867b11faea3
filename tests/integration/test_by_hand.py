"""Commands that work in the project: fit, tune, task, console, notebook, test; as processes, and on a terminal."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .conftest import GENEROUS_SECONDS, Workshop

BODY = """
version = self.current_version
truth("drew", self.run.version, x=version["x"], epochs=version.epochs, kind=version["kind"])
for step in self.run.steps(range(version["count"])):
    self.run.record(loss=version["x"])
    if version["count"] > 100: time.sleep(0.01)
print("trained with", version["x"])
"""
VERSIONS = (
    "Versions(dataloader=Loader(), batch_size=2, epochs=1, count=3)"
    '.add("one", x=2.0, kind="a").add("two", x=3, kind="b")'
)


@pytest.fixture
def plain(workshop: Workshop) -> Workshop:
    workshop.config("preload = none\n")
    workshop.model("m.py", BODY, VERSIONS)
    workshop.list("m.py")
    return workshop


def drew(workshop: Workshop) -> list[dict[str, Any]]:
    names = ("version", "x", "epochs", "kind")
    return [{name: row[name] for name in names} for row in workshop.truth("drew")]


def test_fit_trains_a_version_with_other_parameters_and_the_history_has_it(plain: Workshop) -> None:
    status, text = plain.run("fit", "models/m.py:MODEL", "--x", "4", "--epochs", "7", "--set", "kind=c")
    assert status == 0, text
    assert drew(plain) == [{"version": "one", "x": 4.0, "epochs": 7, "kind": "c"}]
    assert "trained with 4.0" in text
    row = plain.history()[0]
    assert (row["model"], row["version"], row["state"]) == ("m.py", "one", "succeeded")
    assert {name: row["params"][name] for name in ("x", "epoc_count", "kind")} == {
        "x": 4.0,
        "epoc_count": 7,
        "kind": "c",
    }
    assert f"run {row['id']}: m.py:one with x=4.0 epochs=7 kind='c'" in text
    assert plain.run("fsck")[0] == 0
    assert plain.run("-r", "-u")[0] == 0  # other parameters answer no wish: both versions are still to be trained
    assert len(drew(plain)) == 3
    assert not plain.left_behind()


def test_fit_tells_the_parameters_and_what_is_none(plain: Workshop) -> None:
    listed = plain.json("fit", "m.py:two", "--list")["parameters"]
    assert listed["x"] == {"kinds": "int", "value": "3"}
    assert listed["epochs"] == {"kinds": "int | float", "value": "1"}
    for words, told in (
        (["m.py", "--kid", "b"], "m.py:one has no parameter 'kid'. Did you mean 'kind'?"),
        (["m.py:two", "--x", "2.5"], "--x 2.5: must be int"),
        (["m.py:tow"], "no version 'tow'. Did you mean 'two'?"),
        (["nothing.py"], "nothing.py"),
    ):
        status, text = plain.run("fit", *words)
        assert (status, told in text) == (2, True), text
    (plain.models / "bad.py").write_text("import nothere\n")
    status, text = plain.run("fit", "bad.py")
    assert (status, "No module named 'nothere'" in text) == (1, True), text
    assert not (plain.outputs / "runs").exists() or not list((plain.outputs / "runs").iterdir())


def test_a_fit_that_fails_says_where_and_exits_with_1(plain: Workshop) -> None:
    plain.model("m.py", "raise ValueError('no such luck')", VERSIONS)
    status, text = plain.run("fit", "m.py")
    assert (status, "no such luck" in text) == (1, True), text
    assert plain.history()[0]["state"] == "failed"
    assert plain.json("fit", "m.py:two")["state"] == "failed"


@pytest.mark.parametrize("rerun_on", ["code", "never"])
def test_a_fit_answers_no_wish_however_it_ended(plain: Workshop, rerun_on: str) -> None:
    plain.config(f"preload = none\nrerun_on = {rerun_on}\n")
    plain.model("m.py", "assert (ROOT / 'mended').exists()", VERSIONS)
    assert plain.run("fit", "m.py:one")[0] == 1
    (plain.root / "mended").touch()
    assert plain.run("fit", "m.py:two")[0] == 0
    status, text = plain.run("-r", "-u")
    assert status == 0, text
    assert sorted(row["version"] for row in plain.history()) == ["one", "one", "two", "two"]


@pytest.mark.parametrize(("number", "state"), [(signal.SIGINT, "cancelled"), (signal.SIGTERM, "cancelled")])
def test_a_fit_can_be_ended(plain: Workshop, number: signal.Signals, state: str) -> None:
    process = plain.start("fit", "m.py", "--count", "100000")
    plain.until(lambda: plain.truth("drew"), "the training begins")
    process.send_signal(number)
    output, _ = process.communicate(timeout=GENEROUS_SECONDS)
    assert (process.returncode, plain.history()[0]["state"]) == (130, state), output
    assert ("after this step" in output) == (number is signal.SIGINT)
    plain.until(lambda: not plain.left_behind(), "no process is left")


def test_fit_goes_beside_a_scheduler(plain: Workshop) -> None:
    plain.model("long.py", 'while not (ROOT / "go").exists(): time.sleep(0.01)')
    plain.list("long.py")
    scheduler = plain.start("-r", "-u")
    plain.until(lambda: plain.truth("train"), "the queue trains")
    status, text = plain.run("fit", "m.py:two", "--x", "5")
    (plain.root / "go").touch()
    assert status == 0, text
    assert scheduler.wait(GENEROUS_SECONDS) == 0
    assert sorted(row["model"] for row in plain.history()) == ["long.py", "m.py"]


def test_a_fit_beside_a_scheduler_that_is_stopped_says_that_it_is_recorded_later(plain: Workshop) -> None:
    plain.model("long.py", 'while not (ROOT / "go").exists(): time.sleep(0.01)')
    plain.list("long.py")
    scheduler = plain.start("-r", "-u")
    plain.until(lambda: plain.truth("train"), "the queue trains")
    scheduler.send_signal(signal.SIGSTOP)
    status, text = plain.run("fit", "m.py:two")
    assert (status, "it will be in the history when" in text) == (0, True), text
    assert plain.run("fsck")[0] == 0
    (plain.root / "go").touch()
    scheduler.send_signal(signal.SIGCONT)
    assert scheduler.wait(GENEROUS_SECONDS) == 0
    assert sorted(row["model"] for row in plain.history()) == ["long.py", "m.py"]


def test_tune_searches_and_goes_on_where_it_was(plain: Workshop) -> None:
    words = ["tune", "m.py:two", "--metric", "loss", "--sampler", "random", "--x", "1..100", "--kind", "b,c"]
    status, text = plain.run(*words, "--count", "2", "--trials", "3")
    assert status == 0, text
    assert "3 of 3 trials drawn, 3 done; best loss" in text
    assert f"mlpipeline fit m.py:two --x {min(row['x'] for row in drew(plain))}" in text
    told = plain.json(*words, "--count", "2", "--trials", "5")
    assert (told["exit_status"], told["studies"][0]["done"]) == (0, 5)
    rows = drew(plain)
    assert [row["version"] for row in rows] == [f"trial-{number}" for number in range(1, 6)]
    assert all(type(row["x"]) is int and 1 <= row["x"] <= 100 and row["kind"] in "bc" for row in rows)


def test_tune_refuses_what_is_no_space(plain: Workshop) -> None:
    for words, told in (
        ([], "nothing to search"),
        (["--y", "1..3"], "no parameter 'y'"),
        (["--x", "3..1"], "swap them"),
    ):
        status, text = plain.run("tune", "m.py", *words)
        assert (status, told in text) == (2, True), text


def test_tasks_are_listed_run_and_logged(plain: Workshop) -> None:
    (plain.root / "tasks").mkdir()
    (plain.root / "tasks" / "chores.py").write_text(
        '"""Chores."""\n'
        "import os\n"
        "from pathlib import Path as Nothing\n\n"
        "def greet(name: str, times: int = 1, loud: bool = False, more: list | None = None):\n"
        '    """Says hello.\n\n    Loudly, perhaps."""\n'
        "    print(os.getpid(), name, times, loud, more)\n\n"
        "def count(to=3): return to\n\n"
        "def leave(): raise SystemExit(7)\n\n"
        "class Clean:\n    'Removes files.'\n    def main(self, days=30): raise ValueError(f'not {days}')\n\n"
        "def _hidden(): pass\n"
    )
    status, text = plain.run("task")
    assert (status, "chores.greet" in text, "Says hello." in text, "hidden" in text) == (0, True, True, False), text
    tasks = plain.json("task")["tasks"]
    assert list(tasks) == ["chores.greet", "chores.count", "chores.leave", "chores.Clean"]
    status, text = plain.run("task", "greet", "--name", "bob", "--times=2", "--loud", "--more", "1,x")
    assert (status, text.split(" ", 1)[1]) == (0, "bob 2 True [1, 'x']\n")
    for words, found, told in (
        (["chores.count", "--to", "5"], 5, ""),
        (["leave"], 7, ""),
        (["clean", "--days", "9"], 1, "ValueError: not 9"),
        (["greet"], 2, "needs --name"),
        (["greet", "--nam", "x"], 2, "no parameter 'nam'. Did you mean 'name'? It has: name, times, loud, more"),
        (["greet", "--name", "x", "--times", "two"], 2, "--times two: must be int"),
        (["great"], 2, "no task 'great'. Did you mean 'greet'?"),
    ):
        status, text = plain.run("task", *words)
        assert (status, told in text) == (found, True), text
    log = (plain.outputs / "tasks.log").read_text()
    assert "start chores.greet name='bob' times=2" in log
    assert "ValueError: not 9" in log
    (plain.root / "tasks" / "broken.py").write_text("import nothere\n")
    status, text = plain.run("task")
    assert (status, "tasks/broken.py: ModuleNotFoundError" in text, "chores.greet" in text) == (1, True, True)
    assert plain.run("task", "count", "--to", "0")[0] == 0


def test_without_tasks_the_list_says_where_they_go(plain: Workshop) -> None:
    status, text = plain.run("task")
    assert (status, "tasks/NAME.py" in text) == (0, True)


def on_a_terminal(plain: Workshop, *words: str, typed: bytes, **variables: str) -> str:
    """Runs a command on a pseudo-terminal, types, and returns all that was shown."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(plain.root)
        os.environ.update(TERM="dumb", **variables)
        os.execv(sys.executable, [sys.executable, "-m", "mlpipeline", *words])
    shown = b""
    sent = False
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while more := os.read(descriptor, 4096):
            shown += more
            if not sent and (b">>> " in shown or b"In [" in shown):
                os.write(descriptor, typed)
                sent = True
    os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    return shown.decode()


def test_a_console_knows_the_project_and_names_its_environment(plain: Workshop) -> None:
    typed = b"import m; print('found', m.MODEL.versions, 6 * 7)\nexit()\n"
    shown = on_a_terminal(plain, "console", "--plain", typed=typed, MLP_ENV="production")
    assert "\033[1;31mproduction\033[0m" in shown
    assert "found Versions(one, two) 42" in shown


def test_ipythons_files_lie_among_the_outputs(plain: Workshop, tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    done = subprocess.run(
        [sys.executable, "-m", "mlpipeline", "console"],
        cwd=plain.root,
        env={**os.environ, "HOME": str(tmp_path)},
        input="import m; print('found', 6 * 7)\n",
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=True,
    )
    assert f"{plain.root.name} (development)" in done.stdout
    assert "found 42" in done.stdout
    assert (plain.outputs / "ipython").is_dir()
    assert not list(tmp_path.glob(".[ij]*"))


def test_own_tests_run_in_the_test_environment(plain: Workshop) -> None:
    (plain.root / "tests").mkdir()
    text = (
        "import os, unittest, m\n\nclass T(unittest.TestCase):\n"
        "    def test_good(self): self.assertEqual(os.environ['MLP_ENV'], 'test')\n"
        "    def test_bad(self): self.assertTrue(m.MODEL is None)\n"
    )
    (plain.root / "tests" / "test_it.py").write_text(text)
    status, shown = plain.run("test", "-q")
    assert (status, "1 failed, 1 passed" in shown) == (1, True), shown
    assert plain.run("test", "-q", "tests/test_it.py", "-k", "good")[0] == 0
    status, shown = plain.run("test", "--unittest")
    assert (status, "Ran 2 tests" in shown) == (1, True), shown


def test_no_tests_are_told_from_skipped_ones(plain: Workshop) -> None:
    status, shown = plain.run("test", "-q")
    assert (status, "has no tests: write the first one, tests/test_models.py" in shown) == (5, True), shown
    status, shown = plain.run("test", "--unittest")
    assert (status, "has no tests: write the first one, tests/test_models.py" in shown) == (5, True), shown
    (plain.root / "tests").mkdir()
    status, shown = plain.run("test")
    assert (status, "has no tests: write the first one, tests/test_models.py" in shown) == (5, True), shown
    path = plain.root / "tests" / "test_it.py"
    path.write_text("import pytest\npytest.importorskip('no_such_library')\ndef test_it(): pass\n")
    status, shown = plain.run("test")
    assert (status, "All tests were skipped: mlpipeline test -rs says why." in shown) == (0, True), shown
    (plain.root / "tests" / "test_more.py").write_text("def test_more(): pass\n")
    status, shown = plain.run("test", "-k", "misspelt")
    assert (status, "No test was chosen by -k misspelt: name others." in shown) == (5, True), shown
    assert plain.run("test")[0] == 0


def test_unittest_tells_skipped_tests_from_none(plain: Workshop) -> None:
    (plain.root / "tests").mkdir()
    path = plain.root / "tests" / "test_it.py"
    path.write_text("import unittest\nraise unittest.SkipTest('no_such_library')\n")
    status, shown = plain.run("test", "--unittest")
    assert (status, "skipped=1" in shown) == (0, True), shown
    path.write_text("import no_such_library\n")
    status, shown = plain.run("test", "--unittest")
    assert (status, "No module named 'no_such_library'" in shown) == (1, True), shown


def test_notebooks_are_served_on_this_machine_with_a_kernel_of_the_project(plain: Workshop, tmp_path: Path) -> None:
    if not all(map(importlib.util.find_spec, ("jupyterlab", "ipykernel"))):
        status, text = plain.run("notebook", "--no-browser")
        assert (status, "mlpipeline[notebook]" in text) == (1, True)
        pytest.skip("jupyterlab is not installed: what is said then is tested")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["notebook", "--no-browser", "--port", str(port), "--IdentityProvider.token=secret", "--allow-root"]
    process = plain.start(*words, variables={"HOME": str(tmp_path)})
    url = f"http://127.0.0.1:{port}/api/kernelspecs?token=secret"

    def specs() -> Any:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            assert process.poll() is None, process.communicate()
            return None

    found = plain.until(specs, "the server answers")
    kernel = found["kernelspecs"]["mlpipeline"]["spec"]
    assert (found["default"], kernel["display_name"]) == ("mlpipeline", f"{plain.root.name} (development)")
    assert str(plain.models) in kernel["env"]["PYTHONPATH"]
    process.terminate()
    process.communicate(timeout=GENEROUS_SECONDS)
    assert not list(tmp_path.glob(".[ij]*"))
    end = time.monotonic() + GENEROUS_SECONDS
    while plain.left_behind() and time.monotonic() < end:
        time.sleep(0.05)
    assert not plain.left_behind()


def test_the_new_commands_complete(plain: Workshop) -> None:
    (plain.root / "tasks").mkdir()
    (plain.root / "tasks" / "chores.py").write_text("def greet(): pass\nclass Clean:\n    def main(self): pass\n")

    def offered(*words: str) -> str:
        line = " ".join(["mlpipeline", *words])
        variables = {"_MLPIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
        done = subprocess.run(
            [sys.executable, "-c", "from mlpipeline.cli.main import main; main()"],
            cwd=plain.root,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=GENEROUS_SECONDS,
            check=False,
        )
        return done.stdout

    assert "chores.greet" in offered("task", "ch")
    assert "m.py" in offered("fit", "m")
    assert "m.py" in offered("tune", "m")
    assert "tune" in offered("tu")
    assert "--sampler" in offered("tune", "m.py", "--sa")
