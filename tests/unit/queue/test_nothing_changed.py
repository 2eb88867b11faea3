"""What a turn leaves out because nothing changed is done as soon as something did."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.project import Project
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.output import HostFiles
from mlpipeline.queue.watch import Watcher
from tests.unit.sample_runs import sample_run

LISTED = "[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\nm\n[BLACKLISTED_MODELS]\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "models.config").write_text(LISTED)
    os.utime(tmp_path / "models.config", (0, 0))  # written long ago, so that nothing waits for it to settle
    made = Project.load(tmp_path)
    made.outputs_dir.mkdir(parents=True)
    return made


def test_paths_follow_a_link_that_leads_elsewhere(project: Project) -> None:
    shutil.rmtree(project.root / "models")
    (project.root / "first").mkdir()
    (project.root / "second").mkdir()
    for name in ("first", "second", "first"):
        (project.root / "new").symlink_to(name)
        (project.root / "new").rename(project.root / "models")
        assert project.models_dir.samefile(project.root / name)
        assert project.outputs_dir == project.models_dir / "outputs"
        assert project.models_dir.samefile(project.root / name)
    # Another one may get the number of one that is gone.
    (project.root / "first").rmdir()
    (project.root / "third").mkdir()
    (project.root / "models").unlink()
    (project.root / "models").symlink_to("third")
    assert project.models_dir.samefile(project.root / "third")
    (project.root / "models").unlink()
    assert not project.models_dir.exists()


def test_a_names_meaning_follows_the_models_that_are_there(project: Project) -> None:
    (project.models_dir / "m.yaml").touch()
    live = LiveSelection(project, (), testing=False, say=lambda *_: None, keep=False)

    def now() -> list[tuple[str, bool]]:
        return [(each.model, each.fault is None) for each in live.current.models]

    assert now() == [("m.yaml", True)]
    (project.models_dir / "m.py").touch()
    live.read()
    assert now() == [("m.py", True)]
    live.read()
    assert now() == [("m.py", True)]
    (project.models_dir / "m.py").unlink()
    (project.models_dir / "m.yaml").unlink()
    live.read()
    assert now() == [("m", False)]


def test_the_name_of_an_output_file_is_synced_once_and_that_of_its_successor_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(wire, "sync_directory", synced.append)
    files = HostFiles(project, enabled=True)
    run = sample_run()
    for _ in range(2):
        for _ in range(2):
            files.block(run, run.last, {})
        project.output_path.rename(project.outputs_dir / "aside")
    assert synced == [project.outputs_dir] * 2


def test_a_file_that_is_read_wakes_nobody(project: Project) -> None:
    heard, woken = [], threading.Event()

    def notify(path: str | None) -> None:
        heard.append(path)
        woken.set()

    watcher = Watcher(notify)
    try:
        watcher.watch({project.root})
        for _ in range(20):
            (project.root / "models.config").read_text()
            list(project.root.iterdir())
        (project.root / "edited").touch()
        assert woken.wait(30)
    finally:
        watcher.close()
    assert set(heard) == {str(project.root / "edited")}
