"""Several runs at a time: they really overlap, share fairly, keep to the memory, and compute the same."""

from __future__ import annotations

import json
import signal

from mlpipeline import wire

from .conftest import Workshop

WAIT = """
while not (ROOT / "go").exists(): time.sleep(0.01)
"""
TWO = 'Versions(0.1, Loader(), 2, 1).add("a").add("b")'
FOUR = 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c").add("d")'


def begun(workshop: Workshop) -> list[str]:
    return [row["version"] for row in workshop.truth("train")]


def counts(workshop: Workshop) -> dict[str, int]:
    told = wire.read_json(workshop.outputs / "status-here.json") or {}
    return dict(told.get("counts") or {})


def test_versions_of_one_model_train_side_by_side(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT, TWO)
    workshop.list("m.py")
    process = workshop.start("-r", "-u", "-j", "2")
    workshop.until(lambda: len(begun(workshop)) == 2, "both train")
    assert not workshop.truth("trained")
    (workshop.root / "go").touch()
    assert process.wait(60) == 0


def test_slots_change_while_the_queue_runs(workshop: Workshop) -> None:
    workshop.config("slots = 1\n")
    workshop.model("m.py", 'while not (ROOT / f"go-{self.run.version}").exists(): time.sleep(0.01)', FOUR)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: begun(workshop) == ["a"], "one trains")
    workshop.config("slots = 3\n")
    workshop.until(lambda: len(begun(workshop)) == 3, "three train")
    workshop.config("slots = 1\n")
    workshop.until(lambda: "slots: 3 → 1" in workshop.output(), "the edit is seen")
    (workshop.root / "go-a").touch()
    workshop.until(lambda: len(workshop.truth("trained")) == 1, "the first ends")
    workshop.until(lambda: "succeeded m.py:a" in workshop.output(), "its end is recorded")
    assert len(begun(workshop)) == 3, "two go on, which is more than may: nothing new starts"
    for name in "bcd":
        (workshop.root / f"go-{name}").touch()
    assert process.wait(60) == 0
    assert sorted(begun(workshop)) == ["a", "b", "c", "d"]


def test_models_share_the_slots(workshop: Workshop) -> None:
    for name in ("first.py", "second.py"):
        workshop.model(name, WAIT, FOUR)
    workshop.list("first.py = hold", "second.py = hold")
    process = workshop.start("-r", "-u", "-j", "2", "--watch")
    workshop.until(lambda: counts(workshop).get("held") == 8, "both are described")
    workshop.list("first.py", "second.py")
    workshop.until(lambda: len(begun(workshop)) == 2, "two train")
    assert begun(workshop) == ["a", "a"], "the first version of each"
    (workshop.root / "go").touch()
    workshop.until(lambda: len(workshop.truth("trained")) == 8, "all are trained")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130


def test_absurd_numbers_of_slots_are_refused(workshop: Workshop) -> None:
    workshop.list()
    for number in ("0", "-1", "x", "500000"):
        code, told = workshop.run("-r", "-j", number)
        assert code == 2
        assert "--slots" in told
    for number, what in (("0", "must be 1 or more"), ("500000", "must be 100000 or less")):
        workshop.config(f"slots = {number}\n")
        code, told = workshop.run("-r")
        assert code == 2
        assert f"mlp.config:4: slots = {number}: {what}" in told


def test_an_edit_says_that_the_command_line_holds(workshop: Workshop) -> None:
    workshop.model("m.py", WAIT, FOUR)
    workshop.list("m.py")
    process = workshop.start("-r", "-u", "-j", "2")
    workshop.until(lambda: len(begun(workshop)) == 2, "two train")
    workshop.config("slots = 4\n")
    told = "slots: 1 → 4: not while -j 2 holds"
    workshop.until(lambda: told in workshop.output(), "it is told")
    item = workshop.json("plan")["items"][2]
    assert item["reason"] == "waits for a slot", "the plan counts the slots of the scheduler that runs"
    assert len(begun(workshop)) == 2
    (workshop.root / "go").touch()
    assert process.wait(60) == 0


def test_what_runs_keeps_its_memory_whatever_is_edited_and_whoever_looks(workshop: Workshop) -> None:
    machine = {"MLP_MEMORY": f"{20 * 10**9},{11 * 10**9}"}
    for name in ("a.py", "b.py"):
        workshop.model(name, WAIT)
    workshop.list("a.py = memory=6GB", "b.py = memory=6GB, hold")
    process = workshop.start("-r", "-u", "--watch", "-j", "2", variables=machine)
    workshop.until(lambda: len(begun(workshop)) == 1, "one trains")
    workshop.list("b.py = memory=6GB")
    workshop.until(lambda: any("memory" in each["reason"] for each in workshop.json("status")["next"]), "b waits")
    process.kill()
    process.wait()
    process = workshop.start("-r", "-u", "-j", "2", variables=machine)
    workshop.until(lambda: "adopted a.py:one" in workshop.output(), "it is taken up")
    pid = process.pid
    workshop.until(lambda: workshop.json("status")["scheduler"]["pid"] == pid, "the new one says what is")
    workshop.until(lambda: any("memory" in each["reason"] for each in workshop.json("status")["next"]), "b waits on")
    assert len(begun(workshop)) == 1
    (workshop.root / "go").touch()
    assert process.wait(60) == 0
    assert len(begun(workshop)) == 2


def test_what_took_more_than_there_is_trains_alone(workshop: Workshop) -> None:
    workshop.model("m.py", "block = bytearray(300_000_000); time.sleep(0.5)", TWO)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    code, told = workshop.run("-r", "-j", "2", variables={"MLP_MEMORY": f"{200_000_000},{200_000_000}"})
    assert code == 0
    assert told.count("it trains alone") == 2
    first, second = (row["m"] for row in workshop.truth("trained")[2:])
    assert workshop.truth("train")[3]["m"] > first
    assert second > first


def test_what_lacks_memory_waits_and_why_says_so(workshop: Workshop) -> None:
    machine = {"MLP_MEMORY": f"{20 * 10**9},{11 * 10**9}"}
    workshop.model("m.py", WAIT, TWO)
    workshop.list("m.py = memory=6GB")
    process = workshop.start("-r", "-u", "-j", "2", variables=machine)
    workshop.until(lambda: begun(workshop), "one trains")
    waits = workshop.until(
        lambda: [each for each in workshop.json("status")["next"] if "memory" in each["reason"]], "the other waits"
    )
    assert "needs 6.0 GB (stated in models.config)" in waits[0]["reason"]
    code, told = workshop.run("why", "m.py:b", variables=machine)
    assert code == 0, told
    assert "memory" in told
    assert begun(workshop) == ["a"]
    (workshop.root / "go").touch()
    assert process.wait(60) == 0
    assert begun(workshop) == ["a", "b"]


def test_more_than_the_machine_has_is_a_fault_at_once(workshop: Workshop) -> None:
    machine = {"MLP_MEMORY": f"{20 * 10**9},{11 * 10**9}"}
    workshop.model("large.py", "pass")
    workshop.model("small.py", "pass")
    workshop.list("large.py = memory=64GB", "small.py")
    code, told = workshop.run("-r", "-u", variables=machine)
    assert code == 1
    assert "large.py asks for memory=64.0 GB, and this machine has 20.0 GB" in told
    assert "models.config:" in told
    assert len(workshop.truth("trained")) == 1


def test_what_was_learnt_keeps_two_large_ones_apart(workshop: Workshop) -> None:
    body = 'block = bytearray(300_000_000)\nif (ROOT / "second").exists():\n    ' + WAIT.strip()
    workshop.model("m.py", body, TWO)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    (workshop.root / "second").touch()
    machine = {"MLP_MEMORY": f"{10**9},{500_000_000}"}
    process = workshop.start("-r", "-j", "2", variables=machine)
    workshop.until(lambda: len(begun(workshop)) == 3, "one trains again")
    told = workshop.until(
        lambda: [each["reason"] for each in workshop.json("status")["next"] if "memory" in each["reason"]], "one waits"
    )
    assert "as its last runs" in told[0]
    (workshop.root / "go").touch()
    assert process.wait(60) == 0


def test_results_do_not_depend_on_the_number_of_slots(workshop: Workshop) -> None:
    body = """
import numpy
a = numpy.random.rand(600, 600)
for _ in range(5): a = numpy.tanh(a @ a.T / 600)
truth("result", self.run.version, value=float(a.sum()).hex(), threads=os.environ["OMP_NUM_THREADS"])
"""
    workshop.config("threads = 1\n")
    workshop.model("m.py", body, FOUR)
    workshop.list("m.py")
    found = []
    for slots in ("1", "2", "4"):
        (workshop.root / "truth.jsonl").unlink(missing_ok=True)
        assert workshop.run("-r", "-j", slots)[0] == 0
        found.append(sorted((row["version"], row["value"], row["threads"]) for row in workshop.truth("result")))
    assert found[0] == found[1] == found[2]
    assert len({value for _, value, _ in found[0]}) == 4, json.dumps(found)


def test_cores_are_divided_and_crowding_is_told_once(workshop: Workshop) -> None:
    workshop.model("m.py", 'truth("threads", self.run.version, count=os.environ["OMP_NUM_THREADS"])', FOUR)
    workshop.list("m.py")
    assert workshop.run("-r", "-j", "64")[0] == 0
    assert {row["count"] for row in workshop.truth("threads")} == {"1"}
    workshop.config("threads = 64\n")
    code, told = workshop.run("-r", "-j", "2")
    assert code == 0
    assert told.count("slow one another down") == 1
