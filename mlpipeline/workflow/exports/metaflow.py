"""Writes a workflow as a FlowSpec of Metaflow."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.workflow.exports import names, python_code
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import Subject
from mlpipeline.workflow.literals import literal

FILE = "flow.py"
_TAKEN = (
    "changes", "cmd", "decospecs", "end", "foreach_stack", "index", "input", "max_log_size", "max_num_splits",
    "max_workers", "merge_artifacts", "metrics", "name", "namespace", "next", "obj", "params", "run_id", "run_id_file",
    "runner_attribute_file", "script_name", "start", "tag", "tags", "task_id", "user_namespace", "with",
)  # fmt: skip
"""Names that Metaflow has for itself: metaflow/parameters.py, lint.py and flowspec.py of 2.19."""
_TYPES = {"str": "str", "int": "int", "float": "float", "bool": "bool", "list": "JSONType", "dict": "JSONType"}


def render(subject: Subject, options: Options, directory: Path) -> dict[str, str]:
    """Returns the files by name: each task of the workflow is a step of the flow, one after the other."""
    used = "FlowSpec, JSONType, Parameter, current, retry, " + ("schedule, step" if options.schedule else "step")
    name = names.class_name(subject.name)
    lines = [python_code.head("Metaflow", [f"from metaflow import {used}"], subject, options, directory), ""]
    if options.schedule is not None:
        lines += [f"@schedule(cron={literal(options.schedule)})"]
    lines += [f"class {name}(FlowSpec):", '    """Runs the workflow. What is not given is as its file says."""', ""]
    calls = [*(task.name for task in subject.tasks), "end"]
    lines += [*_start(subject, calls[0]), *_steps(subject, calls)]
    lines += ["", "    @step", "    def end(self):", "        print(json.dumps(self.metrics))", "", ""]
    lines += ['if __name__ == "__main__":', f"    {name}()"]
    return {FILE: "\n".join(lines) + "\n"}


def _start(subject: Subject, first: str) -> list[str]:
    parameters = python_code.offered(subject, _TAKEN)
    lines = []
    for each in parameters:
        lines += [f"    {each.name} = Parameter(", f"        {literal(each.name)},"]
        lines += [f"        type={_TYPES[each.kind]},", "        default=None,", "    )"]
    return [
        *lines,
        '    settings = Parameter("settings", type=JSONType, default="[]")',
        "",
        "    @step",
        "    def start(self):",
        "        values = {",
        *(f"            {literal(each.name)}: self.{each.name}," for each in parameters),
        "        }",
        "        self.changes = changes_of(values, self.settings)",
        f"        self.next(self.{first})",
    ]


def _steps(subject: Subject, calls: list[str]) -> list[str]:
    lines = []
    for task, following in zip(subject.tasks, calls[1:], strict=True):
        lines += ["", "    @retry(times=RETRIES, minutes_between_retries=RETRY_SECONDS / 60)", "    @step"]
        lines += [f"    def {task.name}(self):", f"        # {python_code.comment(task.call)}"]
        lines += [f"        self.metrics = run_step({task.number}, current.run_id, self.changes)"]
        lines += [f"        self.next(self.{following})"]
    return lines
