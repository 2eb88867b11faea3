"""Saved models in real projects: left by the queue, found, pinned, loaded by strangers; on disks that are full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.errors import DiskFull, NotWritable
from mlpipeline.learning import saved, serializers
from mlpipeline.learning.saved import Shelf
from mlpipeline.project import Project
from tests.integration.small_disks import make_read_only
from tests.unit.learning.small_models import fitted

from .conftest import Workshop

MODEL = '''
"""People, by trees or by nothing."""

import numpy as np
import pandas as pd

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive, SKLearn
from mlpipeline.utils import Versions
from sklearn.tree import DecisionTreeClassifier


class People(TrainTestSplit):
    def get_data(self):
        age = (np.arange(100) * 7) % 50 + 10.0
        return pd.DataFrame({"age": age, "is_old": age > 35})

    def get_encoders(self):
        return Norm("age")

    def get_output_encoder(self):
        return Boolean("is_old")


VERSIONS = Versions()
VERSIONS.add("trees", estimator=SKLearn(DecisionTreeClassifier(max_depth=3)))
VERSIONS.add("naive", estimator=Naive())
MODEL = EstimatorModel(dataset=People(), estimator=Naive(), versions=VERSIONS)
'''
STRANGER = """
import json, sys
import pandas as pd
from mlpipeline.learning import EstimatorModel
model = EstimatorModel.load(sys.argv[1])
print(json.dumps(model.predict(pd.DataFrame({"age": [12.0, 58.0]})).tolist()))
assert not any(name.startswith(("people", "models")) for name in sys.modules), "the user's code was imported"
"""


def trained(workshop: Workshop, text: str = MODEL) -> None:
    (workshop.models / "people.py").write_text(text)
    workshop.list("people.py")
    status, said = workshop.run("-r", "-u")
    assert status == 0, said


def test_what_the_queue_leaves_is_found_predicts_without_the_script_and_stays_while_it_is_served(
    workshop: Workshop, tmp_path: Path
) -> None:
    trained(workshop)
    shelf = Shelf(Project.load(workshop.root))
    assert shelf.names() == ["people"]
    assert {each.version for each in shelf.models()} == {"trees", "naive"}
    best = shelf.choose("people")
    assert best.version == "trees"
    assert shelf.choose("people", "latest").version == "naive"
    (workshop.models / "people.py").unlink()
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(best.path)], cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.getcwd()},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [False, True]
    saved.pin(shelf.project, best, "served")
    trained(workshop, MODEL.replace("max_depth=3", "max_depth=2").replace("35", "36"))
    assert len(shelf.models()) == 4
    for pinned in (True, False):
        workshop.run("gc", "--keep-runs", "0", "--yes")
        assert (best.run_id in {each.run_id for each in shelf.models()}) == pinned
        if pinned:
            serializers.restore(best.path)
            saved.unpin(shelf.project, best, "served")


@pytest.mark.tmpfs
def test_a_full_disk_leaves_the_model_that_was_there(small_disk: Path) -> None:
    serializers.save(fitted(), small_disk / "a")
    before = serializers.read_manifest(small_disk / "a")
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "filler").write_bytes(b"x" * (4 << 20))
    with pytest.raises(DiskFull, match="a: the disk is full: free some space; nothing there has changed"):
        serializers.save(fitted(), small_disk / "a")
    assert serializers.restore(small_disk / "a").manifest == before
    assert sorted(path.name for path in small_disk.iterdir()) == ["a", "filler"]
    (small_disk / "filler").unlink()
    serializers.save(fitted(), small_disk / "a")


@pytest.mark.tmpfs
def test_a_disk_that_may_only_be_read_is_said_and_models_on_it_load(small_disk: Path) -> None:
    serializers.save(fitted(), small_disk / "a")
    make_read_only(small_disk)
    serializers.restore(small_disk / "a")
    with pytest.raises(NotWritable, match="Read-only file system"):
        serializers.save(fitted(), small_disk / "a")
    with pytest.raises(NotWritable, match="Read-only file system"):
        serializers.save(fitted(), small_disk / "b")


KILLED = """
import os, signal, sys
from pathlib import Path
from mlpipeline.learning import serializers
from tests.unit.learning.small_models import fitted

model, root = fitted(), Path(sys.argv[1])

def killed_at(step):
    place, done = root / str(step) / "model", 0
    place.parent.mkdir()

    def event(name, arguments):
        # Every change of the file system is a moment to be killed at.
        nonlocal done
        if name in ("open", "os.mkdir", "os.rename") and str(arguments[0]).startswith(str(place.parent)):
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        sys.addaudithook(event)
        serializers.save(model, place)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if place.exists():
        serializers.restore(place)
    serializers.save(model, place)
    serializers.restore(place)
    return os.WIFSIGNALED(status)

step = 1
while killed_at(step):
    step += 1
print(step)
"""


def test_a_kill_at_any_step_of_saving_leaves_a_whole_model_or_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ | {"PYTHONPATH": os.getcwd()},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
