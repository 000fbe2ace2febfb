"""What is kept of receipts and of the log, and the port to where.

Every change is durable when a method returns, and every method may raise `StorageUnavailable`.
There is nothing personal in it: the holder is the thumbprint of a key that was made once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from verifier.receipts.basis import WatchedEvidence
from wallet.errors import ConflictError
from wallet.trust.receipt import batch_leaf


class DecisionReceiptUnknown(ConflictError):
    """There is no such receipt: never issued here, or deleted after its time."""

    code = "decision_receipt_unknown"
    status = 404


class AlreadyCountersigned(ConflictError):
    """Another countersignature of this receipt was kept before."""

    code = "already_countersigned"


class EntryOf(StrEnum):
    """What an entry of the log is."""

    DECISION = "decision"
    WITHDRAWAL = "withdrawal"
    DELETION = "deletion"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """An entry of the agency's log with what belongs to it.

    `about` is what no other entry of its kind is about: an application, a nonce with its holder,
    a receipt. `token` is the signed statement, None after its time; `salts` open the commitments
    of a receipt and are empty after a deletion. A receipt that names a guardian has a
    countersignature of each. Times are unix seconds; `keep_until` says when all but the leaf goes.
    """

    entry_id: str
    log_index: int
    kind: EntryOf
    about: str
    holder: str | None
    token: str | None
    anchor_salt: bytes
    salts: Mapping[str, bytes]
    countersignature: str | None
    created_at: int
    keep_until: int
    guardian_countersignature: str | None = None

    @property
    def leaf(self) -> bytes:
        """The leaf hash, in the log and in a batch alike."""
        token = self.token or ""
        return batch_leaf(self.anchor_salt, token.rpartition(".")[0].encode("ascii"))


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A signed head of the log and the salt of its own leaf in a batch."""

    size: int
    token: str
    salt: bytes
    at: int


class LogWriter(Protocol):
    """The end of the log, for one transaction in which nobody else appends."""

    @property
    def next_index(self) -> int:
        """The index of the entry that `append` will add."""

    def find(self, kind: EntryOf, about: str) -> LogEntry | None:
        """Return the entry of that kind about this."""

    def of_holder(self, kind: EntryOf, holder: str) -> LogEntry | None:
        """Return an entry of that kind of a holder, if there is one."""

    def prefetch(self, abouts: Collection[str], holders: Collection[str]) -> None:
        """Look up decisions and withdrawals about these and of these holders, all at once."""

    def append(self, entry: LogEntry, watched: Sequence[WatchedEvidence] = ()) -> None:
        """Add an entry, whose index is the next one, and what to look at again."""

    def forget_salts(self, entry_id: str) -> None:
        """Delete the salts of a receipt."""

    def is_watched(self, entry_id: str) -> bool:
        """Tell whether evidence of a receipt is looked at again."""


class AgencyRecords(Protocol):
    """The log, the receipts, and the heads."""

    def writing(self) -> AbstractContextManager[LogWriter]:
        """Open the log for appending; all that is done inside is kept, or nothing is."""

    def entry(self, entry_id: str) -> LogEntry:
        """Return an entry. Raises `DecisionReceiptUnknown`."""

    def decision_on(self, about: str, holder: str) -> LogEntry:
        """Return the decision about this or of this holder. Raises `DecisionReceiptUnknown`."""

    def countersign(
        self, entry_id: str, countersignature: str, *, by_guardian: bool = False
    ) -> None:
        """Keep a countersignature, the holder's or the guardian's; the same again is no change.

        Raises `DecisionReceiptUnknown`, `AlreadyCountersigned`.
        """

    def oldest_without_head(self) -> int | None:
        """Return when the oldest entry was made that no head covers yet."""

    def leaves(self, size: int | None = None) -> Sequence[bytes]:
        """Return the first `size` leaves of the log in order, all of them without one."""

    def add_head(self, head: StoredHead) -> None:
        """Keep a head and put its leaf into the outbox; the same size again changes nothing."""

    def head(self, size: int | None = None) -> StoredHead | None:
        """Return the head of that size, the newest one without a size."""

    def purge(self, *, now: int) -> int:
        """Delete what is past its time, all but the leaves; return of how many entries."""
