"""What kind of file system a path lies on: on those of a network neither events nor SQLite's locks can be relied on."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "fuse.ceph", "lustre", "gpfs", "beegfs"}
    | {"afs", "fuse.glusterfs", "glusterfs", "fuse.s3fs", "fuse.rclone", "orangefs", "pvfs2", "ocfs2", "gfs2"}
)


def kind_of(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Returns the type of the file system on which a path lies, also one that does not exist yet; empty if unknown."""
    best, kind, wanted = "", "", f"{path}/"
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, place, name, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        # Text: a hundred mounts as paths take a millisecond, and who looks on asks every second.
        if len(place) >= len(best) and wanted.startswith(f"{place.rstrip('/')}/"):
            best, kind = place, name
    return kind


def is_network(path: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether a path lies on another machine's disk."""
    return kind_of(path, mounts) in NETWORK
