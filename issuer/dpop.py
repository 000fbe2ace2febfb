"""DPoP at this server's endpoints: its own nonces, and every proof once (RFC 9449 §8, §11.1)."""

from __future__ import annotations

import hmac
from typing import Final

from wallet.encoding import base64url
from wallet.errors import RejectedError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionConflict, SessionStore
from wallet.protocols.oid4vci.dpop import (
    MAX_CLOCK_SKEW_S,
    MAX_DPOP_AGE_S,
    DpopProofInvalid,
    verify_dpop_proof,
)

PROOF: Final = "issuer.dpop.jti"
NONCE_WINDOW_S: Final = 300
_NONCE_BYTES: Final = 18


class DpopNonceNeeded(RejectedError):
    """The DPoP proof has no nonce of this server's, or an old one. Use the one that comes now."""

    code = "dpop_nonce_needed"
    status = 401


class DpopGuard:
    """Checks DPoP proofs. A nonce is shared by everyone in a window of time, and by all processes
    that have the same secret.

    It shows that a proof was made lately; that it is used once is for `jti`.
    """

    def __init__(self, store: SessionStore, clock: Clock, secret: bytes) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret

    def nonce(self) -> str:
        """Return the nonce of now, for the header `DPoP-Nonce`."""
        return self._of_window(self._clock.now() // NONCE_WINDOW_S)

    def _of_window(self, window: int) -> str:
        made = hmac.digest(self._secret, f"dpop {window}".encode(), "sha256")
        return base64url.encode(made[:_NONCE_BYTES])

    def check(self, proof: str, *, method: str, url: str, access_token: str | None) -> str:
        """Return the thumbprint of the key that made this proof, which is used up by it.

        `url` is the endpoint as configured. Raises `DpopProofInvalid`, `DpopNonceNeeded`.
        """
        now = self._clock.now()
        verified = verify_dpop_proof(
            proof, method=method, url=url, now=now, access_token=access_token
        )
        window = now // NONCE_WINDOW_S
        if verified.nonce not in (self._of_window(window), self._of_window(window - 1)):
            raise DpopNonceNeeded("use the nonce of the header DPoP-Nonce")
        try:
            self._store.create(
                PROOF,
                f"{verified.jkt} {verified.jti}",
                b"",
                expires_at=now + MAX_DPOP_AGE_S + 2 * MAX_CLOCK_SKEW_S,
            )
        except SessionConflict:
            raise DpopProofInvalid("the DPoP proof was used") from None
        return verified.jkt
