"""An anchor ledger in memory: the contracts' rules, one block per transaction.

It keeps what the Solidity contracts keep and refuses what they refuse. Blocks become final
`finality_depth` blocks later, or at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wallet.crypto.hashing import sha256
from wallet.ports.clock import Clock
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused, LedgerRound, ReplicaStore, WriterUnfunded
from wallet.ports.outbox import TransactionState
from wallet.trust.events import BatchWithdrawn, LedgerEvent
from wallet.trust.facts import AccreditorScope, BatchFact, BlockRef, IssuerScope, StatusFact

ACCREDITOR = "0x" + "a1" * 20
FOREVER = 2**40 - 1


class MemoryLedger:
    """`ports.ledger.LedgerWriter` and `LedgerReader` over a list of blocks."""

    def __init__(self, clock: Clock, *, finality_depth: int = 0) -> None:
        self._clock = clock
        self._depth = finality_depth
        self._blocks: list[tuple[BlockRef, list[LedgerEvent]]] = []
        self._scopes: set[tuple[bytes, bytes]] = set()
        self._batches: dict[tuple[bytes, bytes], bool] = {}
        self._statuses: dict[tuple[bytes, bytes], StatusFact] = {}
        self.silent = False
        self.unfunded = False
        self.on_batch: Callable[[], None] | None = None
        self.mine()

    def mine(self, *events: LedgerEvent) -> None:
        """Add a block with these events."""
        number = len(self._blocks)
        block = BlockRef(number, sha256(number.to_bytes(8, "big")), self._clock.now())
        self._blocks.append((block, list(events)))

    def accredit(self, issuer_id: bytes, schema_id: bytes) -> None:
        """Accredit an issuer for a schema, from the beginning of time."""
        self._scopes.add((issuer_id, schema_id))
        self.mine(
            AccreditorScope(ACCREDITOR, schema_id, 0, 0, FOREVER),
            IssuerScope(issuer_id, schema_id, 0, ACCREDITOR, 0, FOREVER),
        )

    def advance(self) -> LedgerRound:
        return LedgerRound()  # every transaction is in a block at once

    def anchor_batch(
        self, issuer_id: bytes, schema_id: bytes, root: bytes, size: int, manifest_digest: bytes
    ) -> TransactionState:
        self._take()
        if (issuer_id, root) in self._batches:
            return TransactionState.INCLUDED
        if (issuer_id, schema_id) not in self._scopes:
            raise LedgerRefused("NotAccredited")
        self._batches[issuer_id, root] = False
        now = self._clock.now()
        self.mine(BatchFact(issuer_id, schema_id, root, size, manifest_digest, now))
        if self.on_batch is not None:
            self.on_batch()
        return TransactionState.INCLUDED

    def revoke_batch(self, issuer_id: bytes, root: bytes) -> TransactionState:
        self._take()
        if (issuer_id, root) not in self._batches:
            raise LedgerRefused("UnknownBatch")
        if self._batches[issuer_id, root]:
            raise LedgerRefused("BatchAlreadyRevoked")
        self._batches[issuer_id, root] = True
        self.mine(BatchWithdrawn(issuer_id, root, self._clock.now()))
        return TransactionState.INCLUDED

    def publish_status(
        self, issuer_id: bytes, list_id: bytes, digest: bytes, version: int, expires_at: int
    ) -> TransactionState:
        self._take()
        now = self._clock.now()
        known = self._statuses.get((issuer_id, list_id))
        if known is not None and (known.version, known.digest) == (version, digest):
            return TransactionState.INCLUDED
        if version != (0 if known is None else known.version) + 1:
            raise LedgerRefused("VersionNotNext")
        if expires_at <= now:
            raise LedgerRefused("AlreadyExpired")
        fact = StatusFact(issuer_id, list_id, version, digest, expires_at, now)
        self._statuses[issuer_id, list_id] = fact
        self.mine(fact)
        return TransactionState.INCLUDED

    def finalized_head(self) -> BlockRef:
        self._answer()
        return self._blocks[max(0, len(self._blocks) - 1 - self._depth)][0]

    def events(self, first: int, last: int) -> Sequence[LedgerEvent]:
        self._answer()
        return [event for _, events in self._blocks[first : last + 1] for event in events]

    def _answer(self) -> None:
        if self.silent:
            raise ChainUnavailable("the ledger does not answer")

    def _take(self) -> None:
        self._answer()
        if self.unfunded:
            raise WriterUnfunded("the account has nothing")

    def undo(self, blocks: int) -> None:
        """Take the newest blocks away, as a reorganisation of the chain does."""
        del self._blocks[-blocks:]
        self._batches, self._statuses = {}, {}
        for event in self.events(0, self.height):
            if isinstance(event, BatchFact):
                self._batches[event.issuer_id, event.root] = False
            elif isinstance(event, BatchWithdrawn):
                self._batches[event.issuer_id, event.root] = True
            elif isinstance(event, StatusFact):
                self._statuses[event.issuer_id, event.list_id] = event

    @property
    def height(self) -> int:
        """The number of blocks."""
        return len(self._blocks)


def follow(ledger: MemoryLedger, replica: ReplicaStore, clock: Clock) -> None:
    """Move a replica to the ledger's finalized head."""
    replica.bind("memory ledger of a test")
    known, head = replica.head(), ledger.finalized_head()
    first = 0 if known is None else known.number + 1
    replica.apply(ledger.events(first, head.number), head, clock.now())
