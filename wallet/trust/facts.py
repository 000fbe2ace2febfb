"""Facts of the anchor contracts, as a follower copies them from finalized blocks.

Times are unix seconds of block headers. Addresses are lower-case `0x` hex. Scopes and batches
keep their history: a revocation sets `revoked_at` and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError


class IssuerNotAccredited(RejectedError):
    """The issuer was not accredited for this type when it was anchored, or is not now."""

    code = "issuer_not_accredited"


class IssuerSuspended(RejectedError):
    """The issuer was suspended when it was anchored, or is now: for every credential type."""

    code = "issuer_suspended"


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block: number, 32-byte hash and header time in unix seconds."""

    number: int
    hash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Assurance:
    """How well a finalized block and its facts were checked.

    `endpoints` nodes agreed. `proven`: each contract's log head was proven against the block's
    state root, so that no log was withheld. One endpoint, or facts that are not proven, are for a
    development chain on this machine only.
    """

    endpoints: int
    proven: bool

    @property
    def is_development(self) -> bool:
        """Whether one node alone vouches for the facts, or no proof does."""
        return self.endpoints < 2 or not self.proven

    def to_json(self) -> JsonObject:
        """Return the form that reports carry."""
        return {
            "endpoints": self.endpoints,
            "proven": self.proven,
            "development": self.is_development,
        }


@dataclass(frozen=True, slots=True)
class AccreditorScope:
    """The root authority lets `accreditor` accredit issuers for a schema in [from, until).

    `mandate_id` is the contract's number for the pair of accreditor and schema, from 1 on.
    """

    accreditor: str
    schema_id: bytes
    index: int
    valid_from: int
    valid_until: int
    revoked_at: int | None = None
    mandate_id: int = 0

    def in_force(self, at: int) -> bool:
        """Tell whether the scope covers the moment `at`."""
        return _in_force(self.valid_from, self.valid_until, self.revoked_at, at)


@dataclass(frozen=True, slots=True)
class IssuerScope:
    """`accreditor` lets an issuer issue a schema in [from, until)."""

    issuer_id: bytes
    schema_id: bytes
    index: int
    accreditor: str
    valid_from: int
    valid_until: int
    revoked_at: int | None = None

    def in_force(self, at: int) -> bool:
        """Tell whether the scope covers the moment `at`."""
        return _in_force(self.valid_from, self.valid_until, self.revoked_at, at)


@dataclass(frozen=True, slots=True)
class SuspensionFact:
    """A suspender stopped an issuer in [since, until); None while root has not lifted it."""

    issuer_id: bytes
    index: int
    since: int
    until: int | None = None

    def covers(self, at: int) -> bool:
        """Tell whether the issuer was suspended at the moment `at`."""
        return self.since <= at and (self.until is None or at < self.until)


def _in_force(valid_from: int, valid_until: int, revoked_at: int | None, at: int) -> bool:
    return valid_from <= at < valid_until and (revoked_at is None or at < revoked_at)


@dataclass(frozen=True, slots=True)
class BatchFact:
    """A batch root of an issuer, anchored at `anchored_at` (block time)."""

    issuer_id: bytes
    schema_id: bytes
    root: bytes
    size: int
    manifest_digest: bytes
    anchored_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class StatusFact:
    """The digest of a status list's bits, version by version, as published at block time."""

    issuer_id: bytes
    list_id: bytes
    version: int
    digest: bytes
    expires_at: int
    published_at: int


@dataclass(frozen=True, slots=True)
class AnchorFacts:
    """What the replica knows that bears on one credential.

    `issuer_scopes` are those of the issuer for the schema, `accreditor_scopes` those of the
    accreditors that they name, `suspensions` all that the issuer ever had; `batch` is the one with
    the receipt's root, `status` the newest digest of the list. `head` is the finalized block up to
    which this is complete, `assurance` how that was checked.
    """

    head: BlockRef
    issuer_scopes: Sequence[IssuerScope] = ()
    accreditor_scopes: Sequence[AccreditorScope] = ()
    batch: BatchFact | None = None
    status: StatusFact | None = None
    superseded_status_digests: frozenset[bytes] = frozenset()
    assurance: Assurance | None = None
    suspensions: Sequence[SuspensionFact] = ()

    def suspended(self, at: int) -> bool:
        """Tell whether the issuer was suspended at the moment `at`."""
        return any(suspension.covers(at) for suspension in self.suspensions)

    def accredited(self, at: int) -> bool:
        """Tell whether issuer and accreditor were both in force at `at`, with no suspension."""
        if self.suspended(at):
            return False
        for scope in self.issuer_scopes:
            if scope.in_force(at):
                for above in self.accreditor_scopes:
                    if above.accreditor == scope.accreditor and above.in_force(at):
                        return True
        return False
