"""The anchor contracts, to read and to write, and the replica that a follower fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wallet.errors import ConflictError
from wallet.ports.facts import ChainUnavailable
from wallet.ports.outbox import TransactionState
from wallet.trust.events import LedgerEvent
from wallet.trust.facts import Assurance, BlockRef


class LedgerRefused(ConflictError):
    """The contract reverted; the message names the custom error."""

    code = "ledger_refused"


class ReplicaMismatch(ConflictError):
    """The replica belongs to another deployment or chain, or misses earlier events: start anew."""

    code = "replica_mismatch"


class WriterUnfunded(ChainUnavailable):
    """The account that pays for transactions has too little; what is to be written waits."""

    code = "writer_unfunded"


class GasPriceAboveLimit(ChainUnavailable):
    """Gas costs more than the configuration allows; what is to be written waits."""

    code = "gas_price_above_limit"


class WriterBusy(ChainUnavailable):
    """Too many transactions are under way already; what is to be written waits."""

    code = "writer_busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerRound:
    """What a look at the transactions under way found, in transactions.

    `unsettled` may still change, and `waiting` of them are in no block; the oldest of these was
    made at `waiting_since`. `orphaned` fell out of the chain since the last look and are sent
    again, `repriced` were signed with a higher fee, `failed` were included and reverted, and
    `displaced` lost their nonce to a transaction of somebody else. `blocked` are the codes of what
    keeps transactions from being sent (`writer_unfunded`, `gas_price_above_limit`,
    `transaction_underpriced` until the offer is raised, `transaction_refused`).
    """

    unsettled: int = 0
    waiting: int = 0
    waiting_since: int | None = None
    orphaned: int = 0
    repriced: int = 0
    failed: int = 0
    displaced: int = 0
    blocked: frozenset[str] = frozenset()


class LedgerReader(Protocol):
    """Reads the contracts. Every method raises `ChainUnavailable`."""

    def finalized_head(self) -> BlockRef:
        """Return the newest block that the chain's finality rule calls final."""

    def events(self, first: int, last: int) -> Sequence[LedgerEvent]:
        """Return the events of blocks `first` to `last`, both included, in chain order."""


class LedgerWriter(Protocol):
    """Writes an issuer's facts, without ever waiting for a block.

    A method that writes returns how far its transaction has come: submitted (on record here, so
    that it arrives whatever happens to this process), included or final. Called again with the
    same arguments it sends nothing twice and says how far it is now. Every method raises
    `ChainUnavailable`; those that write raise its subclasses `WriterUnfunded`,
    `GasPriceAboveLimit` and `WriterBusy` when nothing was signed and the caller tries again
    later, and `LedgerRefused` when the contract would refuse.
    """

    def advance(self) -> LedgerRound:
        """Look at every transaction under way and send again what needs it; never waits."""

    def anchor_batch(
        self, issuer_id: bytes, schema_id: bytes, root: bytes, size: int, manifest_digest: bytes
    ) -> TransactionState:
        """Anchor a batch root. Anchoring the same root again is not an error."""

    def revoke_batch(self, issuer_id: bytes, root: bytes) -> TransactionState:
        """Revoke a whole batch. Revoking a revoked one is refused."""

    def publish_status(
        self, issuer_id: bytes, list_id: bytes, digest: bytes, version: int, expires_at: int
    ) -> TransactionState:
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

    def position(self) -> tuple[BlockRef | None, Mapping[str, bytes]]:
        """Return the last block that was applied and the contracts' log heads there, by address.

        Both of one moment, also while another follower applies.
        """

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
