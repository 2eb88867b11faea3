"""`why` and `plan` say what changed, what is waited for and until when, in real projects."""

from __future__ import annotations

import re

import pytest

from tests.integration.conftest import Workshop

VERSIONS = 'Versions(0.1, Loader(), 2, 1).add("one").add("two")'


def why(workshop: Workshop, what: str) -> str:
    status, output = workshop.run("why", what)
    assert status == 0, output
    return output.strip()


def newest(workshop: Workshop, version: str = "one") -> str:
    return next(str(run["id"]) for run in workshop.history() if run["version"] == version)


def test_a_changed_function_is_named_with_the_run_since_which(workshop: Workshop) -> None:
    workshop.model("digits.py", "pass", VERSIONS)
    workshop.list("digits.py")
    assert workshop.run("-r", "-u")[0] == 0
    run, other = newest(workshop), newest(workshop, "two")
    assert "succeeded" in why(workshop, "digits.py:one")

    workshop.model("digits.py", "print(steps)", VERSIONS)
    told = re.sub(r"about [^,]*,", "about …,", why(workshop, "digits.py:one"))
    assert told == (
        f"digits.py:one is due: Mine.body in models/digits.py changed since run {run} succeeded (test steps 2.0). "
        "It takes about …, by 1 earlier run of it. It runs with: mlpipeline -r -u"
    )
    (answer,) = workshop.json("why", "digits.py:two")["answers"]
    assert (answer["verdict"], answer["stale_since"]) == ("due", other)
    assert answer["changes"] == [{"kind": "code", "name": "Mine.body", "text": "Mine.body in models/digits.py changed"}]
    assert "code changed: Mine.body" in workshop.run("plan")[1]
    assert [each["changes"] for each in workshop.json("plan")["items"]] == [answer["changes"]] * 2
    assert "changed" not in workshop.run("plan", "--no-history")[1]
    assert f"Run {other}" not in why(workshop, run)

    assert workshop.run("-r", "-u")[0] == 0
    assert why(workshop, run).endswith(f"Run {newest(workshop)} of the same version came after it: it succeeded.")


def test_each_seed_is_compared_with_its_own_runs(workshop: Workshop) -> None:
    workshop.model("digits.py", "pass")
    workshop.list("digits.py = replicates=2")
    assert workshop.run("-r", "-u")[0] == 0
    runs = {run["replicate"]: run["id"] for run in workshop.history()}
    workshop.model("digits.py", "print(1)")
    answers = workshop.json("why", "digits.py")["answers"]
    assert {each["replicate"]: each["stale_since"] for each in answers} == runs
    workshop.list("digits.py = replicates=3")
    assert [each["stale_since"] for each in workshop.json("plan")["items"]] == [runs[0], runs[1], None]


def test_helpers_parameters_and_renamed_models_are_told_apart(workshop: Workshop) -> None:
    workshop.model("digits.py", "pass")
    workshop.list("digits.py")
    assert workshop.run("-r", "-u")[0] == 0
    run = newest(workshop)
    assert workshop.run("mv", "digits.py", "net.py")[0] == 0
    (workshop.models / "digits.py").rename(workshop.models / "net.py")
    workshop.list("net.py")
    assert "succeeded" in why(workshop, "net.py")

    truthful = (workshop.models / "truthful.py").read_text()
    (workshop.models / "extra.py").write_text("LEVEL = 1\n")
    (workshop.models / "truthful.py").write_text(truthful + "\nimport extra\n")
    workshop.model("net.py", "pass", 'Versions(0.01, Loader(samples=8), 2, 1).add("one")')
    told = why(workshop, "net.py")
    assert told.startswith(
        "net.py:one is due: module level of models/net.py changed, models/extra.py is new, module level of "
        "models/truthful.py changed, "
    )
    assert "dataloader__samples = 8 is new" in told
    assert "learning_rate: 0.1 → 0.01" in told
    assert f" since run {run} succeeded" in told
    assert "parameters changed: " in workshop.run("plan")[1]


def test_with_rerun_on_params_the_code_is_not_blamed(workshop: Workshop) -> None:
    workshop.config("rerun_on = params\n")
    workshop.model("digits.py", "pass")
    workshop.list("digits.py")
    assert workshop.run("-r", "-u")[0] == 0
    workshop.model("digits.py", "print(1)", 'Versions(0.2, Loader(), 2, 1).add("one")')
    (answer,) = workshop.json("why", "digits.py")["answers"]
    assert [each["text"] for each in answer["changes"]] == ["learning_rate: 0.1 → 0.2"]


def test_sources_that_are_gone_are_said_to_be(workshop: Workshop) -> None:
    workshop.model("digits.py", "pass")
    workshop.list("digits.py")
    assert workshop.run("-r", "-u")[0] == 0
    (workshop.outputs / "sources" / workshop.history()[0]["sources"] / "manifest.json").unlink()
    workshop.model("digits.py", "print(1)")
    assert "its code changed (what exactly cannot be told: " in why(workshop, "digits.py")


def test_what_failed_and_was_mended_says_what_changed_since(workshop: Workshop) -> None:
    workshop.model("digits.py", "raise ValueError('no')")
    workshop.list("digits.py")
    assert workshop.run("-r", "-u")[0] == 1
    told = why(workshop, "digits.py")
    assert re.search(r"failed .* ValueError: no \(models/digits.py:5\)", told)
    assert "mlpipeline retry" in told
    workshop.model("digits.py", "pass")
    assert f"Mine.body in models/digits.py changed since run {newest(workshop)} failed." in why(workshop, "digits.py")


def test_who_waits_for_a_slot_is_told_behind_whom_and_when_it_starts(workshop: Workshop) -> None:
    body = "import time\nwhile self.run.replicate and not (ROOT / 'go').exists(): time.sleep(0.02)"
    workshop.model("lm.py", body)
    workshop.model("new.py", "pass")
    workshop.list("lm.py")
    assert workshop.run("-r", "-u")[0] == 0  # so that it is known how long lm.py takes
    workshop.config("threads = 1\n")
    workshop.list("lm.py = replicates=2", "new.py", "after.py = after=new.py")
    workshop.model("after.py", "pass")
    scheduler = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("train")) == 2, "the second seed trains")
    workshop.until(lambda: "(running for" in why(workshop, "new.py"), "the scheduler heard that it began")
    told = why(workshop, "new.py")
    assert told.startswith("new.py:one is due: waits for a slot. Before it: lm.py:one seed 1 (running for ")
    assert "It has been listed since " in told
    told = why(workshop, "after.py")
    assert told.startswith("after.py:one is waiting: waits for new.py. Before it: lm.py:one seed 1 (running for ")
    assert "new.py:one." in told
    assert "It starts" not in told  # how long new.py takes is not known
    assert "has been running for" in why(workshop, "lm.py")
    (workshop.root / "go").touch()
    assert scheduler.wait(60) == 0


@pytest.mark.alone  # what a run took is told with one digit before the point
def test_a_start_is_reckoned_from_earlier_runs(workshop: Workshop) -> None:
    body = "import time\nwhile self.run.replicate == 1 and not (ROOT / 'go').exists(): time.sleep(0.02)\n"
    body += "time.sleep(0 if self.run.replicate else {seconds})"
    workshop.model("lm.py", body.format(seconds=5))
    workshop.list("lm.py")
    assert workshop.run("-r", "-u")[0] == 0
    workshop.list("lm.py = replicates=3", "new.py")
    workshop.model("new.py", "pass")
    scheduler = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("train")) == 2, "the second seed trains")
    told = why(workshop, "new.py")
    assert re.search(
        r"It starts at about [\d-]* ?\d\d:\d\d.*, after 2 versions of lm.py, which take about \d\.\d s each\.", told
    )
    (workshop.root / "go").touch()
    assert scheduler.wait(60) == 0
    assert "It starts" not in why(workshop, "new.py")


def test_a_lost_run_says_what_ended_it_what_it_kept_and_what_comes_next(workshop: Workshop) -> None:
    body = "import os, signal\nself.run.checkpoint(lambda path: path.write_text('x'), step=7)\n"
    workshop.model("digits.py", body + "os.kill(os.getpid(), signal.SIGKILL)")
    workshop.list("digits.py = max_attempts=1")
    assert workshop.run("-r", "-u")[0] == 1
    run = newest(workshop)
    for told in (why(workshop, run), why(workshop, "digits.py")):
        assert "attempt 1) lost " in told
        assert "killed by signal 9" in told
        assert "Its last checkpoint is of step 7." in told
        assert told.endswith(f"It gave up after 1 attempt: mlpipeline retry {run} tries it again.")
    workshop.list("digits.py = max_attempts=2")
    again = "It is due again. It runs with: mlpipeline -r -u"
    workshop.until(lambda: why(workshop, run).endswith(again), "the pause is over")
    workshop.list()
    assert "It was tried once" in why(workshop, run)


def test_a_held_model_and_a_faulty_one_say_what_to_do(workshop: Workshop) -> None:
    workshop.model("held.py", "pass")
    (workshop.models / "faulty.py").write_text("import truthful\nMODEL = nothing\n")
    workshop.list("held.py = hold", "faulty.py")
    assert why(workshop, "held.py") == "held.py:one is held: remove `hold` in models.config."
    told = why(workshop, "faulty.py")
    assert "models/faulty.py:2: NameError" in told
    assert "Nothing of faulty.py starts before that is mended." in told
