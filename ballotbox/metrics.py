"""What the ballot box counts. Labels are codes; nothing tells how many voted since when."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


class Metrics:
    """The counters of one process, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._failures = Counter(
            "seoul_ballotbox_worker_failures",
            "Rounds of the worker that failed, by code",
            ("code",),
            registry=self._registry,
        )

    def count_failure(self, code: str) -> None:
        """Count a round that failed."""
        self._failures.labels(code=code).inc()

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self._registry)
