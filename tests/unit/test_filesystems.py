"""Where the ledger lies, by the kind of file system that outputs are on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline import filesystems, project
from mlpipeline.project import Project

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/ann/local\\040disk xfs rw 0 0
user@host: /mnt/far fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_far"),
    [
        ("/", "ext4", False),
        ("/homes/x", "ext4", False),
        ("/home", "nfs4", True),
        ("/home/ann/project/models/outputs", "nfs4", True),
        ("/home/ann/local disk/project", "xfs", False),
        ("/mnt/far/a", "fuse.sshfs", True),
    ],
)
def test_the_deepest_mount_decides(tmp_path: Path, path: str, kind: str, is_far: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert filesystems.kind_of(Path(path), mounts) == kind
    assert filesystems.is_network(Path(path), mounts) == is_far
    assert not filesystems.is_network(Path(path), tmp_path / "none")


def test_on_a_network_the_ledger_lies_with_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Project.load(tmp_path, host="here")
    assert here.ledger_path == here.outputs_dir / "ledger-here.db"
    monkeypatch.setattr(project, "is_network", lambda path: True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert here.ledger_path.parent.parent == tmp_path / "state" / "mlpipeline"
    assert here.ledger_path.name == "ledger-here.db"
    other = Project.load(tmp_path.parent, host="here")
    assert other.ledger_path != here.ledger_path
