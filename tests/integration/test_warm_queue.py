"""The warm process over a scheduler's life: bad names, stale packages, idle hours, what is learnt, what is stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from .conftest import Workshop

TWO = 'Versions(0.1, Loader(), 2, 1).add("a").add("b")'
PRELOADED = 'import sys\ntruth("modules", self.run.version, names=sorted(set(sys.modules)))'
NUMBERED = """
import os, time
from pathlib import Path
HERE = Path(__file__).parent
with (HERE / "imported").open("a") as file: file.write(f"{os.getpid()}\\n")
while (HERE / "wait").exists(): time.sleep(0.01)
"""


@pytest.fixture
def installed(workshop: Workshop) -> Path:
    """A directory of packages that the queue's processes find."""
    path = workshop.root.parent / "site-packages"
    path.mkdir()
    (path / "mlptest").mkdir()
    (path / "mlptest" / "__init__.py").write_text(NUMBERED)
    return path


def start(workshop: Workshop, installed: Path, *arguments: str) -> subprocess.Popen[str]:
    return workshop.start(
        "-r",
        "-u",
        *arguments,
        variables={"PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])},
    )


def importers(installed: Path) -> list[int]:
    """Processes that have begun to import the package, in order."""
    path = installed / "mlptest" / "imported"
    return list(map(int, path.read_text().split())) if path.exists() else []


def end(workshop: Workshop, process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(60)
    workshop.until(lambda: workshop.left_behind() == [], "everything ends")


def preloaded(workshop: Workshop) -> list[set[str]]:
    return [set(row["names"]) for row in workshop.truth("modules")]


def test_a_bad_name_is_told_and_the_queue_ends_well(workshop: Workshop, installed: Path) -> None:
    (installed / "mlptest_bad.py").write_text("import os\nos._exit(9)")
    workshop.config("preload = mlptest_bad, mlptest, mlptest_absent\n")
    workshop.model("m.py", PRELOADED, TWO)
    workshop.list("m.py")
    process = start(workshop, installed)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    lines = [line for line in workshop.output().splitlines() if "preload: " in line]
    assert len(lines) == 3, lines
    assert lines[0].endswith("preload: mlptest_bad: left out: ended with exit status 9")
    assert "WARNING preload: mlptest_absent: left out: cannot be imported: ModuleNotFoundError" in lines[1]
    assert "INFO    preload: mlptest in " in lines[2]
    assert all("mlptest" in names for names in preloaded(workshop))
    assert len(importers(installed)) == 1


def test_a_package_that_was_touched_is_imported_again(workshop: Workshop, installed: Path) -> None:
    workshop.config("preload = mlptest\n")
    workshop.model("m.py", PRELOADED)
    workshop.list("m.py")
    process = start(workshop, installed, "--watch")
    workshop.until(lambda: workshop.truth("trained"), "the first one is trained")
    assert len(importers(installed)) == 1
    path = installed / "mlptest" / "__init__.py"
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 10**9))
    workshop.model("m.py", PRELOADED, 'Versions(0.1, Loader(), 2, 1).add("two")')
    workshop.until(lambda: len(workshop.truth("trained")) == 2, "the second one is trained")
    assert len(importers(installed)) == 2
    assert workshop.output().count(f"preload: {path} has changed: importing again") == 1
    assert all("mlptest" in names for names in preloaded(workshop))
    end(workshop, process)


def test_an_idle_scheduler_lets_the_warm_process_go(workshop: Workshop, installed: Path) -> None:
    workshop.config("preload = mlptest\nidle_release_seconds = 1\n")
    workshop.model("m.py", PRELOADED)
    workshop.list("m.py")
    process = start(workshop, installed, "--watch")
    workshop.until(lambda: workshop.truth("trained"), "the first one is trained")
    workshop.until(lambda: workshop.left_behind() == [process.pid], "warm process and spare are gone")
    assert process.poll() is None
    workshop.model("m.py", PRELOADED, 'Versions(0.1, Loader(), 2, 1).add("two")')
    workshop.until(lambda: len(workshop.truth("trained")) == 2, "the second one is trained")
    assert all("mlptest" in names for names in preloaded(workshop))
    assert len(importers(installed)) == 2
    end(workshop, process)


def test_what_a_run_imports_late_is_imported_before_the_next_one(workshop: Workshop) -> None:
    pytest.importorskip("pandas")
    workshop.model("m.py", PRELOADED + '\nimport importlib\nimportlib.import_module("pan" + "das")')
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    path = workshop.outputs / "preload-here.json"
    assert "pandas" in json.loads(path.read_text())["m.py"]
    assert "pandas" not in preloaded(workshop)[0]
    assert workshop.run("-r")[0] == 0
    assert "pandas" in preloaded(workshop)[1]
    assert re.search(r"preload: numpy, pandas(, pyarrow)? in ", workshop.output())


def test_commands_that_read_learn_and_write_nothing(workshop: Workshop) -> None:
    workshop.model("m.py", "import numpy")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0

    def state() -> dict[str, tuple[int, int]]:
        found = {
            str(each): each.stat() for each in workshop.root.rglob("*") if not each.name.endswith(("-shm", "-wal"))
        }
        return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items() if not os.path.isdir(name)}

    workshop.model("m.py", "import numpy, json")
    before = state()
    for command in ("plan", "status", "history", "why m.py", "fsck"):
        status, text = workshop.run(*command.split())
        assert status in (0, 1), text
    assert state() == before


def importing(workshop: Workshop, installed: Path) -> subprocess.Popen[str]:
    """Starts a scheduler whose first run waits for an import."""
    workshop.config("preload = mlptest\n")
    workshop.model("m.py", PRELOADED)
    workshop.list("m.py")
    process = start(workshop, installed, "--watch")
    workshop.until(lambda: workshop.truth("trained"), "the first one is trained")
    path = installed / "mlptest" / "__init__.py"
    # Described it is before the package changes; it is run after that.
    (workshop.root / "hold").touch()
    assert workshop.run("pause", "--wait")[0] == 0
    workshop.model("m.py", PRELOADED, 'Versions(0.1, Loader(), 2, 1).add("two")')
    workshop.until(lambda: "two" in workshop.run("plan")[1], "it is described")
    (path.parent / "wait").touch()
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 10**9))
    assert workshop.run("resume", "--wait")[0] == 0
    workshop.until(lambda: len(importers(installed)) == 2, "the package is being imported again")
    workshop.until(lambda: "start m.py:two" in workshop.output(), "the second one is submitted")
    return process


def test_a_run_that_waits_for_an_import_can_be_cancelled(workshop: Workshop, installed: Path) -> None:
    process = importing(workshop, installed)
    assert workshop.run("cancel", "m.py")[0] == 0
    (installed / "mlptest" / "wait").unlink()
    workshop.until(lambda: workshop.history()[0]["state"] == "cancelled", "it is cancelled")
    end(workshop, process)
    assert len(workshop.truth("trained")) == 1


def test_a_run_that_waits_for_an_import_goes_on_without_its_scheduler(workshop: Workshop, installed: Path) -> None:
    process = importing(workshop, installed)
    assert workshop.run("stop", "--detach")[0] == 0
    process.wait(60)
    workshop.until(lambda: len(workshop.truth("trained")) == 2, "it trains by itself")
    workshop.until(lambda: workshop.left_behind() == [], "everything ends")
    (installed / "mlptest" / "wait").unlink()
    assert start(workshop, installed).wait(60) == 0
    assert len(workshop.truth("train")) == 2
    assert {row["state"] for row in workshop.history()} == {"succeeded"}


def test_a_run_that_waits_for_an_import_is_begun_once_though_its_scheduler_is_killed(
    workshop: Workshop, installed: Path
) -> None:
    process = importing(workshop, installed)
    process.kill()
    process.wait()
    (installed / "mlptest" / "wait").unlink()
    workshop.until(lambda: workshop.left_behind() == [], "everything ends")
    assert start(workshop, installed).wait(60) == 0
    assert [row["version"] for row in workshop.truth("train")] == ["one", "two"]
    assert workshop.history()[0]["state"] == "succeeded"
