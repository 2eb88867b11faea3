"""The files by which the daemon is deployed are read by the tools that they are for; nothing of them is run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlpipeline.cli.main import cli

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: it is in Debian's package systemd")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "mlpipeline").symlink_to(sys.executable)
    escaped = subprocess.run(
        ["systemd-escape", "--path", str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout.strip()
    unit = tmp_path / f"mlpipeline@{escaped}.service"

    def verified(text: str) -> str:
        unit.write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", "--man=no", str(unit)], capture_output=True, text=True, check=False,
            env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        )  # fmt: skip
        lines = done.stderr.splitlines()
        return "\n".join(line for line in lines if unit.name in line or str(unit) in line)

    text = (DEPLOY / "mlpipeline@.service").read_text()
    assert verified(text) == ""
    assert "Restrat" in verified(text.replace("Restart=on-failure", "Restrat=on-failure"))
    assert "not executable" in verified(text.replace("bin/mlpipeline -r", "bin/elsewhere -r"))


def test_the_container_file_is_parsed_and_starts_the_queue() -> None:
    parser = pytest.importorskip("dockerfile_parse", reason="dockerfile-parse is not installed: pip install '.[test]'")
    parsed = parser.DockerfileParser(str(DEPLOY))
    words = [each["instruction"] for each in parsed.structure if each["instruction"] != "COMMENT"]
    known = {"FROM", "ARG", "COPY", "RUN", "WORKDIR", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert set(words) == known
    assert words[0] == "FROM"
    values = {each["instruction"]: each["value"] for each in parsed.structure}
    assert json.loads(values["ENTRYPOINT"]) == ["mlpipeline"]
    command = json.loads(values["CMD"])
    help_ = CliRunner().invoke(cli, ["--help"]).stdout
    assert all(re.search(rf"(^|[ ,]){word}\b", help_, re.MULTILINE) for word in command), command
    assert f"python:{sys.version_info[0]}." in values["FROM"]
