"""The searches of listed models: which trials were drawn, how they stand, and when the next ones are asked for.

A trial is a version like any other once its file is on disk: what is wanted is what is described and what was drawn.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlpipeline import params, searches
from mlpipeline.execution.executor import Executor
from mlpipeline.failpoints import reach
from mlpipeline.ledger import Key, Ledger
from mlpipeline.project import Project
from mlpipeline.queue.asker import Asker
from mlpipeline.queue.attempts import Live
from mlpipeline.queue.catalog import Description, formers
from mlpipeline.queue.claims import Claims
from mlpipeline.queue.study import Ended, Study, attempts_of, is_over, name_of, number_of, tried
from mlpipeline.queue.verdicts import Item, Verdict
from mlpipeline.run import Cause
from mlpipeline.selection import Listed, Selection

_LASTING = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENOEXEC)
"""Of an interpreter that is none. Everything else, as a full disk, passes."""
_IDLE_SECONDS = 60.0
"""Who draws is let go after so long, where nothing is to be pruned: beginning anew takes half a second."""


class Studies:
    """All studies of one scheduler, or of somebody who only looks.

    Args:
        project: whose models.
        ledger: what became of trials.
        testing: test mode tries one trial of each search, drawn by chance, and keeps nothing.

    Attributes:
        search: is searched instead of what the models' files say; see `Options`.
    """

    def __init__(self, project: Project, ledger: Ledger, *, testing: bool) -> None:
        self.search: Mapping[str, Any] | None = None
        self._asked: dict[str, tuple[Description, Description]] = {}
        self.project = project
        self.ledger = ledger
        self.testing = testing
        self.claims = Claims(project)
        self.by_model: dict[str, Study] = {}
        self.revision = 0
        self._listed: dict[str, Listed] = {}
        self._extended: dict[str, tuple[tuple[Study, int], Description]] = {}

    def extended(self, selection: Selection, known: Mapping[str, Description]) -> dict[str, Description]:
        """Returns the descriptions with all trials among the versions."""
        self._listed = {each.model: each for each in selection.models}
        self.claims.learn(formers(known))
        found = {model: self._as_asked(each) for model, each in known.items()}
        for model, description in list(found.items()):
            if description.search is not None and description.fault is None and model in self._listed:
                found[model] = self._with_trials(description)
        gone = [each for each in self.by_model if each not in self._listed or found[each].search is None]
        for model in gone:
            self.by_model.pop(model).close()
        return found

    def _as_asked(self, description: Description) -> Description:
        """Returns a description with the search that the command line asks for, in place of all versions."""
        if self.search is None or description.fault is not None:
            return description
        known = self._asked.get(description.model)
        if known is None or known[0] is not description:
            base = next((each for each in description.versions if each.name == self.search["version"]), None)
            told = dict(self.search) | {"base": {} if base is None else base.params}
            told["digest"] = params.digest({key: each for key, each in told.items() if key != "trials"})
            known = self._asked[description.model] = description, replace(description, versions=(), search=told)
        return known[1]

    def _with_trials(self, description: Description) -> Description:
        model = description.model
        study = self.by_model.get(model)
        if study is None or study.search is not description.search:
            study = self._renewed(study, description)
        basis = (study, len(study.trials))  # a study is of one description
        known = self._extended.get(model)
        if known is None or known[0] != basis:
            rank = len(description.versions)
            more = [tried(study, rank)] if self.testing else study.versions(rank)
            known = self._extended[model] = basis, replace(description, versions=(*description.versions, *more))
        return known[1]

    def _renewed(self, before: Study | None, description: Description) -> Study:
        """Takes up what is searched now; of the same study, only the number of trials can differ."""
        made = Study(self.project, description)
        if before is not None:
            before.close()
        self.by_model[description.model] = made
        self.revision += 1
        return made

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with studies, by model: no more trials are drawn. Those that there are may go on."""
        return {model: told for model, each in self.by_model.items() if (told := each.fault or each.judgement)}

    def collect(self) -> bool:
        """Takes the numbers of trials that were drawn. Returns whether there are any."""
        before = self.revision
        for study in self.by_model.values():
            self.revision += study.collect(self.project.settings.describe_timeout_seconds)
        return self.revision != before

    def look(self, items: Sequence[Item], elsewhere: Collection[Key] = ()) -> None:
        """Notes how the trials stand in a plan.

        Args:
            items: of the plan.
            elsewhere: wishes that other hosts took up.
        """
        grouped = _by_trial(items) if self.by_model else {}
        for study in self.by_model.values():
            listed = self._listed.get(study.model)
            study.elsewhere = 0
            for number in study.trials:
                found = grouped.get((study.model, number))
                ended = self._ended(study, number, found) if found else None
                if listed is not None and name_of(number) in listed.options.skip:
                    ended = Ended(state="failed")
                if found and ended is None:
                    study.elsewhere += all(each.wanted.key in elsewhere for each in found)
                if ended is not None:
                    study.ended[number] = ended
                elif study.ended.pop(number, None) is not None:
                    study.close()  # it is tried again: what was told of it is told anew
            study.judge()

    def _ended(self, study: Study, number: int, items: Sequence[Item]) -> Ended | None:
        """Returns how a trial ended, by the items of its seeds; None while one of them may still change."""
        if not all(map(is_over, items)):
            return None
        done = [item for item in items if item.verdict is Verdict.DONE]
        if not done:
            return Ended(state="failed")
        if len(done) == len(items) and number in study.ended:
            return study.ended[number]
        return _mean(study.search["metric"], [self._result(item) for item in done])

    def _result(self, item: Item) -> tuple[Mapping[str, Any], str]:
        """Returns metrics and cause of what is done, here or on another host."""
        if item.standing is not None:
            last = self.ledger.run(item.standing.run_id).last
            return last.metrics, last.cause
        outcome = self.claims.outcome(item.wanted.key) or {}
        return outcome.get("metrics") or {}, outcome.get("cause") or ""

    def ask(self, live: Sequence[Live], pending: Collection[str], slots: int, executor: Executor) -> None:
        """Tells who draws what has ended, asks for as many trials as are missing, and prunes what is hopeless.

        Args:
            live: what trains.
            pending: models that are being described anew.
            slots: how many trials may be open; 0 where nothing is to start any more.
            executor: whose attempts these are.

        Raises:
            OSError: nothing can be written at present.
        """
        for study in self.by_model.values() if not self.testing else ():
            if study.model in pending:
                continue
            mine = [each for each in live if each.run.model == study.model]
            self._prune(study, mine, executor)
            open_ones = len(study.trials) - len(study.ended) - study.elsewhere
            listed = self._listed.get(study.model)
            missing = max(0, min(slots - open_ones, study.total - len(study.trials))) if _grows(study, listed) else 0
            if not missing:
                study.trouble = ""
            self._tell(study, mine, missing, listed)
        if trouble := "; ".join(each.trouble for each in self.by_model.values() if each.trouble):
            raise OSError(trouble)

    def _tell(self, study: Study, live: Sequence[Live], missing: int, listed: Listed | None) -> None:
        if study.asker is None:
            wants_pruning = study.search["pruner"] and len(study.trials) > len(study.ended) and live
            if (not missing and (study.fault or not wants_pruning)) or study.is_resting:
                return
            self._start(study, live, listed)
            if study.asker is None:
                return
        elif _is_needless(study, study.asker, missing):
            study.close()
            return
        told = {number: each for number, each in self._stands(study, live).items() if study.told.get(number) != each}
        if not study.asker.is_asked and (missing or told):
            study.told |= told
            study.asker.tell({str(number): each for number, each in told.items()}, missing)

    def _stands(self, study: Study, live: Sequence[Live]) -> dict[int, dict[str, Any]]:
        """Returns how each trial of which anything is known stands."""
        found: dict[int, dict[str, Any]] = {}
        for each in live:
            number = number_of(each.run.version)
            if number in study.trials and number not in study.ended and each.run.replicate == 0:
                found[number] = {"state": "open", "directories": attempts_of(each.directory)}
        for number, ended in study.ended.items():
            found[number] = {"state": ended.state, "value": ended.value, "directories": []}
            if study.search["pruner"]:
                found[number]["directories"] = (study.told.get(number) or {}).get("directories") or self._recorded(
                    study, number
                )
        return found

    def _recorded(self, study: Study, number: int) -> list[str]:
        runs = self.ledger.runs(model=study.model, version=name_of(number), replicate=0, limit=1)
        return attempts_of(self.project.root / runs[0].last.directory) if runs else []

    def _start(self, study: Study, live: Sequence[Live], listed: Listed | None) -> None:
        study.told = self._stands(study, live)
        study.starts += 1
        request = {
            "directory": str(study.directory),
            "study": study.name,
            "search": dict(study.search),
            "trials": {str(number): each for number, each in study.told.items()},
        }
        try:
            study.asker = Asker(self.project, listed.options.python if listed else None, request)
        except OSError as error:
            told = f"who draws trials cannot be started: {error}"
            if error.errno in _LASTING:
                study.fault = f"{study.model}: {told}"
            else:
                study.rest(told)

    def _prune(self, study: Study, live: Sequence[Live], executor: Executor) -> None:
        for each in live:
            if number_of(each.run.version) in study.hopeless and not each.is_pruned:
                executor.ask(each.directory, "prune")
                each.is_pruned = True
                reach("scheduler.pruned")

    @property
    def is_busy(self) -> bool:
        """Whether trials are being drawn."""
        return any(each.asker is not None and each.asker.is_asked for each in self.by_model.values())

    def descriptors(self) -> list[int]:
        """Returns file descriptors that become readable when trials were drawn."""
        return [each.asker.descriptor for each in self.by_model.values() if each.asker is not None]

    def close(self) -> None:
        """Ends all children."""
        for each in self.by_model.values():
            each.close()


def _by_trial(items: Sequence[Item]) -> dict[tuple[str, int], list[Item]]:
    """Returns the items of each trial, one a seed, by model and number."""
    found: dict[tuple[str, int], list[Item]] = {}
    for item in items:
        if item.wanted.trial is not None:
            found.setdefault((item.wanted.model, item.wanted.trial["number"]), []).append(item)
    return found


def _mean(metric: str, results: Sequence[tuple[Mapping[str, Any], str]]) -> Ended:
    """Returns how a trial ended by the metrics and causes of its seeds: with the mean over them."""
    found = [metrics.get(searches.GROUP) or {} for metrics, _ in results]
    told = [each[metric] for each in found if metric in each]
    values = [float(each) for each in told if searches.is_number(each)]
    is_pruned = any(cause == Cause.PRUNED for _, cause in results)
    return Ended(
        state="pruned" if is_pruned else "done" if values or not told else "failed",
        value=sum(values) / len(values) if values else None,
        has_metric=bool(told),
    )


def _grows(study: Study, listed: Listed | None) -> bool:
    """Whether more trials are wanted, as far as it depends on the study and on what is listed of its model."""
    if study.fault or study.judgement or study.is_exhausted or listed is None:
        return False
    return not (listed.options.only or listed.options.hold)


def _is_needless(study: Study, asker: Asker, missing: int) -> bool:
    """Whether who draws may go: all is over, or nothing is asked for a long time."""
    if len(study.ended) >= study.total or ((study.fault or study.judgement) and not asker.is_asked):
        return True
    return not missing and not study.search["pruner"] and asker.idle_seconds > _IDLE_SECONDS
