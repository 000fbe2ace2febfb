"""The service's metrics in a registry of its own. Counts and states only, never a subject."""

from __future__ import annotations

from collections.abc import Set

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from wallet.ports.ledger import LedgerRound
from wallet.web.ledger_metrics import LedgerMetrics


class IssuerMetrics:
    """What the service counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._issued = Counter(
            "issuer_credentials_issued",
            "Credentials issued",
            ["configuration"],
            registry=self.registry,
        )
        self._notifications = Counter(
            "issuer_notifications", "Notifications of wallets", ["event"], registry=self.registry
        )
        self._answers = Counter(
            "issuer_http_answers", "HTTP answers", ["endpoint", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "issuer_http_seconds", "Time to answer", ["endpoint"], registry=self.registry
        )
        self._failed_rounds = Counter(
            "issuer_worker_failures", "Failures of the worker", registry=self.registry
        )
        self._waiting = Gauge(
            "issuer_leaves_waiting", "Leaves that wait for a batch", registry=self.registry
        )
        self._unfinished = Gauge(
            "issuer_batches_not_final", "Batches that are not final", registry=self.registry
        )
        self._ledger = LedgerMetrics("issuer", self.registry)

    def count_issued(self, configuration_id: str, count: int) -> None:
        """Count issued credentials."""
        self._issued.labels(configuration_id).inc(count)

    def count_notification(self, event: str) -> None:
        """Count what a wallet said became of its credentials."""
        self._notifications.labels(event).inc()

    def count_answer(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an HTTP answer. `endpoint` is a view's name, never a URL."""
        self._answers.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def count_worker_failures(self, count: int = 1) -> None:
        """Count what the worker could not do and will try again."""
        self._failed_rounds.inc(count)

    def show_ledger(self, ledger: LedgerRound) -> None:
        """Show the transactions under way."""
        self._ledger.show(ledger)

    def show_blocked(self, codes: Set[str]) -> None:
        """Show which error codes keep something from being written to the chain."""
        self._ledger.show_blocked(codes)

    def exposition(self, waiting_leaves: int, unfinished_batches: int) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        self._waiting.set(waiting_leaves)
        self._unfinished.set(unfinished_batches)
        return generate_latest(self.registry)
