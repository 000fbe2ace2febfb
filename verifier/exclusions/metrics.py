"""What the register counts. Labels are answers and codes; nothing tells whose, or for what."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


class Metrics:
    """The counters of one process, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._claims = Counter(
            "seoul_register_claims", "Claims by answer", ("answer",), registry=self._registry
        )
        self._releases = Counter(
            "seoul_register_releases", "Claims taken back", registry=self._registry
        )
        self._refused = Counter(
            "seoul_register_refusals", "Calls refused, by code", ("code",), registry=self._registry
        )
        self._is_well = Gauge(
            "seoul_register_healthy",
            "1 if claims could be looked up when health was last asked",
            registry=self._registry,
        )

    def claimed(self, *, free: bool) -> None:
        """Count an answer."""
        self._claims.labels(answer="free" if free else "taken").inc()

    def released(self) -> None:
        """Count a release."""
        self._releases.inc()

    def refused(self, code: str) -> None:
        """Count a call that got no answer."""
        self._refused.labels(code=code).inc()

    def show_health(self, is_well: bool) -> None:
        """Show how the last look at the database went."""
        self._is_well.set(is_well)

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self._registry)
