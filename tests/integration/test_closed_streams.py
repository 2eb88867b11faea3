"""The command line where stdin, stdout or stderr is closed, and with words that are no text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.ledger import Ledger
from tests.integration.conftest import Workshop


def typed(root: Path, shell: str) -> subprocess.CompletedProcess[str]:
    """Types a line into a shell; `M` is mlpipeline."""
    line = f'M() {{ "$0" -m mlpipeline "$@"; }}; {shell}'
    return subprocess.run(["bash", "-c", line, sys.executable], cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def root(workshop: Workshop) -> Path:
    workshop.model("quick.py", "print('trained')")
    workshop.list("quick.py")
    return workshop.root


def test_a_queue_with_all_streams_closed_works_and_keeps_its_records(root: Path) -> None:
    assert typed(root, "M -r -u <&- >&- 2>&-").returncode == 0
    told = typed(root, "M history")
    assert "succeeded" in told.stdout, told.stderr
    assert "trained" in typed(root, "M logs quick.py").stdout
    assert typed(root, "M fsck").stdout == "All well.\n"


@pytest.mark.parametrize("shell", ["M history >&-", "M list >&-", "M init new <&-", "echo 1 | M plan >&- 2>&-"])
def test_a_closed_stream_is_no_fault(root: Path, shell: str) -> None:
    done = typed(root, shell)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_message_does_not_go_to_stdout_where_stderr_is_closed(root: Path) -> None:
    done = typed(root, "M historyx 2>&-")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("command", ["show", "logs", "history", "why", "compare", "hold", "cancel"])
def test_a_name_that_is_no_text_is_refused(root: Path, command: str) -> None:
    (root / "models" / "outputs").mkdir()
    Ledger.open(root / "models" / "outputs" / "ledger-here.db").close()
    done = typed(root, f"M {command} $'a\\xff'")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "udcff" in done.stderr
