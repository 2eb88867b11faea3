"""Packages of other versions on a node are noted, whatever way their names are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpipeline.execution import elsewhere


def _install(place: Path, *names: str) -> None:
    for name in names:
        (place / f"{name}.dist-info").mkdir(parents=True)


def test_other_versions_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path / "site", "scikit_learn-1.6.0", "numpy-2.4.6", "only_here-1.0")
    (tmp_path / "environment.json").write_text(json.dumps({"packages": {"scikit-learn": "1.9.1", "numpy": "2.4.6"}}))
    monkeypatch.setattr("sys.path", [str(tmp_path / "site"), "/not/there", ""])
    monkeypatch.setenv("SLURMD_NODENAME", "n7")
    (told,) = elsewhere.warnings(tmp_path)
    assert told == "n7 has other versions than the queue's machine: scikit-learn 1.6.0 (there 1.9.1)"


def test_equal_versions_and_no_record_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert elsewhere.warnings(tmp_path) == []
    _install(tmp_path / "site", "numpy-2.4.6")
    monkeypatch.setattr("sys.path", [str(tmp_path / "site")])
    (tmp_path / "environment.json").write_text(json.dumps({"packages": {"NumPy": "2.4.6", "torch": "2.5"}}))
    assert elsewhere.warnings(tmp_path) == []


def test_the_first_of_a_name_on_the_path_counts(tmp_path: Path) -> None:
    _install(tmp_path / "first", "a-2.0")
    _install(tmp_path / "second", "A-1.0")
    assert elsewhere.listed([str(tmp_path / "first"), str(tmp_path / "second")]) == {"a": "2.0"}


def test_many_are_counted() -> None:
    there, here = ({f"p{number}": version for number in range(8)} for version in ("1", "2"))
    assert elsewhere.differences(there, here).endswith("p4 2 (there 1) and 3 more")
