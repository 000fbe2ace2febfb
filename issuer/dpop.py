"""DPoP at this server's endpoints: its own nonces, and every proof once (RFC 9449 §8, §11.1)."""

from __future__ import annotations

import secrets
import threading
from typing import Final

from wallet.errors import RejectedError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown
from wallet.protocols.oid4vci.dpop import (
    MAX_CLOCK_SKEW_S,
    MAX_DPOP_AGE_S,
    DpopProofInvalid,
    verify_dpop_proof,
)

NONCE: Final = "issuer.dpop.nonce"
PROOF: Final = "issuer.dpop.jti"
NONCE_WINDOW_S: Final = 300
_NONCE_BYTES: Final = 18


class DpopNonceNeeded(RejectedError):
    """The DPoP proof has no nonce of this server's, or an old one. Use the one that comes now."""

    code = "dpop_nonce_needed"
    status = 401


class DpopGuard:
    """Checks DPoP proofs. A nonce is shared by everyone in a window of time, and by all processes.

    It shows that a proof was made lately; that it is used once is for `jti`.
    """

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[int, str] = {}
        self._lock = threading.Lock()

    def nonce(self) -> str:
        """Return the nonce of now, for the header `DPoP-Nonce`."""
        return self._of_window(self._clock.now() // NONCE_WINDOW_S)

    def _of_window(self, window: int) -> str:
        with self._lock:
            found = self._known.get(window)
        if found is not None:
            return found
        name, made = str(window), secrets.token_urlsafe(_NONCE_BYTES)
        ends_at = (window + 2) * NONCE_WINDOW_S
        try:
            self._store.create(NONCE, name, made.encode(), expires_at=ends_at)
        except SessionConflict:
            # Another process was first. It may be purged only when its time is over.
            try:
                now = window * NONCE_WINDOW_S
                made = self._store.load(NONCE, name, now=now).state.decode()
            except SessionUnknown:
                return made
        with self._lock:
            # Two windows are ever asked for.
            self._known = {k: v for k, v in self._known.items() if k >= window - 1}
            self._known[window] = made
        return made

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
