"""Writes a workflow as a DAG of Airflow 3, by its TaskFlow API."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.workflow.exports import names, python_code
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import Subject
from mlpipeline.workflow.literals import literal

FILE = "dag.py"
_IMPORTS = (
    "from airflow.sdk import Param, dag, get_current_context, task",
    "from datetime import datetime, timedelta",
)
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}
_RUN_TASK = """
def run_task(number):
    context = get_current_context()
    values = dict(context["params"])
    settings = values.pop("settings", None)
    return run_step(number, context["run_id"], changes_of(values, settings))
"""


def render(subject: Subject, options: Options, directory: Path) -> dict[str, str]:
    """Returns the files by name: each task of the workflow is a task of the DAG, one after the other."""
    lines = [python_code.head("Airflow", _IMPORTS, subject, options, directory), _RUN_TASK]
    for task in subject.tasks:
        lines += ["", f"@task(task_id={literal(task.name)})", f"def {task.name}():"]
        lines += [f"    # {python_code.comment(task.call)}", f"    return run_task({task.number})", ""]
    function = f"{names.identifier(subject.name)}_dag"
    lines += ["", *_decorator(subject, options), f"def {function}():", *_chain(subject), "", "", f"{function}()"]
    return {FILE: "\n".join(lines) + "\n"}


def _decorator(subject: Subject, options: Options) -> list[str]:
    params = [
        f'        {literal(each.name)}: Param(None, type=["null", {literal(_TYPES[each.kind])}]),'
        for each in python_code.offered(subject, ())
    ]
    return [
        "@dag(",
        f"    dag_id={literal(names.slug(subject.name, longest=200, allowed='A-Za-z0-9_.-'))},",
        f"    schedule={'None' if options.schedule is None else literal(options.schedule)},",
        "    start_date=datetime(2020, 1, 1),",
        "    catchup=False,",
        '    tags=["mlpipeline"],',
        '    default_args={"retries": RETRIES, "retry_delay": timedelta(seconds=RETRY_SECONDS)},',
        "    params={",
        *params,
        '        "settings": Param([], type="array", items={"type": "string"}),',
        "    },",
        ")",
    ]


def _chain(subject: Subject) -> list[str]:
    if len(subject.tasks) == 1:
        return [f"    {subject.tasks[0].name}()"]
    lines = ["    tasks = ["]
    lines += [f"        {each.name}()," for each in subject.tasks]
    return [*lines, "    ]", "    for before, after in zip(tasks, tasks[1:]):", "        before >> after"]
