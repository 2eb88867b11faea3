"""What a turn leaves out because nothing changed is done as soon as something did."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from watchdog.events import FileSystemEvent, FileSystemEventHandler

from mlpipeline.project import Project
from mlpipeline.queue import watch
from mlpipeline.queue.live_selection import LiveSelection

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


def test_a_file_that_is_read_wakes_nobody(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, edited = [], threading.Event()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            heard.append((event.event_type, str(event.src_path)))
            if event.event_type == "closed":
                edited.set()

    monkeypatch.setattr(watch, "_handler", lambda _: Handler())
    watcher = watch.Watcher(lambda _: None)
    try:
        watcher.watch({project.root})
        for _ in range(20):
            (project.root / "models.config").read_text()
            list(project.root.iterdir())
        (project.root / "edited").write_text("text")
        assert edited.wait(30)
    finally:
        watcher.close()
    assert {path for _, path in heard} == {str(project.root / "edited")}
