"""What the files for Prefect, Metaflow and Airflow have in common: how they run one step of a workflow."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable
from pathlib import Path

from mlpipeline.workflow.exports.names import slug
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import Parameter, Subject
from mlpipeline.workflow.literals import literal

IMPORTS = ("collections", "json", "os", "shlex", "shutil", "subprocess")
_OWN = ("HERE", "PROJECT", "COMMAND", "RECORDS", "WORKFLOW", "RETRIES", "RETRY_SECONDS")
_LONGEST = 36
# Lines are shorter than 88 characters, and what may be long ends in a comma: so formatters leave all as it is.
_PLACES = """\
# Where the project is, how mlpipeline is started there, and where results are kept
# from task to task: these must be the same for every task of a run.
PROJECT = Path(os.environ.get("MLPIPELINE_PROJECT") or HERE)
COMMAND = shlex.split(os.environ.get("MLPIPELINE_COMMAND", "mlpipeline"))
RECORDS = PROJECT / ".mlpipeline" / "records"
RECORDS = Path(os.environ.get("MLPIPELINE_RECORDS") or RECORDS)\
"""
_RUN_STEP = '''
def run_step(number, run_id, changes):
    """Runs one step of the workflow, and returns the metrics so far.

    The steps before it are not repeated: their results are in the run's own directory.
    """
    records = RECORDS / NAME / f"run-{quote(run_id, safe='')}"
    command = [*COMMAND, *WORKFLOW, *(f"--set={change}" for change in changes)]
    command += ["--records", str(records), "--until", str(number)]
    told = collections.deque(maxlen=20)
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            for line in process.stdout:
                print(line, end="")
                told.append(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        status = f"step {number} ended with status {process.returncode}"
        raise RuntimeError(f"{status}:\\n{''.join(told)}")
    metrics = json.loads((records / "metrics.json").read_text("utf-8"))["metrics"]
    if number == STEPS:
        shutil.rmtree(records)
    return metrics


def changes_of(values, settings):
    """Returns what `--set` is given: values but None, and `part.key=value` as it is."""
    found = []
    for name, value in values.items():
        if value is not None:
            found.append(f"{name}={json.dumps(value, ensure_ascii=False)}")
    return [*found, *(settings or [])]
'''


def head(tool: str, imports: Iterable[str], subject: Subject, options: Options, directory: Path) -> str:
    """Returns the beginning of a file: imports, and what the workflow is.

    Args:
        tool: as a person writes it.
        imports: lines of the tool's own.
        directory: where the file is going to lie.
    """
    dated = [line for line in imports if line.startswith("from datetime")]
    lines = [f'"""Runs a workflow of mlpipeline in {tool}: see `mlpipeline export workflow`."""', ""]
    lines += [*(f"import {name}" for name in IMPORTS), *dated]
    lines += ["from pathlib import Path", "from urllib.parse import quote", ""]
    lines += [*(line for line in imports if line not in dated), "", *_here(subject, directory), _PLACES, "WORKFLOW = ["]
    lines += [*(f"    {literal(word)}," for word in subject.words), "]"]
    lines += [f"NAME = {literal(slug(subject.name))}", f"STEPS = {len(subject.tasks)}"]
    lines += [f"RETRIES = {options.retries}", f"RETRY_SECONDS = {options.retry_seconds}", "", _RUN_STEP]
    return "\n".join(lines)


def _here(subject: Subject, directory: Path) -> list[str]:
    """Returns where the project is: as seen from the file, where that lies in it."""
    root, place = subject.root, directory.resolve()
    if not place.is_relative_to(root):
        return ["HERE = Path(", f"    {literal(os.fspath(root))},", ")"]
    up = len(place.relative_to(root).parts)
    return [f"HERE = Path(__file__).resolve().{f'parents[{up}]' if up else 'parent'}"]


def comment(text: str) -> str:
    """Returns a text as it may stand behind a hash: on one line."""
    return "".join(each if each.isprintable() else "?" for each in text)


def offered(subject: Subject, taken: Iterable[str]) -> list[Parameter]:
    """Returns the parameters whose names are free; the others can still be given in `settings`."""
    names = {*taken, *IMPORTS, *_OWN, "NAME", "STEPS", "Path", "quote", "run_step", "changes_of", "settings"}
    names |= {each.name for each in subject.tasks}
    found = [each for each in subject.parameters if each.name not in names and not hasattr(builtins, each.name)]
    # two names that differ in nothing but capitals are one to the command lines of some
    return list({each.name.lower(): each for each in reversed(found) if len(each.name) <= _LONGEST}.values())[::-1]
