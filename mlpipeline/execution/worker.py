"""The process in which the user's code runs: it loads the model, calls its hooks and writes how they ended."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution import failure, preload, threads
from mlpipeline.execution.limits import die_with_parent
from mlpipeline.execution.seeding import seed_all
from mlpipeline.failpoints import reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.execution.lifecycle import Report


def execute(directory: Path, spec: dict[str, Any]) -> BaseException | None:
    """Runs one attempt in this process and writes its `result.json`.

    Returns:
        what the user's code raised, for the inline executor and the debugger; None when all went well.
    """
    from mlpipeline.execution.lifecycle import Report

    before = len(sys.modules)
    report = Report()
    error: BaseException | None = None
    try:
        _train(directory, spec, report)
    except BaseException as raised:  # the one place where user code is let run: everything it raises is its result
        error = raised
        report.fail(raised, _root(directory, spec))
    reach("worker.ended")
    # An interrupt belongs to the person at the keyboard only where the code runs in their own process.
    late = preload.loaded_since(before)
    wire.write_json_patiently(directory / wire.RESULT, {"token": spec["token"], "imported": late, **report.to_json()})
    return error


def _root(directory: Path, spec: dict[str, Any]) -> Path:
    return Path(os.path.normpath(directory / spec["root"]))


def _train(directory: Path, spec: dict[str, Any], report: Report) -> None:
    # Everything of this package that a run may need later: it may be replaced by a newer one while the run trains.
    from mlpipeline import checkpoint, context, metrics, model, progress  # noqa: F401
    from mlpipeline.execution import ending, lifecycle, loader, messages, snapshot  # noqa: F401

    root = _root(directory, spec)
    os.chdir(root)
    copy = snapshot.load(Path(os.path.normpath(directory / spec["sources_path"])))
    place = snapshot.Place(root=root, models_dir=root / spec["models_dir"], main=root / copy.main)

    def late(path: Path, content: bytes) -> None:
        report.warnings.append(f"imported {place.relative(path)} as it is now: it was not seen when it was described")

    messages.install(directory / wire.MESSAGES)
    if count := spec.get("threads"):
        threads.limit(int(count))
    seed_all(int(spec["seed"]))
    finder = loader.install(place, copy.read(), late, complete=True)
    with failure.importing():
        module = loader.load_main(finder)
    if count:
        threads.limit(int(count))  # what the model has imported meanwhile
    try:
        lifecycle.run(module.MODEL, directory, spec, report)
    finally:
        if os.environ.get(wire.FENCE):
            from mlpipeline.execution import elsewhere

            report.warnings += elsewhere.warnings(directory)


def main(argument: str) -> None:
    """Runs the attempt in a directory and ends this process with 0 or 1."""
    supervisor = os.environ.get("MLP_SUPERVISOR")
    if supervisor:
        die_with_parent(int(supervisor))
    if os.environ.get(wire.FENCE):
        # Engines warn every process of a job before they kill it: the supervisor asks for a checkpoint then.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    directory = Path(argument).absolute()
    spec = wire.read_json_patiently(directory / wire.SPEC)
    if spec is None:
        raise SystemExit(f"{directory}: no spec.json")
    if spec.get("memory_limit") and spec.get("memory_limit_by") == "address_space":
        resource.setrlimit(resource.RLIMIT_AS, (int(spec["memory_limit"]),) * 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    before = len(sys.modules)
    status = _status(directory, spec)
    from mlpipeline.execution import ending

    ending.end(status, preload.modules_since(before))


def _status(directory: Path, spec: dict[str, Any]) -> int:
    error = execute(directory, spec)
    if error is not None:
        failure.show(error)
    return 0 if error is None else 1


if __name__ == "__main__":
    main(sys.argv[1])
