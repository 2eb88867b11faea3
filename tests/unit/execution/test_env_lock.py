"""The lock of an environment: written whole, read back, compared with what is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError, NotWritable
from mlpipeline.execution import env_lock
from tests.unit.execution.test_packages import install


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", [str(tmp_path / "site")])
    monkeypatch.setattr("shutil.which", lambda name: None)
    install(tmp_path / "site", "numpy", "2.4.0", record="numpy.py,sha256=aa,3\n")
    install(tmp_path / "site", "Some_Thing", "1.0+local")
    install(tmp_path / "site", "pip", "26.0")
    install(tmp_path / "site", "mine", "1", direct_url=json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
    return tmp_path / "site"


def test_what_is_locked_is_what_is_installed(site: Path, tmp_path: Path) -> None:
    path, hashed = env_lock.write(tmp_path)
    assert not hashed
    lines = path.read_text().splitlines()
    assert lines[1] == f"# python {'.'.join(map(str, sys.version_info[:3]))} on {env_lock.sysconfig.get_platform()}"
    assert lines[2] == "# mine 1 comes from a directory of this machine: install it from there"
    assert lines[3].startswith("numpy==2.4.0  # content sha256:")
    assert lines[4:] == ["Some_Thing==1.0+local"]
    found = env_lock.drift(tmp_path)
    assert found is not None
    assert found.faults == []
    assert found.notes == ["mine 1 is installed, and not in requirements.lock"]


def test_drift_is_told_package_by_package(site: Path, tmp_path: Path) -> None:
    path, _ = env_lock.write(tmp_path)
    text = path.read_text()
    path.write_text(text.replace("numpy==2.4.0", "numpy==2.3.0") + "gone==1\nelsewhere @ https://host/x.whl\n")
    install(site, "elsewhere", "1")
    found = env_lock.drift(tmp_path)
    assert found is not None
    assert found.faults == [
        "numpy is 2.4.0, and requirements.lock has 2.3.0",
        "gone 1 is in requirements.lock, and not installed",
        "elsewhere comes from an index, and requirements.lock has https://host/x.whl",
    ]
    (site / "numpy-2.4.0.dist-info" / "RECORD").write_text("numpy.py,sha256=ab,3\n")
    path.write_text(text)
    found = env_lock.drift(tmp_path)
    assert found is not None
    assert found.faults == []
    assert found.notes[0] == "numpy 2.4.0 has other files than when requirements.lock was written"
    path.write_text(text.replace("# python 3", "# python 2"))
    found = env_lock.drift(tmp_path)
    assert found is not None
    assert found.notes[0].startswith("requirements.lock was written by Python 2")
    assert not any("other files" in each for each in found.notes)


def test_without_a_lock_there_is_no_drift_and_a_faulty_line_is_named(site: Path, tmp_path: Path) -> None:
    assert env_lock.drift(tmp_path) is None
    (tmp_path / "requirements.lock").write_text("numpy==2.4.0 \\\n    --hash=sha256:aa\nnumpy >= 2\n")
    with pytest.raises(ConfigurationError, match=r"requirements\.lock:3: 'numpy >= 2'"):
        env_lock.drift(tmp_path)
    (tmp_path / "requirements.lock").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        env_lock.drift(tmp_path)


def test_a_directory_that_is_none_cannot_be_written(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable, match=r"requirements\.lock: cannot be written"):
        env_lock.write(tmp_path / "file")


def uv(tmp_path: Path, code: str) -> str:
    path = tmp_path / "uv"
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}\n")
    path.chmod(0o755)
    return str(path)


def test_the_hashes_that_uv_knows_are_written(site: Path, tmp_path: Path) -> None:
    code = "for line in sys.stdin.read().split('\\n'):\n    print(line, '\\\\\\n    --hash=sha256:aa' * ('==' in line))"
    path, hashed = env_lock.write(tmp_path, uv=uv(tmp_path, code))
    assert hashed
    assert "numpy==2.4.0 \\\n    --hash=sha256:aa" in path.read_text()
    assert "--require-hashes" in path.read_text().splitlines()[0]
    found = env_lock.drift(tmp_path)
    assert found is not None
    assert found.faults == []


@pytest.mark.parametrize("code", ["sys.exit(2)", "print('numpy==2.4.0')", "print('numpy==2.4.0 \\\\\\n  --hash=x:1')"])
def test_where_uv_does_not_know_all_of_them_versions_alone_are_written(site: Path, tmp_path: Path, code: str) -> None:
    path, hashed = env_lock.write(tmp_path, uv=uv(tmp_path, code))
    assert not hashed
    assert "hash=" not in path.read_text()


def test_pip_takes_the_file(tmp_path: Path) -> None:
    """The real one, of the environment that the tests run in."""
    path, _ = env_lock.write(tmp_path, uv="/nowhere/uv")
    path.write_text("\n".join(path.read_text().splitlines()[:6]))  # pip takes long for hundreds
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index", "-q", "-r", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("pip is not installed")
    assert done.returncode == 0, done.stderr
