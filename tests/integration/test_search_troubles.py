"""Searches and their files: a disk that is full for a while, and trials that somebody has damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .conftest import GENEROUS_SECONDS, Workshop
from .test_search import check, trials, write

FULL = """
import builtins, errno, os, sys
if "execution.asking" in " ".join(sys.orig_argv):
    real = os.fsync
    def fsync(descriptor):
        if os.path.exists({full!r}):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor)
    os.fsync = fsync
"""


@pytest.fixture
def searching(workshop: Workshop) -> Workshop:
    workshop.config("preload = none\n")
    return workshop


def test_a_full_disk_of_who_draws_passes(searching: Workshop, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FULL.format(full=str(full)))
    write(searching, 'trials=3, metric="loss", sampler="random"')
    variables = {"PYTHONPATH": f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}"}
    process = searching.start("-r", "-u", variables=variables)
    said = f"{searching.outputs / 'studies' / 'm.py'}: No space left on device: free space there"
    assert process.stdout is not None
    line = next(line for line in process.stdout if said in line)
    assert "trials cannot be drawn" in line
    assert trials(searching) == {}
    full.unlink()
    text, _ = process.communicate(timeout=GENEROUS_SECONDS)
    assert process.returncode == 0, text
    assert "what stood in the way is over" in text
    check(searching, 3)
    assert not list((searching.outputs / "studies").rglob("*.part"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"drawn": None}, "its 'drawn' is None"),
        ({"params_digest": 5}, "its 'params_digest' is 5"),
        ({"study": ...}, "its 'study' is missing"),
        (None, "its 'study' is missing"),
    ],
)
def test_a_trial_that_is_damaged_is_named_with_what_to_do(
    searching: Workshop, change: dict[str, object] | None, told: str
) -> None:
    write(searching, 'trials=2, metric="loss", sampler="random"')
    assert searching.run("-r", "-u")[0] == 0
    path = searching.outputs / "studies" / "m.py" / "1.json"
    whole = json.loads(path.read_text())
    damaged = {name: value for name, value in (whole | change).items() if value is not ...} if change else None
    path.write_text(json.dumps(damaged) if damaged else "{")
    write(searching, 'trials=4, metric="loss", sampler="random"')
    status, text = searching.run("-r", "-u")
    assert (status, "Traceback" in text) == (1, False), text
    assert f"{path}: is no trial of a search, {told}: put back what stood there, or remove the file" in text
    path.write_text(json.dumps(whole))
    assert sorted(trials(searching)) == [1, 2]
    assert searching.run("-r", "-u")[0] == 0
    check(searching, 4)
