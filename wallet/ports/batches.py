"""Leaves that wait for a batch, batches on their way to the chain, and the port to where they are.

A batch is of one schema: a credential type, or the type of what else an accredited party anchors.
Every change is durable when its method returns, and every method may raise `StorageUnavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wallet.errors import ConflictError


class BatchUnknown(ConflictError):
    """There is no batch with this root."""

    code = "batch_unknown"
    status = 404


class BatchConflict(ConflictError):
    """Some of the leaves were put into another batch in the meantime."""

    code = "batch_conflict"


class LeafUnknown(ConflictError):
    """No credential with this leaf was issued here."""

    code = "leaf_unknown"
    status = 404


@dataclass(frozen=True, slots=True)
class PendingLeaves:
    """How many leaves of a type wait for a batch, and since when the oldest does."""

    credential_type: str
    count: int
    oldest: int


class BatchState(StrEnum):
    """How far a batch has come.

    `SEALED` is on record here, `SUBMITTED` has a signed transaction on record, `INCLUDED` is in a
    block that the chain may still drop, which makes it `SUBMITTED` again, and `FINAL` stays.
    """

    SEALED = "sealed"
    SUBMITTED = "submitted"
    INCLUDED = "included"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of one credential type. `manifest` is a compact JWS.

    `sent_at` is when the batch was last found in a block.
    """

    root: bytes
    credential_type: str
    size: int
    manifest: str
    manifest_digest: bytes
    state: BatchState
    sealed_at: int
    sent_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class LeafPlace:
    """Where a leaf is. `root` is None while it waits for a batch."""

    root: bytes | None
    index: int | None


class BatchRecords(Protocol):
    """The outbox of leaves and the batches made of it."""

    def pending(self) -> Sequence[PendingLeaves]:
        """Return what waits for a batch, by credential type."""

    def pending_leaves(self, credential_type: str, *, limit: int) -> Sequence[bytes]:
        """Return the oldest leaf hashes of a type that wait for a batch."""

    def seal(self, batch: Batch, leaves: Sequence[bytes], issued: Sequence[bytes]) -> None:
        """Keep a batch with its ordered leaves, padding included, and take the issued ones out.

        All or nothing; from here on the batch never changes. Raises `BatchConflict`.
        """

    def batch(self, root: bytes) -> Batch:
        """Return a batch. Raises `BatchUnknown`."""

    def leaves(self, root: bytes) -> Sequence[bytes]:
        """Return the ordered leaf hashes of a batch. Raises `BatchUnknown`."""

    def unfinished(self) -> Sequence[Batch]:
        """Return the batches that are not final yet, the oldest first."""

    def mark(self, root: bytes, state: BatchState, *, now: int) -> None:
        """Change how far a batch has come; a final one stays final."""

    def mark_revoked(self, root: bytes, *, now: int) -> None:
        """Note that a batch was revoked on the chain."""

    def place(self, leaf: bytes) -> LeafPlace:
        """Return where a leaf is. Raises `LeafUnknown`."""
