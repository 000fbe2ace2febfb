"""Receipts and the agency's log in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, Row, delete, func, or_, select, update

from verifier.receipts.basis import WatchedEvidence
from verifier.receipts.records import (
    AlreadyCountersigned,
    DecisionReceiptUnknown,
    EntryOf,
    LogEntry,
    StoredHead,
)
from verifier.recheck.records import Standing
from verifier.storage.receipt_tables import ANCHORED, ENTRIES, HEADS, LOG, LOG_END, WATCHES
from wallet.adapters.sql.engine import insert, read, write
from wallet.eligibility.receipts.file import parse_salts
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.trust.receipt import batch_leaf

# Parameters of one IN clause: below the limit of every SQLite that Python comes with.
_ASKED_AT_ONCE: Final = 500
_ABOUT: Final = "about"
_HOLDER: Final = "holder"


class SqlLogWriter:
    """`records.LogWriter` inside a transaction that is open; holds the end of the log.

    What is appended is written by `flush`, many rows a statement: a chunk of applications has a
    thousand entries. The caller flushes before its transaction ends.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._size: int | None = None
        self._new: list[LogEntry] = []
        self._watched: list[dict[str, object]] = []
        self._found: dict[tuple[EntryOf, str, str], LogEntry | None] = {}

    @property
    def next_index(self) -> int:
        if self._size is None:
            held = select(LOG_END.c.size).where(LOG_END.c.id == 1).with_for_update()
            self._size = self._connection.execute(held).scalar_one()
        return self._size

    def find(self, kind: EntryOf, about: str) -> LogEntry | None:
        return self._first(kind, _ABOUT, about)

    def of_holder(self, kind: EntryOf, holder: str) -> LogEntry | None:
        return self._first(kind, _HOLDER, holder)

    def _first(self, kind: EntryOf, column: str, value: str) -> LogEntry | None:
        key = kind, column, value
        if key not in self._found:
            self._look_up((kind,), column, (value,))
        return self._found[key]

    def prefetch(self, abouts: Collection[str], holders: Collection[str]) -> None:
        kinds = (EntryOf.DECISION, EntryOf.WITHDRAWAL)
        self._look_up(kinds, _ABOUT, abouts)
        self._look_up(kinds, _HOLDER, holders)

    def _look_up(self, kinds: Collection[EntryOf], column: str, values: Collection[str]) -> None:
        # Whoever asks is about to append: what it was told must still be so then.
        _ = self.next_index
        asked = list(values)
        wanted = select(ENTRIES).where(ENTRIES.c.kind.in_([kind.value for kind in kinds]))
        self._found.update({(kind, column, value): None for kind in kinds for value in asked})
        for at in range(0, len(asked), _ASKED_AT_ONCE):
            among = ENTRIES.c[column].in_(asked[at : at + _ASKED_AT_ONCE])
            for row in self._connection.execute(
                wanted.where(among).order_by(ENTRIES.c.log_index.desc())
            ):
                entry = _entry(row)
                # The first entry comes last, and stays.
                self._found[entry.kind, column, getattr(entry, column)] = entry

    def append(self, entry: LogEntry, watched: Sequence[WatchedEvidence] = ()) -> None:
        index = self.next_index
        if entry.log_index != index:
            raise ValueError("an entry is appended at the end of the log")
        self._new.append(entry)
        self._watched += [_watch(entry, number, item) for number, item in enumerate(watched)]
        for column, value in ((_ABOUT, entry.about), (_HOLDER, entry.holder)):
            key = entry.kind, column, value or ""
            if self._found.get(key) is None:
                self._found[key] = entry
        self._size = index + 1

    def flush(self) -> None:
        """Write what was appended."""
        if not self._new:
            return
        execute, new = self._connection.execute, self._new
        leaves = [(item.log_index, item.leaf, item.created_at) for item in new]
        execute(
            LOG.insert(),
            [{"log_index": at, "leaf": leaf, "created_at": now} for at, leaf, now in leaves],
        )
        execute(ENTRIES.insert(), [_row(item) for item in new])
        execute(ANCHORED.leaves.insert(), [_leaf(leaf, now) for _, leaf, now in leaves])
        if self._watched:
            execute(WATCHES.insert(), self._watched)
        execute(update(LOG_END).where(LOG_END.c.id == 1).values(size=self._size))
        self._new, self._watched = [], []

    def forget_salts(self, entry_id: str) -> None:
        where = ENTRIES.c.entry_id == entry_id
        self._connection.execute(update(ENTRIES).where(where).values(salts="{}"))

    def is_watched(self, entry_id: str) -> bool:
        watched = select(func.count()).where(WATCHES.c.entry_id == entry_id)
        return bool(self._connection.execute(watched).scalar_one())


class SqlAgencyRecords:
    """`records.AgencyRecords` over the schema `receipts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def writing(self) -> Iterator[SqlLogWriter]:
        with write(self._engine) as connection:
            log = SqlLogWriter(connection)
            yield log
            log.flush()

    def entry(self, entry_id: str) -> LogEntry:
        with read(self._engine) as connection:
            row = connection.execute(
                select(ENTRIES).where(ENTRIES.c.entry_id == entry_id)
            ).one_or_none()
        if row is None:
            raise DecisionReceiptUnknown("there is no such receipt")
        return _entry(row)

    def decision_on(self, about: str, holder: str) -> LogEntry:
        either = or_(ENTRIES.c.about == about, ENTRIES.c.holder == holder)
        wanted = select(ENTRIES).where(ENTRIES.c.kind == EntryOf.DECISION.value, either)
        with read(self._engine) as connection:
            row = connection.execute(wanted.order_by(ENTRIES.c.log_index).limit(1)).one_or_none()
        if row is None:
            raise DecisionReceiptUnknown("there is no such receipt")
        return _entry(row)

    def countersign(
        self, entry_id: str, countersignature: str, *, by_guardian: bool = False
    ) -> None:
        place = ENTRIES.c.guardian_countersignature if by_guardian else ENTRIES.c.countersignature
        with write(self._engine) as connection:
            row = connection.execute(
                select(place).where(ENTRIES.c.entry_id == entry_id).with_for_update()
            ).one_or_none()
            if row is None:
                raise DecisionReceiptUnknown("there is no such receipt")
            if row[0] not in (None, countersignature):
                raise AlreadyCountersigned("the receipt was countersigned before")
            connection.execute(
                update(ENTRIES)
                .where(ENTRIES.c.entry_id == entry_id)
                .values({place: countersignature})
            )

    def oldest_without_head(self) -> int | None:
        with read(self._engine) as connection:
            covered = connection.execute(select(func.max(HEADS.c.size))).scalar_one() or 0
            oldest: int | None = connection.execute(
                select(func.min(LOG.c.created_at)).where(LOG.c.log_index >= covered)
            ).scalar_one()
        return oldest

    def leaves(self, size: int | None = None) -> Sequence[bytes]:
        wanted = select(LOG.c.leaf).order_by(LOG.c.log_index)
        with read(self._engine) as connection:
            return list(connection.execute(wanted.limit(size)).scalars())

    def add_head(self, head: StoredHead) -> None:
        row = {"size": head.size, "token": head.token, "salt": head.salt, "at": head.at}
        leaf = batch_leaf(head.salt, head.token.rpartition(".")[0].encode("ascii"))
        with write(self._engine) as connection:
            added = connection.execute(insert(connection, HEADS).on_conflict_do_nothing(), row)
            if added.rowcount:
                connection.execute(ANCHORED.leaves.insert(), _leaf(leaf, head.at))

    def head(self, size: int | None = None) -> StoredHead | None:
        wanted = select(HEADS).order_by(HEADS.c.size.desc()).limit(1)
        if size is not None:
            wanted = wanted.where(HEADS.c.size == size)
        with read(self._engine) as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else StoredHead(row.size, row.token, row.salt, row.at)

    def purge(self, *, now: int) -> int:
        past = (ENTRIES.c.keep_until <= now, ENTRIES.c.token.is_not(None))
        with write(self._engine) as connection:
            gone = select(ENTRIES.c.entry_id).where(*past)
            connection.execute(delete(WATCHES).where(WATCHES.c.entry_id.in_(gone)))
            return connection.execute(
                update(ENTRIES)
                .where(*past)
                .values(
                    token=None, countersignature=None, guardian_countersignature=None, salts="{}"
                )
            ).rowcount


def _watch(entry: LogEntry, number: int, item: WatchedEvidence) -> dict[str, object]:
    return {
        "entry_id": entry.entry_id,
        "number": number,
        "programme": item.programme,
        "issuer": item.issuer,
        "vct": item.vct,
        "status_uri": item.status_uri,
        "status_index": item.status_index,
        "max_status_age_s": item.max_status_age_s,
        "expires_at": item.expires_at,
        "standing": Standing.GOOD.value,
        "check_at": entry.created_at,
    }


def _leaf(leaf: bytes, since: int) -> dict[str, object]:
    return {"leaf": leaf, "credential_type": RECEIPT_SCHEMA, "since": since}


def _row(entry: LogEntry) -> dict[str, object]:
    salts = {name: base64url.encode(salt) for name, salt in entry.salts.items()}
    return {
        "entry_id": entry.entry_id,
        "log_index": entry.log_index,
        "kind": entry.kind.value,
        "about": entry.about,
        "holder": entry.holder,
        "token": entry.token,
        "anchor_salt": entry.anchor_salt,
        "salts": to_json(salts).decode(),
        "countersignature": entry.countersignature,
        "guardian_countersignature": entry.guardian_countersignature,
        "created_at": entry.created_at,
        "keep_until": entry.keep_until,
    }


def _entry(row: Row[tuple[object, ...]]) -> LogEntry:
    values = row._asdict()
    return LogEntry(
        **{
            **values,
            "kind": EntryOf(values["kind"]),
            "salts": parse_salts(parse_json_object(values["salts"].encode())),
        }
    )
