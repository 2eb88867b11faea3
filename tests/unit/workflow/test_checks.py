"""Checks: what passes, fails and raises; thresholds; reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from mlpipeline.errors import CheckFailed
from mlpipeline.workflow import report

from .conftest import WORKFLOW, Workbench

FUNCTIONS = """
import numpy
SEEN = []
def check(trainer, data):
    SEEN.append((trainer.address, list(data)))
    return len(data) > 2, f"{len(data)} rows"
def passes(part, *args, **kwargs): return True
def says_nothing(part, *args): assert args
def numpys(part, out): return numpy.bool_(out["mean"] > 1)
def fails(part, out): return False
def asserts(part, out): assert out["mean"] > 5, "too small"
def raises(part, out): raise KeyError("what")
def odd(part, out): return "yes"
not_a_function = 3
"""


@pytest.fixture
def checked(bench: Workbench) -> Workbench:
    bench.write("checks/data.py", FUNCTIONS)
    bench.write("other/data.py", "def check(part, out):\n    return True, 'the other file'\n")
    return bench


def told(bench: Workbench, checks: str, method: str = "main") -> list[tuple[str, str, str]]:
    runner = bench.load(WORKFLOW, f"checks: {checks}\n", collect_checks=True)
    getattr(runner, method)()
    return [(result.check.name, str(result.status), result.message) for result in runner.check_results]


def test_hooks_see_the_part_its_arguments_and_what_it_returned(checked: Workbench) -> None:
    found = told(
        checked,
        "{train.trainer.fit: {before: checks/data.py}, "
        "main: {after: [checks/data.py:numpys, checks/data.py:says_nothing]}}",
    )
    assert found == [
        ("checks/data.py:check", "passed", "3 rows"),
        ("checks/data.py:numpys", "passed", ""),
        ("checks/data.py:says_nothing", "passed", ""),
    ]


def test_failing_and_raising_checks_are_told_apart(checked: Workbench) -> None:
    names = ", ".join(f"checks/data.py:{name}" for name in ("fails", "asserts", "raises", "odd"))
    assert [(status, message) for _, status, message in told(checked, f"{{main: {{after: [{names}]}}}}")] == [
        ("failed", ""),
        ("failed", "too small"),
        ("error", "KeyError: 'what'"),
        ("error", "it returned str: return True, False, (bool, message), or nothing after assertions"),
    ]


@pytest.mark.parametrize(
    ("bound", "status", "message"),
    [
        ("{metric: mean, at_least: 2}", "passed", "mean is 2.0"),
        ("{metric: mean, above: 2}", "failed", "mean is 2.0"),
        ("{metric: mean, at_least: 1, below: 2}", "failed", "mean is 2.0"),
        ("{metric: mean, among: [1, 2]}", "passed", "mean is 2.0"),
        ("{metric: men, above: 2}", "error", "men: no 'men' in it: it has mean"),
        ("{equals: {mean: 2}}", "passed", "the result is {'mean': 2.0}"),
        ("{above: 3}", "error", "TypeError: '>' not supported between instances of 'dict' and 'int'"),
        ("{metric: mean, differs_from: 2, on_failure: warn}", "failed", "mean is 2.0"),
    ],
)
def test_thresholds_compare_what_a_method_returned(checked: Workbench, bound: str, status: str, message: str) -> None:
    ((_, found, said),) = told(checked, f"{{main: {{after: [{bound}]}}}}")
    assert (found, said) == (status, message)


def test_a_failing_check_ends_the_workflow_unless_it_warns(checked: Workbench) -> None:
    runner = checked.load(WORKFLOW, "checks: {train.trainer.fit: {after: [{above: 3}]}}\n")
    with pytest.raises(CheckFailed, match=r"check above 3 after train\.trainer\.fit: failed: the result is 2"):
        runner.main()
    with pytest.raises(CheckFailed, match="KeyError: 'what'") as caught:
        checked.load(WORKFLOW, "checks: {main: {after: checks/data.py:raises}}\n").main()
    assert isinstance(caught.value.__cause__, KeyError)
    warns = "checks: {main: {after: {function: checks/data.py:fails, on_failure: warn}}}\n"
    assert checked.load(WORKFLOW, warns).main() == {"mean": 2}


def test_a_check_before_a_method_keeps_it_from_being_called(checked: Workbench) -> None:
    runner = checked.load(WORKFLOW, "config: {rows: [1]}\nchecks: {train.trainer.fit: {before: checks/data.py}}\n")
    with pytest.raises(CheckFailed, match="1 rows"):
        runner.main()
    assert runner.train.trainer.model is None


def test_check_files_of_the_same_name_do_not_clash(checked: Workbench) -> None:
    found = told(checked, "{main: {after: [other/data.py, checks/data.py:passes]}}")
    assert found == [("other/data.py:check", "passed", "the other file"), ("checks/data.py:passes", "passed", "")]


def test_checks_may_stand_in_a_parts_own_section_and_in_a_step(checked: Workbench) -> None:
    runner = checked.load(WORKFLOW, "train: {checks: {trainer.fit: {before: checks/data.py}}}\n", collect_checks=True)
    runner.main()
    assert [result.check.target for result in runner.check_results] == ["train.trainer.fit"]
    steps = """
    runner:
      - {call: trainer.fit, with: {data: [1]}}
      - {call: trainer.fit, with: {data: [1, 2, 3]}, checks: {before: checks/data.py, after: {above: 1}}}
    component: {trainer: Mean}
    """
    runner = checked.load(steps, collect_checks=True)
    runner.main()
    assert [(str(result.status), result.message) for result in runner.check_results] == [
        ("passed", "3 rows"), ("passed", "the result is 2.0"),
    ]  # fmt: skip


def test_a_check_of_main_holds_also_where_nobody_wrote_it(checked: Workbench) -> None:
    text = """
    pipeline: {train: [{call: trainer.fit, with: {data: [4]}}]}
    component: {trainer: Mean}
    checks: {main: {after: [{metric: train, above: 3}]}, train.main: {after: [{equals: 4}]}}
    """
    runner = checked.load(text, collect_checks=True)
    assert runner.main() == {"train": 4}
    assert [str(result.status) for result in runner.check_results] == ["passed", "passed"]


def test_a_check_whose_method_was_not_called_is_told(checked: Workbench) -> None:
    ((_, status, message),) = told(checked, "{train.trainer.fit: {before: checks/data.py}}", "build")
    assert (status, message) == ("skipped", "the method was not called")


@pytest.mark.parametrize(
    ("checks", "told_"),
    [
        ("{main: {after: gone.py}}", "there is no Python file 'gone.py' in the project"),
        ("{main: {after: mlp.config}}", "there is no Python file 'mlp.config'"),
        ("{main: {after: ../outside.py}}", "../outside.py lies outside the project"),
        ("{main: {after: /etc/outside.py}}", "/etc/outside.py lies outside the project"),
        (
            "{main: {after: checks/data.py:pases}}",
            "there is no function 'pases' in checks/data.py. Did you mean 'passes'?",
        ),
        ("{main: {after: checks/data.py:not_a_function}}", "there is no function 'not_a_function'"),
        ("{main: {after: checks/broken.py}}", "the check cannot be loaded: checks/broken.py:1: ZeroDivisionError"),
        ("{main: {during: checks/data.py}}", "'during' is no moment"),
        ("{main: checks/data.py}", "write `before: [...]` and `after: [...]`"),
        ("{mian: {after: checks/data.py}}", "check of 'mian': My has no method 'mian'. Did you mean"),
        (
            "{train.trainmodel: {after: checks/data.py}}",
            "Train has no method 'trainmodel'. Did you mean 'train_model'?",
        ),
        ("{tran.train_model: {after: checks/data.py}}", "there is no part 'tran'. Did you mean 'train'?"),
        ("{main: {before: {above: 3}}}", "thresholds stand under after"),
        ("{main: {after: {}}}", "a check is FILE:FUNCTION, or a metric with a bound"),
        ("{main: {after: {metric: f1}}}", "a check is FILE:FUNCTION, or a metric with a bound"),
        ("{main: {after: {abov: 3}}}", "there is no comparison 'abov'. Did you mean 'above'?"),
        ("{main: {after: {function: checks/data.py, above: 3}}}", "'above' does not go with a function"),
        ("{main: {after: {above: 3, on_failure: cry}}}", "on_failure is fail or warn, not 'cry'"),
        ("[main]", "checks is a mapping of methods"),
    ],
)
def test_a_faulty_check_is_told_before_anything_runs(checked: Workbench, checks: str, told_: str) -> None:
    checked.write("checks/broken.py", "1 / 0\n")
    found = checked.faults(WORKFLOW, f"checks: {checks}\n")
    assert any(told_ in each and each.startswith("w1.yaml:1:") for each in found), found


def test_a_link_out_of_the_project_lies_outside(checked: Workbench) -> None:
    outside = checked.root.parent / "outside.py"
    outside.write_text("def check(*a): ...\n")
    (checked.root / "linked.py").symlink_to(outside)
    assert "lies outside the project" in checked.faults(WORKFLOW, "checks: {main: {after: linked.py}}\n")[0]


def test_reports_say_the_same_to_a_person_a_program_and_a_server(checked: Workbench) -> None:
    names = ", ".join(f"checks/data.py:{name}" for name in ("passes", "fails", "raises"))
    text = f"[{names}, {{metric: mean, above: 5, on_failure: warn}}]"
    runner = checked.load(WORKFLOW, f"checks: {{main: {{after: {text}}}}}\n", collect_checks=True)
    runner.main()
    results = runner.check_results
    assert report.lines(results) == [
        "main",
        "  passed  after  checks/data.py:passes",
        "  FAILED  after  checks/data.py:fails",
        "  ERROR  after  checks/data.py:raises: KeyError: 'what'",
        "  FAILED (warning)  after  mean above 5: mean is 2.0",
        "4 checks: 1 passed, 2 failed, 1 error",
    ]
    told = report.to_json(results)
    assert (told["good"], told["counts"]["failed"], len(told["checks"])) == (False, 2, 4)
    report.write_junit(results, checked.root / "out" / "report.xml", "My <workflow> \x07")
    suite = ET.parse(checked.root / "out" / "report.xml").getroot()[0]
    counted = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "name")}
    assert counted == {"tests": "4", "failures": "1", "errors": "1", "skipped": "0", "name": "My <workflow> ?"}
    assert [[each.tag for each in case] for case in suite] == [[], ["failure"], ["error"], []]


def test_no_check_at_all_is_no_good_result() -> None:
    assert not report.is_good([])
    assert report.lines([]) == ["there are no checks"]
