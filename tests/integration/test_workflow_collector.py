"""pytest collects the checks of workflow files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.workflow.conftest import PARTS, WORKFLOW


def test_each_check_is_a_test_and_so_is_the_workflow(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "parts.py").write_text(PARTS)
    (tmp_path / "mlp.config").touch()
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["mlpipeline.testing.workflow"]\n')
    (tmp_path / "hooks.py").write_text("def check(*args): raise KeyError('what')\n")
    checks = "{main: {after: [{metric: mean, at_least: 2}, {metric: mean, above: 2}, hooks.py]}}"
    (tmp_path / "test_good.yaml").write_text(f"{WORKFLOW}checks: {checks}\n")
    (tmp_path / "test_raises.yaml").write_text(
        f"{WORKFLOW.replace('[1, 2, 3]', '[]')}checks: {{main: {{after: [{{metric: mean, at_least: 2}}]}}}}\n"
    )
    (tmp_path / "test_faulty.yaml").write_text(f"{WORKFLOW}chekcs: {{}}\n")
    (tmp_path / "other.yaml").write_text("no: workflow\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--continue-on-collection-errors", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    text = done.stdout
    assert done.returncode == 1, text
    for line in (
        "PASSED test_good.yaml::main\n",
        "PASSED test_good.yaml::main after mean at least 2",
        "FAILED test_good.yaml::main after mean above 2",
        "test_good.yaml:7:54: failed: mean is 2.0",
        "FAILED test_good.yaml::main after hooks.py:check",
        "test_good.yaml:7:80: error: KeyError: 'what'",
        "FAILED test_raises.yaml::main - ZeroDivisionError",
        "SKIPPED [1] ",
        "ERROR test_faulty.yaml",
        "'chekcs' means nothing in runner. Did you mean 'checks'?",
    ):
        assert line in text, (line, text)
    assert "other.yaml" not in text
