"""The searches of listed models: which trials were drawn, how they stand, and when the next ones are asked for.

A trial is a version like any other once its file is on disk: what is wanted is what is described and what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlpipeline import params, searches, wire
from mlpipeline.execution.executor import Executor
from mlpipeline.failpoints import reach
from mlpipeline.ledger import Key, Ledger
from mlpipeline.project import Project
from mlpipeline.queue.asker import Asker
from mlpipeline.queue.attempts import Live
from mlpipeline.queue.catalog import DescribedVersion, Description
from mlpipeline.queue.submission import escaped
from mlpipeline.queue.verdicts import Item, Verdict
from mlpipeline.run import Cause, State
from mlpipeline.selection import Listed, Selection
from mlpipeline.trials import Progress

_ENDED = (Verdict.DONE, Verdict.FAILED, Verdict.GAVE_UP)
_BAD = (State.FAILED, State.LOST)
_MOST_STARTS = 3


def name_of(number: int) -> str:
    """Returns what a trial is called among the versions."""
    return f"trial-{number}"


def directory_of(project: Project, model: str) -> Path:
    """Returns where a model's trials lie."""
    return project.studies_dir / escaped(model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a trial ended: `done`, `pruned` or `failed`, and its value where it has one."""

    state: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial on disk. `place` counts within the study, from 1; `number` within the model."""

    number: int
    place: int
    drawn: Mapping[str, Any]
    params: Mapping[str, Any]
    params_digest: str


class Study:
    """One search of one model: its trials, and who draws them.

    Args:
        project: where trials lie.
        description: of the model, with the search.
    """

    def __init__(self, project: Project, description: Description) -> None:
        assert description.search is not None  # who makes a study has looked
        self.model = description.model
        self.search = description.search
        self.directory = directory_of(project, self.model)
        code = description.code_digest if project.settings.rerun_on == "code" else ""
        self.name = params.digest([self.search["digest"], code])
        self.trials: dict[int, Trial] = {}
        self.ended: dict[int, Ended] = {}
        self.told: dict[int, dict[str, Any]] = {}
        self.hopeless: set[int] = set()
        self.fault = ""
        self.is_exhausted = False
        self.starts = 0
        self.asker: Asker | None = None
        self.read()

    def read(self, numbers: Iterable[int] | None = None) -> None:
        """Reads trials from disk: these, or all of them."""
        for number in sorted(numbers if numbers is not None else _numbers(self.directory)):
            content = wire.read_json(self.directory / f"{number}.json")
            if content is not None and content.get("study") == self.name and number not in self.trials:
                self.trials[number] = Trial(
                    number=number,
                    place=len(self.trials) + 1,
                    drawn=content["drawn"],
                    params=content["params"],
                    params_digest=content["params_digest"],
                )

    @property
    def total(self) -> int:
        """How many trials are wanted."""
        return int(self.search["trials"])

    @property
    def best(self) -> tuple[int, float] | None:
        """The number and value of the best trial that came to its end."""
        found: tuple[int, float] | None = None
        for number, each in sorted(self.ended.items()):
            if each.state == "done" and each.value is not None:
                than = None if found is None else found[1]
                if searches.is_better(each.value, than, self.search["direction"]):
                    found = number, each.value
        return found

    @property
    def progress(self) -> Progress:
        """How far it is."""
        states = [each.state for each in self.ended.values()]
        best = self.best
        return Progress(
            model=self.model,
            study=self.name,
            metric=self.search["metric"],
            direction=self.search["direction"],
            sampler=self.search["sampler"],
            trials=self.total,
            drawn=len(self.trials),
            done=states.count("done"),
            failed=states.count("failed"),
            pruned=states.count("pruned"),
            is_exhausted=self.is_exhausted,
            best=None if best is None else (name_of(best[0]), best[1]),
        )

    def versions(self, rank: int) -> list[DescribedVersion]:
        """Returns the trials as versions, ranked after those that the file names."""
        return [
            DescribedVersion(
                name=name_of(each.number),
                order=rank + each.place,
                suffix=None,
                params=each.params,
                params_digest=each.params_digest,
                trial={"number": each.number, "metric": self.search["metric"], "drawn": each.drawn},
            )
            for each in self.trials.values()
        ][: self.total]

    def close(self) -> None:
        """Ends who draws."""
        if self.asker is not None:
            self.asker.close()
            self.asker = None


def _numbers(directory: Path) -> list[int]:
    try:
        return [int(each.stem) for each in directory.iterdir() if each.suffix == ".json" and each.stem.isdigit()]
    except FileNotFoundError:
        return []


class Studies:
    """All studies of one scheduler, or of somebody who only looks.

    Args:
        project: whose models.
        ledger: what became of trials.
        testing: test mode tries one trial of each search, drawn by chance, and keeps nothing.
    """

    def __init__(self, project: Project, ledger: Ledger, *, testing: bool) -> None:
        self.project = project
        self.ledger = ledger
        self.testing = testing
        self.by_model: dict[str, Study] = {}
        self.revision = 0
        self._listed: dict[str, Listed] = {}
        self._extended: dict[str, tuple[object, Description]] = {}

    def extended(self, selection: Selection, known: Mapping[str, Description]) -> dict[str, Description]:
        """Returns the descriptions with all trials among the versions."""
        self._listed = {each.model: each for each in selection.models}
        found = dict(known)
        for model, description in known.items():
            if description.search is not None and description.fault is None:
                found[model] = self._with_trials(description)
        for model in [each for each in self.by_model if each not in found or found[each].search is None]:
            self.by_model.pop(model).close()
        return found

    def _with_trials(self, description: Description) -> Description:
        model = description.model
        study = self.by_model.get(model)
        if study is None or study.search is not description.search:
            study = self._renewed(study, description)
        basis = (id(description), study.name, len(study.trials))
        known = self._extended.get(model)
        if known is None or known[0] != basis:
            described = description.versions
            versions = (*described, *([_tried(study, len(described))] if self.testing else study.versions(len(described))))
            known = self._extended[model] = basis, replace(description, versions=versions)
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
        """What is wrong with studies, by model."""
        return {model: each.fault for model, each in self.by_model.items() if each.fault}

    def collect(self) -> bool:
        """Takes the numbers of trials that were drawn. Returns whether there are any."""
        before = self.revision
        for study in self.by_model.values():
            if study.asker is not None:
                self._collect(study, study.asker)
        return self.revision != before

    def _collect(self, study: Study, asker: Asker) -> None:
        for answer in asker.answers():
            study.hopeless.update(answer.get("prune", ()))
            if "asked" in answer:
                study.read(answer["asked"])
                study.is_exhausted |= answer["exhausted"]
                study.starts = 0
                self.revision += 1
        if asker.is_over:
            told = asker.last_words()
            study.close()
            self.revision += 1
            if study.starts >= _MOST_STARTS or "ended by" not in told:
                study.fault = f"{study.model}: the search cannot go on: {told}"

    def look(self, items: Sequence[Item], outcome: Callable[[Key], Mapping[str, Any] | None]) -> None:
        """Notes how the trials stand in a plan.

        Args:
            items: of the plan.
            outcome: what another host made of a wish.
        """
        if not self.by_model:
            return
        grouped: dict[tuple[str, int], list[Item]] = {}
        for item in items:
            if item.wanted.trial is not None and item.wanted.model in self.by_model:
                grouped.setdefault((item.wanted.model, item.wanted.trial["number"]), []).append(item)
        for study in self.by_model.values():
            listed = self._listed.get(study.model)
            for number in study.trials:
                found = grouped.get((study.model, number))
                ended = self._ended(study, found, outcome) if found else None
                if listed is not None and name_of(number) in listed.options.skip:
                    ended = Ended(state="failed")
                if ended is not None:
                    study.ended[number] = ended
                elif study.ended.pop(number, None) is not None:
                    study.close()  # it is tried again: what was told of it is told anew
            self._judge(study)

    def _ended(
        self, study: Study, items: Sequence[Item], outcome: Callable[[Key], Mapping[str, Any] | None]
    ) -> Ended | None:
        """Returns how a trial ended: the mean over its seeds; None while one of them may still change."""
        if any(not _is_over(item) for item in items):
            return None
        number = items[0].wanted.trial["number"] if items[0].wanted.trial else 0
        if (known := study.ended.get(number)) is not None and all(item.verdict is Verdict.DONE for item in items):
            return known
        values, pruned = [], False
        for item in items:
            if item.verdict is not Verdict.DONE:
                continue
            if item.standing is not None:
                last = self.ledger.run(item.standing.run_id).last
                metrics, is_pruned = last.metrics, last.cause is Cause.PRUNED
            else:
                told = outcome(item.wanted.key) or {}
                metrics, is_pruned = told.get("metrics") or {}, told.get("cause") == Cause.PRUNED.value
            pruned |= is_pruned
            value = (metrics.get(searches.GROUP) or {}).get(study.search["metric"])
            if isinstance(value, int | float):
                values.append(float(value))
        mean = sum(values) / len(values) if values else None
        done = any(item.verdict is Verdict.DONE for item in items)
        return Ended(state="pruned" if pruned else "done" if done else "failed", value=mean)

    def _judge(self, study: Study) -> None:
        """A search whose trials come to their end without the metric is stopped by the first one."""
        done = [(number, each) for number, each in study.ended.items() if each.state == "done"]
        metric = study.search["metric"]
        if done and all(each.value is None for _, each in done):
            study.fault = (
                f"{study.model}: {name_of(done[0][0])} has no metric '{metric}', by which the search compares: record "
                f"it, return it from evaluate_model, or set metric=… (mlpipeline show {study.model}:"
                f"{name_of(done[0][0])} lists what it has)"
            )

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
            open_ones = len(study.trials) - len(study.ended)
            missing = min(slots - open_ones, study.total - len(study.trials))
            listed = self._listed.get(study.model)
            if study.fault or study.is_exhausted or listed is None or listed.options.only or listed.options.hold:
                missing = 0
            self._tell(study, mine, max(0, missing), listed)

    def _tell(self, study: Study, live: Sequence[Live], missing: int, listed: Listed | None) -> None:
        if study.asker is None:
            wants_pruning = study.search["pruner"] and len(study.trials) > len(study.ended) and live
            if not missing and (study.fault or not wants_pruning):
                return
            self._start(study, live, listed)
            if study.asker is None:
                return
        elif len(study.ended) >= study.total or (study.fault and not study.asker.is_asked):
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
            number = _number(each.run.version)
            if number in study.trials and number not in study.ended and each.run.replicate == 0:
                found[number] = {"state": "open", "directories": _attempts(each.directory)}
        for number, ended in study.ended.items():
            found[number] = {"state": ended.state, "value": ended.value, "directories": []}
            if study.search["pruner"]:
                found[number]["directories"] = (study.told.get(number) or {}).get("directories") or self._recorded(
                    study, number
                )
        return found

    def _recorded(self, study: Study, number: int) -> list[str]:
        runs = self.ledger.runs(model=study.model, version=name_of(number), replicate=0, limit=1)
        return _attempts(self.project.root / runs[0].last.directory) if runs else []

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
            study.fault = f"{study.model}: who draws trials cannot be started: {error}"

    def _prune(self, study: Study, live: Sequence[Live], executor: Executor) -> None:
        for each in live:
            if _number(each.run.version) in study.hopeless and not each.is_pruned:
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


def _tried(study: Study, rank: int) -> DescribedVersion:
    """Returns the trial that test mode tries."""
    search = study.search
    drawn = next(searches.draws(search))
    told = searches.described_parameters(search["base"], search["space"], drawn)
    return DescribedVersion(
        name=name_of(1),
        order=rank,
        suffix=None,
        params=told,
        params_digest=params.digest(told),
        trial={"number": 1, "metric": search["metric"], "drawn": drawn},
    )


def _is_over(item: Item) -> bool:
    is_held_by_its_end = item.verdict is Verdict.HELD and item.standing is not None and item.standing.state in _BAD
    return item.verdict in _ENDED or is_held_by_its_end


def _number(version: str) -> int:
    stem, _, number = version.partition("-")
    return int(number) if stem == "trial" and number.isdigit() else 0


def _attempts(directory: Path) -> list[str]:
    number = int(directory.name)
    return [str(directory.with_name(str(each))) for each in range(1, number + 1)]
