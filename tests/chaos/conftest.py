"""The same workshop as in the integration tests: real projects, real processes, ground truth by the models."""

from __future__ import annotations

from tests.integration.conftest import GENEROUS_SECONDS, Workshop, warm_process, workshop

__all__ = ["GENEROUS_SECONDS", "Workshop", "warm_process", "workshop"]
