"""What `doctor` looks at of this machine: the interpreter, the installed packages, cores, memory, devices."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence

from mlpipeline import __version__
from mlpipeline.cli.findings import Finding, fine, note, problem
from mlpipeline.execution.packages import FOR_ITSELF

OLDEST = (3, 11)
_IMPORTED = ("numpy", "pandas", "pyarrow", "sklearn", "xgboost")
_IMPORT_SECONDS = 120.0
_MOST_NAMED = 3
_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "xgboost", "xgboost-cpu", "keras", "tensorflow")
_MORE_PACKAGES = ("tensorflow-cpu", "torch", "statsmodels", "optuna", "shap", "sqlalchemy")
_IMPORT = """
import importlib, importlib.util, sys
for name in sys.argv[1:]:
    if importlib.util.find_spec(name) is None:
        continue
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(name, type(error).__name__, " ".join(str(error).split())[:300], sep="\\t", flush=True)
"""


def python() -> Iterator[Finding]:
    """Looks at the interpreter and its settings."""
    area = "Python"
    said = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    if sys.version_info < OLDEST:
        yield problem(area, f"{said}: mlpipeline needs {'.'.join(map(str, OLDEST))} or newer")
    else:
        yield fine(area, said)
    yield fine(
        area, f"{platform.platform()}, {'a virtual environment' if sys.prefix != sys.base_prefix else 'no venv'}"
    )
    yield fine(area, f"mlpipeline {__version__}, {os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}")
    if sys.dont_write_bytecode:
        yield note(area, "PYTHONDONTWRITEBYTECODE is set: each start compiles again what it imports, and is slower")
    if sys.flags.optimize:
        yield note(area, "PYTHONOPTIMIZE is set: assert statements of models are left out")


def packages(*, imports: bool) -> Iterator[Finding]:
    """Looks at what is installed: versions, extras, doubles, unmet requirements, libraries that do not load."""
    from mlpipeline.execution import packages as found

    area = "Packages"
    versions = found.versions()
    listed = [f"{name} {versions[name]}" for name in (*_PACKAGES, *_MORE_PACKAGES) if name in versions]
    yield fine(area, f"{len(versions)} are installed: {', '.join(listed) or 'none that learns'}")
    yield from _extras(area, found.extras())
    for text in found.doubles():
        yield problem(area, text)
    unmet = found.unmet()
    if unmet is None:
        yield note(area, "requirements are not checked: pip install packaging")
    for text in unmet or ():
        # What others need of each other is theirs to mend, and often works; what mlpipeline needs has to be there.
        yield problem(area, text) if text.startswith("mlpipeline ") else note(area, text)
    if imports:
        yield from _broken(area)


def _extras(area: str, extras: dict[str, list[str]] | None) -> Iterator[Finding]:
    if extras is None:
        yield note(area, "mlpipeline is found by a path, and not installed: what its extras bring is not known")
        return
    whole = [name for name, lacks in extras.items() if not lacks]
    yield fine(area, f"extras that are installed: {', '.join(whole) or 'none'}")
    lacking = [_lacking(name, lacks) for name, lacks in extras.items() if lacks and name not in FOR_ITSELF]
    if lacking:
        yield fine(area, f"extras that are not, and what they lack: {', '.join(lacking)}")


def _lacking(name: str, packages: Sequence[str]) -> str:
    """Returns an extra with what it lacks; where that is much, nobody has begun to install it, and a number will do."""
    many = f"{len(packages)} packages"
    return f"{name} ({', '.join(packages) if len(packages) <= _MOST_NAMED else many})"


def _broken(area: str) -> Iterator[Finding]:
    """Imports libraries in a process of its own: one that was built for another NumPy raises, or takes it down."""
    command = [sys.executable, "-c", _IMPORT, *_IMPORTED]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        yield problem(area, f"importing {', '.join(_IMPORTED)} takes more than {_IMPORT_SECONDS:.0f} s: see what hangs")
        return
    for line in done.stdout.splitlines():
        if line.count("\t") == 2:
            name, kind, said = line.split("\t")
            yield problem(area, f"{name} cannot be imported ({kind}: {said}): install it again")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        yield problem(area, f"importing {', '.join(_IMPORTED)} ends the process ({done.returncode}): {last}")


def machine() -> Iterator[Finding]:
    """Looks at cores, memory and devices, within this process's control groups."""
    from mlpipeline.execution import devices
    from mlpipeline.execution import machine as here
    from mlpipeline.observe import text

    area = "Machine"
    cores, all_cores = here.cores(), os.cpu_count() or 0
    yield fine(area, f"{cores} cores" if cores == all_cores else f"{cores} of {all_cores} cores, by affinity or group")
    memory = here.memory()
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limited = f", limited by a control group (the machine has {text.memory(total)})" if memory.total < total else ""
    yield fine(area, f"{text.memory(memory.total)} of memory, {text.memory(memory.available)} free{limited}")
    if memory.available < memory.total // 20:
        yield note(area, "less than 5 % of the memory is free: runs may be killed")
    prober = devices.Prober()
    try:
        seen = prober.probe()
    finally:
        prober.close()
    for each in seen.devices:
        yield fine(area, f"GPU {each.index}: {each.name}, {text.memory(each.memory_free)} free")
    if seen.trouble:
        known = seen.trouble in (devices.NO_DRIVER, devices.NO_PACKAGE)
        yield fine(area, seen.trouble) if known else problem(area, seen.trouble)
    for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"):
        if name in os.environ:
            yield note(area, f"{name}={os.environ[name]} is set")
