"""What a models config lists, in what order, with what options; read, compared and kept."""

from __future__ import annotations

import graphlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path, PurePosixPath

from mlpipeline.config_text import ConfigText, Fault, Item, Section, near_miss, shown
from mlpipeline.config_text import parse as parse_text
from mlpipeline.filesystems import remedy
from mlpipeline.model_options import NO_OPTIONS, ModelOptions, read_options
from mlpipeline.project import Project
from mlpipeline.values import boolean

WHITE, BLACK, SWITCH = "WHITELISTED_MODELS", "BLACKLISTED_MODELS", "use_blacklist"
SUFFIXES = (".py", ".yaml")
MAX_HINTS = 20
"""How many names of one file are looked for among the existing ones: each costs milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One listed model.

    Attributes:
        model: its path relative to the models directory, POSIX, with suffix.
        fault: what is wrong with this entry alone.
        optional: found by a blacklist; left out silently when it exposes no MODEL.
    """

    model: str
    options: ModelOptions = NO_OPTIONS
    line: int = 0
    fault: str | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A revision of a models config. With `faults` nothing of it may take effect."""

    file: str
    digest: str
    use_blacklist: bool = False
    models: tuple[Listed, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it may take effect."""
        return not self.faults

    def place(self, listed: Listed) -> str:
        """Returns where an entry stands, as a message begins; what the command line names has no line."""
        return f"{self.file}:{listed.line}: " if listed.line else f"{self.file}: "


def read(project: Project, *, test: bool) -> Selection:
    """Reads the file of one mode; whatever it holds, this does not raise."""
    path = project.selection_path(test)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (
            "is missing: create it with the section [WHITELISTED_MODELS] and a model per line (or: mlpipeline init)"
        )
        if not isinstance(error, FileNotFoundError):
            reason = f"cannot be read {remedy(error, path)}"
        return Selection(file=path.name, digest="", faults=(Fault(path.name, None, reason),))
    return parse(data, file=path.name, models_dir=project.models_dir, outputs_dir=project.outputs_dir)


def parse(data: bytes, *, file: str, models_dir: Path, outputs_dir: Path | None = None) -> Selection:
    """Reads a models config from bytes."""
    text = parse_text(data, file=file)
    faults = list(text.faults)
    if not faults and not text.sections:
        faults.append(Fault(file, None, f"is empty: it needs the section [{WHITE}]"))
    faults += _structure(text)
    use_blacklist = _switch(text, faults)
    if use_blacklist:
        black = text.sections.get(BLACK)
        models = _all_but(black.items if black else (), text.file, models_dir, outputs_dir)
    else:
        white = text.sections.get(WHITE)
        hints = _hints(models_dir)
        models = [_listed(item, models_dir, file, hints) for item in (white.items if white else ())]
    models, doubles = _doubles(models, file)
    left_out = (*text.line_faults, *doubles)
    extra = [Listed(model=f"line {each.line}", line=each.line or 0, fault=str(each)) for each in left_out]
    checked = _check_after(models, faults, file)
    return Selection(
        file=file, digest=text.digest, use_blacklist=use_blacklist, models=(*checked, *extra), faults=tuple(faults)
    )


def _structure(text: ConfigText) -> list[Fault]:
    known = ("MLP", WHITE, BLACK)
    found = [
        Fault(text.file, section.line, f"unknown section [{shown(name)}].{near_miss(name, known)}")
        for name, section in text.sections.items()
        if name not in known
    ]
    settings = text.sections.get("MLP", Section(name="MLP", line=0))
    found += [
        Fault(text.file, item.line, f"unknown key {shown(item.key)!r}.{near_miss(item.key, (SWITCH,))}")
        for item in settings.items
        if item.key != SWITCH
    ]
    if text.sections and WHITE not in text.sections and BLACK not in text.sections and not text.faults:
        found.append(Fault(text.file, None, f"has neither [{WHITE}] nor [{BLACK}]: add one, and a model a line"))
    return found


def _switch(text: ConfigText, faults: list[Fault]) -> bool:
    items = text.sections["MLP"].items if "MLP" in text.sections else ()
    for item in items:
        if item.key == SWITCH:
            try:
                return boolean(item.value or "")
            except ValueError as error:
                faults.append(Fault(text.file, item.line, f"{SWITCH} = {shown(item.value or '')}: {error}"))
    return False


def _listed(item: Item, models_dir: Path, file: str, hints: Iterator[Sequence[str]]) -> Listed:
    options, fault = read_options(item.value or "")
    try:
        model = resolve(item.key, models_dir, hints)
    except ValueError as error:
        model = shown(item.key)
        fault = f"{model}: {_meant(item.key, models_dir) or error}" if fault is None else fault
    return Listed(
        model=model, options=options, line=item.line, fault=None if fault is None else f"{file}:{item.line}: {fault}"
    )


def _meant(name: str, models_dir: Path) -> str:
    """Says how a list writes what would be right on the command line: a path from the project's root, or a version."""
    model, _, version = name.removeprefix("./").removeprefix(f"{models_dir.name}/").partition(":")
    try:
        found = resolve(model, models_dir, iter(()))
    except ValueError:
        return ""
    line = f"{found} = only={version}" if version else found
    return f"a list names files below {models_dir.name}/, and versions by the option only: write {line}"


def resolve(name: str, models_dir: Path, hints: Iterator[Sequence[str]]) -> str:
    """Returns the model's path relative to the models directory, with its suffix.

    Args:
        hints: one value is taken for each name that is not found: what it may have meant.

    Raises:
        ValueError: when there is no such file, or it lies outside; the message says what to do.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"must be a path within {models_dir.name}/, without '..'")
    if not all(part.isprintable() for part in path.parts):
        raise ValueError("holds control characters: rename the file")
    candidates = [path] if path.suffix in SUFFIXES else [path.with_name(path.name + suffix) for suffix in SUFFIXES]
    for each in candidates:
        try:
            if (models_dir / each).is_file():
                return each.as_posix()
        except OSError:
            break
    meant = near_miss(candidates[0].as_posix()[:255], next(hints, ()))
    raise ValueError(f"no such model in {models_dir.name}/ (names are relative to it).{meant}")


def _hints(models_dir: Path) -> Iterator[Sequence[str]]:
    names = [path.relative_to(models_dir).as_posix() for path in _files(models_dir, None)]
    yield from repeat([name for name in names if name.isprintable()], MAX_HINTS)


def _files(models_dir: Path, outputs_dir: Path | None) -> list[Path]:
    """Returns the models' files, sorted. What vanishes meanwhile is passed over; outputs are not entered."""
    found: list[Path] = []
    for place, directories, names in os.walk(models_dir):
        here = Path(place)
        outputs = {outputs_dir, models_dir / "outputs"}
        directories[:] = [name for name in directories if not _is_hidden(name) and here / name not in outputs]
        found += [here / name for name in names if not _is_hidden(name) and Path(name).suffix in SUFFIXES]
    return sorted(path for path in found if os.path.isfile(path))


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__"))


def _all_but(black: tuple[Item, ...], file: str, models_dir: Path, outputs_dir: Path | None) -> list[Listed]:
    left_out = set()
    for item in black:
        name = PurePosixPath(item.key).as_posix()
        left_out |= {name, *(name + suffix for suffix in SUFFIXES)}
    names = [path.relative_to(models_dir).as_posix() for path in _files(models_dir, outputs_dir)]
    return [_taken(name, file) for name in names if name not in left_out]


def _taken(name: str, file: str) -> Listed:
    """An unprintable name, or one that is no UTF-8, could be written to neither log nor ledger."""
    fault = None if name.isprintable() else f"{file}: {shown(name)}: holds control characters: rename the file"
    return Listed(model=name if fault is None else shown(name), optional=fault is None, fault=fault)


def _doubles(models: Sequence[Listed], file: str) -> tuple[list[Listed], list[Fault]]:
    """Tells a model's first line from further ones, which spell its name differently and are left out."""
    first: dict[str, Listed] = {}
    found = []
    for each in models:
        if first.setdefault(each.model, each) is not each:
            line = first[each.model].line
            found.append(Fault(file, each.line, f"{each.model} stands in line {line} already: this line is left out"))
    return list(first.values()), found


def _check_after(models: Sequence[Listed], faults: list[Fault], file: str) -> list[Listed]:
    """Gives `after` its resolved names; an unknown one is that entry's fault, a cycle the file's."""
    names = {each.model: each.line for each in models}
    hints = repeat(names, MAX_HINTS)
    by_stem = {name.removesuffix(suffix): name for name in names for suffix in SUFFIXES if name.endswith(suffix)}
    checked = []
    for each in models:
        after = tuple(name if name in names else by_stem.get(name, name) for name in each.options.after)
        missing = next((name for name in after if name not in names), None)
        fault = each.fault
        if missing is not None and fault is None:
            meant = near_miss(missing[:255], next(hints, ()))
            fault = f"{file}:{each.line}: after={shown(missing)}: is not listed.{meant}"
        checked.append(replace(each, options=replace(each.options, after=after), fault=fault))
    try:
        graphlib.TopologicalSorter({each.model: each.options.after for each in checked}).prepare()
    except graphlib.CycleError as error:
        model = min(error.args[1], key=names.__getitem__)
        faults.append(Fault(file, names[model], f"after: {model} waits for itself in a circle"))
    return checked


def from_names(project: Project, names: Sequence[str], options_from: Selection | None) -> Selection:
    """Makes a selection of `MODEL[:VERSION]` words; options come from the config where it lists the model."""
    known = {each.model: each for each in options_from.models} if options_from else {}
    order: dict[str, list[str]] = {}
    faults = []
    for name in names:
        model, version, fault = _named(name, project.models_dir)
        if fault is not None:
            faults.append(Fault("command line", None, fault))
            continue
        order.setdefault(model, [])
        if version:
            order[model].append(version)
    models = []
    for model, versions in order.items():
        options = replace(known[model].options if model in known else NO_OPTIONS, hold=False, after=())
        models.append(Listed(model=model, options=replace(options, only=tuple(versions) or options.only)))
    digest = hashlib.sha256(repr(models).encode()).hexdigest()
    return Selection(file="command line", digest=digest, models=tuple(models), faults=tuple(faults))


def _named(name: str, models_dir: Path) -> tuple[str, str, str | None]:
    """Splits a word at each colon until a model is found: file names and versions may hold colons."""
    text = name.removeprefix("./")
    prefix = f"{models_dir.name}/"
    first = ""
    hints = _hints(models_dir)
    for candidate in dict.fromkeys((text, text.removeprefix(prefix))):
        places = [len(candidate), *(place for place, letter in enumerate(candidate) if letter == ":")]
        for place in places:
            try:
                return resolve(candidate[:place], models_dir, hints), candidate[place + 1 :], None
            except ValueError as error:
                first = str(error) if place == places[-1] or not first else first
    return "", "", f"{shown(name)}: {first}"
