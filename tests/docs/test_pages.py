"""What README and docs show is done, block by block, in an empty directory; a block that is not run says why."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKED, REASONS, ROOT, RUN, SHOWN, Page, pages
from tests.extras import need

PAGES = pages()
PLAYED = [page for page in PAGES if any(block.action not in {"leave", "show"} for block in page.blocks)]
LIMIT_SECONDS = 420
COMMANDS = re.compile(r"^(\$ |mlpipeline |pip install |python |make )", re.MULTILINE)


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the programs that pages use: those of this interpreter."""
    place = tmp_path_factory.mktemp("bin")
    for name, call in (("mlpipeline", "-m mlpipeline"), ("pytest", "-m pytest"), ("python", "")):
        (place / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n')
        (place / name).chmod(0o755)
    return place


@pytest.fixture
def directory(tmp_path: Path, programs: Path) -> Iterator[Path]:
    """An empty directory; a queue that a page left at work in it is ended."""
    empty = tmp_path / "empty"
    empty.mkdir()
    yield empty
    for config in empty.rglob("mlp.config"):
        if list(config.parent.rglob("status-*.json")):
            command = [str(programs / "mlpipeline"), "stop", "--now", "--wait", "--project", str(config.parent)]
            subprocess.run(command, env=environment(programs), capture_output=True, timeout=60, check=False)


def environment(programs: Path) -> dict[str, str]:
    """What a reader has: no colors, no variables of a project, this package and its programs."""
    unset = ("MLP", "OPENAI", "PYTEST", "PYTHONDONTWRITEBYTECODE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return own | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_VISIBLE_DEVICES": "",
    }


@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.name)
@pytest.mark.timeout(LIMIT_SECONDS + 70)
def test_what_a_page_shows_is_what_happens(page: Page, directory: Path, programs: Path) -> None:
    for module, extra in page.needs:
        need(module, extra)
    steps = [block.step() | {"language": block.language} for block in page.blocks]
    (directory.parent / "steps.json").write_text(json.dumps(steps))
    command = [
        sys.executable,
        str(Path(__file__).with_name("play.py")),
        page.name,
        str(directory.parent / "steps.json"),
    ]
    log = directory.parent / "log"
    with log.open("w") as output:
        player = subprocess.Popen(
            command,
            cwd=directory,
            env=environment(programs),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = player.wait(LIMIT_SECONDS)
        finally:
            end(player.pid)
            player.wait()
    assert status == 0, log.read_text()


def end(group: int) -> None:
    """Ends what a page left in the background."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Page) -> None:
    for block in page.blocks:
        where = f"{page.name}:{block.line}"
        assert block.language in {*RUN, *CHECKED, *SHOWN}, f"{where}: name the block's language, such as sh or text"
        if block.left_out is not None:
            word, _, sentence = block.left_out.partition(": ")
            assert word in REASONS, f"{where}: 'not run: {word}': use one of {', '.join(REASONS)}"
            assert sentence, f"{where}: say in a few words why it is not run"
            if block.language == "python":
                ast.parse(block.text, where)
        elif block.action == "show":
            assert not COMMANDS.search(block.text), f"{where}: commands belong into a sh or console block, which is run"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_comment_before_a_block_is_understood(page: Page) -> None:
    said = len(re.findall(r"^ *<!-- (?:not run|exits|stays):", page.source, re.MULTILINE))
    assert said == sum(bool(block.left_out) + (block.status != 0) + block.stays for block in page.blocks), (
        "one stands before no block"
    )
