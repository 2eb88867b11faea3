"""How much a server takes on, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a server; sizes are bytes, durations seconds.

    Attributes:
        body_bytes: the largest body of a request.
        rows: the most rows of a request.
        batch_rows: the most rows of several requests that are predicted together.
        waiting_rows: rows that may wait for one model; beyond it requests are refused.
        connections: at a time; beyond it the next one is closed.
        header_bytes: the largest head of a request.
        header_seconds: how long the head of a request may take, from its connection, or its first byte.
        body_seconds: how long a body may take.
        idle_seconds: how long a connection without a request is kept.
        answer_seconds: how long a request may wait for its prediction.
        stop_seconds: how long requests in flight may take once the server is told to stop.
    """

    body_bytes: int = 8 << 20
    rows: int = 10_000
    batch_rows: int = 1_000
    waiting_rows: int = 50_000
    connections: int = 1_000
    header_bytes: int = 64 << 10
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    answer_seconds: float = 30.0
    stop_seconds: float = 30.0
