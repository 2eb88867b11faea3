"""Contents are kept by the real DVC in repositories of their own; git is touched where it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from mlpipeline.errors import CommandFailed, DataFault
from mlpipeline.workflow.components.dvc_version_control import DvcVersionControl

DVC = os.environ.get("DVC_PROGRAM") or shutil.which("dvc")
needs_dvc = pytest.mark.skipif(DVC is None, reason="dvc is not there: pipx install dvc, or name it in DVC_PROGRAM")
FRAME = load_iris(as_frame=True).frame.astype({"target": "category"})


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "mlp.config").write_text("")
    monkeypatch.chdir(root)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DVC_SITE_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "somebody")
    return root


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


@needs_dvc
def test_contents_come_back_and_git_is_left_alone(project: Path) -> None:
    git("init", "-q")
    kept = DvcVersionControl(dvc_program=str(DVC))
    digest, place = kept.version_data(FRAME, "iris")
    assert kept.version_data(FRAME.copy(), "iris") == (digest, place)
    model = project / "fitted"
    model.mkdir()
    (model / "model.json").write_text("{}")
    other, where = kept.version_model(model, "it's a/model.v1")
    pd.testing.assert_frame_equal(kept.get_data(digest), FRAME, check_exact=True)
    assert (kept.get_model(other) / "model.json").read_text() == "{}"
    assert str(kept.get_model(other)) == where
    assert git("status", "--porcelain", "--untracked-files=no") == ""
    assert not (project / ".git/index").exists()
    Path(place).write_bytes(b"damaged")
    shutil.rmtree(project / "dvc" / other)
    pd.testing.assert_frame_equal(kept.get_data(digest), FRAME, check_exact=True)  # from DVC's cache
    assert (kept.get_model(other) / "model.json").read_text() == "{}"


@needs_dvc
def test_contents_go_to_a_remote_and_commits_to_git_where_that_is_asked_for(project: Path, tmp_path: Path) -> None:
    git("init", "-q")
    (project / "mine.txt").write_text("staged by somebody")
    git("add", "mine.txt")
    subprocess.run([str(DVC), "init", "-q"], check=True)
    subprocess.run([str(DVC), "remote", "add", "-q", "store", str(tmp_path / "store")], check=True)
    kept = DvcVersionControl(dvc_remote="store", dvc_git_commit=True, dvc_program=str(DVC))
    digest, place = kept.version_data(FRAME, "it's\niris")
    assert git("log", "--format=%s").splitlines() == [f"Keep it's iris {digest[:12]}"]
    names = git("show", "--name-only", "--format=").split()
    assert names == ["dvc/.gitignore", f"dvc/{digest}.dvc"]
    assert "mine.txt" in git("diff", "--cached", "--name-only").split()
    kept.version_data(FRAME, "again")
    assert len(git("log", "--format=%s").splitlines()) == 1
    shutil.rmtree(project / "dvc" / digest)
    shutil.rmtree(project / ".dvc/cache")
    pd.testing.assert_frame_equal(kept.get_data(digest), FRAME, check_exact=True)
    assert Path(place).is_file()


@needs_dvc
def test_28_a_command_that_fails_ends_it_with_its_stderr(project: Path) -> None:
    kept = DvcVersionControl(dvc_remote="nowhere", dvc_program=str(DVC))
    with pytest.raises(CommandFailed, match=r"dvc push .*(?s:.*)nowhere") as caught:
        kept.version_data(FRAME, "iris")
    assert "ended with status" in str(caught.value)
    with pytest.raises(CommandFailed, match=r"git add.*(?s:.*)not a git repository"):
        DvcVersionControl(dvc_git_commit=True, dvc_program=str(DVC)).version_data(FRAME, "iris")


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandFailed, match="there is no no-such-dvc: install it"):
        DvcVersionControl(dvc_program="no-such-dvc").version_data(FRAME, "iris")


def test_what_is_not_there_is_told() -> None:
    for wrong in ("0" * 64, "../../x", ""):
        with pytest.raises(DataFault, match="no rows with the digest"):
            DvcVersionControl().get_data(wrong)
    with pytest.raises(DataFault, match="is no directory with a model"):
        DvcVersionControl().version_model(Path("gone"), "m")
