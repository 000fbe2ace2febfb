"""What the chain knows of verifiers: services that one may ask for, as digests."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.crypto.hashing import sha256


def verifier_id(did: str) -> bytes:
    """Return SHA-256 of the verifier's DID in UTF-8."""
    return sha256(did.encode())


@dataclass(frozen=True, slots=True)
class RegisteredService:
    """A scope of a verifier's service, in force in [from, until); times are unix seconds."""

    verifier_id: bytes
    service_id: bytes
    valid_from: int
    valid_until: int
    revoked_at: int | None = None

    def in_force(self, at: int) -> bool:
        """Tell whether the scope covers the moment `at`."""
        ended = self.revoked_at is not None and at >= self.revoked_at
        return self.valid_from <= at < self.valid_until and not ended
