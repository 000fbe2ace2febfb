"""The anchor contracts, to read and to write, and the replica that a follower fills."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from wallet.errors import ConflictError
from wallet.trust.events import LedgerEvent
from wallet.trust.facts import Assurance, BlockRef


class LedgerRefused(ConflictError):
    """The contract reverted; the message names the custom error."""

    code = "ledger_refused"


class ReplicaMismatch(ConflictError):
    """The replica belongs to another deployment or chain, or misses earlier events: start anew."""

    code = "replica_mismatch"


class LedgerReader(Protocol):
    """Reads the contracts. Every method raises `ChainUnavailable`."""

    def finalized_head(self) -> BlockRef:
        """Return the newest block that the chain's finality rule calls final."""

    def events(self, first: int, last: int) -> Sequence[LedgerEvent]:
        """Return the events of blocks `first` to `last`, both included, in chain order."""


class LedgerWriter(Protocol):
    """Sends an issuer's transactions and waits until each is included (not finalized).

    Every method raises `ChainUnavailable` and `LedgerRefused`.
    """

    def anchor_batch(
        self, issuer_id: bytes, schema_id: bytes, root: bytes, size: int, manifest_digest: bytes
    ) -> None:
        """Anchor a batch root. Anchoring the same root again is not an error."""

    def revoke_batch(self, issuer_id: bytes, root: bytes) -> None:
        """Revoke a whole batch."""

    def publish_status(
        self, issuer_id: bytes, list_id: bytes, digest: bytes, version: int, expires_at: int
    ) -> None:
        """Publish the digest of a status list's bits as the next version."""


class ReplicaStore(Protocol):
    """The write side of the replica, for the follower alone.

    Every method raises `StorageUnavailable` if it is kept in a database.
    """

    def bind(self, identity: str) -> None:
        """Say which deployment the replica copies: chain, genesis block, contract addresses.

        The first call decides for good; every later one must say the same, so that facts of two
        chains never mix. Raises `ReplicaMismatch`.
        """

    def head(self) -> BlockRef | None:
        """Return the last block that was applied, or None."""

    def apply(
        self,
        events: Sequence[LedgerEvent],
        head: BlockRef,
        observed_at: int,
        *,
        log_heads: Mapping[str, bytes] | None = None,
        assurance: Assurance | None = None,
    ) -> None:
        """Apply the events of the blocks up to and including `head`, all or nothing.

        `observed_at` is when the head was read, unix seconds; `log_heads` are the contracts' log
        heads there, by address, and `assurance` how it was checked. Applying the same again
        changes nothing but time and assurance; an older head than the last one changes nothing.
        Raises `ReplicaMismatch` when the replica is not bound, knows another block of the same
        number, or lacks what an event refers to.
        """

    def log_heads(self) -> Mapping[str, bytes]:
        """Return the contracts' log heads at the last head, by address."""

    def accreditor_of(self, mandate_id: int) -> str | None:
        """Return the accreditor of a mandate, or None if none with this number was given."""

    def alarm(self) -> str | None:
        """Return why the replica must not be used, or None."""

    def raise_alarm(self, reason: str) -> None:
        """Let no fact be read and nothing be applied until `start_anew`; survives a restart."""

    def start_anew(self) -> None:
        """Forget every fact, the head and the alarm, but not which deployment it copies.

        An operator's act, after looking: the next run of the follower reads everything again.
        """
