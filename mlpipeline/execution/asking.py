"""The child process that draws trials: it asks Optuna, or counts through a grid, and writes each trial down for ever.

It is told over its standard input how trials ended, and answers with the numbers of new ones when they are on disk.
All that it knows of a study it learns from the files of trials and from the scheduler, so that it can be killed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlpipeline import params, searches, wire
from mlpipeline.errors import DataFault
from mlpipeline.execution.limits import TRY_AGAIN, die_with_parent
from mlpipeline.failpoints import reach

_LOOK_SECONDS = 0.2
_TRIES = 50


class Study:
    """The trials of one study: those on disk, and those that are to come.

    Args:
        directory: of the model's trials, of all studies that it ever had.
        name: of this study.
        search: what is searched, as a description says it.
    """

    def __init__(self, directory: Path, name: str, search: Mapping[str, Any]) -> None:
        self.directory, self.name, self.search = directory, name, search
        self.drawn: dict[int, dict[str, Any]] = {}
        self.marks: set[str] = set()
        self.newest = 0
        self.is_exhausted = False
        self.rows: Iterator[dict[str, Any]] = searches.draws(search)
        self.optuna: Any = None
        if search["pruner"] or search["sampler"] not in ("random", "grid"):
            from mlpipeline.execution.optuna_study import OptunaStudy

            self.optuna = OptunaStudy(name, search)
        for number, trial in sorted(_trials(directory).items()):
            self.newest = number
            if wrong := searches.fault_of_trial(trial):
                raise DataFault(f"{directory / f'{number}.json'}: {wrong}")
            if trial["study"] == name:
                self._take_up(number, trial["drawn"], trial.get("attrs") or {})

    def _take_up(self, number: int, drawn: dict[str, Any], attrs: Mapping[str, Any]) -> None:
        self.drawn[number] = drawn
        self.marks.add(params.digest(drawn))
        if self.optuna is not None:
            self.optuna.add(number, drawn, attrs)

    def ask(self) -> int | None:
        """Draws the next trial, writes it down and returns its number; None where there are as many as are wanted, or
        the space has no other (`is_exhausted`).

        Raises:
            OSError: it cannot be written.
        """
        while len(self.drawn) < self.search["trials"]:
            found = self._next()
            if found is None:
                self.is_exhausted = True
                break
            drawn, attrs = found
            if number := self._write(drawn, attrs):
                self.drawn[number] = drawn
                self.marks.add(params.digest(drawn))
                return number
        return None

    def _next(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Returns what nothing was drawn like before, with what Optuna wants to remember of it."""
        sampled = self.search["sampler"] not in ("random", "grid")
        if sampled and self._has_more():
            for turn in range(_TRIES):
                drawn, attrs = self.optuna.draw(self.newest + 1, len(self.drawn), turn)
                if params.digest(drawn) not in self.marks:
                    return drawn, attrs
                self.optuna.drop(self.newest + 1)
        for row in self.rows:
            if params.digest(row) not in self.marks:
                if self.optuna is not None:
                    self.optuna.add(self.newest + 1, row, {})
                return row, {}
        return None

    def _has_more(self) -> bool:
        cells = 1
        for each in self.search["space"].values():
            if each["kind"] == "real":
                return True
            cells *= len(each["choices"]) if each["kind"] == "choice" else int(each["high"] - each["low"]) + 1
        return len(self.marks) < cells

    def _write(self, drawn: dict[str, Any], attrs: dict[str, Any]) -> int:
        """Writes a trial under the next free number: the link makes it appear whole, and to one writer only.

        Returns:
            the number; 0 where another host's trials, met on the way, leave no room for it.
        """
        told = searches.described_parameters(self.search["base"], self.search["space"], drawn)
        content = {
            "format": 1,
            "study": self.name,
            "place": len(self.drawn) + 1,
            "drawn": drawn,
            "params": told,
            "params_digest": params.digest(told),
            "metric": self.search["metric"],
            "direction": self.search["direction"],
            "attrs": attrs,
            "at": wire.utc_now(),
        }
        beside = self.directory / f"new.json.{os.getpid()}.part"
        reach("study.drawn")
        try:
            wire.write_synced(beside, content)
            while True:
                try:
                    os.link(beside, self.directory / f"{self.newest + 1}.json")
                    break
                except FileExistsError:
                    self._meet()
                    if params.digest(drawn) in self.marks or len(self.drawn) >= self.search["trials"]:
                        if self.optuna is not None:
                            self.optuna.drop(self.newest + 1)
                        return 0
        finally:
            beside.unlink(missing_ok=True)
        wire.sync_directory(self.directory)
        self.newest += 1
        reach("study.written")
        return self.newest

    def _meet(self) -> None:
        """Takes up the trial whose number was to be given: another host's, or of another study."""
        self.newest += 1
        if self.optuna is not None:
            self.optuna.rename(self.newest, self.newest + 1)
        trial = wire.read_json(self.directory / f"{self.newest}.json")
        if trial is not None and trial.get("study") == self.name and not searches.fault_of_trial(trial):
            self._take_up(self.newest, trial["drawn"], trial.get("attrs") or {})

    def hear(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        """Learns what became of trials."""
        if self.optuna is not None:
            for number, trial in sorted((int(each), trial) for each, trial in told.items()):
                if number in self.drawn:
                    self.optuna.hear(number, trial)

    def hopeless(self) -> list[int]:
        """Returns the running trials that the pruner has given up since the last call."""
        return self.optuna.hopeless() if self.optuna is not None and self.search["pruner"] else []


def _trials(directory: Path) -> dict[int, dict[str, Any]]:
    found = {}
    for name in os.listdir(directory):
        stem = name.removesuffix(".json")
        if stem.isdigit() and name.endswith(".json") and (content := wire.read_json(directory / name)) is not None:
            found[int(stem)] = content
    return found


def serve(request: Mapping[str, Any], answers: int) -> None:
    """Answers until standard input is closed.

    Args:
        request: directory, study, search, and the trials as they stand.
        answers: a file descriptor.
    """

    def say(**content: Any) -> None:
        os.write(answers, json.dumps(content).encode() + b"\n")

    directory = Path(request["directory"])
    wire.make_directory(directory)
    study = Study(directory, request["study"], request["search"])
    study.hear(request["trials"])
    poll = select.poll()
    poll.register(0, select.POLLIN)
    held = b""
    while True:
        if poll.poll(_LOOK_SECONDS * 1000 if request["search"]["pruner"] else None):
            more = os.read(0, 1 << 16)
            if not more:
                return
            *lines, held = (held + more).split(b"\n")
            for line in lines:
                message = json.loads(line)
                study.hear(message["trials"])
                if message["ask"]:
                    say(**_asked(study, message["ask"]))
        if hopeless := study.hopeless():
            say(prune=hopeless)


def _asked(study: Study, count: int) -> dict[str, Any]:
    asked: list[int] = []
    while len(asked) < count:
        number = study.ask()
        if number is None:
            break
        asked.append(number)
    return {"asked": asked, "exhausted": study.is_exhausted}


def main(path: str) -> None:
    """Reads the request, and serves; what goes wrong is one line on standard error, and status 1."""
    request = json.loads(Path(path).read_text("utf-8"))
    die_with_parent(request["parent"])
    answers = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        with contextlib.suppress(BrokenPipeError):  # the scheduler has gone
            serve(request, answers)
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            told = f"{request['directory']}: {error.strerror}: free space there\n"
            with contextlib.suppress(OSError):  # the disk for temporary files may be the one that is full
                os.write(2, told.encode())
            os._exit(TRY_AGAIN)
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
