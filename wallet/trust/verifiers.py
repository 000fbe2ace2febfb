"""What the chain knows of verifiers: services that one may ask for, as digests.

A service is exactly its schema, purpose and claims (contracts/README.md); to ask for anything else
is another service. `wallet.protocols.registration` compares requests with them.
"""

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


@dataclass(frozen=True, slots=True)
class VerifierScope:
    """Everything that the chain says of scope `index` of a service."""

    verifier_id: bytes
    service_id: bytes
    schema_id: bytes
    purpose_digest: bytes
    claims_digest: bytes
    index: int
    valid_from: int
    valid_until: int
    revoked_at: int | None = None

    @property
    def service(self) -> RegisteredService:
        """The service and its time."""
        return RegisteredService(
            self.verifier_id, self.service_id, self.valid_from, self.valid_until, self.revoked_at
        )


@dataclass(frozen=True, slots=True)
class VerifierRevoked:
    """Scope `index` of a service ends at `effective_at`, which may be in the past."""

    verifier_id: bytes
    service_id: bytes
    index: int
    effective_at: int
