"""What happens on the anchor contracts, in order; a replica applies these to its facts."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.did.did_ethr import DidChange
from wallet.trust.boards import BoardFact, CheckpointFact, OperatorChanged, SealFact
from wallet.trust.directory import DirectoryDeprecated, DirectoryEntry
from wallet.trust.facts import (
    AccreditorScope,
    BatchFact,
    IssuerScope,
    StatusFact,
    SuspensionFact,
)
from wallet.trust.verifiers import VerifierRevoked, VerifierScope


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


@dataclass(frozen=True, slots=True)
class SuspensionLifted:
    """Suspension `index` of an issuer ended in the block with time `until`."""

    issuer_id: bytes
    index: int
    until: int


# What the chain adds for good ...
LedgerFact = (
    AccreditorScope
    | IssuerScope
    | SuspensionFact
    | BatchFact
    | StatusFact
    | VerifierScope
    | BoardFact
    | CheckpointFact
    | SealFact
    | DirectoryEntry
    | DidChange
)
# ... and what it changes in it.
LedgerEvent = (
    LedgerFact
    | AccreditorRevoked
    | IssuerRevoked
    | SuspensionLifted
    | BatchWithdrawn
    | VerifierRevoked
    | OperatorChanged
    | DirectoryDeprecated
)
