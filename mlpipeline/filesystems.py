"""What kind of file system a path lies on: on those of a network neither events nor SQLite's locks can be relied on."""

from __future__ import annotations

import errno
import os
import pwd
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


def remedy(error: OSError, path: Path) -> str:
    """Returns what the system says of a path that can be neither read nor written, and what to do about it."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            advice = f"make the directory {path.parent}, or name another"
        case errno.EISDIR:
            advice = "it is a directory: name a file"
        case errno.EROFS:
            advice = "its file system takes no changes: choose another place"
        case errno.ENOSPC | errno.EDQUOT:
            advice = "free some space"
        case errno.EACCES | errno.EPERM:
            advice = f"mend its permissions{belongs(path)}"
        case _:
            advice = "mend its permissions or the disk"
    return f"({error.strerror}): {advice}"


def belongs(path: Path) -> str:
    """Returns ` (/a belongs to mary)` where what stands there, or the nearest directory above, is somebody else's."""
    for each in (path, *path.parents):
        try:
            owner = each.stat().st_uid
        except OSError:
            continue
        return (
            "" if owner == os.geteuid() else f" ({each} belongs to {_user(owner)}, and you are {_user(os.geteuid())})"
        )
    return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container knows no names
        return f"user {number}"
