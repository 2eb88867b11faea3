"""The journal is a document of two authors: what mlpipeline writes is brought up to date, what people write stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import UsageError
from mlpipeline.execution import snapshot
from mlpipeline.observe import journal
from mlpipeline.observe.journal import MARKDOWN, ORG, Entry, Form, Step
from mlpipeline.run import Cause, Run, State
from tests.unit.cli.conftest import Desk
from tests.unit.observe.test_comparison import ran, seeds
from tests.unit.sample_runs import run_in, sample_run


def entry(model: str = "digits.py", runs: int = 1, number: int = 1) -> Entry:
    steps = tuple(Step(number=place, run=sample_run("abcdef"[place] * 6, model=model)) for place in range(1, runs + 1))
    return Entry(number=number, model=model, description="Recognizes digits.", steps=steps)


def filled(desk: Desk) -> Run:
    """A run with sources, commit, tag and notes, and one that failed."""
    copy = snapshot.store(desk.project.sources_dir, {"models/m.py": b'"""Nets for *digits*."""\n'}, "models/m.py")
    run = replace(ran("aaaaaa", "wide", {"test": {"accuracy": 0.97216}}), sources=copy.sha)
    desk.record(run_in(State.FAILED, "bbbbbb", message="ValueError: no"), run)
    told = {"git": {"commit": "c0ffee" * 7, "dirty": True}}
    (desk.attempt_directory(run) / "environment.json").write_text(json.dumps(told))
    place = desk.project.runs_dir / run.id
    (place / "notes.jsonl").write_text(
        json.dumps({"id": "1", "at": "2026-11-22T00", "by": "eva", "text": "good"}) + "\n"
    )
    (place / "tags.jsonl").write_text(json.dumps({"add": ["paper"]}) + "\n")
    return run


def test_an_entry_has_description_and_numbered_runs_with_commit_and_result(desk: Desk) -> None:
    run = filled(desk)
    lines = desk.type("journal").stdout.splitlines()
    assert lines[:3] == ["# Experiments", "", "## E1 digits.py"]
    assert "Nets for *digits*." in lines
    assert any(line.startswith("1. 2026-11-21 04:04 `wide`: failed; ValueError: no (run") for line in lines)
    expected = f"succeeded; test accuracy 0.9722 (run `{run.id}`, commit `c0ffeec0ffee+`, tags paper)"
    assert f"2. 2026-11-21 04:04 `wide`: {expected}" in lines
    assert "    - 2026-11-22, eva: good" in lines
    assert lines[-2] == "### Conclusions"


def test_prose_survives_and_new_runs_come_in(desk: Desk, tmp_path: Path) -> None:
    filled(desk)
    path = tmp_path / "log.md"
    assert desk.type("journal", "-o", str(path)).exit_code == 0
    mine = path.read_text().replace("# Experiments\n", "# My log\n\nWhy: …\n").rstrip() + "\n\nWide is enough.\r\nOver."
    path.write_bytes(mine.encode())
    path.chmod(0o640)
    desk.record(ran("cccccc", "deep", {"test": {"accuracy": 0.5}}), ran("dddddd", "one", {}, model="new.py"))
    assert desk.type("journal", "-o", str(path)).exit_code == 0
    text = path.read_bytes().decode()
    assert "3. 2026-11-21 04:04 `deep`" in text
    assert text.startswith("# My log\n\nWhy: …\n")
    assert "Wide is enough.\r\nOver.\n\n## E2 new.py" in text
    assert path.stat().st_mode & 0o777 == 0o640
    assert "nothing is new" in desk.type("journal", "-o", str(path)).stdout
    assert path.read_bytes().decode() == text


def test_tags_choose_runs_and_numbers_stay(desk: Desk) -> None:
    filled(desk)
    (only,) = desk.json("journal", "--tag", "paper")["entries"]
    assert [(each["number"], each["version"]) for each in only["runs"]] == [(2, "wide")]
    assert desk.json("journal", "--tag", "none")["entries"] == []


def test_a_journal_may_be_in_org(desk: Desk, tmp_path: Path) -> None:
    filled(desk)
    desk.type("journal", "-o", str(tmp_path / "log.org"))
    text = (tmp_path / "log.org").read_text()
    assert text.startswith("* Experiments\n\n** E1 digits.py\n\n# mlpipeline:begin digits.py\nNets for *digits*.")
    assert desk.type("journal", "--org").stdout == text


@pytest.mark.parametrize(
    ("words", "said"), [(["nix.py"], "no model that has run"), (["-o", "/nowhere/x.md"], "cannot be written")]
)
def test_what_cannot_be_written_is_told(desk: Desk, words: list[str], said: str) -> None:
    desk.record(*seeds("wide", [0.5]))
    result = desk.type("journal", *words)
    assert (result.exit_code, said in result.output) == (2, True), result.output


@pytest.mark.parametrize("damage", ["no end", "two begins", "end alone", "not text"])
def test_a_damaged_document_is_left_alone(desk: Desk, tmp_path: Path, damage: str) -> None:
    desk.record(*seeds("wide", [0.5]))
    path = tmp_path / "log.md"
    desk.type("journal", "-o", str(path))
    text = path.read_text()
    begin = MARKDOWN.mark("digits.py")
    contents = {
        "no end": text.replace(MARKDOWN.end, "").encode(),
        "two begins": text.replace(begin, f"{begin}\n{begin}").encode(),
        "end alone": text.replace(begin, "").encode(),
        "not text": b"\xff\xfe",
    }
    path.write_bytes(contents[damage])
    result = desk.type("journal", "-o", str(path))
    assert (result.exit_code, str(path) in result.output) == (2, True), result.output
    assert path.read_bytes() == contents[damage]


def test_a_model_twice_is_refused() -> None:
    text = journal.written("", [entry()], MARKDOWN)
    with pytest.raises(UsageError, match="second time"):
        journal.written(text + text, [entry()], MARKDOWN)


PROSE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda each: "mlpipeline:" not in each)


@given(PROSE, PROSE, st.sampled_from([MARKDOWN, ORG]), st.integers(1, 4))
def test_no_byte_of_prose_is_lost(before: str, after: str, form: Form, runs: int) -> None:
    first = journal.written("", [entry(), entry("b.py", number=2)], form)
    document = f"{before}\n{first}{after}\n"
    again = journal.written(document, [entry(runs=runs), entry("b.py", number=2)], form)
    assert again.startswith(f"{before}\n")
    assert again.endswith(f"{after}\n")
    assert again.count("Conclusions") == 2
    assert journal.written(again, [entry(runs=runs)], form) == again


@pytest.mark.parametrize("form", [MARKDOWN, ORG])
@pytest.mark.parametrize("name", ["a -->b.py", "ä/ö ü.py", "x\ny.py", "# mlpipeline:end"])
def test_odd_names_break_no_marks(form: Form, name: str) -> None:
    odd = entry(name)
    text = journal.written("", [odd], form)
    assert journal.written(text, [odd], form) == text


@pytest.mark.parametrize("form", [MARKDOWN, ORG])
def test_a_docstring_is_no_mark_and_no_heading(form: Form) -> None:
    odd = replace(entry(), description=f"{form.end}\n* Nets\n# {form.mark('x')}\n\x1b[31mred")
    text = journal.written("", [odd], form)
    assert journal.written(text, [odd], form) == text
    assert "\x1b" not in text
    assert form is MARKDOWN or "\n* Nets" not in text


def test_a_docstring_opens_nothing_that_it_does_not_close() -> None:
    told = "# One\nTwo\n---\n===\n```sh\n~~~\n<div>\n`a < b` *c* [d](e)\n    code"
    text = journal.written("", [replace(entry(), description=told)], MARKDOWN)
    begin = text.index("-->\n") + 4
    escaped = "\\# One\nTwo\n\\---\n\\===\n\\```sh\n\\~~~\n\\<div>\n`a \\< b` *c* [d](e)\n    code\n\n1. "
    assert text[begin:].startswith(escaped)


def test_what_says_the_same_twice_is_said_once(desk: Desk) -> None:
    desk.record(run_in(State.CANCELLED, cause=Cause.CANCELLED), run_in(State.LOST, "bbbbbb", cause=Cause.KILLED))
    told = desk.type("journal").stdout
    assert "`wide`: cancelled (run" in told
    assert "`wide`: lost (killed) (run" in told
