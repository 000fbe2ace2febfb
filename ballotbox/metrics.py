"""What the ballot box counts. Labels are codes; nothing tells how many voted since when."""

from __future__ import annotations

from collections.abc import Set

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from wallet.ports.ledger import LedgerRound
from wallet.web.ledger_metrics import LedgerMetrics

_SERVICE = "seoul_ballotbox"


class Metrics:
    """The counters of one process, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._failures = Counter(
            f"{_SERVICE}_worker_failures",
            "Rounds of the worker that failed, by job and code",
            ("job", "code"),
            registry=self._registry,
        )
        self._is_behind = Gauge(
            f"{_SERVICE}_chain_behind",
            "1 while a checkpoint is not final on the chain",
            registry=self._registry,
        )
        self._ledger = LedgerMetrics(_SERVICE, self._registry)

    def count_failure(self, job: str, code: str) -> None:
        """Count a round that failed."""
        self._failures.labels(job=job, code=code).inc()

    def show_ledger(self, ledger: LedgerRound, is_behind: bool) -> None:
        """Show the transactions under way, and whether a checkpoint is not final."""
        self._ledger.show(ledger)
        self._ledger.show_blocked(ledger.blocked)
        self._is_behind.set(is_behind)

    def show_blocked(self, codes: Set[str]) -> None:
        """Show what keeps the board from being written to the chain."""
        self._ledger.show_blocked(codes)

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self._registry)
