"""One search of one model: its trials on disk, how they ended, and how far it is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import params, searches, wire
from mlpipeline.project import Project
from mlpipeline.queue.asker import Asker
from mlpipeline.queue.catalog import DescribedVersion, Description
from mlpipeline.queue.verdicts import Item, Verdict
from mlpipeline.run import State
from mlpipeline.trials import Progress

_MOST_STARTS = 3
_REST_SECONDS = 3.0
_HOPELESS = 5
"""So many trials that fail, and none that does not, end a search: the next ones would fail as well."""
_ENDED = (Verdict.DONE, Verdict.FAILED, Verdict.GAVE_UP)
_BAD = (State.FAILED, State.LOST)


def name_of(number: int) -> str:
    """Returns what a trial is called among the versions."""
    return f"trial-{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a trial ended: `done`, `pruned` or `failed`, and its value where it has one.

    Attributes:
        has_metric: whether it has the metric at all; one that is not finite is no value.
    """

    state: str
    value: float | None = None
    has_metric: bool = True


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

    Attributes:
        elsewhere: how many trials other hosts have taken up and not ended.
        fault: why no more trials are drawn.
        trouble: why none is drawn at present.
    """

    def __init__(self, project: Project, description: Description) -> None:
        assert description.search is not None  # who makes a study has looked
        self.model = description.model
        self.search = description.search
        self.directory = project.study_dir(self.model)
        code = description.code_digest if project.settings.rerun_on == "code" else ""
        self.name = params.digest([self.search["digest"], code])
        self.trials: dict[int, Trial] = {}
        self._read: set[int] = set()
        self.elsewhere = 0
        self.ended: dict[int, Ended] = {}
        self.told: dict[int, dict[str, Any]] = {}
        self.hopeless: set[int] = set()
        self.fault = self.judgement = self.trouble = ""
        self._rests_until = 0.0
        self.is_exhausted = False
        self.starts = 0
        self.asker: Asker | None = None
        self.read()
        if code and not self.trials:
            self._go_on(params.digest([self.search["digest"], description.former_digest]))

    def _go_on(self, former: str) -> None:
        """Takes up the study that an earlier release made of the same search and code, if it did."""
        today, self.name, self._read = self.name, former, set()
        self.read()
        if not self.trials:
            self.name = today

    def read(self) -> None:
        """Reads the trials that have come to the disk, whoever wrote them."""
        for number in sorted(_numbers(self.directory) - self._read):
            content = _content(self.directory / f"{number}.json")
            if content is None:
                continue
            self._read.add(number)
            if wrong := searches.fault_of_trial(content):
                self.fault = f"{self.directory / f'{number}.json'}: {wrong}, and start the queue again"
            elif content["study"] == self.name:
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
                trial=_told(self.search, each.number, each.drawn),
            )
            for each in self.trials.values()
        ][: self.total]

    def judge(self) -> None:
        """Stops a search that leads nowhere: its trials end without the metric, or all of the first ones fail."""
        self.judgement = ""
        done = [number for number, each in self.ended.items() if each.state == "done"]
        metric = self.search["metric"]
        if done and not any(self.ended[each].has_metric for each in done):
            name = name_of(min(done))
            self.judgement = (
                f"{self.model}: {name} has no metric '{metric}', by which the search compares: record it, return it "
                f"from evaluate_model, or set metric=… (mlpipeline show {self.model}:{name} lists what it has)"
            )
        elif len(self.ended) >= _HOPELESS and all(each.state == "failed" for each in self.ended.values()):
            name = name_of(max(self.ended))
            self.judgement = (
                f"{self.model}: all {len(self.ended)} trials of the search have failed, so no more are drawn: see "
                f"mlpipeline why {self.model}:{name}, mend the code or the space, or have one tried again"
            )

    def collect(self, patience_seconds: float) -> bool:
        """Takes what who draws has answered. Returns whether anything has changed."""
        if self.asker is None:
            return False
        self.asker.end_if_stuck(patience_seconds)
        asked = [answer for answer in self._answers(self.asker) if "asked" in answer]
        for answer in asked:
            self.read()
            self.is_exhausted |= answer["exhausted"]
            self.starts, self.trouble = 0, ""
        is_over = self.asker.is_over
        if is_over:
            self._end(self.asker)
        return bool(asked) or is_over

    def _answers(self, asker: Asker) -> list[dict[str, Any]]:
        found = asker.answers()
        for answer in found:
            self.hopeless.update(answer.get("prune", ()))
        return found

    def _end(self, asker: Asker) -> None:
        told, is_passing = asker.last_words(), asker.is_passing
        self.close()
        known = len(self.trials)
        self.read()  # it may have written one that it did not come to name
        self.starts = 0 if len(self.trials) > known or is_passing else self.starts
        if is_passing:
            self.rest(told)
        elif self.starts >= _MOST_STARTS or "ended by" not in told:
            self.fault = self.fault or f"{self.model}: the search cannot go on: {told}"

    def rest(self, why: str) -> None:
        """Draws nothing for a while, over something that passes."""
        self.trouble = f"{self.model}: {why}"
        self._rests_until = time.monotonic() + _REST_SECONDS

    @property
    def is_resting(self) -> bool:
        """Whether it is too early to try again."""
        return time.monotonic() < self._rests_until

    def close(self) -> None:
        """Ends who draws."""
        if self.asker is not None:
            self.asker.close()
            self.asker = None


def _numbers(directory: Path) -> set[int]:
    try:
        return {int(each.stem) for each in directory.iterdir() if each.suffix == ".json" and each.stem.isdigit()}
    except FileNotFoundError:
        return set()


def _content(path: Path) -> dict[str, Any] | None:
    """Reads a trial's file; None where that cannot be read now. What is no JSON object holds nothing of a trial."""
    content = wire.read_json(path)
    return {} if content is None and os.access(path, os.R_OK) else content


def tried(study: Study, rank: int) -> DescribedVersion:
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
        trial=_told(search, 1, drawn),
    )


def _told(search: Mapping[str, Any], number: int, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a run is told of its trial; by a search of the command line also all values that change."""
    found = {"number": number, "metric": search["metric"], "drawn": dict(drawn)}
    if (version := search.get("version")) is not None:
        values = searches.described_parameters({}, search["space"], drawn)
        found |= {"version": version, "values": values}
    return found


def number_of(version: str) -> int:
    """Returns the number of a trial by its name; 0 for a version that is none."""
    stem, _, number = version.partition("-")
    return int(number) if stem == "trial" and number.isdigit() else 0


def is_over(item: Item) -> bool:
    """Whether nothing more happens to a wish before somebody asks for it."""
    is_held_by_its_end = item.verdict is Verdict.HELD and item.standing is not None and item.standing.state in _BAD
    return item.verdict in _ENDED or is_held_by_its_end


def attempts_of(directory: Path) -> list[str]:
    """Returns the directories of a run's attempts up to the one in this directory."""
    number = int(directory.name)
    return [str(directory.with_name(str(each))) for each in range(1, number + 1)]
