"""What is installed, and what stands in each other's way: read from directories as pip leaves them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpipeline.execution import packages, provenance


def install(folder: Path, name: str, version: str, *, record: str = "", **files: str) -> None:
    """Leaves what an installed distribution leaves."""
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    requires = files.pop("requires", "")
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
    (place / "RECORD").write_text(record)
    for file, text in files.items():
        (place / f"{file}.json").write_text(text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", [str(tmp_path / "first"), str(tmp_path / "second")])
    return tmp_path / "first"


def test_two_distributions_of_a_module_and_two_versions_of_one_are_told(site: Path) -> None:
    install(site, "xgboost", "3.2.0")
    install(site, "xgboost-cpu", "3.1.0")
    install(site, "numpy", "2.4.0")
    install(site.parent / "second", "NumPy", "1.26.0")
    assert packages.versions() == {"numpy": "2.4.0", "xgboost": "3.2.0", "xgboost-cpu": "3.1.0"}
    assert provenance.environment({})["packages"] == packages.versions()
    module, double = packages.doubles()
    assert module.startswith("xgboost and xgboost-cpu bring the same module")
    assert double.startswith("numpy is there 2 times (2.4.0, 1.26.0)")


def test_a_requirement_that_is_not_met_is_told(site: Path) -> None:
    pytest.importorskip("packaging")
    needs = (
        "Requires-Dist: numpy>=1.26,<2\nRequires-Dist: Gone_One\nRequires-Dist: extra-only; extra == 'x'\n"
        "Requires-Dist: other; sys_platform == 'nowhere'\nRequires-Dist: ]broken\n"
    )
    install(site, "frames", "1.0", requires=needs)
    install(site, "numpy", "2.4.0")
    assert packages.unmet() == [
        "frames 1.0 needs Gone_One, which is not installed",
        "frames 1.0 needs numpy<2,>=1.26, and 2.4.0 is installed",
    ]
    assert packages.unmet(["numpy"]) == []


def test_extras_say_what_they_lack_those_that_they_name_too(site: Path) -> None:
    install(
        site,
        "mlpipeline",
        "0.1",
        requires="Requires-Dist: click\nRequires-Dist: pandas>=3; extra == 'data'\n"
        "Requires-Dist: mlpipeline[data,all]; extra == 'all'\nRequires-Dist: tor-ch; extra == 'all'\n",
    )
    install(site, "pandas", "3.0")
    assert packages.extras() == {"all": ["tor-ch"], "data": []}
    assert packages.extras("nobody") is None


def test_where_it_came_from_and_what_it_holds(site: Path) -> None:
    install(site, "plain", "1", record="plain.py,sha256=aa,3\nplain-1.dist-info/INSTALLER,sha256=bb,4\nplain.pyc,,\n")
    install(site, "like", "1", record="plain.py,sha256=aa,3\n../../bin/plain,sha256=cc,9\n")
    install(site, "other", "1", record="plain.py,sha256=ab,3\n")
    url = {"url": "https://mary:hush@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    install(site, "cloned", "1", direct_url=json.dumps(url))
    install(site, "local", "1", direct_url=json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
    install(site, "broken", "1", direct_url="{")
    found = {each.name: each for each in packages.installed()}
    assert found["plain"].content == found["like"].content != found["other"].content
    assert found["cloned"].origin == "git+https://host/x.git@abc"
    assert found["local"].is_editable
    assert found["broken"].origin is None
    assert found["broken"].content is None
