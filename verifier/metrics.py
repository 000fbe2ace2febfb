"""What the verifier counts. Labels are outcomes and codes, never anything about a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


class Metrics:
    """The counters of one process, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "seoul_verifier_requests", "Presentation requests opened", registry=self._registry
        )
        self.decisions = Counter(
            "seoul_verifier_decisions",
            "Decisions by outcome and code",
            ("outcome", "code"),
            registry=self._registry,
        )
        self.replica_age_s = Gauge(
            "seoul_verifier_replica_age_seconds",
            "Age of the newest finalized block at hand, when health was last asked",
            registry=self._registry,
        )

    def decided(self, outcome: str, code: str | None) -> None:
        """Count one decision."""
        self.decisions.labels(outcome=outcome, code=code or "none").inc()

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self._registry)
