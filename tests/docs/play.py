"""Does what a page says, in the current directory: `python play.py PAGE STEPS.json`, a process of its own.

All Python of a page is one session, and so are its commands as far as the directory goes. Expected output of `console`
blocks is what commands print, errors included: `…` stands for anything in a line, and alone for any number of lines.
Fractions, durations, times, dates and ids of runs may be others; whole numbers and words may not.
"""

from __future__ import annotations

import json
import linecache
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

HERE = Path.cwd()
STAYING_SECONDS = 120
VOLATILE = (
    (re.compile(r"\b\d{8}-\d{6}-[a-z2-7]{6}\b"), "RUN"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min|h)\b( ago)?|\bjust now\b"), "TOOK"),
    (re.compile(r"-?\b\d+(\.\d+(e-?\d+)?|e-?\d+)\b"), "NUMBER"),
    (re.compile(r"[─━-]{3,}"), "---"),
    (re.compile(r"█+"), "BAR"),  # as long as the terminal is wide
)


class WrongOutput(Exception):
    """A command does not print what the page says."""


def same_for_all(text: str) -> str:
    """The text without what differs from run to run, and with single blanks."""
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    return "".join(" ".join(line.split()) + "\n" for line in text.splitlines())


def expected(text: str) -> re.Pattern[str]:
    """The pattern of the output that a page shows."""
    lines = []
    for line in same_for_all(text).splitlines():
        parts = [".*?".join(map(re.escape, line.split("…"))) + r"\n"]
        lines += parts if line != "…" else [r"(?:.*\n)*?"]
    return re.compile("".join(lines) + r"\s*\Z")


def shell(script: str, status: int) -> str:
    """Runs commands in the directory where the last ones ended, and returns what they print."""
    place = HERE / ".mlp-place"
    written = f"trap 'pwd >\"{place}\"' EXIT\n{script}"
    with tempfile.TemporaryFile() as output:
        # Not a pipe: what goes on in the background would keep it open.
        done = subprocess.run(
            ["sh", "-ec", written], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        )
        output.seek(0)
        told = output.read().decode()
    if done.returncode != status:
        raise WrongOutput(f"{script.strip()}\nended with {done.returncode}, not {status}:\n{told}")
    os.chdir(place.read_text().rstrip("\n"))
    return told


def turns(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what it prints: a line that begins with `$`, and those below it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in found]


def console(text: str, status: int) -> None:
    """Runs each command of a block, and compares what it prints."""
    found = turns(text)
    for place, (command, said) in enumerate(found):
        told = shell(command, status if place == len(found) - 1 else 0)
        if not expected(said).match(same_for_all(told)):
            raise WrongOutput(f"$ {command}\nprints\n{told}\nand the page says\n{said}")


def stay(text: str) -> subprocess.Popen[bytes]:
    """Starts the one command of a block, and returns it when it has printed what the page says."""
    ((command, said),) = turns(text)
    with tempfile.TemporaryFile() as output:
        # `exec`: Ctrl-C is for the command itself, and its status is seen.
        process = subprocess.Popen(
            ["sh", "-ec", f"exec {command}"], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        until = time.monotonic() + STAYING_SECONDS
        told = ""
        while not expected(said).match(same_for_all(told)):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise WrongOutput(f"$ {command}\nprints\n{told}\nand the page says\n{said}")
            time.sleep(0.1)
            told = os.pread(output.fileno(), 1_000_000, 0).decode()
    return process


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ends what stayed, as Ctrl-C does; it has to end well."""
    process.send_signal(signal.SIGINT)
    try:
        status = process.wait(STAYING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    if status:
        raise WrongOutput(f"{process.args}: ends with {status} after Ctrl-C")


def write(path: str, text: str) -> None:
    """Writes a file that the page shows."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def python(text: str, page: str, line: int, names: dict[str, Any]) -> None:
    """Runs Python as if it stood in a notebook: names stay, and tracebacks show the page's lines."""
    name = f"{page}:{line}"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    exec(compile(text, name, "exec"), names)


def check(text: str, language: str) -> None:
    """Whether a fragment of a file is such a file."""
    if language == "json":
        json.loads(text)
    elif language == "toml":
        import tomllib

        tomllib.loads(text)
    elif language == "yaml":
        import yaml

        list(yaml.safe_load_all(text))
    elif language == "ini":
        settings(text)


def settings(text: str) -> None:
    """Whether the lines of an INI block are known where they belong: a models config, or mlp.config."""
    from mlpipeline.project import Project
    from mlpipeline.selection import read

    place = Path(HERE, ".mlp-settings")
    place.mkdir(exist_ok=True)
    if "MODELS]" in text or "[" not in text:
        lists = "[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\n{}\n[BLACKLISTED_MODELS]\n"
        (place / "mlp.config").write_text("[MLP]\n")
        (place / "models.config").write_text(text if "[" in text else lists.format(text))
        faults = [fault for fault in read(Project.load(place), test=False).faults if "no such model" not in str(fault)]
        if faults:
            raise WrongOutput("\n".join(map(str, faults)))
    else:
        (place / "mlp.config").write_text(text)
        Project.load(place)


def play(page: str, steps: list[dict[str, Any]]) -> None:
    """Does one step after the other; the first that fails ends it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    staying: list[subprocess.Popen[bytes]] = []
    began = time.monotonic()
    for step in steps:
        print(f"--- {page}:{step['line']} {step['action']} ({time.monotonic() - began:.1f} s)", flush=True)
        text = step["text"]
        match step["action"]:
            case "write":
                write(step["path"], text)
            case "sh":
                print(shell(text, step["status"]), end="", flush=True)
            case "console":
                console(text, step["status"])
            case "stay":
                staying.append(stay(text))
            case "python":
                python(text, page, step["line"], names)
            case "check":
                check(text, step["language"])
    for process in staying:
        interrupt(process)


if __name__ == "__main__":
    try:
        play(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
    except Exception:
        traceback.print_exc()
        sys.exit(1)
