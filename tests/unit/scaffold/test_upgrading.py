"""Upgrading: what is new in a template comes into a project, what was changed there stays; by copier, for real."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.scaffold import making, projects, upgrading
from mlpipeline.scaffold.upgrading import Upgraded, upgrade

ROOT = Path(__file__).resolve().parents[3]
OLD = "0.0.9"


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("templates_tool", ROOT / "tools" / "templates.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copier() -> None:
    pytest.importorskip("copier", reason="copier is not installed: pip install 'mlpipeline[templates]'")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copier: None) -> Path:
    """A project that an earlier release made: its templates had another README and model, and a file more."""
    old = tmp_path / "templates" / "project"
    shutil.copytree(upgrading.TEMPLATES, old)
    for name, before, after in (
        ("__shared__/mlp.config.jinja", "slots = 1", "slots = 1\nold_key = 2"),
        ("queue/models/line.py.jinja", "every_seconds=10", "every_seconds=99"),
        ("queue/models/line.py.jinja", "epochs=20", "epochs=11"),
    ):
        text = (old / name).read_text()
        assert before in text
        (old / name).write_text(text.replace(before, after))
    (old / "__shared__" / "gone.txt.jinja").write_text("of {{project_name}}\n")
    (old / "__shared__" / "mine.txt.jinja").write_text("of {{project_name}}\n")
    (old / "queue" / "tests" / "test_line.py.jinja").unlink()
    monkeypatch.setattr(upgrading, "RELEASED", tmp_path / "released")
    tool().keep(OLD, old, tmp_path / "released")
    # What has no git of its own shows that none is needed.
    with monkeypatch.context() as then:
        then.setattr("mlpipeline.__version__", OLD)
        then.setattr(making.shelf, "__file__", str(tmp_path / "shelf.py"))
        making.make_project(tmp_path / "pro{{ject", "queue")
    return tmp_path / "pro{{ject"


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, (path, before)
    path.write_text(text.replace(before, after))


def test_what_is_new_comes_what_was_changed_stays_and_both_are_a_conflict(project: Path, tmp_path: Path) -> None:
    line = project / "models" / "line.py"
    edit(line, "learning_rate=0.2", "learning_rate=0.3")
    edit(line, "epochs=11", "epochs=50")
    edit(project / "models.config", "line.py\n\n", "line.py\nother.py\n\n")
    (project / "mine.txt").write_text("I changed this\n")
    (project / "models" / "other.py").write_text("# mine alone\n")
    (project / ".env.template").unlink()
    line.chmod(0o755)
    found = upgrade(project)
    assert found == Upgraded(
        before=OLD,
        after="0.1.0",
        changed=("README.md", "mlp.config"),
        added=("tests/test_line.py",),
        removed=("gone.txt",),
        conflicts=("models/line.py",),
    )
    text = line.read_text()
    assert "every_seconds=10" in text, "what only the template changed"
    assert "learning_rate=0.3" in text, "what only the project changed"
    assert text.index("<<<<<<<") < text.index("epochs=50") < text.index("epochs=20") < text.index(">>>>>>>")
    assert line.stat().st_mode & 0o777 == 0o755
    assert "old_key" not in (project / "mlp.config").read_text()
    assert "other.py" in (project / "models.config").read_text()
    assert (project / "mine.txt").read_text() == "I changed this\n"
    assert (project / "models" / "other.py").read_text() == "# mine alone\n"
    assert not (project / "gone.txt").exists()
    assert not (project / ".env.template").exists(), "what was removed comes not back"
    assert upgrade(project) == Upgraded(before="0.1.0", after="0.1.0")
    assert not (project / ".git").exists()


def test_a_project_that_nobody_changed_is_as_one_that_is_made_anew(project: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    making.make_project(tmp_path / "new" / project.name, "queue")
    upgrade(project)
    new = tmp_path / "new" / project.name
    assert not subprocess.run(["diff", "-r", new, project], check=False, capture_output=True).stdout


def test_copier_gives_the_same_bytes_for_every_template(tmp_path: Path, copier: None) -> None:
    """So an upgrade of what nobody changed ends at what `init` makes."""
    import copier as library

    for place, (name, data) in enumerate((name, data) for name in projects.KINDS for data in projects.DATA):
        answers = {"template": name, "data": data, "project_name": 'it\'s "{{ a }}" project'}
        source, target = tmp_path / f"source{place}", tmp_path / f"target{place}"
        for path, content in upgrading._as_copier_has_them(upgrading.TEMPLATES, answers, "0.1.0").items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(content)
        library.run_copy(str(source), target, defaults=True, quiet=True, unsafe=False)
        made = upgrading._files(upgrading.TEMPLATES, answers, "0.1.0")
        by_copier = {
            path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()
        }
        assert made.pop(projects.ANSWERS)
        by_copier.pop(projects.ANSWERS)
        assert by_copier == made, (name, data)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "is not there: only what `mlpipeline init` made"),
        ("a: [", "cannot be read"),
        ("_commit: 0.0.9\n", "lacks template, data, project_name"),
        ("[1]", "lacks _commit, template"),
        ("{_commit: 0.0.9, template: tensor, data: none, project_name: p}", "no template 'tensor'"),
        (
            "{_commit: 0.0.8, template: queue, data: none, project_name: p}",
            "made by mlpipeline 0.0.8.*Did you mean '0.0.9'",
        ),
        ("{_commit: 9.0.0, template: queue, data: none, project_name: p}", "upgrade mlpipeline, if it is older"),
    ],
)
def test_what_cannot_be_upgraded_is_told_and_left_as_it_is(project: Path, text: str | None, told: str) -> None:
    answers = project / projects.ANSWERS
    if text is None:
        answers.unlink()
    else:
        answers.write_text(text)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=told):
        upgrade(project)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_failure_of_copier_leaves_the_project_as_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import copier as library

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(library, "run_update", fail)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    with pytest.raises(MlpipelineError, match="nothing was changed: RuntimeError: no luck"):
        upgrade(project)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_without_git_it_is_told_what_is_missing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(MlpipelineError, match="needs git, which is not installed"):
        upgrade(project)


def test_the_templates_of_every_release_before_this_one_are_kept() -> None:
    """A project of that release is upgraded by them; `python tools/templates.py` keeps those of a release."""
    import re

    from mlpipeline import __version__

    released = re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    kept = {path.stem for path in upgrading.RELEASED.glob("*.zip")}
    assert set(released) - {__version__} <= kept


def test_the_templates_of_a_release_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    first = tool().keep("1", upgrading.TEMPLATES, tmp_path / "a").read_bytes()
    for path in (shutil.copytree(upgrading.TEMPLATES, tmp_path / "copy")).rglob("*"):
        path.touch()
    assert tool().keep("1", tmp_path / "copy", tmp_path / "b").read_bytes() == first
    assert sys.getsizeof(first) < 30_000
