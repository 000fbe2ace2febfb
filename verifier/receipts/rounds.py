"""What an agency does with its log between requests: sign heads, anchor, prove, forget."""

from __future__ import annotations

import logging
import secrets
import threading
from typing import Final

from verifier.receipts.records import (
    AgencyRecords,
    DecisionReceiptUnknown,
    LogEntry,
    StoredHead,
)
from wallet.anchoring import AnchorIdentity, Anchoring, AnchorTimes
from wallet.crypto.merkle import MerkleTree
from wallet.eligibility.receipts.log import issue_log_head
from wallet.eligibility.receipts.proof import EntryProof, LogPlace, ProofState
from wallet.errors import ConflictError
from wallet.ports.batches import BatchState
from wallet.ports.clock import Clock
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerWriter
from wallet.trust.receipt import SALT_BYTES, AnchorReceipt

_LOG: Final = logging.getLogger(__name__)
_STATES: Final = {
    BatchState.SEALED: ProofState.PENDING,
    BatchState.SUBMITTED: ProofState.PENDING,
    BatchState.INCLUDED: ProofState.INCLUDED,
    BatchState.FINAL: ProofState.FINAL,
}


class LogSizeUnknown(ConflictError):
    """The log has no signed head of this size."""

    code = "log_size_unknown"
    status = 404


class LogRounds:
    """Heads, batches and proofs of one agency's log.

    Without `anchoring` the log has signed heads and is not anchored. A head comes on the clock of
    the batches, so that neither tells when a single decision was made. The tree over all leaves is
    built anew for each head: 64 bytes and two hashes a leaf.
    """

    def __init__(
        self,
        identity: AnchorIdentity,
        records: AgencyRecords,
        clock: Clock,
        *,
        times: AnchorTimes,
        anchoring: Anchoring | None,
        ledger: LedgerWriter | None,
    ) -> None:
        self._identity = identity
        self._records = records
        self._clock = clock
        self._times = times
        self._anchoring = anchoring
        self._ledger = ledger
        self._tree: MerkleTree | None = None
        self._lock = threading.Lock()

    def run_once(self) -> None:
        """Sign a head if one is due, anchor what is due, and forget what is past its time.

        Raises `StorageUnavailable`; a chain that does not answer is logged, and tried again.
        """
        now = self._clock.now()
        self._sign_head(now)
        if self._anchoring is not None and self._ledger is not None:
            try:
                self._ledger.advance()
            except ChainUnavailable as error:
                _LOG.warning("receipts wait for the chain: %s", error.code)
            for code in self._anchoring.anchor_due(now).failures:
                _LOG.warning("receipts wait for the chain: %s", code)
            self._anchoring.refresh_finality()
        self._records.purge(now=now)

    def _sign_head(self, now: int) -> None:
        oldest = self._records.oldest_without_head()
        if oldest is None or oldest >= now - now % self._times.interval_s:
            return
        tree = MerkleTree(self._records.leaves())
        token = issue_log_head(
            self._identity.key,
            issuer=self._identity.did,
            verification_method=self._identity.verification_method,
            size=tree.size,
            root=tree.root,
            now=now,
        )
        self._records.add_head(StoredHead(tree.size, token, secrets.token_bytes(SALT_BYTES), now))

    def head(self) -> StoredHead | None:
        """Return the newest head."""
        return self._records.head()

    def extension(self, size: int) -> tuple[StoredHead, tuple[bytes, ...]]:
        """Return the newest head and the path that shows that it extends the one of `size`.

        Raises `LogSizeUnknown`.
        """
        newest = self._records.head()
        if newest is None or self._records.head(size) is None:
            raise LogSizeUnknown("the log has no head of this size")
        return newest, self._tree_of(newest).consistency_path(size)

    def proof(self, entry: LogEntry) -> EntryProof:
        """Return where an entry is by now. Raises `DecisionReceiptUnknown`."""
        if entry.token is None:
            raise DecisionReceiptUnknown("there is no such receipt")
        newest = self._records.head()
        place = None
        if newest is not None and entry.log_index < newest.size:
            path = self._tree_of(newest).inclusion_path(entry.log_index)
            place = LogPlace(newest.token, path)
        if self._anchoring is None:
            return EntryProof(ProofState.UNANCHORED, None, None, place)
        found = self._anchoring.receipt(entry.leaf)
        if found.root is None or found.index is None or found.size is None:
            return EntryProof(_STATES[found.state], None, None, place)
        anchor = AnchorReceipt(found.index, found.size, found.path, entry.anchor_salt)
        manifest = self._anchoring.manifest(found.root)
        return EntryProof(_STATES[found.state], anchor, manifest, place)

    def _tree_of(self, head: StoredHead) -> MerkleTree:
        with self._lock:
            if self._tree is None or self._tree.size != head.size:
                self._tree = MerkleTree(self._records.leaves(head.size))
            return self._tree
