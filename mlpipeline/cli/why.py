"""The command that explains: why a model, a version or a run is as it is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from mlpipeline import trials
from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, find_run, model_names, now, say, shared

if TYPE_CHECKING:
    from mlpipeline.durations import Estimate
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.why import Details, Start
    from mlpipeline.project import Project
    from mlpipeline.queue.launch import Preview
    from mlpipeline.queue.plan import Item
    from mlpipeline.queue.staleness import Stale
    from mlpipeline.run import Run


@click.command()
@click.argument("what", metavar="MODEL[:VERSION]|RUN", shell_complete=complete_model)
@shared
@click.pass_obj
def why(setup: Setup, what: str) -> None:
    """Say why a model, a version or a run is as it is, and what to do about it.

    A version that is due again: which function, file or parameter changed, since which run. One that waits: for what,
    behind whom, and when it starts, where earlier runs say how long they take.

    \b
    mlpipeline why digits.py         every version of a listed model
    mlpipeline why digits.py:wide    one of them
    mlpipeline why 20261121-04       one run
    """
    from mlpipeline.errors import ConfigurationError, RunNotFound

    project = setup.project()
    fault = None
    try:
        answers = _ahead(project, what)
    except ConfigurationError as error:
        # A faulty config must not hide what is recorded.
        answers, fault = [], error
    if not answers:
        try:
            answers = [_behind(project, what)]
        except RunNotFound as error:
            raise fault or RunNotFound(_unknown(project, what)) from error
    if setup.json:
        setup.emit({"format": 1, "answers": answers})
        return
    for each in answers:
        say(each["sentence"])


def _unknown(project: Project, what: str) -> str:
    """Says that nothing is called like this, with what may have been meant of what is listed, or has run."""
    from mlpipeline import selection as selections
    from mlpipeline.config_text import near_miss
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.finding import nearest
    from mlpipeline.queue.catalog import Catalog

    model, _, version = what.partition(":")
    listed = [each.model for each in selections.read(project, test=False).models]
    found = next((name for name in model_names(project, model) if name in listed), None)
    if found is not None and version:
        description = Catalog(project, keep=False).known.get(found)
        names = [each.name for each in description.versions] if description else []
        return (
            f"{found} has no version '{version}'.{near_miss(version, names)} See its versions: mlpipeline plan {found}"
        )
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        meant = near_miss(model, listed) or nearest(ledger, what)
    return f"'{what}' is neither a listed model nor a run.{meant} See mlpipeline plan and mlpipeline history"


def _behind(project: Project, what: str) -> dict[str, Any]:
    """Answers for a run from its record; for one that is lost also from the plan, which says when it is tried again."""
    from mlpipeline.cli.forecast import Reckoning
    from mlpipeline.errors import ConfigurationError
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.why import why_run

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        run, _ = find_run(project, ledger, what)
        newest = ledger.runs(model=run.model, version=run.version, replicate=run.replicate, limit=1)[0]
        still = Reckoning(project, ledger).of_run(run.id)
    about = {"model": run.model, "version": run.version, "replicate": run.replicate}
    about |= {"verdict": run.state.value, "run": run.id}
    if newest.id != run.id:
        details = replace(read_details(project, run), followed_by=newest)
        return about | {"sentence": why_run(run, now(), details)}
    if run.state.value == "lost":
        try:
            planned = _ahead(project, f"{run.model}:{run.version}")
        except ConfigurationError:
            planned = []  # without a plan, the record alone answers
        for answer in planned:
            if answer.get("run") == run.id:
                return about | {"sentence": answer["sentence"]}
    details = replace(read_details(project, run), left=still)
    return about | {"takes": still, "sentence": why_run(run, now(), details)}


def read_details(project: Project, run: Run) -> Details:
    """Reads what the directory of a run's last attempt adds to its record."""
    from mlpipeline import wire
    from mlpipeline.observe import status
    from mlpipeline.observe.progress import read_progress, waiting_reasons
    from mlpipeline.observe.why import Details

    directory = project.root / run.last.directory
    content = wire.read_json(directory / wire.PROGRESS) or {}
    outcome = wire.read_json(directory / wire.OUTCOME) or {}
    steps = (outcome.get("checkpoint_step"), content.get("checkpoint_step"), _kept_step(project, run))
    content |= {"checkpoint_step": next((each for each in steps if each is not None), None)}
    waits = waiting_reasons(wire.read_json(project.status_path) or {}).get(run.last.directory, "")
    return Details(
        progress=read_progress(content) if directory.is_dir() else None,
        live=status.looked_at(project, [run], now()).get(run.id),
        waits=waits,
    )


def _kept_step(project: Project, run: Run) -> int | None:
    """Returns the step of the checkpoint in a run's model directory, as long as that is this run's."""
    from mlpipeline import checkpoint, wire
    from mlpipeline.checkpoint import OWNER

    directory = project.model_dirs / run.model_dir
    if (wire.read_json(directory / OWNER) or {}).get("run") != run.id:
        return None
    found = checkpoint.find(directory)
    return None if found is None else found.step


def _ahead(project: Project, what: str) -> list[dict[str, Any]]:
    """Answers from the plan; nothing where `what` is not listed."""
    from mlpipeline import selection as selections
    from mlpipeline.errors import ConfigurationError

    model, _, version = what.partition(":")
    names = model_names(project, model)
    selection = selections.read(project, test=False)
    if not selection.usable:
        raise ConfigurationError(faults=selection.faults)
    listed = [each.model for each in selection.models if each.model in names]
    if not listed:
        return []
    from mlpipeline.ledger import Ledger
    from mlpipeline.queue.launch import preview

    found = preview(project)
    if listed[0] in found.faults:
        told = f"fault: {found.faults[listed[0]]}. Nothing of {listed[0]} starts before that is mended."
        return [{"model": listed[0], "verdict": "faulty", "sentence": told}]
    items = [item for item in found.plan.items if item.wanted.model == listed[0]]
    searched = found.studies.get(listed[0])
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        desk = _Desk(project, ledger, found)
        answers = [desk.answer(item) for item in items if version in ("", item.wanted.version)]
    if searched is not None and not version:
        told = f"{trials.sentence(searched.progress)}."
        answers.append({"model": listed[0], "verdict": "search", "sentence": told})
    return answers


class _Desk:
    """Answers for wishes of one plan."""

    def __init__(self, project: Project, ledger: Ledger, found: Preview) -> None:
        from mlpipeline.cli.forecast import Reckoning
        from mlpipeline.queue.staleness import Comparison

        self.project = project
        self.ledger = ledger
        self.found = found
        self.comparison = Comparison(project, ledger, found.descriptions)
        self.reckoning = Reckoning(project, ledger)
        self.is_served = self.reckoning.is_served
        self.live = self.reckoning.live

    def answer(self, item: Item) -> dict[str, Any]:
        """Returns a wish with the sentence that explains it."""
        from mlpipeline.cli.plan import item_json

        stale = self.comparison.of(item)
        takes = self.reckoning.takes(item)
        about = item_json(item, stale, takes)
        if (study := self.found.studies.get(item.wanted.model)) is not None and item.wanted.trial is not None:
            place = study.trials[item.wanted.trial["number"]].place
            answer = self._told(item, about, stale, takes)
            return answer | {"sentence": f"{answer['sentence']} {trials.of_trial(place, study.progress)}"}
        return self._told(item, about, stale, takes)

    def _told(self, item: Item, about: dict[str, Any], stale: Stale | None, takes: Estimate | None) -> dict[str, Any]:
        from mlpipeline.observe import why as words

        run = None if item.standing is None else self.ledger.run(item.standing.run_id)
        if run is None or (item.verdict.value == "held" and not self._is_held_by_its_end(item)):
            return about | {"sentence": words.why_wish(self._wish(item, stale), now())}
        details = replace(read_details(self.project, run), outlook=self._outlook(item), left=takes)
        return about | {"sentence": words.why_run(run, now(), details)}

    def _is_held_by_its_end(self, item: Item) -> bool:
        return item.standing is not None and item.reason.startswith("held after ")

    def _outlook(self, item: Item) -> str:
        """Returns what comes next for something that has run."""
        from mlpipeline.observe import text
        from mlpipeline.policy import hint

        run_id = item.standing.run_id if item.standing else ""
        when = f", {text.at(item.until, now())}" if item.until else ""
        match item.verdict.value:
            case "held":
                advice = f"; {hint(item.standing.cause)}" if item.standing and hint(item.standing.cause) else ""
                return f"It is held until you say more: mlpipeline retry {run_id} tries it again{advice}."
            case "gave_up":
                count = item.standing.counted_attempts if item.standing else 0
                return f"It gave up after {text.many(count, 'attempt')}: mlpipeline retry {run_id} tries it again."
            case "waiting" if item.reason.startswith("tried again"):
                return f"It is {item.reason}{when}."
            case "waiting":
                return f"It goes on later, and is waiting: {item.reason}{when}."
            case "due":
                told = "" if item.reason == "next" else f": {item.reason}"
                return f"It is due again{told}." + ("" if self.is_served else " It runs with: mlpipeline -r -u")
        return ""

    def _wish(self, item: Item, stale: Stale | None) -> Any:
        from mlpipeline.observe import text
        from mlpipeline.observe import why as words
        from mlpipeline.queue.revisions import listed_since

        wanted = item.wanted
        return words.Wish(
            title=text.title_of(wanted),
            verdict=item.verdict.value,
            reason=item.reason,
            until=item.until,
            stale=words.since([each.text for each in stale.changes], stale.since) if stale else "",
            behind=self._before(item),
            listed_at=None if item.reason == "next" else listed_since(self.project, wanted.model),
            takes=self.reckoning.takes(item),
            start=self._start(item),
            is_served=self.is_served,
        )

    def _before(self, item: Item) -> list[str]:
        """Returns the titles of what comes before an item, and of the run whose directory it needs."""
        from mlpipeline.queue import estimate

        users = [run for run in self.live.values() if run.model_dir == item.wanted.model_dir]
        if users:
            return [self._running(users[0])]
        return [self._title(each) for each in estimate.before(self.found.plan.items, item)]

    def _title(self, item: Item) -> str:
        from mlpipeline.observe import text

        run = self.live.get(item.standing.run_id) if item.standing else None
        if run is not None:
            return self._running(run)
        return text.title_of(item.wanted)

    def _running(self, run: Run) -> str:
        from mlpipeline.observe import text

        seconds = run.last.seconds_by(now())
        since = "" if seconds is None else f" (running for {text.duration(seconds)})"
        return text.title_of(run) + since

    def _start(self, item: Item) -> Start | None:
        from mlpipeline.observe import why as words

        found = self.reckoning.start(self.found.plan.items, item)
        if found is None:
            return None
        ahead = [(each.model, each.count, each.shortest, each.longest) for each in found.ahead]
        soonest, at, latest = (self.reckoning.now + timedelta(seconds=each) for each in found.within.span)
        return words.Start(at=at, between=(soonest, latest), ahead=ahead)
