"""What wallets say became of their credentials (OpenID4VCI §11)."""

from __future__ import annotations

import secrets
from typing import Final

from issuer.tokens import LiveGrant
from wallet.errors import ConflictError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionStore, SessionUnknown
from wallet.protocols.oid4vci.deferred import Notification

NOTIFICATION: Final = "issuer.notification"
_ID_BYTES: Final = 16


class NotificationUnknown(ConflictError):
    """The notification id is unknown, has expired, or is another person's."""

    code = "notification_unknown"


class Notifications:
    """Gives out notification ids and takes what wallets say under them.

    The same event may come again; nothing of it is kept but a count.
    """

    def __init__(self, store: SessionStore, clock: Clock, ttl_s: int) -> None:
        self._store = store
        self._clock = clock
        self._ttl_s = ttl_s

    def new_id(self, grant: LiveGrant) -> str:
        """Return the id for the credentials of one response."""
        notification_id = secrets.token_urlsafe(_ID_BYTES)
        self._store.create(
            NOTIFICATION,
            notification_id,
            grant.grant_id.encode(),
            expires_at=self._clock.now() + self._ttl_s,
        )
        return notification_id

    def take(self, grant: LiveGrant, notification: Notification) -> None:
        """Take a notification under the grant's access token. Raises `NotificationUnknown`."""
        try:
            stored = self._store.load(
                NOTIFICATION, notification.notification_id, now=self._clock.now()
            )
        except SessionUnknown:
            raise NotificationUnknown("there is no such notification id") from None
        if stored.state != grant.grant_id.encode():
            raise NotificationUnknown("there is no such notification id")
