"""The command that writes the experiment log: journal."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.choosing import words_of
from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, model_names, say, shared

if TYPE_CHECKING:
    from mlpipeline.observe.journal import Entry
    from mlpipeline.project import Project
    from mlpipeline.run import Run


@click.command()
@click.argument("models", metavar="[MODEL]...", nargs=-1, shell_complete=complete_model)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only runs with it; may be given again.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Markdown, or org where it ends so."
)
@click.option("--org", is_flag=True, help="Print org in place of Markdown.")
@shared
@click.pass_obj
def journal(setup: Setup, models: tuple[str, ...], tags: tuple[str, ...], output: Path | None, org: bool) -> None:
    """Write the experiment log: an entry for each model, with its numbered runs, their commits, results and notes.

    A FILE that is there is brought up to date between its marks; whatever you wrote outside of them stays as it is.

    \b
    mlpipeline journal -o experiments.md
    mlpipeline journal digits.py --tag paper
    """
    from mlpipeline.observe import journal as journals

    project = setup.project()
    entries = _entries(project, models, tags)
    if setup.json:
        setup.emit({"format": 1, "entries": [_told(entry) for entry in entries]})
        return
    if output is None:
        click.echo(journals.written("", entries, journals.ORG if org else journals.MARKDOWN), nl=False)
        return
    from mlpipeline.errors import UsageError
    from mlpipeline.observe import text, whole_file

    before = _read(output)
    try:
        after = journals.written(before, entries, journals.form_of(output.name))
    except UsageError as error:
        raise UsageError(f"{output}: {error}") from error
    if after != before:
        whole_file.write(output, after.encode("utf-8", "replace"))
    runs = sum(len(entry.steps) for entry in entries)
    new = "" if after != before else "; nothing is new"
    say(f"{output}: {text.many(len(entries), 'model')}, {text.many(runs, 'run')}{new}.")


def _entries(project: Project, models: Collection[str], tags: Collection[str]) -> list[Entry]:
    """Reads what the ledger and the run directories say. Numbers do not depend on what is chosen."""
    from mlpipeline.errors import RunNotFound
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.journal import Entry, Step
    from mlpipeline.rundir import read_notes, read_tags

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        grouped: dict[str, list[Run]] = {}
        for run in ledger.runs(newest_first=False):
            grouped.setdefault(run.model, []).append(run)
        words = words_of(project, ledger)
    wanted = {name for each in models for name in model_names(project, each)}
    for each in models:
        if not grouped.keys() & set(model_names(project, each)):
            raise RunNotFound(f"'{each}' is no model that has run: see mlpipeline history")
    found = []
    for number, (model, runs) in enumerate(grouped.items(), 1):
        if wanted and model not in wanted:
            continue
        steps = []
        for place, run in enumerate(runs, 1):
            directory = project.runs_dir / run.id
            has = read_tags(directory)
            if set(tags) <= set(has):
                notes = tuple(read_notes(directory))
                commit, now = _commit(project, run), words.get(run.id, "")
                steps.append(Step(number=place, run=run, now=now, commit=commit, tags=tuple(has), notes=notes))
        if steps:
            text = _description(project, runs[-1])
            found.append(Entry(number=number, model=model, description=text, steps=tuple(steps)))
    return found


def _commit(project: Project, run: Run) -> str:
    from mlpipeline import wire

    environment = wire.read_json(project.root / run.last.directory / wire.ENVIRONMENT) or {}
    git = environment.get("git") or {}
    return f"{git['commit'][:12]}{'+' if git.get('dirty') else ''}" if git.get("commit") else ""


def _description(project: Project, run: Run) -> str:
    """Returns the docstring of a model's script, or of its class, from the copy of the sources; nothing is imported."""
    import ast

    from mlpipeline.execution import snapshot

    try:
        copy = snapshot.load(project.sources_dir / run.sources)
        tree = ast.parse(copy.read()[copy.main])
    except (OSError, ValueError, KeyError, SyntaxError, RecursionError):
        return ""  # gone, or a workflow's YAML
    classes = (ast.get_docstring(node) for node in reversed(tree.body) if isinstance(node, ast.ClassDef))
    return ast.get_docstring(tree) or next(filter(None, classes), "")


def _read(path: Path) -> str:
    from mlpipeline.errors import NotWritable, UsageError
    from mlpipeline.filesystems import remedy

    try:
        # Line ends stay what they are.
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8, so it is left alone: name another file") from error
    except OSError as error:
        raise NotWritable(f"{path} cannot be read {remedy(error, path)}") from error


def _told(entry: Entry) -> dict[str, object]:
    from mlpipeline.observe.results import metrics_of

    return {
        "id": f"E{entry.number}",
        "model": entry.model,
        "description": entry.description,
        "runs": [
            {
                "number": step.number,
                "run": step.run.id,
                "version": step.run.version,
                "created_at": step.run.created_at,
                "state": step.run.state.value,
                "now": step.now or step.run.state.value,
                "results": metrics_of(step.run),
                "commit": step.commit or None,
                "tags": list(step.tags),
                "notes": [dict(each) for each in step.notes],
            }
            for step in entry.steps
        ],
    }
