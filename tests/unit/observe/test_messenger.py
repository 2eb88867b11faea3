"""[NOTIFY]: what it says is read with file and line, and no secret of it is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.observe import messenger
from mlpipeline.project import Project

SECRET = "https://hooks.example.org/T0/secret"


def read(root: Path, *lines: str) -> messenger.Wanted:
    (root / "mlp.config").write_text("\n".join(["[MLP]", "slots = 2", "[NOTIFY]", *lines, ""]))
    return messenger.wanted(Project.load(root), {"HOOK": SECRET})


def test_a_section_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path, "webhook = $HOOK", "urls = json://localhost mailto://a@b.c", "on = failed, lost", "every = 5m"
    )
    assert found == messenger.Wanted(
        webhook=SECRET, urls=("json://localhost", "mailto://a@b.c"), on=("failed", "lost"), every=300.0
    )
    assert "secret" not in repr(found)


def test_an_empty_section_notifies_nobody(tmp_path: Path) -> None:
    assert not read(tmp_path)
    (tmp_path / "mlp.config").unlink()
    assert not messenger.wanted(Project.load(tmp_path))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("webhok = x", "mlp.config:4: unknown key 'webhok'. Did you mean 'webhook'?"),
        ("webhook = ftp://x", "mlp.config:4: webhook: must be a URL that begins with https:// or http://"),
        ("webhook = ${NOBODY}", "mlp.config:4: webhook: $NOBODY is not set in the environment"),
        ("urls = json://a b", "mlp.config:4: urls: number 2 is no URL"),
        ("on = failed later", "mlp.config:4: on: 'later' is none of empty, failed, lost, stalled, best, gone"),
        ("every = often", "mlp.config:4: every: a number of seconds is needed"),
    ],
)
def test_a_fault_is_told_with_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=r"mlp\.config:4") as caught:
        read(tmp_path, line)
    assert told in str(caught.value)
