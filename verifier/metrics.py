"""What the verifier counts. Labels are outcomes and codes, never anything about a person."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

DELIVERED: Final = "delivered"
FAILED: Final = "failed"
RETRIED: Final = "retried"
WEBHOOK_OUTCOMES: Final = (DELIVERED, FAILED, RETRIED)


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

        self._webhooks = Counter(
            "seoul_verifier_webhook_attempts",
            "Attempts to deliver a webhook: delivered, failed for good, or to be tried again",
            ("outcome",),
            registry=self._registry,
        )
        self._webhooks_pending = Gauge(
            "seoul_verifier_webhooks_pending",
            "Webhooks that were not delivered and not given up, after the last round",
            registry=self._registry,
        )
        for outcome in WEBHOOK_OUTCOMES:
            # Shown from the start, so that an alert on the rate has a first value.
            self._webhooks.labels(outcome=outcome)

    def webhook(self, outcome: str) -> None:
        """Count one attempt; `outcome` is one of `WEBHOOK_OUTCOMES`."""
        self._webhooks.labels(outcome=outcome).inc()

    def show_pending_webhooks(self, count: int) -> None:
        """Show how many webhooks wait."""
        self._webhooks_pending.set(count)

    def decided(self, outcome: str, code: str | None) -> None:
        """Count one decision."""
        self.decisions.labels(outcome=outcome, code=code or "none").inc()

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self._registry)
