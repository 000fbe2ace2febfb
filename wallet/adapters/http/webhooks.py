"""Webhooks over the guarded client: the same limits as for every address of others."""

from __future__ import annotations

from collections.abc import Mapping

from wallet.adapters.http.fetch import FetchFailed, GuardedClient, UrlForbidden, UrlMalformed
from wallet.ports.webhooks import WebhookUndeliverable


class HttpWebhookSender:
    """`ports.webhooks.WebhookSender` over https."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        sent = {"Content-Type": "application/json", **headers}
        try:
            return self._client.request("POST", url, headers=sent, body=body).status
        except (FetchFailed, UrlForbidden, UrlMalformed) as error:
            raise WebhookUndeliverable("the receiver of the webhook gave no answer") from error
