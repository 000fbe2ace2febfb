"""What happens on the anchor contracts, in order; a replica applies these to its facts."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.trust.facts import AccreditorScope, BatchFact, IssuerScope, StatusFact


@dataclass(frozen=True, slots=True)
class AccreditorRevoked:
    """Scope `index` of an accreditor ends at `effective_at`, which may be in the past."""

    accreditor: str
    schema_id: bytes
    index: int
    effective_at: int


@dataclass(frozen=True, slots=True)
class IssuerRevoked:
    """Scope `index` of an issuer ends at `effective_at`, which may be in the past."""

    issuer_id: bytes
    schema_id: bytes
    index: int
    effective_at: int


@dataclass(frozen=True, slots=True)
class BatchWithdrawn:
    """A whole batch was revoked in the block with time `at`."""

    issuer_id: bytes
    root: bytes
    at: int


LedgerEvent = (
    AccreditorScope
    | IssuerScope
    | BatchFact
    | StatusFact
    | AccreditorRevoked
    | IssuerRevoked
    | BatchWithdrawn
)
