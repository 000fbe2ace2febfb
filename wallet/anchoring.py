"""From the outbox of leaves to batches on the chain, and receipts out of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Protocol

from wallet.credentials.jose import sign_jws
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import SigningKey
from wallet.crypto.merkle import HASH_BYTES, MerkleTree
from wallet.encoding import base64url
from wallet.ports.batches import Batch, BatchConflict, BatchRecords, BatchState, PendingLeaves
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica, ChainUnavailable, ReplicaEmpty
from wallet.ports.ledger import LedgerRefused, LedgerWriter
from wallet.ports.outbox import TransactionState
from wallet.recent import RecentlyUsed
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.manifest import MANIFEST_TYPE

MIN_BATCH_LEAVES: Final = 64
_TREES_KEPT: Final = 8
_RANDOM: Final = secrets.SystemRandom()
# Only the replica, which proves what it copies, makes a batch final.
_STATES: Final = {
    TransactionState.SUBMITTED: BatchState.SUBMITTED,
    TransactionState.INCLUDED: BatchState.INCLUDED,
    TransactionState.FINAL: BatchState.INCLUDED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class AnchorTimes:
    """When batches are made: on the clock every `interval_s`, or when `max_leaves` wait."""

    interval_s: int = 3600
    max_leaves: int = 16_384


@dataclass(frozen=True, slots=True)
class AnchorRound:
    """What one round did, in batches; `failures` holds an error code for each that must wait."""

    sealed: int
    sent: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceiptAnswer:
    """What is known of a leaf: sealed, with no place, until its batch is on the chain.

    `root` is the batch's.
    """

    state: BatchState
    index: int | None = None
    size: int | None = None
    path: tuple[bytes, ...] = ()
    root: bytes | None = None


class AnchorIdentity(Protocol):
    """Who anchors: the DID that is accredited, and the key that signs manifests in its name."""

    @property
    def did(self) -> str:
        """The DID."""

    @property
    def verification_method(self) -> str:
        """The DID URL of the key."""

    @property
    def key(self) -> SigningKey:
        """The key."""


class Anchoring:
    """Seals batches, sends them, and follows them until they are final."""

    def __init__(
        self,
        *,
        identity: AnchorIdentity,
        records: BatchRecords,
        ledger: LedgerWriter,
        replica: AnchorReplica,
        clock: Clock,
        times: AnchorTimes,
    ) -> None:
        self._identity = identity
        self._issuer_id = issuer_id(identity.did)
        self._records = records
        self._ledger = ledger
        self._replica = replica
        self._clock = clock
        self._times = times
        self._trees: RecentlyUsed[bytes, MerkleTree] = RecentlyUsed(_TREES_KEPT)

    def anchor_due(self, now: int) -> AnchorRound:
        """Seal the batches that are due, submit them, and note how far each has come.

        A batch is on record, with its leaves in order, before it is submitted, and never changes
        afterwards: after a crash it is submitted again, which has no second effect. Waits for no
        block. Raises `StorageUnavailable`; a chain that does not answer is counted, not raised.
        """
        sealed = sum(self._seal(pending, now) for pending in self._records.pending())
        sent, failures = 0, []
        for batch in self._records.unfinished():
            try:
                progress = self._ledger.anchor_batch(
                    self._issuer_id,
                    schema_id(batch.credential_type),
                    batch.root,
                    batch.size,
                    batch.manifest_digest,
                )
            except (ChainUnavailable, LedgerRefused) as error:
                failures.append(error.code)
                continue
            state = _STATES[progress]
            if state is not batch.state:
                self._records.mark(batch.root, state, now=now)
                sent += batch.state is BatchState.SEALED
        return AnchorRound(sealed, sent, tuple(failures))

    def _seal(self, pending: PendingLeaves, now: int) -> int:
        # On a grid of the clock: counted from the first leaf, the block would tell its minute.
        boundary = now - now % self._times.interval_s
        if pending.oldest >= boundary and pending.count < self._times.max_leaves:
            return 0
        issued = self._records.pending_leaves(
            pending.credential_type, limit=self._times.max_leaves
        )
        padding = max(0, MIN_BATCH_LEAVES - len(issued))
        leaves = [*issued, *(secrets.token_bytes(HASH_BYTES) for _ in range(padding))]
        _RANDOM.shuffle(leaves)
        root = MerkleTree(leaves).root
        manifest = self._manifest(root, len(leaves), pending.credential_type, now)
        batch = Batch(
            root,
            pending.credential_type,
            len(leaves),
            manifest,
            sha256(manifest.encode("ascii")),
            BatchState.SEALED,
            now,
        )
        try:
            self._records.seal(batch, leaves, issued)
        except BatchConflict:
            return 0  # another worker sealed them
        return 1

    def _manifest(self, root: bytes, size: int, credential_type: str, now: int) -> str:
        header = {"typ": MANIFEST_TYPE, "kid": self._identity.verification_method}
        claims = {
            "root": base64url.encode(root),
            "size": size,
            "schema": credential_type,
            "time": now,
            "issuer": self._identity.did,
        }
        return sign_jws(self._identity.key, header, claims)

    def refresh_finality(self) -> int:
        """Mark the batches final that the replica knows; return how many. Asks no chain."""
        final = 0
        for batch in self._records.unfinished():
            try:
                fact = self._replica.anchor_facts(
                    self._issuer_id, schema_id(batch.credential_type), batch.root, None
                )
            except ReplicaEmpty:
                return final
            known = fact.value.batch
            if known is not None and (known.root, known.size) == (batch.root, batch.size):
                self._records.mark(batch.root, BatchState.FINAL, now=self._clock.now())
                final += 1
        return final

    def revoke_batch(self, root: bytes) -> None:
        """Revoke a whole batch: the emergency brake. Returns once the transaction is on record.

        Raises `BatchUnknown`, `LedgerRefused`, `ChainUnavailable`.
        """
        self._records.batch(root)
        self._ledger.revoke_batch(self._issuer_id, root)
        self._records.mark_revoked(root, now=self._clock.now())

    def manifest(self, root: bytes) -> str:
        """Return the signed manifest of a batch. Raises `BatchUnknown`."""
        return self._records.batch(root).manifest

    def receipt(self, leaf: bytes) -> ReceiptAnswer:
        """Return where a leaf is in its batch, once that is on the chain. Raises `LeafUnknown`.

        The salt is the wallet's: it never comes back here.
        """
        place = self._records.place(leaf)
        if place.root is None or place.index is None:
            return ReceiptAnswer(BatchState.SEALED)
        batch = self._records.batch(place.root)
        if batch.state in (BatchState.SEALED, BatchState.SUBMITTED):
            return ReceiptAnswer(BatchState.SEALED)
        path = self._tree(place.root).inclusion_path(place.index)
        return ReceiptAnswer(batch.state, place.index, batch.size, path, place.root)

    def _tree(self, root: bytes) -> MerkleTree:
        tree = self._trees.get(root)
        if tree is None:
            tree = MerkleTree(self._records.leaves(root))
            self._trees.put(root, tree)
        return tree

    def waiting(self) -> tuple[int, int]:
        """Return how many leaves wait for a batch, and how many batches are not final."""
        leaves = sum(pending.count for pending in self._records.pending())
        return leaves, len(self._records.unfinished())
