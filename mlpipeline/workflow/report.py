"""What came of the checks of a workflow: for a person, for a program, and as JUnit's XML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlpipeline.workflow.checks import Result, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ILLEGAL = {code: "?" for code in range(32) if chr(code) not in "\t\n\r"}
_MARKS = {Status.PASSED: "passed", Status.FAILED: "FAILED", Status.ERROR: "ERROR", Status.SKIPPED: "skipped"}


def counts(results: Sequence[Result]) -> dict[str, int]:
    """Returns how many checks ended how."""
    return {str(status): sum(result.status is status for result in results) for status in Status}


def is_good(results: Sequence[Result]) -> bool:
    """Whether at least one check was carried out, and none that counts failed."""
    ran = [result for result in results if result.status is not Status.SKIPPED]
    return bool(ran) and not any(result.is_bad for result in results)


def lines(results: Sequence[Result]) -> list[str]:
    """Returns what a person reads: the checks by method, and how many ended how."""
    told: list[str] = []
    last = ""
    for result in results:
        if result.check.target != last:
            last = result.check.target
            told.append(last)
        warns = " (warning)" if result.check.warns and result.status is not Status.PASSED else ""
        message = f": {result.message}" if result.message else ""
        told.append(f"  {_MARKS[result.status]}{warns}  {result.check.moment}  {result.check.name}{message}")
    summary = ", ".join(f"{count} {status}" for status, count in counts(results).items() if count)
    return [*told, f"{len(results)} checks: {summary}" if results else "there are no checks"]


def to_json(results: Sequence[Result]) -> dict[str, Any]:
    """Returns the same as JSON-like data."""
    checks = [
        {
            "method": result.check.target,
            "moment": result.check.moment,
            "check": result.check.name,
            "status": str(result.status),
            "warns": result.check.warns,
            "message": result.message,
            "seconds": result.seconds,
            "place": str(result.check.place),
        }
        for result in results
    ]
    return {"format": 1, "good": is_good(results), "counts": counts(results), "checks": checks}


def write_junit(results: Sequence[Result], path: Path, name: str) -> None:
    """Writes the report that continuous integration reads. A check that only warns is never a failure there."""
    from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

    bad = [result for result in results if result.is_bad]
    facts = {
        "name": name,
        "tests": len(results),
        "failures": sum(result.status is Status.FAILED for result in bad),
        "errors": sum(result.status is Status.ERROR for result in bad),
        "skipped": sum(result.status is Status.SKIPPED for result in results),
        "time": f"{sum(result.seconds for result in results):.6f}",
    }
    suite = Element("testsuite", {key: _legal(str(value)) for key, value in facts.items()})
    for result in results:
        attributes = {
            "classname": _legal(result.check.target),
            "name": _legal(f"{result.check.moment} {result.check.name}"),
            "time": f"{result.seconds:.6f}",
        }
        case = SubElement(suite, "testcase", attributes)
        if result.status is Status.SKIPPED:
            SubElement(case, "skipped", {"message": _legal(result.message)})
        elif result.is_bad:
            kind = "error" if result.status is Status.ERROR else "failure"
            SubElement(case, kind, {"message": _legal(result.message)}).text = str(result.check.place)
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _legal(text: str) -> str:
    """Returns text without the characters that XML cannot hold."""
    return text.translate(_ILLEGAL).encode("utf-8", "replace").decode()
