"""What an agency does with a batch: open it, send chunks, seal it, watch it, read decisions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from verifier.bulk.application import split_chunk
from verifier.bulk.records import MAX_CHUNK_APPLICATIONS, BulkBatch, BulkRecords, NewChunk
from wallet.crypto.hashing import sha256
from wallet.ports.clock import Clock

MAX_APPLICATIONS: Final = 100_000
MAX_PAGE: Final = MAX_CHUNK_APPLICATIONS
_SECRET_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of JSON, one a decision; `after` is the cursor of what follows, in the same place
    when nothing is there yet. `is_last` when nothing will ever follow."""

    lines: Sequence[bytes]
    after: int
    is_last: bool


class BulkDesk:
    """Takes batches in. Deciding is the runner's."""

    def __init__(
        self,
        records: BulkRecords,
        clock: Clock,
        *,
        ttl_s: int,
        max_applications: int = MAX_APPLICATIONS,
    ) -> None:
        self._records = records
        self._clock = clock
        self._ttl_s = ttl_s
        self.max_applications = max_applications

    def open(self, agency: str) -> BulkBatch:
        """Open a batch with a nonce of its own for the holders' key bindings."""
        now = self._clock.now()
        batch = BulkBatch(
            batch_id=secrets.token_urlsafe(_SECRET_BYTES),
            agency=agency,
            nonce=secrets.token_urlsafe(_SECRET_BYTES),
            created_at=now,
            expires_at=now + self._ttl_s,
        )
        self._records.create(batch)
        return batch

    def receive(self, batch_id: str, agency: str, number: int, body: bytes) -> BulkBatch:
        """Keep a chunk of newline-delimited applications; sent again, nothing changes.

        Lines are counted here and read when they are decided, each by itself. Raises
        `BulkChunkMalformed` and what `BulkRecords.add_chunk` raises.
        """
        lines = split_chunk(body, MAX_CHUNK_APPLICATIONS)
        chunk = NewChunk(number, body, len(lines), sha256(body))
        return self._records.add_chunk(
            batch_id,
            agency,
            chunk,
            max_applications=self.max_applications,
            now=self._clock.now(),
        )

    def seal(self, batch_id: str, agency: str) -> BulkBatch:
        """Take no more chunks. Raises `BulkBatchUnknown`."""
        return self._records.seal(batch_id, agency, now=self._clock.now())

    def progress(self, batch_id: str, agency: str) -> BulkBatch:
        """Return how far a batch is. Raises `BulkBatchUnknown`."""
        return self._records.batch(batch_id, agency, now=self._clock.now())

    def forget(self, batch_id: str, agency: str) -> None:
        """Remove a batch, decided or not. Raises `BulkBatchUnknown`."""
        self._records.forget(batch_id, agency, now=self._clock.now())

    def decisions(self, batch_id: str, agency: str, *, after: int, limit: int) -> Page:
        """Return decisions from the cursor `after` on (0 at first), at most `limit`.

        A page ends with its chunk. Raises `BulkBatchUnknown`.
        """
        batch = self._records.batch(batch_id, agency, now=self._clock.now())
        lines: Sequence[bytes] = ()
        found = self._records.decided_lines(batch_id, after)
        if found is not None:
            first, kept = found
            lines = kept[after - first : after - first + limit]
        following = after + len(lines)
        is_done = batch.finished_at is not None
        return Page(lines, following, is_done and following >= batch.applications)
