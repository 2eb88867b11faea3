"""Keeps reports with what they are about, and tells people of what is wrong."""

from __future__ import annotations

import logging

from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.types import MetadataTracker, Notifier, Report, Resource, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    P = TypeVar("P", bound=Part)

_WORDS = {Status.WARN: "warning", Status.ERROR: "error"}
_MOST_LINES = 5


def keep(
    pipeline: Part, tracker: MetadataTracker, notifier: Notifier | None, resource: Resource, report: Report
) -> Report:
    """Keeps a report with a resource and says how it ended; people are told of warnings and errors."""
    tracker.add_report(resource, report)
    wrong = [each for each in report.findings if each.status is not Status.PASS]
    shown = wrong if len(report.findings) > 1 else report.findings
    lines = [f"{each.name}: {each.message or each.value}" for each in shown[:_MOST_LINES]]
    lines += [f"and {len(wrong) - _MOST_LINES} more"] if len(wrong) > _MOST_LINES else []
    page = f" ({report.path})" if report.path else ""
    text = "\n  ".join([f"{report.name} of {resource.id}: {report.status}{page}", *lines])
    tell(pipeline, notifier, text, report.status)
    return report


def tell(pipeline: Part, notifier: Notifier | None, text: str, status: Status = Status.PASS) -> None:
    """Logs a sentence; warnings and errors go to the notifier where there is one."""
    if status in _WORDS and notifier is not None:
        notifier.notify(text, _WORDS[status])
    else:
        pipeline.log(text, level=logging.WARNING if status in _WORDS else logging.INFO)


def needed(part: P | None, pipeline: Part, name: str) -> P:
    """Returns a part that may be left out, where it is needed.

    Raises:
        ConfigurationError: it is left out.
    """
    if part is None:
        raise ConfigurationError(
            f"{pipeline.address or type(pipeline).__name__} needs {name} here, which is left out: "
            "declare one under component: of it or above"
        )
    return part
