"""Edits of mlp.config while the queue runs: what takes effect at once, what waits, what is refused."""

from __future__ import annotations

from tests.integration.conftest import Workshop

WAIT = 'while not (ROOT / "go").exists(): time.sleep(0.01)'


def edit(workshop: Workshop, text: str) -> None:
    path = workshop.root / "mlp.config"
    beside = path.with_suffix(".new")
    beside.write_text("[MLP]\nhost = here\ngrace_seconds = 2\n" + text)
    beside.rename(path)


def test_more_slots_start_more_runs_at_once(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT, 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c")')
    workshop.list("m.py")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("train")) == 1, "one trains")
    edit(workshop, "slots = 3\nexecutor = inline\n")
    workshop.until(lambda: len(workshop.truth("train")) == 3, "three train")
    assert "mlp.config: ~ slots: 1 → 3" in workshop.output()
    assert "~ executor: local → inline: takes effect when the scheduler is started again" in workshop.output()
    (workshop.root / "go").touch()
    assert queue.wait(60) == 0


def test_no_value_of_a_section_is_told(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT)
    workshop.list("m.py")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("train")) == 1, "it trains")
    edit(workshop, "[NOTIFY]\nwebhook = http://127.0.0.1:9/T0/secret\n")
    workshop.until(
        lambda: "mlp.config: ~ [NOTIFY]: takes effect when the scheduler is started again" in workshop.output(),
        "the edit is told",
    )
    assert "secret" not in workshop.output()
    (workshop.root / "go").touch()
    assert queue.wait(60) == 0


def test_a_faulty_edit_leaves_the_settings_as_they_were(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT, 'Versions(0.1, Loader(), 2, 1).add("a").add("b")')
    workshop.list("m.py")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("train")) == 1, "one trains")
    edit(workshop, "slots = many\n")
    workshop.until(lambda: "mlp.config:4: slots = many" in workshop.output(), "the fault is told")
    status = workshop.outputs / "status-here.json"
    workshop.until(lambda: "mlp.config:4" in status.read_text(), "the status file has it")
    edit(workshop, "slots = 2\n")
    workshop.until(lambda: len(workshop.truth("train")) == 2, "the mended file counts")
    (workshop.root / "go").touch()
    assert queue.wait(60) == 0


def test_nothing_starts_while_the_disk_is_too_full_for_it(workshop: Workshop) -> None:
    workshop.config("min_free_disk = 900TB\n")
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    queue = workshop.start("-r", "-u")
    item = workshop.until(
        lambda: next((each for each in workshop.json("status")["next"] if "disk" in each["reason"]), None), "it waits"
    )
    assert "min_free_disk = 900000.00 GB" in item["reason"]
    assert "waits for disk space" in workshop.run("why", "m.py")[1]
    assert workshop.truth("train") == []
    edit(workshop, "")
    assert queue.wait(60) == 0
    assert len(workshop.truth("trained")) == 1


def test_an_emptied_file_changes_nothing(workshop: Workshop) -> None:
    workshop.config("slots = 3\n")
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.truth("trained"), "it is trained")
    (workshop.root / "mlp.config").write_text("")
    workshop.until(lambda: "mlp.config" in workshop.output(), "the file was read")
    assert "fault: mlp.config: is empty" in workshop.output()
    assert "slots: 3" not in workshop.output()
