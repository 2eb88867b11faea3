"""What `init` makes of every template and kind of data: tidy, teaching, without a trace of Jinja."""

from __future__ import annotations

import ast
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from mlpipeline.errors import UsageError
from mlpipeline.project import Project
from mlpipeline.scaffold import making, projects
from mlpipeline.selection import read

EVERY = [(name, data) for name in projects.KINDS for data in projects.DATA]
ALWAYS = {
    ".copier-answers.yml", ".env.template", ".gitignore", "README.md", "mlp.config", "models.config",
    "models_test.config", "pyproject.toml",
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), EVERY)
def test_every_file_is_whole(tmp_path: Path, name: str, data: str) -> None:
    made = set(making.make_project(tmp_path / "my project", name, data))
    kind, root = projects.KINDS[name], tmp_path / "my project"
    assert {*ALWAYS, f"data/{kind.table}.csv", f"models/{kind.model}"} <= made
    assert ("config/database.cfg" in made) == (f"extracts/{kind.table}.sql" in made) == (data != "none")
    assert (f"data/{kind.table}.db" in made) == (data == "sqlite")
    for path in map(Path, made):
        text = (root / path).read_bytes()
        assert (b"{{" in text, b"{%" in text, b"\n\n\n\n" in text) == (False, False, False), path
        assert text.endswith(b"\n") or path.suffix == ".db", path
        if path.suffix == ".py":
            assert ast.get_docstring(ast.parse(text)), path
    (test_file,) = (root / "tests").glob("test_*.py")
    # A driver warns at the end of a process of a connection that was left open.
    closes = "def tearDownModule():\n    connections.close()\n" in test_file.read_text()
    assert closes == (data != "none")
    requirement, readme = projects.requirement(name, data), (root / "README.md").read_text()
    # On the package index somebody else has the name: nobody is sent there for mlpipeline itself.
    assert (f"    pip install '{requirement}'\n" in readme) == (requirement != "mlpipeline")
    assert f"pip install '{requirement.replace('mlpipeline', 'PATH')}'".replace("'PATH'", "PATH") in readme
    for test in (False, True):
        selection = read(Project.load(root), test=test)
        assert (selection.faults, [each.model for each in selection.models]) == ((), [kind.model])


def test_what_is_made_passes_ruff(tmp_path: Path) -> None:
    ruff = shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed: pip install ruff")
    for name, data in EVERY:
        making.make_project(tmp_path / f"{name}-{data}", name, data)
    for command in (["check", "--select=E,F,I,W,B"], ["format", "--diff"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", "--no-cache", "--line-length=120"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", projects.KINDS)
def test_the_database_holds_the_rows_of_the_file_as_numbers_and_text(tmp_path: Path, name: str) -> None:
    table = projects.KINDS[name].table
    making.make_project(tmp_path, name, "sqlite")
    with sqlite3.connect(tmp_path / "data" / f"{table}.db") as database:
        rows = database.execute((tmp_path / "extracts" / f"{table}.sql").read_text()).fetchall()
    database.close()
    lines = (tmp_path / "data" / f"{table}.csv").read_text().splitlines()[1:]
    kinds = [float if part.strip("-").replace(".", "").isdigit() else str for part in lines[0].split(",")]
    told = sorted(tuple(kind(part) for kind, part in zip(kinds, line.split(","), strict=True)) for line in lines)
    assert sorted(rows) == told
    assert rows == sorted(rows), "in an order that is always the same"


def test_the_templates_are_those_that_stand_in_the_directory() -> None:
    place = Path(projects.__file__).parent / "templates" / "project"
    assert sorted(each.name for each in place.iterdir() if not each.name.startswith("__")) == sorted(projects.KINDS)
    tables = {each.stem for each in (place / "__tables__").iterdir()}
    assert tables == {kind.table for kind in projects.KINDS.values()}


def test_data_does_not_go_with_the_template_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "config" / "mlpipeline" / "templates" / "project" / "queue"
    own.mkdir(parents=True)
    (own / "note.txt.jinja").write_text("{{project_name}}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with pytest.raises(UsageError, match="--data sqlite goes with the templates queue, estimator"):
        making.make_project(tmp_path / "p", "queue", "sqlite")
    assert making.make_project(tmp_path / "p", "queue") == ["note.txt"]


def test_what_is_needed_is_told_as_pip_takes_it() -> None:
    assert projects.requirement("queue", "none") == "mlpipeline"
    assert projects.requirement("tensorflow", "sqlite") == "mlpipeline[learning,tensorflow-cpu,sql]"
    assert projects.lacking("queue", "none") == []
