"""The child process that imports a model's file once and reports what it holds: versions, sources, or the fault.

It is forked or started; what it is to do stands in a JSON file. The parent never imports user code, so that a file that
hangs, crashes or ends the process is that model's fault alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline.errors import ConfigurationError
from mlpipeline.execution import failure, fingerprint, loader, preload, snapshot
from mlpipeline.execution.limits import die_with_parent
from mlpipeline.execution.snapshot import Place

if TYPE_CHECKING:
    from mlpipeline.searches import Search
    from mlpipeline.versions import Versions

_PAUSE_SECONDS = 1.0


def describe(place: Place, sources_dir: Path | None) -> dict[str, Any]:
    """Imports the model's file from bytes read before, and returns what a catalog needs to know.

    Args:
        place: where the model and its modules lie.
        sources_dir: where to keep the copied sources; None keeps nothing (for commands that only read).

    Returns:
        `{"fault": str | None, "versions": [...], "files": {path: sha256}, "sources": sha, "code_digest": ...}`.
    """
    main = place.relative(place.main)
    try:
        files = snapshot.closure(place)
    except OSError as error:
        return _fault(f"{main}: cannot be read: {error.strerror or error}")
    late: dict[str, bytes] = {}
    finder = loader.install(place, files, lambda path, content: late.__setitem__(place.relative(path), content))
    report = _import(finder, main)
    files.update(late)
    sha, digests = snapshot.digest_of(files, main)
    if sources_dir is not None:
        try:
            snapshot.store(sources_dir, files, main)
        except OSError as error:  # no fault of the model: without its files known, it is described again and again
            time.sleep(_PAUSE_SECONDS)
            return _fault(f"{main}: its sources cannot be kept, tried again: {error}") | {"files": {}}
    code = fingerprint.code_digest(files, main)
    heavy = list(preload.imported_by(files))
    if report["fault"] is not None:  # which files are absent may be the fault
        digests = {**snapshot.looked_at(finder.looked_at, place), **digests}
    former = fingerprint.code_digest(files, main, fingerprint.FORMER)
    return report | {"sources": sha, "code_digest": code, "former_digest": former, "files": digests, "heavy": heavy}


def _import(finder: loader.SourcesFinder, main: str) -> dict[str, Any]:
    # The user's own code runs here: whatever it raises is a fault of this model.
    try:
        module = loader.load_main(finder)
    except BaseException as error:
        return _fault(_told(error, finder.place, main), traceback.format_exc())
    if not hasattr(module, "MODEL"):
        hint = "set the global MODEL to an instance of mlpipeline.Model"
        if not main.endswith(".py"):
            hint = "name a runner under `runner:`, or pipelines under `pipeline:`"
        return _fault(f"{main}: has no MODEL: {hint}") | {"has_model": False}
    try:
        return _report(module.MODEL, main, module.__doc__, finder.place.root)
    except BaseException as error:
        return _fault(_told(error, finder.place, main), traceback.format_exc())


def _report(model: Any, main: str, text: str | None, root: Path) -> dict[str, Any]:
    from mlpipeline import params
    from mlpipeline.model import Model

    if not isinstance(model, Model):
        kind = type(model).__name__ if not isinstance(model, type) else f"the class {model.__name__}, not an instance"
        return _fault(f"{main}: MODEL is {kind}: it must be an instance of mlpipeline.Model")
    versions = [
        {
            "name": version.name,
            "order": rank,
            "suffix": version.suffix,
            "params": (described := _within(version.described(), root)),
            "params_digest": params.digest(described),
        }
        for rank, version in enumerate(model.versions)
    ]
    search = model.versions.searched
    if not versions and search is None:
        return _fault(f"{main}: MODEL has no versions: add one, for example versions.add('first')")
    if search is not None and (missing := _missing(search)):
        return _fault(f"{main}: {missing}")
    docs = (type(model).__doc__, text) if main.endswith(".py") else (text, type(model).__doc__)
    own = docs[0] or docs[1] or ""
    line = next((part.strip() for part in own.splitlines() if part.strip()), "")
    found = {"fault": None, "traceback": None, "has_model": True, "versions": versions, "description": line}
    return found | {"search": None if search is None else _search(search, model.versions, root)}


def _search(search: Search, versions: Versions, root: Path) -> dict[str, Any]:
    from mlpipeline import params, searches
    from mlpipeline.version import Version

    base = Version({"name": "", **search.base}).described()
    versions.trial("trial-1", next(searches.draws(search.described())))  # what is no parameter is a fault now
    told: dict[str, Any] = _within(search.described() | {"base": base}, root)
    # More trials continue a study; anything else that is said of it makes it another one.
    return told | {"digest": params.digest({key: each for key, each in told.items() if key != "trials"})}


def _missing(search: Search) -> str:
    """Says which package the search needs that this interpreter has not."""
    from importlib.util import find_spec

    from mlpipeline.searches import SAMPLERS

    needed = [SAMPLERS[search.sampler], "optuna" if SAMPLERS[search.sampler] or search.pruner else ""]
    missing = [name for name in needed if name and find_spec(name) is None]
    if not missing:
        return ""
    what = f"sampler={search.sampler!r}" + (f", pruner={search.pruner!r}" if search.pruner else "")
    return (
        f"the search ({what}) needs {missing[0]}, which {sys.executable} has not: pip install 'mlpipeline[tune]', "
        "or take sampler='random' without a pruner"
    )


def _within(described: Any, root: Path) -> Any:
    """Returns a description with paths in the project relative to it: moving the project must make nothing stale."""
    if isinstance(described, dict):
        return {name: _within(value, root) for name, value in described.items()}
    if isinstance(described, list):
        return [_within(value, root) for value in described]
    is_within = isinstance(described, str) and f"{described}/".startswith(f"{root}/")
    return os.path.relpath(described, root) if is_within else described


def _told(error: BaseException, place: Place, main: str) -> str:
    """Says what an import raised, with the deepest line that is the project's own."""
    if isinstance(error, ConfigurationError) and error.faults:
        return "\n".join(map(str, error.faults))  # each says where it is
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{place.relative(Path(error.filename))}:{error.lineno}"
    else:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename).is_relative_to(place.root) and "site-packages" not in frame.filename
        ]
        where = f"{place.relative(Path(frames[-1].filename))}:{frames[-1].lineno}" if frames else main
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, SystemExit):
        return f"{where}: ends the process while it is imported (exit {error.code!r}): remove the call to exit"
    hint = ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"{failure.near_name(error)}: install it into {sys.executable}, or mend the name"
    elif isinstance(error, ImportError | AttributeError):
        near = failure.near_name(error)
        hint = f".{near}" if near else ""
    return f"{where}: {type(error).__name__}: {message}{hint}"


def _fault(message: str, text: str | None = None) -> dict[str, Any]:
    return {"fault": message, "traceback": text, "has_model": True, "versions": [], "description": ""}


def main(path: str) -> int:
    """Reads a request file, describes, and writes the answer beside it under the name the request gives."""
    request = json.loads(Path(path).read_text("utf-8"))
    if request["parent"] is not None:
        die_with_parent(request["parent"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.dont_write_bytecode = True
    root = Path(request["root"])
    place = Place(root=root, models_dir=Path(request["models_dir"]), main=Path(request["main"]))
    sources = Path(request["sources_dir"]) if request["sources_dir"] else None
    os.chdir(root)
    answer = describe(place, sources)
    beside = Path(request["answer"] + ".part")
    beside.write_text(json.dumps(answer), "utf-8")
    beside.rename(request["answer"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads and exit hooks of imported packages are none of the catalog's business


if __name__ == "__main__":
    main(sys.argv[1])
