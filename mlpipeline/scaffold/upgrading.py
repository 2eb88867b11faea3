"""Brings a project up to date with the template it was made of, by copier: what was changed in it stays."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlpipeline import errors, plugins
from mlpipeline.config_text import near_miss
from mlpipeline.errors import MlpipelineError, NotWritable, UsageError
from mlpipeline.scaffold import projects
from mlpipeline.scaffold.template import SUFFIX, Template
from mlpipeline.scaffold.writing import replace_files

RELEASED = Path(__file__).parent / "released"
"""Templates as earlier releases had them, by version: `0.1.0.zip` say. tools/templates.py writes them."""
TEMPLATES = Path(__file__).parent / "templates" / "project"
_GIT = ("-c", "user.name=mlpipeline", "-c", "user.email=mlpipeline@localhost", "-c", "commit.gpgsign=false")
_COPIER = f"""_templates_suffix: {SUFFIX}
_answers_file: {projects.ANSWERS}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did: the versions, and paths below the project. Conflicts are not among those changed."""

    before: str
    after: str
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def upgrade(root: Path) -> Upgraded:
    """Takes over into a project what is new in its template since it was made, or upgraded.

    Copier works on a copy: the project's own git is left alone, and nothing is written before all of it is known.

    Raises:
        UsageError: the directory holds no project that a built-in template made, or one of a newer version.
        MissingExtra: copier is not installed.
        MlpipelineError: git is not installed, or copier failed.
    """
    from mlpipeline import __version__ as after

    copier = errors.require("copier", extra="templates")
    answers = _read(root / projects.ANSWERS)
    before = answers["_commit"]
    if before == after:
        return Upgraded(before=before, after=after)
    with tempfile.TemporaryDirectory(prefix="mlpipeline-upgrade-") as place:
        source, copy = Path(place, "template"), Path(place, "project")
        with _released(before, after) as old:
            made_once = _files(old, answers, before)
            _commit(source, _as_copier_has_them(old, answers, before), tag=before)
        made_now = _files(TEMPLATES, answers, after)
        _commit(source, _as_copier_has_them(TEMPLATES, answers, after), tag=after)
        own = _own(root, {*made_once, *made_now})
        _commit(copy, own | {projects.ANSWERS: _answers(answers, before, source).encode()})
        try:
            copier.run_update(str(copy), defaults=True, overwrite=True, quiet=True, skip_tasks=True, vcs_ref=after)
        except Exception as error:  # whatever copier and git raise: nothing of the project has been touched
            raise MlpipelineError(
                f"the upgrade failed, nothing was changed: {type(error).__name__}: {error}"
            ) from error
        found = _own(copy, {*made_once, *made_now}) | {projects.ANSWERS: made_now[projects.ANSWERS]}
    # What you have changed is yours, and stays where the template has given it up.
    removed = tuple(name for name in sorted(own.keys() - found.keys()) if own[name] == made_once.get(name))
    return _taken_over(root, own, found, Upgraded(before=before, after=after, removed=removed))


def _taken_over(root: Path, own: dict[str, bytes], found: dict[str, bytes], upgraded: Upgraded) -> Upgraded:
    new = {name: content for name, content in found.items() if own.get(name) != content}
    replace_files(root, new, removed=upgraded.removed)
    told = [name for name in sorted(new) if name != projects.ANSWERS]
    conflicts = tuple(name for name in told if b"<<<<<<< " in new[name])
    return replace(
        upgraded,
        changed=tuple(name for name in told if name in own and name not in conflicts),
        added=tuple(name for name in told if name not in own),
        conflicts=conflicts,
    )


def _read(path: Path) -> dict[str, str]:
    """Returns the answers that a project was made by.

    Raises:
        UsageError: it was made by no built-in template, or the file is damaged.
    """
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{path} is not there: only what `mlpipeline init` made of a built-in template can be upgraded by it"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}; take it from your version control") from error
    needed = ("_commit", "template", "data", "project_name")
    lacks = [key for key in needed if not isinstance(found, dict) or not isinstance(found.get(key), str)]
    if lacks:
        raise UsageError(f"{path} lacks {', '.join(lacks)}: take it from your version control")
    if found["template"] not in projects.KINDS or found["data"] not in projects.DATA:
        raise UsageError(f"{path}: there is no template {found['template']!r} with data {found['data']!r} here")
    return {key: found[key] for key in needed}


@contextlib.contextmanager
def _released(version: str, after: str) -> Iterator[Path]:
    known = sorted(each.stem for each in RELEASED.glob("*.zip"))
    if version not in known:
        raise UsageError(
            f"the project was made by mlpipeline {version}, of which mlpipeline {after} has no templates."
            f"{near_miss(version, known)} It has those of {', '.join([*known, after])}: "
            "upgrade mlpipeline, if it is older"
        )
    with (
        tempfile.TemporaryDirectory(prefix="mlpipeline-upgrade-") as place,
        zipfile.ZipFile(RELEASED / f"{version}.zip") as file,
    ):
        file.extractall(place)
        yield Path(place)


def _template(place: Path, answers: Mapping[str, str]) -> Template:
    found = Template(name=answers["template"], directory=place / answers["template"], where=plugins.BUILT_IN)
    return projects.layered(found, answers["data"])


def _values(place: Path, answers: Mapping[str, str], version: str) -> dict[str, str]:
    table = projects.KINDS[answers["template"]].table
    rows = (TEMPLATES / "__tables__" / f"{table}.csv").read_bytes()
    names = {"project_name": answers["project_name"], "mlpipeline_version": version}
    return projects.values(answers["template"], answers["data"], names, rows)


def _files(place: Path, answers: Mapping[str, str], version: str) -> dict[str, bytes]:
    return _template(place, answers).render(_values(place, answers, version))


def _as_copier_has_them(place: Path, answers: Mapping[str, str], version: str) -> dict[str, bytes]:
    """Returns the files of a template of copier's that asks nothing: its answers are what the project was made by."""
    import yaml

    asked = {
        name: {"type": "str", "default": f"{{% raw %}}{value}{{% endraw %}}", "when": False}
        for name, value in _values(place, answers, version).items()
    }
    settings = _COPIER + yaml.safe_dump(asked)
    own = {name: path.read_bytes() for name, path in _template(place, answers).files().items()}
    answered = {f"{projects.ANSWERS}{SUFFIX}": b"{{ _copier_answers|to_nice_yaml }}"}
    return own | answered | {"copier.yml": settings.encode()}


def _answers(answers: Mapping[str, str], version: str, source: Path) -> str:
    import yaml

    return str(yaml.safe_dump(dict(answers) | {"_commit": version, "_src_path": os.fspath(source)}))


def _own(root: Path, names: set[str]) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in names if (root / name).is_file() and name != projects.ANSWERS}


def _commit(directory: Path, files: Mapping[str, bytes], tag: str | None = None) -> None:
    """Makes files the whole content of a git repository, and commits them."""
    if directory.exists():
        _git(directory, "rm", "-r", "-q", ".")
    else:
        directory.mkdir()
        _git(directory, "init", "-q")
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    _git(directory, "add", "-A", "-f")
    _git(directory, "commit", "-q", "--allow-empty", "--no-verify", "-m", "mlpipeline")
    if tag is not None:
        _git(directory, "tag", tag)


def _git(directory: Path, *words: str) -> None:
    try:
        done = subprocess.run(
            ["git", *_GIT, *words], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise MlpipelineError("an upgrade needs git, which is not installed: install it") from error
    if done.returncode:
        raise NotWritable(f"{directory}: git {words[0]}: {done.stderr.strip()}")
