"""The journal of transactions in a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    func,
    select,
    update,
)

from wallet.adapters.sql.engine import insert, read, write
from wallet.adapters.sql.outbox_tables import ATTEMPTS, ENTRIES, KEYS
from wallet.ports.outbox import (
    LIVE,
    MAX_PURPOSE_LENGTH,
    Attempt,
    ContractCall,
    Inclusion,
    JournalEntry,
    SendingKey,
    SignedTransaction,
    TransactionState,
)

_MAX_REASON_LENGTH = 255


class SqlTransactionJournal:
    """`ports.outbox.TransactionJournal` over the schema `outbox`.

    The lock of a key is its row on PostgreSQL, and the write lock of the file on SQLite.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        if not 0 < len(purpose) <= MAX_PURPOSE_LENGTH:
            raise ValueError("a purpose has 1 to 255 characters")
        with write(self._engine) as connection:
            nonce = max(_lock(connection, key), at_least)
            known = _live(connection, key, purpose)
            if known is not None:
                return known
            connection.execute(
                ENTRIES.insert(),
                {
                    "chain_id": key.chain_id,
                    "address": key.address,
                    "nonce": nonce,
                    "purpose": purpose,
                    "to": call.to,
                    "data": call.data,
                    "gas": call.gas,
                    "state": TransactionState.SUBMITTED.value,
                    "created_at": now,
                },
            )
            _insert_attempt(connection, key, nonce, 0, sign(nonce), now)
            connection.execute(update(KEYS).where(_of(KEYS, key)).values(next_nonce=nonce + 1))
            (entry,) = _entries(connection, and_(_of(ENTRIES, key), ENTRIES.c.nonce == nonce))
            return entry

    def add_attempt(
        self, entry: JournalEntry, sign: Callable[[], SignedTransaction], *, now: int
    ) -> JournalEntry:
        with write(self._engine) as connection:
            _lock(connection, entry.key)
            (current,) = _entries(connection, _is(entry))
            if current.settled_at is not None or len(current.attempts) != len(entry.attempts):
                return current
            number = len(current.attempts)
            _insert_attempt(connection, entry.key, entry.nonce, number, sign(), now)
            (changed,) = _entries(connection, _is(entry))
            return changed

    def mark_sent(self, entry: JournalEntry, transaction_hash: bytes, *, now: int) -> None:
        with write(self._engine) as connection:
            connection.execute(
                update(ATTEMPTS)
                .where(
                    _of(ATTEMPTS, entry.key),
                    ATTEMPTS.c.nonce == entry.nonce,
                    ATTEMPTS.c.hash == transaction_hash,
                )
                .values(sent_at=now)
            )

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
        with write(self._engine) as connection:
            connection.execute(
                update(ENTRIES)
                .where(_is(entry), ENTRIES.c.settled_at.is_(None))
                .values(
                    state=state.value,
                    reason=None if reason is None else reason[:_MAX_REASON_LENGTH],
                    settled_at=now if settled else None,
                    transaction_hash=inclusion.transaction_hash if inclusion else None,
                    block_number=inclusion.block_number if inclusion else None,
                    block_hash=inclusion.block_hash if inclusion else None,
                    gas_used=inclusion.gas_used if inclusion else None,
                    fee_paid_wei=inclusion.fee_paid_wei if inclusion else None,
                )
            )

    def live(self, key: SendingKey, purpose: str) -> JournalEntry | None:
        with read(self._engine) as connection:
            return _live(connection, key, purpose)

    def failures(self, key: SendingKey, purpose: str) -> Sequence[str]:
        with read(self._engine) as connection:
            failed = and_(
                _of(ENTRIES, key),
                ENTRIES.c.purpose == purpose,
                ENTRIES.c.state == TransactionState.FAILED.value,
            )
            return [entry.reason or "" for entry in _entries(connection, failed)]

    def unsettled(self, key: SendingKey, *, limit: int) -> Sequence[JournalEntry]:
        with read(self._engine) as connection:
            return _entries(
                connection, and_(_of(ENTRIES, key), ENTRIES.c.settled_at.is_(None)), limit
            )

    def settled_below(self, key: SendingKey) -> int:
        with read(self._engine) as connection:
            highest = connection.execute(
                select(func.max(ENTRIES.c.nonce)).where(
                    _of(ENTRIES, key), ENTRIES.c.settled_at.is_not(None)
                )
            ).scalar_one()
        return 0 if highest is None else int(highest) + 1


def _of(table: Table, key: SendingKey) -> ColumnElement[bool]:
    return and_(table.c.chain_id == key.chain_id, table.c.address == key.address)


def _is(entry: JournalEntry) -> ColumnElement[bool]:
    return and_(_of(ENTRIES, entry.key), ENTRIES.c.nonce == entry.nonce)


def _lock(connection: Connection, key: SendingKey) -> int:
    """Wait for the key's row and return its next nonce."""
    connection.execute(
        insert(connection, KEYS).on_conflict_do_nothing(),
        {"chain_id": key.chain_id, "address": key.address, "next_nonce": 0},
    )
    nonce: int = connection.execute(
        select(KEYS.c.next_nonce).where(_of(KEYS, key)).with_for_update()
    ).scalar_one()
    return nonce


def _insert_attempt(
    connection: Connection,
    key: SendingKey,
    nonce: int,
    number: int,
    signed: SignedTransaction,
    now: int,
) -> None:
    connection.execute(
        ATTEMPTS.insert(),
        {
            "chain_id": key.chain_id,
            "address": key.address,
            "nonce": nonce,
            "number": number,
            "hash": signed.hash,
            "raw": signed.raw,
            "max_fee_wei": signed.max_fee_wei,
            "tip_wei": signed.tip_wei,
            "signed_at": now,
        },
    )


def _live(connection: Connection, key: SendingKey, purpose: str) -> JournalEntry | None:
    found = _entries(
        connection,
        and_(
            _of(ENTRIES, key),
            ENTRIES.c.purpose == purpose,
            ENTRIES.c.state.in_([state.value for state in LIVE]),
        ),
    )
    return found[-1] if found else None


def _entries(
    connection: Connection, which: ColumnElement[bool], limit: int | None = None
) -> list[JournalEntry]:
    """Return entries of one key, by nonce."""
    rows = connection.execute(
        select(ENTRIES).where(which).order_by(ENTRIES.c.nonce).limit(limit)
    ).all()
    if not rows:
        return []
    attempts: dict[int, list[Attempt]] = {row.nonce: [] for row in rows}
    for row in connection.execute(
        select(ATTEMPTS)
        .where(
            ATTEMPTS.c.chain_id == rows[0].chain_id,
            ATTEMPTS.c.address == rows[0].address,
            ATTEMPTS.c.nonce.in_(attempts),
        )
        .order_by(ATTEMPTS.c.nonce, ATTEMPTS.c.number)
    ):
        signed = SignedTransaction(row.hash, row.raw, row.max_fee_wei, row.tip_wei)
        attempts[row.nonce].append(Attempt(signed, row.signed_at, row.sent_at))
    return [_entry(row, tuple(attempts[row.nonce])) for row in rows]


def _entry(row: Row[tuple[object, ...]], attempts: tuple[Attempt, ...]) -> JournalEntry:
    values = row._asdict()
    inclusion = None
    if values["transaction_hash"] is not None:
        inclusion = Inclusion(
            values["transaction_hash"],
            values["block_number"],
            values["block_hash"],
            values["gas_used"],
            values["fee_paid_wei"],
        )
    return JournalEntry(
        key=SendingKey(values["chain_id"], values["address"]),
        nonce=values["nonce"],
        purpose=values["purpose"],
        call=ContractCall(values["to"], values["data"], values["gas"]),
        state=TransactionState(values["state"]),
        attempts=attempts,
        created_at=values["created_at"],
        inclusion=inclusion,
        reason=values["reason"],
        settled_at=values["settled_at"],
    )
