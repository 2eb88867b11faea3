"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Measures:
    """Counts of one server, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "mlpipeline_requests", "Requests by model and status.", ("model", "status"), registry=registry
        )
        self._seconds = Histogram(
            "mlpipeline_request_seconds", "Time of a prediction's request.", ("model",), registry=registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self._rows = Counter("mlpipeline_rows", "Rows that were predicted.", ("model",), registry=registry)
        self._batch = Histogram(
            "mlpipeline_batch_rows", "Rows that were predicted at once.", ("model",), registry=registry, buckets=_ROWS
        )
        self._swaps = Counter(
            "mlpipeline_swaps", "Saved models that took the place of another, or were refused.", ("model", "outcome"),
            registry=registry,
        )  # fmt: skip
        self._loaded = Gauge("mlpipeline_model_loaded_timestamp_seconds", "When the model that answers was loaded.",
            ("model",), registry=registry,
        )  # fmt: skip
        self._waiting = Gauge("mlpipeline_waiting_rows", "Rows that wait for a model.", ("model",), registry=registry)

    content_type = CONTENT_TYPE_LATEST

    def request(self, model: str, status: int, seconds: float) -> None:
        """Notes a request for a prediction; `model` is one that is served, or empty."""
        self._requests.labels(model, str(status)).inc()
        self._seconds.labels(model).observe(seconds)

    def batch(self, model: str, rows: int) -> None:
        """Notes rows that were predicted at once."""
        self._rows.labels(model).inc(rows)
        self._batch.labels(model).observe(rows)

    def loaded(self, model: str) -> None:
        """Notes that a model has begun to answer."""
        self._swaps.labels(model, "loaded").inc()
        self._loaded.labels(model).set_to_current_time()

    def refused(self, model: str) -> None:
        """Notes that a saved model was not taken."""
        self._swaps.labels(model, "refused").inc()

    def waiting(self, model: str, rows: int) -> None:
        """Notes how many rows wait."""
        self._waiting.labels(model).set(rows)

    def page(self) -> bytes:
        """Returns all of it as text."""
        found: bytes = generate_latest(self._registry)
        return found
