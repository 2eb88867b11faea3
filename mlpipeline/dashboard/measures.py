"""What the queue is doing, as Prometheus reads it: taken from the one picture at the moment of asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from mlpipeline.observe.view import Picture

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Picture(Collector):
    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Metric]:
        picture = self._picture
        yield _one("mlpipeline_scheduler_up", "Whether a scheduler serves the project.", picture.scheduler.running)
        yield _one("mlpipeline_slots", "How many runs train at a time.", picture.scheduler.slots or 0)
        yield _one("mlpipeline_faults", "Faults of the configuration.", len(picture.faults))
        yield _one("mlpipeline_pending_requests", "Requests that nobody has answered yet.", picture.requests)
        if picture.left is not None and picture.left.takes is not None:
            left = picture.left.takes.seconds
            yield _one("mlpipeline_queue_left_seconds", "How long the queue still takes, estimated.", left)
        yield _by("mlpipeline_runs", "Runs in the ledger.", "state", picture.runs)
        yield _by("mlpipeline_versions", "Versions listed.", "verdict", picture.versions)
        yield from self._running()
        yield from self._devices()

    def _running(self) -> Iterator[Metric]:
        labels = ("run", "model", "version")
        step = GaugeMetricFamily("mlpipeline_run_step", "Steps that a run has done.", labels=labels)
        total = GaugeMetricFamily("mlpipeline_run_total_steps", "Steps that a run will do.", labels=labels)
        seconds = GaugeMetricFamily("mlpipeline_run_seconds", "How long a run takes by now.", labels=labels)
        for line in self._picture.running:
            values = (line.run.run, line.run.model, line.run.version)
            told = ((step, line.progress.step), (total, line.progress.total), (seconds, line.run.seconds))
            for family, value in told:
                if value is not None:
                    family.add_metric(values, value)
        yield from (step, total, seconds)

    def _devices(self) -> Iterator[Metric]:
        free = GaugeMetricFamily("mlpipeline_device_free_bytes", "Free memory of a device.", labels=("device",))
        for each in self._picture.devices:
            if each.memory_free is not None:
                free.add_metric((each.index,), each.memory_free)
        yield free


def _one(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=float(value))


def _by(name: str, what: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def page(picture: Picture) -> bytes:
    """Returns all of it as text."""
    registry = CollectorRegistry()
    registry.register(_Picture(picture))
    found: bytes = generate_latest(registry)
    return found
