"""Whether this verifier can decide now."""

from __future__ import annotations

from typing import Protocol

from verifier.metrics import Metrics
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, UnavailableError
from wallet.ports.clock import Clock
from wallet.ports.facts import ReplicaDiverged
from wallet.trust.facts import Assurance, BlockRef


class ReplicaHead(Protocol):
    """Tells how far the local replica of the anchor contracts has come."""

    def head(self) -> BlockRef | None:
        """Return the last finalized block that was applied, or None."""

    def alarm(self) -> str | None:
        """Return why the replica must not be used, or None."""

    def assurance(self) -> Assurance | None:
        """Return how the last block was checked, or None while that is not known."""


class Health:
    """The age of the replica, against the limit of the policy (seconds)."""

    def __init__(
        self, replica_head: ReplicaHead, max_age_s: int, clock: Clock, metrics: Metrics
    ) -> None:
        self._replica_head = replica_head
        self._max_age_s = max_age_s
        self._clock = clock
        self._metrics = metrics

    def check(self) -> tuple[bool, JsonObject]:
        """Return whether facts are at hand and new enough, their age and how they were checked."""
        try:
            head = self._replica_head.head()
            alarm = self._replica_head.alarm()
            assurance = self._replica_head.assurance()
        except (UnavailableError, ConflictError) as error:
            return False, {"status": "degraded", "code": error.code}
        if alarm is not None:
            return False, {"status": "degraded", "code": ReplicaDiverged.code}
        if head is None:
            return False, {"status": "degraded", "code": "replica_empty"}
        age_s = max(0, self._clock.now() - head.time)
        self._metrics.replica_age_s.set(age_s)
        replica: JsonObject = {
            "block": head.number,
            "age_s": age_s,
            "max_age_s": self._max_age_s,
        }
        if assurance is not None:
            replica |= assurance.to_json()
        if age_s > self._max_age_s:
            return False, {"status": "degraded", "code": "facts_too_old", "replica": replica}
        return True, {"status": "ok", "replica": replica}
