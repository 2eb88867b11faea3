"""The command that searches parameters without a word of it in the script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mlpipeline import searches
from mlpipeline.cli.fit import OPEN, model_of
from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from mlpipeline.cli.typed import Parameter
    from mlpipeline.project import Project

_RANGE = re.compile(r"(?P<low>[^.,\s]+(?:\.\d+)?(?:e-?\d+)?)\.\.(?P<high>.+?)\s*(?P<log>log)?")


@click.command(context_settings=OPEN)
@click.argument("model", metavar="MODEL[:VERSION]", shell_complete=complete_model)
@click.argument("words", metavar="--PARAMETER SPACE...", nargs=-1, type=click.UNPROCESSED)
@click.option("--set", "sets", multiple=True, metavar="NAME=SPACE", help="A parameter; may be given again.")
@click.option("--trials", default=50, show_default=True, metavar="N", type=click.IntRange(min=1), help="How many.")
@click.option("--metric", default="validation_loss", show_default=True, metavar="NAME", help="What is compared.")
@click.option(
    "--direction",
    type=click.Choice(searches.DIRECTIONS),
    help="Which values are better. Default: what the metric's name says.",
)
@click.option("--sampler", default="tpe", show_default=True, type=click.Choice(list(searches.SAMPLERS)))
@click.option("--pruner", type=click.Choice(searches.PRUNERS), help="Ends hopeless trials early. Default: none.")
@click.option("--seed", default=0, show_default=True, metavar="N", type=click.IntRange(min=0), help="Of all draws.")
@click.option("-j", "--slots", metavar="N", type=click.IntRange(1, 100_000), help="So many trials at a time.")
@shared
@click.pass_context
def tune(context: click.Context, /, model: str, words: tuple[str, ...], sets: tuple[str, ...], **given: Any) -> None:
    """Search the best parameters of a model through the queue: each trial is a run, with history.

    A space is a range LOW..HIGH (whole numbers where both are; LOW..HIGHlog by its logarithm), or values between
    commas; a single value is what all trials have. Everything else is as in VERSION (the first one). The same command
    goes on with what is not done yet; more --trials continue it.

    \b
    mlpipeline tune subscribers.py --trials 50 --estimator__max_depth 3..10
    mlpipeline tune digits.py --metric loss --learning_rate 0.001..0.3log --units 16,32,64 -j 2
    """
    from mlpipeline.cli import model_parameters, typed
    from mlpipeline.cli.beside import run_queue
    from mlpipeline.queue.by_hand import target
    from mlpipeline.queue.options import Options

    setup: Setup = context.find_root().obj
    project = setup.project()
    name, version = model_of(project, model)
    texts = typed.words(words, sets)
    found = target(project, name)
    chosen, model = found.version(version), found.description.model
    known = model_parameters.ask(project, model, chosen, found.python)
    typed.check_names(texts, known, f"{model}:{chosen}")
    slots = given.pop("slots")
    search = _search(texts, known, given) | {"version": chosen}
    options = Options(mode="execution", use_history=True, names=(model,), slots=slots, quiet=setup.json, search=search)
    status = run_queue(project, options)
    _report(setup, project, model, chosen, status)
    context.exit(status)


def _search(texts: Mapping[str, str], known: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the search as a description has it; a parameter with a single value is a space of one.

    Raises:
        UsageError: nothing is searched, or a space is none.
    """
    from mlpipeline.errors import UsageError, VersionsError

    spaces = {_published(name): space(name, text, known[name].kinds) for name, text in texts.items()}
    if all(isinstance(each, list) and len(each) == 1 for each in spaces.values()):
        raise UsageError("nothing to search: give a range or a list, e.g. --learning_rate 0.001..0.1log")
    try:
        return searches.search(spaces, {}, **given).described()
    except VersionsError as error:
        raise UsageError(str(error).removeprefix("search: ")) from error


def _published(name: str) -> str:
    return "epoc_count" if name == "epochs" else name


def space(name: str, text: str, kinds: str) -> Any:
    """Reads `3..10`, `0.01..0.3log`, `16,32,64`, or one value, as `Versions.search` takes it.

    Raises:
        UsageError: an end of a range is no number, or a value is not of the parameter's type.
    """
    from mlpipeline.cli import typed
    from mlpipeline.errors import UsageError

    if found := _RANGE.fullmatch(text):
        low, high = _ends(f"--{name} {text}", found["low"], found["high"], kinds)
        return (low, high, "log") if found["log"] else (low, high)
    if "str" not in kinds and kinds and (text.startswith("..") or text.endswith("..")):
        raise UsageError(f"--{name} {text}: an end is missing: a range is LOW..HIGH, e.g. 3..10 or 0.01..0.3log")
    parts = [text] if text.startswith(("[", "{")) else text.split(",")
    return [typed.value(name, each.strip(), kinds) for each in parts]


def _ends(what: str, first: str, last: str, kinds: str) -> tuple[int, int] | tuple[float, float]:
    """Reads both ends of a range: whole numbers where both are, and where the parameter may be one."""
    from mlpipeline.errors import UsageError

    low, high = _number(first), _number(last)
    if low is None or high is None:
        raise UsageError(f"{what}: a range is LOW..HIGH, both numbers, e.g. 3..10 or 0.01..0.3log")
    takes_whole, takes_real = "int" in kinds, "float" in kinds
    if kinds and not takes_whole and not takes_real:
        raise UsageError(f"{what}: must be {kinds}: list its values, with commas between them")
    if isinstance(low, int) and isinstance(high, int):
        return (low, high) if takes_whole or not takes_real else (float(low), float(high))
    if kinds and not takes_real:
        raise UsageError(f"{what}: must be {kinds}: give whole numbers")
    return float(low), float(high)


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _report(setup: Setup, project: Project, model: str, version: str, status: int) -> None:
    from mlpipeline import trials, wire

    told = (wire.read_json(project.status_path) or {}).get("studies") or []
    found = [trials.Progress.from_json(each) for each in told if each["model"] == model]
    best = found[0].best if found else None
    drawn = {} if best is None else _drawn(project, model, best[0])
    if setup.json:
        studies = [each.to_json() for each in found]
        setup.emit({"format": 1, "exit_status": status, "studies": studies, "best": drawn or None})
        return
    for each in found:
        say(f"{trials.sentence(each)}.")
    if drawn:
        words = " ".join(f"--{'epochs' if name == 'epoc_count' else name} {each}" for name, each in drawn.items())
        say(f"The best ones again: mlpipeline fit {model}:{version} {words}")


def _drawn(project: Project, model: str, trial: str) -> dict[str, Any]:
    """Returns the values that were drawn for a trial; empty where its file is gone or damaged."""
    from mlpipeline import wire

    content = wire.read_json(project.study_dir(model) / f"{trial.removeprefix('trial-')}.json")
    if content is None or searches.fault_of_trial(content):
        return {}
    return {name: content["params"].get(name) for name in content["drawn"]}
