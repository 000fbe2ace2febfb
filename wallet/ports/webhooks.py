"""Sending a webhook to an address that an operator configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from wallet.errors import UnavailableError


class WebhookUndeliverable(UnavailableError):
    """The webhook's receiver gave no answer, or its address may not be visited."""

    code = "webhook_undeliverable"


class WebhookSender(Protocol):
    """Posts JSON. Follows no redirect and visits only addresses that are public."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer, whose body is dropped. Raises
        `WebhookUndeliverable`."""
