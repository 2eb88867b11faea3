"""The ledger: what it is told, it knows; what cannot be, it refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline import events, ledger_file, ledger_schema
from mlpipeline.errors import (
    AmbiguousRun,
    DiskFull,
    IllegalTransition,
    LedgerDamaged,
    LedgerError,
    LedgerTooNew,
    NotWritable,
    RunNotFound,
)
from mlpipeline.ledger import Key, Ledger
from mlpipeline.run import Cause, Run, State

from .sample_runs import NOW, run_in, sample_attempt, sample_run

KEY = Key("digits.py", "wide", 0, "d" * 16, "c" * 16)
FINAL = [state for state in State if state.is_final]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with closing(Ledger.in_memory()) as made:
        yield made


def submitted(suffix: str = "aaaaaa", **more: object) -> Run:
    run = run_in(State.SUBMITTED, suffix)
    return replace(run, attempts=(replace(run.last, reported=False),), **more)  # type: ignore[arg-type]


def started(run: Run, at: timedelta = timedelta()) -> events.Started:
    return events.Started(run_id=run.id, number=run.last.number, token=run.last.token, at=NOW + at)


def ended(run: Run, state: State, token: str | None = None) -> events.Ended:
    last = run.last
    return events.Ended(
        run_id=run.id,
        number=last.number,
        token=last.token if token is None else token,
        at=NOW,
        state=state,
        cause=Cause.KILLED if state is State.LOST else Cause.NONE,
        message="half a character: \udc80" if state is State.FAILED else "",
        cpu_seconds=0.5,
        metrics={"test": {"accuracy": 0.5}},
    )


def finish(ledger: Ledger, run: Run, state: State) -> Run:
    assert ledger.record(events.Submitted(run=run))
    assert ledger.record(started(run))
    assert ledger.record(ended(run, state))
    return ledger.run(run.id)


def again(run: Run) -> Run:
    attempt = replace(sample_attempt(run.id, run.last.number + 1, State.SUBMITTED), reported=False)
    return replace(run, attempts=(*run.attempts, attempt), retry_asked=False)


def test_a_run_comes_back_as_it_was_submitted(ledger: Ledger) -> None:
    run = submitted()
    assert ledger.record(events.Submitted(run=run))
    assert ledger.run(run.id) == run
    assert ledger.live() == [run]


def test_what_was_recorded_outlasts_the_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    with closing(Ledger.open(path)) as ledger:
        run = finish(ledger, submitted(), State.SUCCEEDED)
    with closing(Ledger.open(path)) as ledger:
        assert ledger.run(run.id) == run
        assert ledger.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ledger.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_everything_said_twice_is_recorded_once(ledger: Ledger) -> None:
    run = submitted()
    told: list[events.Event] = [events.Submitted(run=run), started(run), ended(run, State.LOST)]
    told += [events.Reported(run_id=run.id, number=1), events.RetryAsked(run_id=run.id, at=NOW)]
    for event in told:
        assert ledger.record(event)
        before = ledger.run(run.id)
        assert not ledger.record(event)
        assert ledger.run(run.id) == before


def test_a_stale_token_changes_nothing(ledger: Ledger) -> None:
    run = submitted()
    ledger.record(events.Submitted(run=run))
    assert not ledger.record(ended(run, State.LOST, token="another"))
    assert ledger.run(run.id) == run


def test_a_terminal_record_is_not_replaced(ledger: Ledger) -> None:
    run = finish(ledger, submitted(), State.SUCCEEDED)
    with pytest.raises(IllegalTransition, match="succeeded -> lost"):
        ledger.record(ended(run, State.LOST))
    assert ledger.run(run.id) == run


def test_the_tables_refuse_what_the_code_would_not_ask_for(ledger: Ledger) -> None:
    finish(ledger, submitted(), State.FAILED)
    execute = ledger.connection.execute
    with pytest.raises(sqlite3.IntegrityError, match="stays as it is"):
        execute("UPDATE attempts SET state = 'succeeded'")
    ledger.record(events.Submitted(run=again(ledger.run("2026"))))
    columns = "run, 3, token, state, executor, directory, submitted_at, NULL, NULL, cause, message, " + 5 * "NULL, "
    with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE.*run"):
        execute(f"INSERT INTO attempts SELECT {columns}metrics, 0, changes FROM attempts WHERE number = 2")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        execute("UPDATE runs SET state = 'odd'")


def test_a_retry_is_a_new_attempt_of_the_same_run(ledger: Ledger) -> None:
    run = finish(ledger, submitted(), State.LOST)
    ledger.record(events.RetryAsked(run_id=run.id, at=NOW))
    assert ledger.run(run.id).retry_asked
    assert ledger.record(events.Submitted(run=again(run)))
    after = ledger.run(run.id)
    assert [each.state for each in after.attempts] == [State.LOST, State.SUBMITTED]
    assert after.attempts[0] == run.last
    assert not after.retry_asked
    assert ledger.counts() == {State.SUBMITTED: 1}


def test_an_attempt_must_follow_the_one_before(ledger: Ledger) -> None:
    run = submitted()
    ledger.record(events.Submitted(run=run))
    with pytest.raises(IllegalTransition, match="attempt 2 cannot follow"):
        ledger.record(events.Submitted(run=again(run)))
    done = finish(ledger, submitted("bbbbbb"), State.SUCCEEDED)
    with pytest.raises(IllegalTransition, match="attempt 2 cannot follow"):
        ledger.record(events.Submitted(run=again(done)))
    with pytest.raises(IllegalTransition, match="begins with attempt 1"):
        ledger.record(events.Submitted(run=again(submitted("cccccc"))))
    assert len(ledger.runs()) == 2


def test_nothing_happens_to_a_run_that_was_never_submitted(ledger: Ledger) -> None:
    with pytest.raises(RunNotFound, match="never submitted"):
        ledger.record(started(submitted()))


def test_a_run_is_found_by_the_beginning_of_its_id(ledger: Ledger) -> None:
    for suffix in ("aaaaaa", "aaaaab", "bbbbbb"):
        ledger.import_run(sample_run(suffix))
    assert ledger.run("20261121-040406-b").id.endswith("bbbbbb")
    assert ledger.run("20261121-040406-aaaaaa.1").id.endswith("aaaaaa")
    with pytest.raises(AmbiguousRun, match=r"aaaaaa  digits.py:wide\n.*aaaaab"):
        ledger.run("20261121-040406-a")
    for reference in ("2025", "digits.py:wide"):
        with pytest.raises(RunNotFound):
            ledger.run(reference)


def test_runs_are_listed_by_model_version_and_state_newest_first(ledger: Ledger) -> None:
    states = [State.FAILED, State.SUCCEEDED, State.LOST, State.FAILED]
    runs = [run_in(state, letter * 6, version=letter) for state, letter in zip(states, "abcd", strict=True)]
    runs.append(replace(runs[0], id="20261121-040406-eeeeee", model="other.py", attempts=sample_run("eeeeee").attempts))
    for run in runs:
        ledger.import_run(run)

    def found(**wanted: object) -> str:
        return "".join(run.id[-1] for run in ledger.runs(**wanted))  # type: ignore[arg-type]

    assert found() == "edcba"
    assert found(newest_first=False, limit=2) == "ab"
    assert found(states={State.FAILED, State.LOST}) == "dca"
    assert found(states=[State.FAILED, State.LOST], limit=2) == "dc"
    assert found(model="digits.py", limit=1) == "d"
    assert found(model="digits.py", version="b") == "b"
    assert found(states=()) == ""
    assert ledger.counts() == {State.FAILED: 2, State.SUCCEEDED: 2, State.LOST: 1}


def test_what_ended_last_comes_first_whenever_it_was_submitted(ledger: Ledger) -> None:
    for letter, state, minutes in (("a", State.FAILED, 9), ("b", State.SUCCEEDED, 3), ("c", State.LOST, 5)):
        run = run_in(state, letter * 6, version=letter)
        at = NOW + timedelta(minutes=minutes)
        ledger.import_run(replace(run, attempts=(replace(run.last, ended_at=at),)))
    ledger.import_run(run_in(State.RUNNING, "dddddd", version="d"))
    assert [run.version for run in ledger.ended(FINAL, 9)] == ["a", "c", "b"]
    assert [run.version for run in ledger.ended([State.LOST, State.SUCCEEDED], 1)] == ["c"]


def test_unreported_are_finished_attempts_without_a_block(ledger: Ledger) -> None:
    ledger.record(events.Submitted(run=submitted("bbbbbb")))
    run = finish(ledger, submitted(), State.FAILED)
    assert ledger.unreported() == [(run, run.last)]
    assert ledger.record(events.Reported(run_id=run.id, number=1))
    assert ledger.unreported() == []


def test_a_success_answers_a_wish_before_newer_failures(ledger: Ledger) -> None:
    for letter, state in zip("abc", (State.FAILED, State.SUCCEEDED, State.FAILED), strict=True):
        ledger.import_run(run_in(state, letter * 6))
    assert ledger.standings([KEY])[KEY].run_id.endswith("bbbbbb")


def test_without_a_success_the_newest_run_answers_with_all_that_the_plan_needs(ledger: Ledger) -> None:
    ledger.import_run(run_in(State.FAILED, "aaaaaa"))
    run = finish(ledger, submitted("bbbbbb"), State.LOST)
    ledger.record(events.RetryAsked(run_id=run.id, at=NOW))
    standing = ledger.standings([KEY])[KEY]
    assert (standing.run_id, standing.state, standing.cause) == (run.id, State.LOST, Cause.KILLED)
    assert (standing.counted_attempts, standing.attempts, standing.ended_at) == (1, 1, NOW)
    assert standing.retry_asked
    assert ledger.standings([]) == {}


@pytest.mark.parametrize(
    ("match", "answered"), [("code", {"same"}), ("params", {"same", "code"}), ("never", {"same", "code", "params"})]
)
def test_what_must_be_equal_is_what_the_settings_say(ledger: Ledger, match: str, answered: set[str]) -> None:
    ledger.import_run(sample_run())
    other = {"same": KEY, "code": KEY._replace(code_digest="x"), "params": KEY._replace(params_digest="x")}
    other |= {
        "replicate": KEY._replace(replicate=1),
        "version": KEY._replace(version="x"),
        "m": KEY._replace(model="x"),
    }
    found = ledger.standings(list(other.values()), match=match)
    assert {name for name, key in other.items() if key in found} == answered


def test_without_history_only_this_invocation_counts(ledger: Ledger) -> None:
    ledger.import_run(sample_run())
    assert ledger.standings([KEY], invocation="second") == {}
    assert KEY in ledger.standings([KEY], invocation="first")


STEP = st.tuples(st.sampled_from("abc"), st.sampled_from(["submit", "start", "report", "retry", *FINAL]))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_whatever_happens_the_ledger_holds_what_the_events_make_of_the_runs(steps: list[tuple[str, str]]) -> None:
    known: dict[str, Run] = {}
    with closing(Ledger.in_memory()) as ledger:
        for letter, step in steps:
            before = known.get(letter)
            event: events.Event
            if step == "submit":
                event = events.Submitted(run=submitted(letter * 6) if before is None else again(before))
            elif before is None:
                continue
            elif step == "start":
                event = started(before)
            elif step == "report":
                event = events.Reported(run_id=before.id, number=before.last.number)
            elif step == "retry":
                event = events.RetryAsked(run_id=before.id, at=NOW)
            else:
                event = ended(before, State(step))
            try:
                changed = ledger.record(event)
            except IllegalTransition:
                continue
            if changed:
                after = event.run if isinstance(event, events.Submitted) else events.apply(before, event)  # type: ignore[arg-type]
                assert after is not None
                known[letter] = replace(
                    after,
                    attempts=tuple(
                        replace(each, message=each.message.replace("\udc80", "\\udc80")) for each in after.attempts
                    ),
                )
        assert {run.id[-1]: run for run in ledger.runs()} == known
        assert ledger.faults() == []
        states = [run.state for run in known.values()]
        assert ledger.counts() == {state: states.count(state) for state in set(states)}


def test_a_new_digest_of_old_sources_makes_nothing_stale(ledger: Ledger) -> None:
    ledger.import_run(sample_run())
    assert ledger.known_sources() == {"5" * 64: ("", "c" * 16)}
    ledger.set_code_digest("5" * 64, "python-3.14", "e" * 16)
    assert ledger.known_sources() == {"5" * 64: ("python-3.14", "e" * 16)}
    key = KEY._replace(code_digest="e" * 16)
    assert set(ledger.standings([KEY, key])) == {key}


def test_a_renamed_model_or_version_keeps_its_runs(ledger: Ledger) -> None:
    for run in (sample_run("aaaaaa"), sample_run("bbbbbb", version="deep"), sample_run("cccccc", model="other.py")):
        ledger.import_run(run)
    assert ledger.rename(("digits.py", None), ("net.py", None)) == 2
    assert ledger.rename(("net.py", "deep"), ("net.py", "w64")) == 1
    assert [(run.model, run.version) for run in ledger.runs()] == [
        ("other.py", "wide"),
        ("net.py", "w64"),
        ("net.py", "wide"),
    ]


def test_imported_runs_come_all_or_not_at_all(ledger: Ledger) -> None:
    with pytest.raises(LedgerError):
        ledger.import_runs([sample_run("aaaaaa"), sample_run("bbbbbb"), sample_run("aaaaaa")])
    assert ledger.runs() == []


def test_a_ledger_that_is_not_there_reads_as_empty_and_is_not_made(tmp_path: Path) -> None:
    with closing(Ledger.open_readonly(tmp_path / "ledger.db")) as ledger:
        assert ledger.runs() == []
    (tmp_path / "begun.db").touch()
    with closing(Ledger.open_readonly(tmp_path / "begun.db")) as ledger:
        assert ledger.runs() == []
    assert [path.name for path in tmp_path.iterdir()] == ["begun.db"]


def test_a_reader_sees_what_the_writer_commits_and_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger.open(path)) as writer, closing(Ledger.open_readonly(path)) as reader:
        run = finish(writer, submitted(), State.FAILED)
        assert reader.run(run.id) == run
        with pytest.raises(NotWritable):
            reader.record(events.RetryAsked(run_id=run.id, at=NOW))


def test_a_damaged_file_says_how_it_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"rubbish" * 1000)
    for opened in (Ledger.open, Ledger.open_readonly):
        with pytest.raises(LedgerDamaged, match="fsck --rebuild"):
            opened(path)
    assert path.read_bytes() == b"rubbish" * 1000


def test_a_file_that_is_damaged_further_in_is_found_damaged_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger.open(path)) as ledger:
        ledger.import_run(sample_run())
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x5a" * (len(content) - 4096))
    with closing(Ledger.open_readonly(path)) as ledger, pytest.raises(LedgerDamaged):
        ledger.runs()


def test_a_newer_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger.open(path)) as ledger:
        ledger.connection.execute(f"PRAGMA user_version = {len(ledger_schema.MIGRATIONS) + 1}")
    for opened in (Ledger.open, Ledger.open_readonly):
        with pytest.raises(LedgerTooNew, match="upgrade mlpipeline"):
            opened(path)


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open(path)
    assert path.read_bytes() == before


def test_a_migration_keeps_a_copy_and_every_run(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger.open(path)) as ledger:
        ledger.import_run(sample_run())
        more = (*ledger_schema.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT ''",))
        ledger_schema.migrate(ledger.connection, path, more)
        assert ledger.runs() == [sample_run()]
        assert ledger_schema.version_of(ledger.connection) == len(more)
    with closing(Ledger.open(tmp_path / f"ledger.db.schema-{len(more) - 1}")) as copy:
        assert copy.runs() == [sample_run()]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger.open(path)) as ledger:
        more = (*ledger_schema.MIGRATIONS, ("CREATE TABLE notes (x)", "no such statement"))
        with pytest.raises(sqlite3.OperationalError):
            ledger_schema.migrate(ledger.connection, path, more)
        assert ledger_schema.version_of(ledger.connection) == len(ledger_schema.MIGRATIONS)
        assert not ledger.connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'notes'").fetchall()


def test_a_full_disk_is_called_so_and_what_was_recorded_stays(tmp_path: Path) -> None:
    with closing(Ledger.open(tmp_path / "ledger.db")) as ledger:
        run = finish(ledger, submitted(), State.SUCCEEDED)
        # SQLite's own limit raises what a full disk does.
        pages = ledger.connection.execute("PRAGMA page_count").fetchone()[0]
        ledger.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFull, match="free some space"):
            ledger.import_run(sample_run("bbbbbb", params={"long": "x" * 100_000}))
        assert ledger.runs() == [run]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable, match="permissions"):
        Ledger.open(tmp_path / "file" / "ledger.db")
    with pytest.raises(NotWritable, match="permissions"):
        Ledger.open(tmp_path)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, DiskFull),
        (sqlite3.SQLITE_READONLY_DBMOVED, NotWritable),
        (sqlite3.SQLITE_CORRUPT_INDEX, LedgerDamaged),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LedgerError),
        (sqlite3.SQLITE_IOERR_WRITE, LedgerError),
    ],
)
def test_what_sqlite_says_is_translated(code: int, kind: type[Exception], tmp_path: Path) -> None:
    error = sqlite3.OperationalError("told by SQLite")
    error.sqlite_errorcode = code
    with pytest.raises(kind, match="told by SQLite") as caught, ledger_file.translated(tmp_path / "ledger.db"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error
