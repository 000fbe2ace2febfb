"""The transactions that a service has under way, as metrics in its own registry."""

from __future__ import annotations

from collections.abc import Set

from prometheus_client import CollectorRegistry, Counter, Gauge

from wallet.ports.ledger import LedgerRound


class LedgerMetrics:
    """Transactions by state, what happened to them, and what keeps them from being sent."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self._transactions = Gauge(
            f"{service}_transactions",
            "Transactions under way: unsettled, and those of them in no block",
            ["state"],
            registry=registry,
        )
        self._waiting_since = Gauge(
            f"{service}_transaction_waiting_since_seconds",
            "When the oldest transaction in no block was made, 0 for none",
            registry=registry,
        )
        self._events = Counter(
            f"{service}_transaction_events",
            "Transactions orphaned, repriced, failed, displaced",
            ["event"],
            registry=registry,
        )
        self._blocked = Gauge(
            f"{service}_ledger_blocked",
            "1 while an error code keeps something from being written to the chain",
            ["code"],
            registry=registry,
        )
        self._codes: set[str] = set()

    def show(self, ledger: LedgerRound) -> None:
        """Show the transactions under way."""
        self._transactions.labels("unsettled").set(ledger.unsettled)
        self._transactions.labels("waiting").set(ledger.waiting)
        self._waiting_since.set(ledger.waiting_since or 0)
        for event in ("orphaned", "repriced", "failed", "displaced"):
            self._events.labels(event).inc(getattr(ledger, event))

    def show_blocked(self, codes: Set[str]) -> None:
        """Show which error codes keep something from being written to the chain."""
        self._codes |= codes
        for code in self._codes:
            self._blocked.labels(code).set(code in codes)
