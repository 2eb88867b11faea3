"""Where templates are found, and which one is taken."""

from __future__ import annotations

import configparser
import glob
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.scaffold import shelf


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "user"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place))
    return place


def put(directory: Path, text: str = "x") -> Path:
    directory.mkdir(parents=True)
    (directory / "file.txt").write_text(text)
    return directory


def rendered(kind: str, name: str, root: Path | None) -> dict[str, bytes]:
    with shelf.template(kind, name, root) as found:
        return found.render({})


def test_the_projects_own_come_first_then_the_users_then_built_in(tmp_path: Path, user: Path) -> None:
    put(user / "mlpipeline" / "templates" / "model" / "default", "the user's")
    assert rendered("model", "default", tmp_path) == {"file.txt": b"the user's"}
    put(tmp_path / "templates" / "model" / "default", "the project's")
    assert rendered("model", "default", tmp_path) == {"file.txt": b"the project's"}
    wheres = [each.where for each in shelf.templates("model", tmp_path)]
    assert wheres == ["templates/", str(user / "mlpipeline" / "templates"), "built in"]


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    place = put(tmp_path / "mine", "by path")
    assert rendered("model", str(place), None) == {"file.txt": b"by path"}
    with pytest.raises(UsageError, match="there is no such directory"):
        rendered("model", "./gone", None)


def test_an_unknown_name_names_the_nearest(tmp_path: Path) -> None:
    put(tmp_path / "templates" / "component" / "fancy")
    with pytest.raises(UsageError, match=r"no template 'fanzy' for a component\. Did you mean 'fancy'\?"):
        rendered("component", "fanzy", tmp_path)


def test_a_git_repository_is_fetched_and_removed(tmp_path: Path) -> None:
    place = put(tmp_path / "mine.git", "by git")
    git = ("git", "-C", str(place), "-c", "user.name=me", "-c", "user.email=me@example.org")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "First")):
        subprocess.run([*git, *words], check=True)
    with shelf.template("model", f"file://{place}", None) as found:
        assert found.render({}) == {"file.txt": b"by git"}
        fetched = found.directory
    assert not fetched.exists()


def test_what_git_says_is_told() -> None:
    with pytest.raises(MlpipelineError, match=r"git says: .*nowhere"):
        rendered("model", "file:///nowhere/at/all", None)


def test_a_url_is_never_an_option_of_git() -> None:
    with pytest.raises(MlpipelineError, match=r"git says: .*repository '--upload-pack=touch x\.git' does not exist"):
        rendered("model", "--upload-pack=touch x.git", None)


def install(place: Path, monkeypatch: pytest.MonkeyPatch, module: str, *lines: str) -> None:
    about = place / f"{module}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mlpipeline.template]\n" + "\n".join(lines) + "\n")
    if str(place) not in sys.path:
        monkeypatch.syspath_prepend(str(place))


def test_packages_offer_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "lib" / "offering" / "templates" / "widget" / "round", "of a package")
    install(tmp_path / "lib", monkeypatch, "offering", "widget.round = offering.templates.widget.round")
    assert rendered("widget", "round", None) == {"file.txt": b"of a package"}
    assert "widget" in shelf.kinds(None)
    assert [each.where for each in shelf.templates("widget", None)] == ["offering 1.0"]


def test_a_broken_offer_is_told_when_it_is_asked_for_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = put(tmp_path / "lib" / "raising" / "templates" / "widget" / "flat").parents[2]
    (package / "__init__.py").write_text("raise ImportError('of its own')\n")
    put(tmp_path / "lib" / "working" / "good")
    install(tmp_path / "lib", monkeypatch, "raising", "widget.flat = raising.templates.widget.flat")
    install(tmp_path / "lib", monkeypatch, "working", "widget.good = working.good", "widget.gone = working.gone")
    assert rendered("widget", "good", None) == {"file.txt": b"x"}
    with pytest.raises(MlpipelineError, match=r"flat \(raising 1\.0\) cannot be used: ImportError: of its own"):
        rendered("widget", "flat", None)
    with pytest.raises(MlpipelineError, match=r"gone \(working 1\.0\) cannot be used: .*no directory of the package"):
        rendered("widget", "gone", None)


def test_every_template_that_is_built_in_is_packed_with_mlpipeline() -> None:
    root = Path(shelf.__file__).parents[2]
    packaging = configparser.ConfigParser(interpolation=None)
    packaging.read(root / "setup.cfg", encoding="utf-8")
    patterns = packaging["options.package_data"]["mlpipeline.scaffold"].split()
    place = Path(shelf.__file__).parent
    packed = {each for pattern in patterns for each in glob.glob(str(place / pattern), recursive=True)}
    files = {str(path) for path in (place / shelf.DIRECTORY).rglob("*") if path.is_file()}
    assert len(files) > 50
    assert files <= packed
