"""The journal of a key's transactions: on record, with nonce and signature, before they are sent.

Whoever writes to a chain keeps one journal per sending key. The nonce of a transaction comes from
the journal alone, given out under a lock, so that several threads and processes may write with one
key; what was sent can be sent again byte for byte after any crash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

MAX_PURPOSE_LENGTH = 255


class TransactionState(StrEnum):
    """How far a transaction has come.

    `SUBMITTED` is signed and on record; it may or may not have reached a node. `INCLUDED` and
    `FAILED` (included and reverted) can go back to `SUBMITTED` when the chain reorganises, until
    the entry is settled. `FINAL` is included, successful and settled; `REPLACED` means that
    another transaction, not of this journal, took the nonce for good.
    """

    SUBMITTED = "submitted"
    INCLUDED = "included"
    FINAL = "final"
    REPLACED = "replaced"
    FAILED = "failed"


LIVE = frozenset({TransactionState.SUBMITTED, TransactionState.INCLUDED, TransactionState.FINAL})


@dataclass(frozen=True, slots=True)
class SendingKey:
    """A key on a chain, by its address in lower-case hex."""

    chain_id: int
    address: str


@dataclass(frozen=True, slots=True)
class ContractCall:
    """What a transaction does: a contract's address in lower-case hex, call data, gas limit."""

    to: str
    data: bytes = field(repr=False)
    gas: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed transaction as it is sent, its 32-byte hash, and the fees it offers per gas."""

    hash: bytes
    raw: bytes = field(repr=False)
    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed form of an entry. `sent_at` is None until a node has taken it."""

    signed: SignedTransaction
    signed_at: int
    sent_at: int | None = None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a transaction was included, and what it cost."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    fee_paid_wei: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One nonce of a key: what it is for, and every form in which it was signed, oldest first.

    `purpose` names the effect and is the idempotency key. `reason` says why a `FAILED` entry
    reverted. `settled_at` is when nothing about the nonce can change any more, else None.
    """

    key: SendingKey
    nonce: int
    purpose: str
    call: ContractCall
    state: TransactionState
    attempts: tuple[Attempt, ...]
    created_at: int
    inclusion: Inclusion | None = None
    reason: str | None = None
    settled_at: int | None = None

    @property
    def newest(self) -> Attempt:
        """The attempt with the highest fee."""
        return self.attempts[-1]


class TransactionJournal(Protocol):
    """Entries of any number of keys. Every change is durable when its method returns.

    Every method may raise `wallet.ports.storage.StorageUnavailable`.
    """

    def enqueue(
        self,
        key: SendingKey,
        purpose: str,
        call: ContractCall,
        sign: Callable[[int], SignedTransaction],
        *,
        at_least: int,
        now: int,
    ) -> JournalEntry:
        """Give `purpose` the key's next nonce and keep what `sign(nonce)` returns.

        The nonces of a key have no gaps but those that the chain made: the next one is never
        below `at_least`, the number of transactions that the chain has of this key. A live entry
        of the same purpose is returned instead. Calls for one key take turns, also those of other
        processes; `sign` runs inside the lock and asks nobody.
        """

    def add_attempt(
        self, entry: JournalEntry, sign: Callable[[], SignedTransaction], *, now: int
    ) -> JournalEntry:
        """Keep another signed form of the same nonce, before it is sent.

        If somebody else added one since `entry` was read, theirs stands and is returned.
        """

    def mark_sent(self, entry: JournalEntry, transaction_hash: bytes, *, now: int) -> None:
        """Note that a node took an attempt."""

    def mark(
        self,
        entry: JournalEntry,
        state: TransactionState,
        *,
        now: int,
        inclusion: Inclusion | None = None,
        reason: str | None = None,
        settled: bool = False,
    ) -> None:
        """Change the state; a settled entry stays as it is."""

    def live(self, key: SendingKey, purpose: str) -> JournalEntry | None:
        """Return the newest entry of a purpose that is submitted, included or final."""

    def failures(self, key: SendingKey, purpose: str) -> Sequence[str]:
        """Return why the transactions of a purpose reverted, the oldest first."""

    def unsettled(self, key: SendingKey, *, limit: int) -> Sequence[JournalEntry]:
        """Return the entries that may still change, by nonce."""

    def settled_below(self, key: SendingKey) -> int:
        """Return the number of nonces that the chain must have used: the highest settled + 1."""
