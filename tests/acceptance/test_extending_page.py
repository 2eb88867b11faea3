"""The page about parts of one's own: its commands, run one after another, do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "workflow" / "extending.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    for module, extra in (("pandas", "data"), ("hatchling", "package")):
        pytest.importorskip(module, reason=f"the page needs {module}: pip install 'mlpipeline[{extra}]'")
    program = tmp_path / "bin" / "mlpipeline"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mlpipeline "$@"\n')
    program.chmod(0o755)
    start, create, write, package = blocks("sh")
    (command,) = blocks("python")
    (call,) = blocks("text")
    (settings,) = blocks("ini")
    lines = package.splitlines()
    assert lines[1] == "pip install dist/my_parts-1.2.0-py3-none-any.whl"
    script = [
        start,
        create,
        write,
        f"mkdir -p commands\ncat > commands/say_hello.py <<'END'\n{command}END\n{call}",
        f"cat >> mlp.config <<'END'\n{settings}END\n{lines[0]}\ntest -f {lines[1].split()[-1]}",
    ]
    done = subprocess.run(
        ["sh", "-ec", "\n".join(script)],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello Ada" in done.stdout.splitlines()
    assert "def test_" in done.stdout
    assert (tmp_path / "churn" / "docs" / "my_trainer.md").read_text().startswith("# MyTrainer")
    for created in ("models/flow.yaml", "components/my_trainer.py", "tests/test_component_my_trainer.py"):
        assert (tmp_path / "churn" / created).is_file()
