"""Sends webhooks: signed, at least once, at growing intervals, and not for ever."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from verifier.metrics import DELIVERED, FAILED, RETRIED, Metrics
from verifier.recheck.endpoints import WebhookEndpoint
from verifier.recheck.records import DueWebhook, RecheckRecords, WebhookState
from wallet.ports.clock import Clock
from wallet.ports.webhooks import WebhookSender, WebhookUndeliverable
from wallet.protocols.standard_webhooks import webhook_headers

_LOG: Final = logging.getLogger(__name__)
WEBHOOKS_PER_ROUND: Final = 100
# Longer than any answer may take.
LEASE_S: Final = 120
# How long after a failed attempt the next one follows; after the last it is given up.
RETRY_AFTER_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_ATTEMPTS: Final = 1 + len(RETRY_AFTER_S)
KEEP_S: Final = 30 * 86400
_GONE: Final = 410
_OUTCOMES: Final = {
    WebhookState.DELIVERED: DELIVERED,
    WebhookState.FAILED: FAILED,
    WebhookState.WAITING: RETRIED,
}


class WebhookDelivery:
    """Sends what is due. A receiver may get an event twice, under one id; it may not lose one."""

    def __init__(
        self,
        records: RecheckRecords,
        sender: WebhookSender,
        clock: Clock,
        *,
        endpoints: Sequence[WebhookEndpoint],
        metrics: Metrics,
    ) -> None:
        self._metrics = metrics
        self._records = records
        self._sender = sender
        self._clock = clock
        self._endpoints: Mapping[str, WebhookEndpoint] = {item.name: item for item in endpoints}

    def run_once(self) -> int:
        """Send what is due; return how many were delivered. Raises `StorageUnavailable`."""
        delivered = 0
        now = self._clock.now()
        for webhook in self._records.due_webhooks(
            now=now, limit=WEBHOOKS_PER_ROUND, lease_s=LEASE_S
        ):
            delivered += self._send(webhook)
        self._records.forget(before=now - KEEP_S)
        self._metrics.show_pending_webhooks(self._records.waiting())
        return delivered

    def _send(self, webhook: DueWebhook) -> bool:
        endpoint = self._endpoints.get(webhook.endpoint)
        now, attempts = self._clock.now(), webhook.attempts + 1
        if endpoint is None:
            # The operator took the endpoint away.
            self._settle(webhook, WebhookState.FAILED, attempts, now)
            return False
        headers = webhook_headers(
            webhook.body, webhook_id=webhook.event_id, secrets=endpoint.secrets, now=now
        )
        try:
            status = self._sender.post(endpoint.url, webhook.body, headers)
        except WebhookUndeliverable:
            status = 0
        if 200 <= status < 300:
            self._settle(webhook, WebhookState.DELIVERED, attempts, now)
            return True
        if status == _GONE or attempts >= MAX_ATTEMPTS:
            _LOG.warning("webhook %s to %s is given up", webhook.event_id, webhook.endpoint)
            self._settle(webhook, WebhookState.FAILED, attempts, now)
        else:
            due_at = now + RETRY_AFTER_S[attempts - 1]
            self._settle(webhook, WebhookState.WAITING, attempts, due_at)
        return False

    def _settle(
        self, webhook: DueWebhook, state: WebhookState, attempts: int, due_at: int
    ) -> None:
        self._records.settle(webhook, state, attempts=attempts, due_at=due_at)
        self._metrics.webhook(_OUTCOMES[state])
