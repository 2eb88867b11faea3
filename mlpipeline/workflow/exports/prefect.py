"""Writes a workflow as a flow of Prefect 3."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.workflow.exports import names, python_code
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import Subject
from mlpipeline.workflow.literals import literal

FILE = "flow.py"


def render(subject: Subject, options: Options, directory: Path) -> dict[str, str]:
    """Returns the files by name: each task of the workflow is a task of the flow, one after the other."""
    imports = ["from prefect import flow, task", "from prefect.runtime import flow_run"]
    flow = f"{names.identifier(subject.name)}_flow"
    parameters = python_code.offered(subject, (flow, "flow", "task", "flow_run", "changes", "run_id", "values"))
    lines = [python_code.head("Prefect", imports, subject, options, directory)]
    for each in subject.tasks:
        lines += [
            "",
            "@task(",
            f"    name={literal(each.call)},",
            "    retries=RETRIES,",
            "    retry_delay_seconds=RETRY_SECONDS,",
            ")",
            f"def {each.name}(run_id, changes):",
            f"    return run_step({each.number}, run_id, changes)",
            "",
        ]
    name = names.slug(subject.name, longest=200, allowed=_ALLOWED)
    lines += ["", "@flow(", f"    name={literal(name)},", "    log_prints=True,", ")", f"def {flow}("]
    lines += [f"    {each.name}: {each.kind} | None = None," for each in parameters]
    lines += ["    settings: list[str] | None = None,", "):"]
    lines += ['    """Runs the workflow; what is not given is as its file says."""']
    lines += ["    values = {", *(f"        {literal(each.name)}: {each.name}," for each in parameters), "    }"]
    lines += ["    changes = changes_of(values, settings)", "    run_id = str(flow_run.id)"]
    calls = [f"{each.name}(run_id, changes)" for each in subject.tasks]
    lines += [*(f"    {call}" for call in calls[:-1]), f"    return {calls[-1]}", "", ""]
    lines += ['if __name__ == "__main__":']
    if options.schedule is None:
        lines += [f"    {flow}()"]
    else:
        cron = literal(options.schedule)
        lines += [f"    {flow}.serve(", "        name=NAME,", f"        cron={cron},", "    )"]
    return {FILE: "\n".join(lines) + "\n"}


_ALLOWED = "A-Za-z0-9_. '-"
