"""Looks again at evidence behind grants: its status in the issuer's list, and its own end."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from verifier.receipts.basis import WatchedEvidence
from verifier.recheck.endpoints import WebhookEndpoint
from verifier.recheck.records import NewWebhook, RecheckRecords, Standing, Watch
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources, current_status
from wallet.ports.clock import Clock
from wallet.status.token_status_list import SUSPENDED, VALID
from wallet.verification.status import VerifiedStatusList

_LOG: Final = logging.getLogger(__name__)
WATCHES_PER_ROUND: Final = 1_000
# Beyond every clock: what is final is not looked at again.
NEVER: Final = 2**53
_EVENTS: Final = {
    Standing.GOOD: "evidence.reinstated",
    Standing.SUSPENDED: "evidence.suspended",
    Standing.REVOKED: "evidence.revoked",
    Standing.EXPIRED: "evidence.expired",
}


class Recheck:
    """Compares watched evidence with the facts at hand, every `interval_s`."""

    def __init__(
        self,
        records: RecheckRecords,
        sources: FactSources,
        clock: Clock,
        *,
        endpoints: Sequence[WebhookEndpoint],
        interval_s: int,
    ) -> None:
        self._records = records
        self._sources = sources
        self._clock = clock
        self._endpoints = tuple(endpoints)
        self._interval_s = interval_s

    def run_once(self) -> int:
        """Look at what is due; return how much changed. Raises `StorageUnavailable`.

        What cannot be told now (a list that does not come, or is too old) is no change: it is
        looked at again.
        """
        changed = 0
        known: _Known = {}
        while True:
            now = self._clock.now()
            watches = self._records.due_watches(now=now, limit=WATCHES_PER_ROUND)
            for watch in watches:
                changed += self._look_at(watch, known, now)
            if len(watches) < WATCHES_PER_ROUND:
                return changed

    def _look_at(self, watch: Watch, known: _Known, now: int) -> bool:
        standing = self._standing(watch, known, now)
        check_at = self._next(watch.evidence, now)
        if standing is None or standing is watch.standing:
            self._records.looked_at(watch, check_at=check_at)
            return False
        if standing.is_final:
            check_at = NEVER
        webhooks = self._webhooks(watch, standing, now)
        return self._records.changed(watch, standing, webhooks, now=now, check_at=check_at)

    def _standing(self, watch: Watch, known: _Known, now: int) -> Standing | None:
        evidence = watch.evidence
        if evidence.expires_at is not None and now >= evidence.expires_at:
            return Standing.EXPIRED
        if evidence.status_uri is None or evidence.status_index is None:
            return Standing.GOOD
        key = evidence.issuer, evidence.vct, evidence.status_uri, evidence.max_status_age_s
        if key not in known:
            known[key] = _Statuses(self._sources, evidence, now)
        return known[key].standing(evidence.status_index)

    def _next(self, evidence: WatchedEvidence, now: int) -> int:
        times = [] if evidence.status_uri is None else [now + self._interval_s]
        if evidence.expires_at is not None:
            times.append(max(evidence.expires_at, now + 1))
        return min(times, default=NEVER)

    def _webhooks(self, watch: Watch, standing: Standing, now: int) -> list[NewWebhook]:
        # The receipt says the rest to who has it; nothing here is about a person.
        body = to_json(
            {
                "type": _EVENTS[standing],
                "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
                "data": {"receipt": watch.entry_id},
            }
        )
        event_id = "msg_" + secrets.token_urlsafe(18)
        return [
            NewWebhook(event_id, endpoint.name, body)
            for endpoint in self._endpoints
            if endpoint.takes(watch.evidence.programme)
        ]


class _Statuses:
    """One list for a round, asked for once; None for every index when it cannot be told."""

    def __init__(self, sources: FactSources, evidence: WatchedEvidence, now: int) -> None:
        self._listed: VerifiedStatusList | None = None
        try:
            self._listed = current_status(
                evidence.issuer,
                evidence.vct,
                evidence.status_uri or "",
                sources,
                now=now,
                max_age_s=evidence.max_status_age_s,
            )
        except SeoulWalletError as error:
            _LOG.warning("evidence could not be looked at again: %s", error.code)

    def standing(self, index: int) -> Standing | None:
        if self._listed is None:
            return None
        try:
            status = self._listed.entries.status(index)
        except SeoulWalletError:
            return None
        if status == VALID:
            return Standing.GOOD
        return Standing.SUSPENDED if status == SUSPENDED else Standing.REVOKED


# The lists of a round, by issuer, credential type, URI and how old they may be.
_Known = dict[tuple[str, str, str, int], _Statuses]
