"""What users mistype: a clear message that names the place, the right exit status, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.small_disks import make_read_only, small_file_system

from .conftest import Workshop

PLAIN = "from truthful import *\n"


def told(workshop: Workshop, *arguments: str) -> str:
    """Runs something that must be refused as wrong usage, in words and not in a traceback of ours."""
    status, text = workshop.run(*arguments)
    assert status == 2, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"[WHITELISTED_MODELS\nm.py", "models.config:1"),
        (b"m.py\n", "before the first [SECTION]"),
        (b"[WHITELISTED_MODELS]\n\0\1\2", "binary"),
        (b"[WHITELISTED_MODELS]\n\xff\xfe", "no UTF-8"),
        (b"[WHITELISTED_MODELS]\n" + b"x" * 10_000_000, "10,000,021 bytes"),
        (b"[WHITELISTED]\nm.py", "Did you mean 'WHITELISTED_MODELS'?"),
        (b"[MLP]\nuse_blacklist = perhaps\n[WHITELISTED_MODELS]\nm.py", "models.config:2"),
        (b"[WHITELISTED_MODELS]\na.py = after=b.py\nb.py = after=a.py", "circle"),
    ],
    ids=["empty", "half", "no section", "binary", "latin", "huge", "misspelt", "not boolean", "cycle"],
)
def test_a_faulty_list_is_refused_at_the_start(workshop: Workshop, content: bytes, words: str) -> None:
    for name in ("m.py", "a.py", "b.py"):
        workshop.model(name, "pass")
    (workshop.root / "models.config").write_bytes(content)
    assert words in told(workshop, "-r", "-u")
    assert not workshop.outputs.exists()


def test_a_faulty_list_changes_nothing_while_the_queue_runs(workshop: Workshop) -> None:
    workshop.model("m.py", 'while not (ROOT / "go").exists(): time.sleep(0.01)')
    workshop.model("n.py", "pass")
    workshop.list("m.py", "n.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    for number, content in enumerate((b"", b"\0", b"[WHITELISTED_MODELS]\n\xff")):
        (workshop.root / "models.config").write_bytes(content)
        workshop.until(lambda n=number: workshop.output().count("last good revision") > n, "the edit is refused")
    (workshop.root / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 1, "a fault that stands is not 'all well'"
    assert [row["model"] for row in workshop.history()] == ["n.py", "m.py"]


def test_a_byte_order_mark_is_no_fault(workshop: Workshop) -> None:
    workshop.model("m.py", "pass")
    (workshop.root / "models.config").write_bytes(b"\xef\xbb\xbf[WHITELISTED_MODELS]\r\nm.py\r\n")
    assert workshop.run("-r", "-u")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-r", "-u", "--executor", "nowhere"), "no executor 'nowhere'"),
        (("-r", "-u", "-j", "0"), "-j"),
        (("nope.py",), "nope.py"),
        (("-r", "../m.py"), "without '..'"),
        (("show", "20200101-000000-aaaaaa"), "mlpipeline history"),
        (("frobnicate",), "no such model"),
        (("--project", "/nowhere/at/all", "status"), "/nowhere/at/all"),
    ],
)
def test_wrong_usage_says_what_is_wrong(workshop: Workshop, arguments: tuple[str, ...], words: str) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert words in told(workshop, *arguments)


def test_an_unknown_key_is_named_with_its_line_and_the_nearest(workshop: Workshop) -> None:
    workshop.config("max_atempts = 3\nslots = none\n")
    text = told(workshop, "-r", "-u")
    assert "mlp.config:4: unknown key 'max_atempts'. Did you mean 'max_attempts'?" in text
    assert "mlp.config:5: slots = none" in text


def test_without_settings_defaults_are_used_and_said(workshop: Workshop) -> None:
    (workshop.root / "mlp.config").unlink()
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    status, text = workshop.run("-r", "-u", "--host", "here")
    assert status == 0
    assert "no mlp.config" in text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('MODEL = Truthful(Versions(0.1, Loader(), 2, 1).add("a").add("a"))', "'a'"),
        ('MODEL = Truthful(Versions(0.1, Loader(), 2, 1).add("a::b"))', "'a::b'"),
        ('MODEL = Truthful(Versions(0.1, Loader(), 2, 1).add("../a"))', "'../a'"),
        ('MODEL = Truthful(Versions(0.1, None, 2, 1).add("a"))', "loader"),
        ('MODEL = Truthful(Versions(0.1, Loader(), 2, 0).add("a"))', "epoc"),
        ('MODEL = Truthful(Versions(0.1, Loader(), -2, 1).add("a"))', "batch"),
        ('MODEL = Truthful(Versions(0.1, Loader(samples=0), 2, 1).add("a"))', "sample"),
        ("MODEL = Truthful(3)", "Versions"),
        ("MODEL = Truthful(Versions())", "no versions"),
        ("MODEL = Truthful", "MODEL is the class Truthful"),
        ("import nowhere_to_be_found", "nowhere_to_be_found"),
    ],
)
def test_a_faulty_model_costs_itself_alone(workshop: Workshop, source: str, words: str) -> None:
    (workshop.models / "bad.py").write_text(PLAIN + source + "\n")
    workshop.model("good.py", "pass")
    workshop.list("bad.py", "good.py")
    status, text = workshop.run("-r", "-u")
    assert status == 1
    assert words in text
    assert "bad.py" in text
    assert len(workshop.truth("trained")) == 1


def test_names_may_hold_blanks_dots_and_any_letters(workshop: Workshop) -> None:
    name, version = "größe v2.1 (neu).py", "β = 0.5, ½ [x] 100 %"
    workshop.model(name, "pass", f"Versions(0.1, Loader(), 2, 1).add({version!r})")
    workshop.list(f'"{name}" = priority=1')
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    (row,) = workshop.history()
    assert (row["model"], row["version"]) == (name, version)
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 1
    assert workshop.run("fsck")[0] == 0


def test_a_model_directory_that_cannot_be_made_is_the_versions_failure(workshop: Workshop) -> None:
    workshop.model("m.py", "pass")
    workshop.model("n.py", "pass")
    workshop.list("m.py", "n.py")
    (workshop.outputs / "model_dirs").mkdir(parents=True)
    (workshop.outputs / "model_dirs" / "m.py-one").write_text("in the way")
    status, text = workshop.run("-r", "-u")
    assert status == 1
    assert "m.py-one: cannot be written" in text
    assert len(workshop.truth("trained")) == 1


def test_outputs_that_cannot_be_written_are_named(workshop: Workshop) -> None:
    workshop.config("outputs_dir = /proc/nowhere\n")
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert "/proc/nowhere: cannot be written" in told(workshop, "-r", "-u")


def test_a_model_that_is_deleted_or_edited_while_it_trains_ends_as_it_began(workshop: Workshop) -> None:
    wait = 'while not (ROOT / "go").exists(): time.sleep(0.01)\ntruth("old", self.run.version)'
    workshop.model("m.py", wait)
    workshop.model("n.py", wait)
    workshop.list("m.py", "n.py")
    process = workshop.start("-r", "-u", "-j", "2")
    workshop.until(lambda: len(workshop.truth("train")) == 2, "both train")
    (workshop.models / "m.py").unlink()
    workshop.model("n.py", 'truth("new", self.run.version)')
    (workshop.root / "go").touch()
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 1, "a listed model is missing"
    assert "no such model" in text
    assert len(workshop.truth("old")) == 2
    assert len(workshop.truth("new")) == 1
    assert {row["state"] for row in workshop.history()} == {"succeeded"}


@pytest.fixture
def small_outputs(workshop: Workshop) -> Iterator[Path]:
    """A file system of two megabytes for the outputs."""
    with small_file_system(workshop.root / "disk") as path:
        workshop.config("outputs_dir = disk\n")
        yield path
        workshop.close()


def test_a_full_disk_makes_everybody_wait_and_loses_nothing(workshop: Workshop, small_outputs: Path) -> None:
    body = """
with (ROOT / "disk" / "filler").open("wb", buffering=0) as file:
    try:
        while True: file.write(b"x" * 4096)
    except OSError: pass
truth("filled", self.run.version)
while not (ROOT / "go").exists(): time.sleep(0.01)
"""
    workshop.model("fills.py", body)
    workshop.model("after.py", "pass")
    workshop.list("fills.py", "after.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("filled"), "the disk is full")
    (workshop.root / "go").touch()
    workshop.until(lambda: workshop.truth("trained"), "training ends on a full disk")
    (small_outputs / "filler").unlink()
    text, _ = process.communicate(timeout=60)
    assert [row["version"] for row in workshop.truth("trained")] == ["one", "one"], text
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 2
    assert "succeeded" in workshop.run("history")[1]
    assert workshop.run("fsck")[0] == 0


def test_outputs_that_turn_read_only_are_refused(workshop: Workshop, small_outputs: Path) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    make_read_only(small_outputs)
    assert "disk" in told(workshop, "-r", "-u")
    assert workshop.run("status")[0] == 0
    assert workshop.run("history")[0] == 0


def test_a_model_that_dies_of_a_nameless_signal_on_import_is_its_own_fault(workshop: Workshop) -> None:
    workshop.model("good.py", "pass")
    (workshop.models / "bad.py").write_text("import os\nos.kill(os.getpid(), 40)\n")
    workshop.list("bad.py", "good.py")
    code, told = workshop.run("-r", "-u")
    assert code == 1
    assert "signal 40" in told
    assert len(workshop.truth("trained")) == 1


def test_descriptions_that_cannot_be_kept_stop_nothing(workshop: Workshop) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    (workshop.outputs / "catalog-here.json").mkdir(parents=True)
    code, told = workshop.run("-r", "-u")
    assert code == 0, told
    assert "cannot be kept" in told
    assert len(workshop.truth("trained")) == 1


@pytest.mark.parametrize("name", ["ledger-here.db", "orders-here.json"])
def test_a_start_that_fails_on_damaged_records_is_not_called_one(workshop: Workshop, name: str) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    workshop.outputs.mkdir()
    (workshop.outputs / name).write_text("torn, but long enough to be taken for what it is not" * 9)
    status, text = workshop.run("start")
    assert status == 2
    assert f"{name}: is damaged" in text
