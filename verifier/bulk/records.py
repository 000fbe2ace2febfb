"""What is kept of a batch, and the port to where. Every change is durable when a method returns.

A chunk's applications are kept until they are decided, and then only their decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from verifier.receipts.records import LogWriter
from wallet.errors import ConflictError

MAX_CHUNK_APPLICATIONS: Final = 1_000
MAX_CHUNK_BYTES: Final = 8 * 1024 * 1024
DIGEST_BYTES: Final = 32


class BulkBatchUnknown(ConflictError):
    """There is no such batch: never opened, another agency's, expired, or forgotten."""

    code = "bulk_batch_unknown"


class BulkBatchSealed(ConflictError):
    """The batch was sealed: it takes no more applications."""

    code = "bulk_batch_sealed"


class BulkBatchFull(ConflictError):
    """The batch has as many applications as one may have; open another."""

    code = "bulk_batch_full"


class BulkChunkOutOfOrder(ConflictError):
    """Chunks are numbered from 0 without gaps; the message names the one that is awaited."""

    code = "bulk_chunk_out_of_order"


class BulkChunkConflict(ConflictError):
    """A chunk of this number was received with other content."""

    code = "bulk_chunk_conflict"


class BulkLeaseLost(ConflictError):
    """Another process has taken the batch over; it goes on there."""

    code = "bulk_lease_lost"


class BatchState(StrEnum):
    """Where a batch stands: it takes chunks, it takes no more, everything is decided."""

    OPEN = "open"
    SEALED = "sealed"
    DONE = "done"


class ApplicationState(StrEnum):
    """What became of one application; `refused` has a code in place of a decision."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkBatch:
    """A batch and how far it is. Times are unix seconds; `chunks` and `applications` received."""

    batch_id: str
    agency: str
    nonce: str
    created_at: int
    expires_at: int
    sealed_at: int | None = None
    finished_at: int | None = None
    chunks: int = 0
    chunks_decided: int = 0
    applications: int = 0
    outcomes: Mapping[ApplicationState, int] = field(default_factory=dict)

    @property
    def state(self) -> BatchState:
        """Where it stands."""
        if self.finished_at is not None:
            return BatchState.DONE
        return BatchState.OPEN if self.sealed_at is None else BatchState.SEALED

    @property
    def decided(self) -> int:
        """How many applications are decided or refused."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class NewChunk:
    """Applications as they came: newline-delimited, `count` of them; `digest` is SHA-256."""

    number: int
    body: bytes
    count: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that is not decided; `first` is the position of its first application."""

    number: int
    first: int
    count: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DecidedChunk:
    """What became of a chunk: one line of JSON per application, in order, and digests that no
    later application of the batch may have."""

    number: int
    lines: Sequence[bytes]
    outcomes: Mapping[ApplicationState, int]
    seen: Collection[bytes]


class BulkRecords(Protocol):
    """Keeps batches. Every method also raises `StorageUnavailable`."""

    def create(self, batch: BulkBatch) -> None:
        """Keep a new batch."""

    def batch(self, batch_id: str, agency: str, *, now: int) -> BulkBatch:
        """Return a batch of that agency. Raises `BulkBatchUnknown`, also when it expired."""

    def add_chunk(
        self, batch_id: str, agency: str, chunk: NewChunk, *, max_applications: int, now: int
    ) -> BulkBatch:
        """Keep the next chunk; the same one again changes nothing.

        Of N parallel calls with one number one is kept. Raises `BulkBatchUnknown`,
        `BulkBatchSealed`, `BulkBatchFull`, `BulkChunkOutOfOrder`, `BulkChunkConflict`.
        """

    def seal(self, batch_id: str, agency: str, *, now: int) -> BulkBatch:
        """Take no more chunks; again, nothing changes. Raises `BulkBatchUnknown`."""

    def forget(self, batch_id: str, agency: str, *, now: int) -> None:
        """Remove a batch with all that is kept of it. Raises `BulkBatchUnknown`."""

    def decided_lines(self, batch_id: str, position: int) -> tuple[int, Sequence[bytes]] | None:
        """Return the decided chunk that holds `position`: its first position and its lines."""

    def lease(self, owner: str, *, now: int, until: int) -> BulkBatch | None:
        """Take the batch with undecided chunks that waited longest, for `owner` until then."""

    def release(self, batch_id: str, owner: str, *, now: int) -> None:
        """Give a lease back; it need not be there any more."""

    def pending(self, batch_id: str, number: int) -> PendingChunk | None:
        """Return the undecided chunk of that number."""

    def seen(self, batch_id: str, digests: Collection[bytes]) -> frozenset[bytes]:
        """Return those of `digests` that decided chunks have."""

    def decide(
        self,
        batch_id: str,
        owner: str,
        number: int,
        make: Callable[[LogWriter], DecidedChunk],
        *,
        now: int,
        until: int,
    ) -> None:
        """Keep the decisions on chunk `number`, which is the next, forget its applications, and
        prolong the lease.

        `make` returns the decisions, and puts them into the agency's log in the same transaction:
        all or nothing. Raises `BulkLeaseLost`.
        """

    def purge(self, *, now: int) -> int:
        """Remove the batches that expired; return how many."""

    def waits_for(self, nonce: str, *, now: int) -> bool:
        """Tell whether there is a batch with this nonce that is not decided to its end."""
