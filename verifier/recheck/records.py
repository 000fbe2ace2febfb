"""What is watched and what is to be sent, and the port to where both are kept.

Every change is durable when a method returns, and every method may raise `StorageUnavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from verifier.receipts.basis import WatchedEvidence


class Standing(StrEnum):
    """How watched evidence stands. From the last two nothing follows any more."""

    GOOD = "good"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether it is not looked at any more."""
        return self in (Standing.REVOKED, Standing.EXPIRED)


@dataclass(frozen=True, slots=True)
class Watch:
    """Evidence number `number` behind a receipt, and how it stood when it was last looked at."""

    entry_id: str
    number: int
    evidence: WatchedEvidence
    standing: Standing


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """An event for one endpoint; `event_id` is its `webhook-id`."""

    event_id: str
    endpoint: str
    body: bytes


@dataclass(frozen=True, slots=True)
class DueWebhook:
    """An event that is to be sent now; `attempts` were made before."""

    event_id: str
    endpoint: str
    body: bytes
    attempts: int


class WebhookState(StrEnum):
    """What became of an event at one endpoint; `FAILED` is never sent again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class RecheckRecords(Protocol):
    """Watches and the outbox of webhooks."""

    def due_watches(self, *, now: int, limit: int) -> Sequence[Watch]:
        """Return what is to be looked at, what waited longest first."""

    def looked_at(self, watch: Watch, *, check_at: int) -> None:
        """Note that nothing changed, or could be told, and when to look again."""

    def changed(
        self,
        watch: Watch,
        standing: Standing,
        webhooks: Sequence[NewWebhook],
        *,
        now: int,
        check_at: int,
    ) -> bool:
        """Note a change and what is to be sent about it, all or nothing.

        Of N parallel calls for one change one succeeds; the others return False.
        """

    def due_webhooks(self, *, now: int, limit: int, lease_s: int) -> Sequence[DueWebhook]:
        """Return what is to be sent, and keep others from sending it for `lease_s`."""

    def settle(
        self, webhook: DueWebhook, state: WebhookState, *, attempts: int, due_at: int
    ) -> None:
        """Note what became of an attempt, and when the next one is due."""

    def forget(self, *, before: int) -> int:
        """Delete what was delivered or given up and is older; return how many."""

    def waiting(self) -> int:
        """Return how many webhooks wait."""
