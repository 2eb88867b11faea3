"""The dashboard that comes with a scheduler where `[DASHBOARD]` asks for one, and the way to find one that runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from mlpipeline import wire
from mlpipeline.config_text import near_or_known
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.project import Project
from mlpipeline.settings import CONFIG
from mlpipeline.values import boolean

KEYS = ("port", "read_only")
_STOP_SECONDS, _LINK_SECONDS, _POLL_SECONDS = 5.0, 20.0, 0.05


class Registration:
    """Says where a project's dashboard is, for as long as it lives. The first of several is the one that is found."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = -1
        self._links = 0

    def take(self) -> bool:
        """Registers this process. Returns False where another one is registered, or nothing can be written."""
        try:
            wire.make_directory(self._project.requests_dir, 0o700)
            self._lock = os.open(_lock(self._project), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            return False
        return True

    def tell(self, link: str, *, is_beside: bool) -> None:
        """Keeps a link that nobody has used, where only the project's owner reads it."""
        if self._lock < 0:
            return
        self._links += 1
        content = {"pid": os.getpid(), "link": link, "number": self._links, "is_beside": is_beside}
        wire.write_json(self._project.dashboard_path, content)

    def release(self) -> None:
        """Ends it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def registered(project: Project) -> dict[str, Any] | None:
    """Returns what is known of the dashboard that runs, None where none does. Changes no byte."""
    try:
        descriptor = os.open(_lock(project), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return wire.read_json(project.dashboard_path)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def new_link(project: Project) -> str:
    """Has the dashboard that runs make another link.

    Raises:
        UsageError: none runs, or it does not answer.
    """
    found = registered(project)
    if found is None:
        raise UsageError("no dashboard of this project runs: start one with mlpipeline dashboard")
    os.kill(int(found["pid"]), signal.SIGHUP)
    deadline = time.monotonic() + _LINK_SECONDS
    while time.monotonic() < deadline:
        now = wire.read_json(project.dashboard_path) or {}
        if (now.get("pid"), now.get("number")) != (found["pid"], found["number"]) and now.get("link"):
            return str(now["link"])
        time.sleep(_POLL_SECONDS)
    raise UsageError(f"the dashboard does not answer (pid {found['pid']}): end it with kill, and start another one")


def options_of(project: Project) -> list[str] | None:
    """Returns the arguments of the dashboard that the settings ask for; None where they ask for none.

    Raises:
        ConfigurationError: the section has an unknown key or a wrong value.
    """
    section = project.settings.sections.get("DASHBOARD")
    if not section:
        return None
    for key in section:
        if key not in KEYS:
            raise ConfigurationError(f"{CONFIG}: [DASHBOARD]: unknown key {key!r}.{near_or_known(key, KEYS)}")
    port = section.get("port", "")
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise ConfigurationError(f"{CONFIG}: [DASHBOARD] port = {port}: give a number from 0 (any free one) to 65535")
    try:
        is_read_only = boolean(section.get("read_only", "false"))
    except ValueError as error:
        raise ConfigurationError(f"{CONFIG}: [DASHBOARD] read_only: {error}") from error
    return ["--port", port, *(["--read-only"] if is_read_only else [])]


@contextlib.contextmanager
def dashboard_beside(project: Project, say: Callable[[str], None]) -> Iterator[None]:
    """Runs a dashboard meanwhile, where the settings ask for one.

    It outlives a scheduler that is killed, and the next one finds it: pages that are open stay so.
    """
    options = options_of(project)
    if options is None:
        yield
        return
    command = [sys.executable, "-m", "mlpipeline", "dashboard", "--project", str(project.root), "--host", project.host]
    with open(project.requests_dir / "dashboard.log", "wb") as log:
        child = subprocess.Popen(
            [*command, "--beside", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    say("the dashboard is open: mlpipeline dashboard --link prints a link to it")
    try:
        yield
    finally:
        _end(project, child)


def _end(project: Project, child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    left = registered(project)  # of a scheduler before this one, which was killed
    if left is not None and left.get("is_beside"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(int(left["pid"]), signal.SIGTERM)


def _lock(project: Project) -> str:
    return f"{project.dashboard_path}.lock"
