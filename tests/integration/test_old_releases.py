"""What every release wrote stays readable, is brought up to date without loss, and nothing of it is trained again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import ledger_schema
from mlpipeline.errors import LedgerError, LedgerTooNew
from mlpipeline.execution import fingerprint, snapshot
from mlpipeline.ledger import Ledger
from mlpipeline.run import Run, State
from tests.integration.conftest import Workshop

OLD = Path(__file__).parents[1] / "old"
RELEASES = sorted(path.name for path in OLD.iterdir() if (path / "mlp.config").is_file())
NEWEST = len(ledger_schema.MIGRATIONS)


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, workshop: Workshop) -> Workshop:
    """A copy of a project as an old release left it."""
    shutil.rmtree(workshop.root)
    shutil.copytree(OLD / request.param, workshop.root, symlinks=True)
    return workshop


def ledger_of(project: Workshop) -> Path:
    return project.outputs / "ledger-here.db"


def schema_of(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        return ledger_schema.version_of(connection)


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    """Returns everything that a ledger holds, whatever its schema."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [(name, *row) for name in sorted(names) for row in connection.execute(f"SELECT * FROM {name}")]


def runs_in(path: Path) -> list[Run]:
    with closing(Ledger.open_readonly(path)) as ledger:
        return ledger.runs()


def digested(project: Workshop) -> list[Run]:
    """Returns the runs as today's algorithm digests the code that was stored when they ran."""
    found = []
    for run in runs_in(ledger_of(project)):
        copy = snapshot.load(project.outputs / "sources" / run.sources)
        found.append(replace(run, code_digest=fingerprint.code_digest(copy.read(), copy.main)))
    return found


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path): path.read_bytes() for path in files}


def backups(project: Workshop) -> list[Path]:
    return sorted(project.outputs.glob("ledger-here.db.*"))


def test_there_is_a_project_of_the_first_release() -> None:
    assert "0.1.0" in RELEASES


def test_a_set_says_who_made_it_nowhere() -> None:
    told = b"".join(contents(OLD).values())
    assert b"/tmp/" not in told
    assert b"/home/" not in told


def test_commands_that_only_look_read_it_as_it_is(old: Workshop) -> None:
    before = contents(old.root)
    found = old.json("history", "-n", "0")["runs"]
    states = {f"{each['model']}:{each['version']}": each["state"] for each in found}
    assert states == {
        "steady.py:small": "succeeded",
        "steady.py:wide": "succeeded",
        "shaky.py:broken": "failed",
        "shaky.py:second_time": "succeeded",
    }
    for each in found:
        run = each["run"]
        assert old.json("show", run)["run"]["id"] == run
        assert old.run("logs", run)[0] == 0
        assert run in old.run("why", run)[1]
    assert old.run("why", "shaky.py:broken")[1].count("ValueError: the loss is no number (models/shaky.py:") == 1
    assert old.run("fsck") == (0, "All well.\n")
    assert old.run("status")[0] == 0
    assert contents(old.root) == before


def test_the_queue_brings_it_up_to_date_and_trains_nothing_again(old: Workshop) -> None:
    path, schema, rows = ledger_of(old), schema_of(ledger_of(old)), rows_of(ledger_of(old))
    known = digested(old)
    assert known != runs_in(path)
    assert [each["verdict"] for each in old.json("plan")["items"]].count("due") == 0
    status, output = old.run("-r", "-u")
    assert status == 1, output  # the version that failed still does
    assert " start " not in output
    assert runs_in(path) == known
    assert schema_of(path) == NEWEST
    assert old.run("fsck") == (0, "All well.\n")
    if schema == NEWEST:
        assert backups(old) == []
        return
    (kept,) = backups(old)
    assert kept.name == f"ledger-here.db.schema-{schema}"
    assert schema_of(kept) == schema
    assert rows_of(kept) == rows


def test_the_copy_that_was_kept_takes_the_ledger_back(old: Workshop) -> None:
    path, schema = ledger_of(old), schema_of(ledger_of(old))
    if schema == NEWEST:
        pytest.skip("its schema is the present one: there is nothing to go back to")
    known = runs_in(path)
    old.run("-r", "-u")
    for companion in ("-wal", "-shm"):
        path.with_name(path.name + companion).unlink(missing_ok=True)
    path.with_name(f"{path.name}.schema-{schema}").replace(path)
    assert schema_of(path) == schema
    assert runs_in(path) == known
    after = digested(old)
    status, output = old.run("-r", "-u")
    assert (status, " start " in output) == (1, False), output
    assert runs_in(path) == after
    assert schema_of(path) == NEWEST


def test_an_old_release_refuses_what_this_one_wrote(old: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schema_of(ledger_of(old))
    if schema == NEWEST:
        pytest.skip("its schema is the present one")
    old.run("-r", "-u")
    monkeypatch.setattr(ledger_schema, "MIGRATIONS", ledger_schema.MIGRATIONS[:schema])
    with pytest.raises(LedgerTooNew, match="upgrade mlpipeline"):
        Ledger.open_readonly(ledger_of(old))


def test_run_directories_of_an_old_release_make_the_same_ledger(old: Workshop) -> None:
    known = runs_in(ledger_of(old))
    status, output = old.run("fsck", "--rebuild")
    assert status == 0, output
    assert {run.id: run for run in runs_in(ledger_of(old))} == {run.id: run for run in known}
    status, output = old.run("-r", "-u")
    assert (status, " start " in output) == (1, False), output


def test_what_failed_in_an_old_release_can_be_tried_again(old: Workshop) -> None:
    broken = next(run for run in runs_in(ledger_of(old)) if run.state is State.FAILED)
    assert old.run("retry", broken.id)[0] == 0
    assert old.run("-r", "-u")[0] == 1
    (again,) = (run for run in runs_in(ledger_of(old)) if run.id == broken.id)
    assert [each.state for each in again.attempts] == [State.FAILED, State.FAILED]
    assert again.sources == broken.sources


@pytest.mark.parametrize("failing", ["no such statement", "INSERT INTO runs (id) VALUES ('nothing else')"])
def test_a_migration_that_fails_in_the_middle_leaves_the_ledger_as_it_was(
    failing: str, old: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, known = ledger_of(old), runs_in(ledger_of(old))
    before = path.read_bytes()
    middle = ("CREATE TABLE notes (x)", "UPDATE runs SET message = 'changed'", failing, "DROP TABLE attempts")
    with monkeypatch.context() as patch:
        patch.setattr(ledger_schema, "MIGRATIONS", (*ledger_schema.MIGRATIONS, middle))
        opened: tuple[Callable[[Path], Ledger], ...] = (Ledger.open, Ledger.open_readonly)
        for each in opened:
            with pytest.raises(LedgerError, match=rf"brought to schema {NEWEST + 1} .* it is as it was"):
                each(path)
    assert path.read_bytes() == before
    journal = path.with_name(f"{path.name}-wal")  # a reader leaves an empty one
    assert not journal.exists() or journal.stat().st_size == 0
    assert runs_in(path) == known


def test_a_request_of_an_old_release_is_not_carried_out_twice(old: Workshop) -> None:
    (answer,) = old.outputs.glob("requests-here/*.answer.json")
    request = json.loads(answer.read_text())["request"]
    (answer.parent / f"{request['id']}.json").write_text(json.dumps(request))
    known = digested(old)
    old.run("-r", "-u")
    assert runs_in(ledger_of(old)) == known
