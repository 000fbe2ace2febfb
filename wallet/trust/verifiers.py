"""Services of verifiers: for which purpose a verifier may ask for which claims of which type.

A service is exactly its schema, purpose and claims; to ask for anything else is another service.
Identifiers are those of contracts/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wallet.crypto.hashing import sha256
from wallet.encoding.jcs import canonicalize
from wallet.errors import RejectedError
from wallet.trust.identifiers import schema_id

# A claims path pointer as DCQL has it (OpenID4VP 1.0, 7): names, indexes, None for every element.
ClaimPath = Sequence[str | int | None]


class VerifierNotRegistered(RejectedError):
    """The verifier is not registered to ask for these claims for this purpose, or not any more."""

    code = "verifier_not_registered"


@dataclass(frozen=True, slots=True)
class VerifierScope:
    """A verifier may offer a service in [from, until)."""

    verifier_id: bytes
    service_id: bytes
    schema_id: bytes
    purpose_digest: bytes
    claims_digest: bytes
    index: int
    valid_from: int
    valid_until: int
    revoked_at: int | None = None

    def in_force(self, at: int) -> bool:
        """Tell whether the scope covers the moment `at`."""
        ended = self.revoked_at is not None and self.revoked_at <= at
        return self.valid_from <= at < self.valid_until and not ended


@dataclass(frozen=True, slots=True)
class VerifierRevoked:
    """Scope `index` of a service ends at `effective_at`, which may be in the past."""

    verifier_id: bytes
    service_id: bytes
    index: int
    effective_at: int


def verifier_id(did: str) -> bytes:
    """Return SHA-256 of the verifier's DID in UTF-8."""
    return sha256(did.encode())


def purpose_digest(purpose: str) -> bytes:
    """Return SHA-256 of the purpose, as it is shown to the holder, in UTF-8."""
    return sha256(purpose.encode())


def claims_digest(paths: Iterable[ClaimPath]) -> bytes:
    """Return SHA-256 of the canonical JSON (RFC 8785) of the paths, sorted by their own."""
    return sha256(canonicalize(sorted((list(path) for path in paths), key=canonicalize)))


def service_id(vct: str, purpose: str, paths: Iterable[ClaimPath]) -> bytes:
    """Return the identifier of the service that asks for `paths` of type `vct` for `purpose`."""
    return sha256(schema_id(vct) + purpose_digest(purpose) + claims_digest(paths))


def check_verifier_registered(
    scopes: Iterable[VerifierScope], did: str, service: bytes, at: int
) -> VerifierScope:
    """Return the scope under which a verifier offers a service at the moment `at`.

    Raises `VerifierNotRegistered`.
    """
    wanted = verifier_id(did)
    for scope in scopes:
        if (scope.verifier_id, scope.service_id) == (wanted, service) and scope.in_force(at):
            return scope
    raise VerifierNotRegistered("the verifier is not registered for what it asks")
