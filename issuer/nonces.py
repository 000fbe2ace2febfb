"""The nonces of key proofs (OpenID4VCI §7): given out without a trace, used exactly once.

A nonce carries its own end and a MAC over it, so that whoever asks for one writes nothing here.
That it was used is on record until it has ended.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from issuer.sessions import NonceInvalid
from wallet.encoding import base64url
from wallet.errors import MalformedError
from wallet.ports.sessions import SessionConflict, SessionStore

USED: Final = "issuer.c_nonce"
# Longer than the clocks of two processes may differ: none forgets what another still accepts.
MAX_CLOCK_SKEW_S: Final = 300
_RANDOM_BYTES: Final = 16
_TIME_BYTES: Final = 8
_MAC_BYTES: Final = 16


class Nonces:
    """The nonces of all processes that have `secret` (32 bytes) and the store in common."""

    def __init__(self, store: SessionStore, secret: bytes) -> None:
        self._store = store
        self._secret = secret

    def new(self, *, expires_at: int) -> str:
        """Return a new c_nonce, good once until `expires_at`."""
        body = secrets.token_bytes(_RANDOM_BYTES) + expires_at.to_bytes(_TIME_BYTES, "big")
        return base64url.encode(body + self._mac(body))

    def use(self, nonce: str, *, now: int) -> None:
        """Use up a c_nonce. Raises `NonceInvalid`, `StorageUnavailable`."""
        refused = NonceInvalid("the c_nonce is unknown, expired or used")
        try:
            raw = base64url.decode(nonce)
        except MalformedError:
            raise refused from None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(body) != _RANDOM_BYTES + _TIME_BYTES:
            raise refused
        if not hmac.compare_digest(mac, self._mac(body)):
            raise refused
        expires_at = int.from_bytes(body[_RANDOM_BYTES:], "big")
        if expires_at <= now:
            raise refused
        try:
            # Under what it says, so that another spelling of it is no other nonce.
            self._store.create(
                USED, base64url.encode(body), b"", expires_at=expires_at + MAX_CLOCK_SKEW_S
            )
        except SessionConflict:
            raise refused from None

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, b"c_nonce " + body, "sha256")[:_MAC_BYTES]
