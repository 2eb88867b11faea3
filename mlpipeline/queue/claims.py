"""Which host takes what, where several share a project: a file per attempt at a wish, made by a link, which one wins.

The files of a wish are numbered. Who makes the next number owns the wish until the attempt that it names has an
outcome; what that outcome is, every host reads in the shared run directory.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mlpipeline import wire
from mlpipeline.errors import RequestRefused
from mlpipeline.ledger import Key
from mlpipeline.lock import holder
from mlpipeline.project import Project
from mlpipeline.queue.verdicts import Elsewhere, Verdict
from mlpipeline.standings import WIDTHS

_LOOK_SECONDS = 1.0
_INTENT_BYTES = 256


class Claim(NamedTuple):
    """A file of a wish: its number and what it says. `outcome` is that of the attempt, None while there is none."""

    number: int
    content: dict[str, Any]
    outcome: dict[str, Any] | None


class Claims:
    """One host's side of the claims."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.elsewhere: dict[Key, Elsewhere] = {}
        self._former: dict[str, str] = {}
        self._due = 0.0
        self._named: set[str] = set()  # directories whose own names are on disk
        self._intent = project.outputs_dir / f"claiming-{project.host}.json"

    def learn(self, formers: Mapping[str, str]) -> None:
        """Notes what digests of code were by the algorithm of earlier releases: claims of these are found by them.

        Args:
            formers: by today's digests.
        """
        self._former = dict(formers)

    def take(self, key: Key, about: dict[str, Any], *, again: bool) -> bool:
        """Claims a wish for an attempt of this host. False where another host has it; `elsewhere` says how it stands.

        Args:
            key: the wish.
            about: run, attempt, token and directory of the attempt that is to begin.
            again: somebody wants it once more, whatever another host made of it.

        Raises:
            OSError: the claim could not be written; nothing is claimed.
        """
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        while True:
            latest = self._newest(key)
            if latest is not None and latest.content.get("host") != self.project.host:
                found = _story(latest)
                if found is not None and not (again and latest.outcome is not None):
                    self.elsewhere[key] = found
                    return False
            number = latest.number + 1 if latest else 1
            intent = {"place": place.relative_to(self.project.claims_dir).as_posix(), "token": about["token"]}
            self._announce(intent)
            if self._link(place, number, about):
                break
        self.elsewhere.pop(key, None)
        _forget(place, number)
        return True

    def _announce(self, intent: dict[str, Any]) -> None:
        """Writes what is about to be claimed, in place: a new file in its stead would cost a sync of the disk."""
        descriptor = os.open(self._intent, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, json.dumps(intent).encode("ascii").ljust(_INTENT_BYTES), 0)
        finally:
            os.close(descriptor)

    def forget_unrecorded(self, is_recorded: Callable[[str, str], bool]) -> None:
        """Frees what this host claimed last, if it was stopped before it recorded the run: others would wait for it.

        Args:
            is_recorded: whether the ledger knows a run and a token of it.

        Raises:
            OSError: the claim could not be freed.
        """
        intent = wire.read_json(self._intent)
        if intent is None:
            return
        place = self.project.claims_dir / str(intent.get("place"))
        latest = self._latest(place)
        if latest is None or latest.outcome is not None or latest.content.get("token") != intent.get("token"):
            return
        if not is_recorded(str(latest.content.get("run")), str(intent.get("token"))):
            self._free(place, latest)

    def _free(self, place: Path, latest: Claim) -> bool:
        number = latest.number + 1
        return self._link(place, number, {**latest.content, "number": number, "released": True})

    def _link(self, place: Path, number: int, about: dict[str, Any]) -> bool:
        """Makes a numbered file, whole and durably. False where somebody else made it or a later one first."""
        content = {"format": 1, "host": self.project.host, "number": number, "at": wire.utc_now(), **about}
        beside = f"{place}.{secrets.token_hex(4)}.part"
        try:
            wire.write_synced(beside, content)
            os.link(beside, f"{place}.{number}")
        except FileExistsError:
            return False
        finally:
            Path(beside).unlink(missing_ok=True)
        if _numbers(place)[-1] != number:
            # Our look was old: the number was made and, after a later one, forgotten meanwhile.
            Path(f"{place}.{number}").unlink(missing_ok=True)
            return False
        try:
            wire.sync_directory(place.parent)
            if place.parent.name not in self._named:
                wire.sync_directory(place.parent.parent)
                self._named.add(place.parent.name)
        except OSError:
            os.unlink(f"{place}.{number}")  # or others would wait for what never begins
            raise
        return True

    def of_host(self, host: str) -> list[str]:
        """Returns the runs that a host has claimed and not ended."""
        found = (self._latest(place) for place in _places(self.project.claims_dir))
        return [
            str(each.content.get("run"))
            for each in found
            if each is not None and each.outcome is None and each.content.get("host") == host
        ]

    def release(self, host: str) -> list[str]:
        """Frees what a host that is gone has claimed and not ended, so that others may take it up.

        Returns:
            the runs that were freed.

        Raises:
            RequestRefused: that host's scheduler is at work.
            OSError: a claim could not be written; those before are free.
        """
        if held := holder(replace(self.project, host=host)):
            raise RequestRefused(f"the scheduler of host {host} is at work ({held}): stop it first")
        freed = []
        for place in _places(self.project.claims_dir):
            latest = self._latest(place)
            if latest is None or latest.outcome is not None or latest.content.get("host") != host:
                continue
            # Where the number is taken, that host has gone on meanwhile.
            if self._free(place, latest):
                freed.append(str(latest.content.get("run")))
        return freed

    def look(self, now: float) -> None:
        """Looks again, once a second, what became of what other hosts have.

        Raises:
            OSError: it cannot be read; what was known stays.
        """
        if self.elsewhere and now >= self._due:
            self._due = now + _LOOK_SECONDS
            self.discover(list(self.elsewhere))

    def discover(self, keys: Iterable[Key]) -> None:
        """Finds out which of these wishes other hosts took up last."""
        for key in keys:
            latest = self._newest(key)
            theirs = latest is not None and latest.content.get("host") != self.project.host
            found = _story(latest) if latest is not None and theirs else None
            if found is None:
                self.elsewhere.pop(key, None)
            else:
                self.elsewhere[key] = found

    def others(self) -> set[str]:
        """Returns the other hosts that have worked on this project, by their files."""
        files = self.project.outputs_dir.glob("status-*.json")
        return {path.name[len("status-") : -len(".json")] for path in files} - {self.project.host}

    def outcome(self, key: Key) -> dict[str, Any] | None:
        """Returns what the attempt came to that took a wish up last; None while there is none."""
        latest = self._newest(key)
        return None if latest is None else latest.outcome

    def _place(self, key: Key) -> Path:
        equal = list(key[: WIDTHS[self.project.settings.rerun_on]])
        digest = hashlib.sha256(json.dumps(equal).encode()).hexdigest()[:40]
        return self.project.claims_dir / digest[:2] / digest[2:]

    def _newest(self, key: Key) -> Claim | None:
        """Returns the newest claim of a wish, that of an earlier release where there is no other."""
        former = self._former.get(key.code_digest, key.code_digest)
        places = dict.fromkeys((self._place(key), self._place(key._replace(code_digest=former))))
        return next(filter(None, map(self._latest, places)), None)

    def _latest(self, place: Path) -> Claim | None:
        while numbers := _numbers(place):
            content = wire.read_json(f"{place}.{numbers[-1]}")
            if content is not None:
                return Claim(numbers[-1], content, _outcome(self.project, content))
            if Path(f"{place}.{numbers[-1]}").exists():
                # Linked whole, so this is damage from outside: nobody can say whose it is.
                return Claim(numbers[-1], {"host": "?"}, None)
        return None


def _numbers(place: Path) -> list[int]:
    try:
        names = os.listdir(place.parent)
    except FileNotFoundError:
        return []
    endings = (name.rpartition(".") for name in names)
    return sorted(int(number) for name, _, number in endings if name == place.name and number.isdecimal())


def _forget(place: Path, newest: int) -> None:
    for number in _numbers(place):
        if number < newest:
            Path(f"{place}.{number}").unlink(missing_ok=True)


def _outcome(project: Project, content: dict[str, Any]) -> dict[str, Any] | None:
    if content.get("released"):
        return {"state": "released"}
    outcome = wire.read_json(project.root / str(content.get("directory")) / wire.OUTCOME)
    return outcome if outcome is not None and outcome.get("token") == content.get("token") else None


def _story(claim: Claim) -> Elsewhere | None:
    """Says how another host's wish stands; None where anybody may take it up."""
    content, outcome = claim.content, claim.outcome
    where = f"on host {content.get('host')} (run {content.get('run')})"
    if outcome is None:
        remedy = f"if that host is gone: mlpipeline release --host {content.get('host')}"
        return Elsewhere(Verdict.WAITING, f"{where} since {str(content.get('at'))[:16]} UTC; {remedy}")
    state = outcome.get("state")
    if state == "succeeded":
        return Elsewhere(Verdict.DONE, f"done {where}")
    if state == "failed" or (state == "cancelled" and outcome.get("cause") != "interrupted"):
        return Elsewhere(Verdict.FAILED, f"{state} {where}: {outcome.get('message')}")
    return None


def _places(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    os.listdir(directory)  # glob would take what may not be read for nothing
    found = {path.with_suffix("") for path in directory.glob("*/*") if path.suffix[1:].isdecimal()}
    return sorted(found)
