"""Builds wheel and sdist, the same bytes from the same sources: `python tools/build.py [DIRECTORY]`, by default dist/.

setuptools writes the wheel's times as SOURCE_DATE_EPOCH says, but those of the sdist as they are on disk: so that is
written again. Without that variable, the time is that of the last commit.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_EARLIEST = 315532800
"""1980: a zip file knows no earlier time, for where there is no git."""


def epoch() -> int:
    """Returns the time that all files get, in seconds since 1970."""
    if told := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(told)
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    return int(done.stdout) if done.returncode == 0 else _EARLIEST


def build(target: Path, seconds: int) -> list[Path]:
    """Builds into a directory, and returns the files: the sdist, then the wheel that is built of it."""
    with tempfile.TemporaryDirectory(prefix="mlpipeline-build-") as place:
        copy = Path(place, "source")
        copy_sources(copy)
        subprocess.run(
            [sys.executable, "-m", "build", "--outdir", str(target), str(copy)],
            env=os.environ | {"SOURCE_DATE_EPOCH": str(seconds)}, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    source, wheel = next(target.glob("*.tar.gz")), next(target.glob("*.whl"))
    _even(source, seconds)
    return [source, wheel]


def copy_sources(target: Path) -> None:
    """Copies what is built: setuptools leaves build/ and *.egg-info behind, and takes from them what is deleted since.

    Of the package itself all is taken: its templates have folders tests/ as well, and any word may be a folder there.
    """
    everywhere = shutil.ignore_patterns("__pycache__")
    around = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*.egg-info", "outputs", "tests", "__pycache__")
    package = ROOT / "mlpipeline"

    def ignored(folder: str, names: list[str]) -> set[str]:
        return (everywhere if Path(folder).is_relative_to(package) else around)(folder, names)

    shutil.copytree(ROOT, target, ignore=ignored)


def _even(path: Path, seconds: int) -> None:
    """Writes an archive again: in the order of names, with one time, and nobody's name."""
    written = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            content = old.extractfile(member) if member.isfile() else None
            member.mtime, member.uid, member.gid, member.uname, member.gname = seconds, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, content)
    path.write_bytes(gzip.compress(written.getvalue(), mtime=seconds))


if __name__ == "__main__":
    for each in build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve(), epoch()):
        print(each)
