"""`ports.holder.RecordStore` in an SQLite file in which everything at rest is ciphertext.

A record is sealed under a key of its own, derived from the store key, its kind, its id and its
version; versions come from a counter that never goes back, so no key is used for two values. The
names of kinds and records are keyed digests, lengths are padded, and a sealed manifest says which
records there must be. The store key is random and wrapped by Argon2id over the passphrase.

Not hidden: how many records there are of how many kinds, their size in steps of 256 bytes, and
the number of writes. Not detected: the whole file put back to an earlier state of itself. That
takes a counter outside: keep `counter` elsewhere and give it to `open` as `least_counter`.
A changed passphrase does not lock old copies of the file, which open with the old one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, delete, event, func, insert, select, update

from wallet.adapters.sql import holder_tables as tables
from wallet.adapters.sql.engine import SQLITE_BEGIN, migrate, open_engine, part_of, sqlite_url
from wallet.adapters.sql.holder_errors import typed_errors
from wallet.adapters.sql.holder_format import name_bytes, pad, record_context, unpad
from wallet.adapters.sql.holder_header import read_root, rewrap, write_new_header
from wallet.adapters.sql.holder_manifest import EMPTY, Entry, Manifest, ManifestKey
from wallet.crypto.sealing import FLOOR, NONCE_BYTES, Argon2Parameters, RootKey, SealBroken
from wallet.ports.holder import (
    Change,
    Put,
    Record,
    RecordConflict,
    RecordUnknown,
    StoreDamaged,
    StoreExists,
    StoreFull,
    StoreMissing,
)

MAX_RECORDS: Final = 100_000


# Made once: to put a statement together takes longer than SQLite takes to run it.
_IS_THE_ONE: Final = tables.record.c.record_digest == bindparam("digest")
_MANIFEST: Final = select(tables.manifest.c.counter, tables.manifest.c.sealed)
_PUT_MANIFEST: Final = (
    update(tables.manifest)
    .where(tables.manifest.c.id == 1)
    .values(counter=bindparam("number"), sealed=bindparam("value"))
)
_SEALED: Final = select(tables.record.c.sealed).where(_IS_THE_ONE)
_ENTRIES: Final = select(
    tables.record.c.record_digest,
    tables.record.c.kind_digest,
    tables.record.c.version,
    func.substr(tables.record.c.sealed, 1, NONCE_BYTES),
).limit(MAX_RECORDS + 1)
_DELETE: Final = delete(tables.record).where(_IS_THE_ONE)
_INSERT: Final = insert(tables.record)


class SqliteRecordStore:
    """An open store. Make one by `create` or `open`; close it when done, or use it as `with`."""

    def __init__(self, engine: Engine, root: RootKey, floor: Argon2Parameters) -> None:
        """For `create` and `open` alone."""
        self._engine = engine
        self._floor = floor
        self._writer = engine.execution_options(**{SQLITE_BEGIN: "BEGIN IMMEDIATE"})
        self._root = root
        self._manifest_key = ManifestKey(root)
        self._lock = threading.RLock()
        self._joined: Connection | None = None
        self._seen = b""
        self._manifest: Manifest = EMPTY
        self._entries: dict[bytes, Entry] = {}

    @classmethod
    def create(
        cls,
        path: str | Path,
        passphrase: str,
        *,
        fill: Callable[[SqliteRecordStore], object] | None = None,
        _floor: Argon2Parameters = FLOOR,
    ) -> SqliteRecordStore:
        """Make a new store at `path`, readable by its owner alone, and open it.

        `fill` writes its first records. The file appears complete or not at all. Raises
        `StoreExists`, `PassphraseTooShort`, `PassphraseMalformed`, `StoreUnavailable`, and
        whatever `fill` raises.
        """
        path = Path(path)
        unfinished = path.with_name(path.name + ".new")
        with typed_errors():
            if path.exists():
                raise StoreExists("there is something at this path already")
            for leftover in _files_of(unfinished):
                leftover.unlink(missing_ok=True)
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            try:
                _write_empty_store(unfinished, passphrase, _floor)
                if fill is not None:
                    with cls.open(unfinished, passphrase, _floor=_floor) as store:
                        fill(store)
                        store._fold_log()
                os.link(unfinished, path)
                _sync_folder(path.parent)
            except FileExistsError:
                raise StoreExists("there is something at this path already") from None
            finally:
                for leftover in _files_of(unfinished):
                    leftover.unlink(missing_ok=True)
        return cls.open(path, passphrase, _floor=_floor)

    @classmethod
    def open(
        cls,
        path: str | Path,
        passphrase: str,
        *,
        least_counter: int = 0,
        _floor: Argon2Parameters = FLOOR,
    ) -> SqliteRecordStore:
        """Open a store and check that its records are those that were written last.

        `least_counter` is the last `counter` known from elsewhere. Raises `StoreMissing`,
        `PassphraseWrong`, `StoreDamaged`, `StoreTooWeak`, `StoreUnavailable`.
        """
        path = Path(path)
        if not path.is_file():
            raise StoreMissing("there is no store at this path")
        engine = _engine(path)
        try:
            with typed_errors():
                migrate(engine, "holder")
                with engine.begin() as connection:
                    root = read_root(connection, passphrase, _floor)
                store = cls(engine, root, _floor)
                if store.counter < least_counter:
                    raise StoreDamaged("the store is older than when it was last used")
        except BaseException:
            engine.dispose()
            raise
        return store

    def __enter__(self) -> SqliteRecordStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. The last one to close it folds the write-ahead log into it."""
        self._engine.dispose()

    @property
    def counter(self) -> int:
        """The number of writes so far; grows with every one."""
        with self._transaction():
            return self._manifest.counter

    @property
    def count(self) -> int:
        """See `RecordStore.count`."""
        with self._transaction():
            return self._manifest.count

    def change_passphrase(self, old: str, new: str) -> None:
        """Wrap the store key under `new` instead of `old`, in one transaction.

        A crash leaves a store that opens with one of the two. Raises `PassphraseWrong`,
        `PassphraseTooShort`, `PassphraseMalformed`, `StoreDamaged`, `StoreUnavailable`.
        """
        with self._transaction(writes=True) as connection:
            rewrap(connection, old, new, floor=self._floor)
        # The old wrapped key must not stay behind in the write-ahead log.
        self._fold_log()

    def get(self, kind: str, record_id: str) -> Record:
        """See `RecordStore.get`."""
        with self._transaction() as connection:
            entry = self._entries.get(self._record_digest(kind, record_id))
            if entry is None:
                raise RecordUnknown("there is no such record")
            record = self._read(connection, kind, entry)
        if record.record_id != record_id:
            raise StoreDamaged("a record is not in its place")
        return record

    def list(self, kind: str) -> Sequence[Record]:
        """See `RecordStore.list`."""
        kind_digest = self._kind_digest(kind)
        with self._transaction() as connection:
            entries = [e for e in self._entries.values() if e.kind_digest == kind_digest]
            records = [self._read(connection, kind, entry) for entry in entries]
        return sorted(records, key=lambda record: (record.version, record.record_id))

    def stamps(self, kind: str) -> Mapping[bytes, int]:
        """See `RecordStore.stamps`."""
        kind_digest = self._kind_digest(kind)
        with self._transaction():
            return {
                name: entry.version
                for name, entry in self._entries.items()
                if entry.kind_digest == kind_digest
            }

    def read(self, kind: str, names: Sequence[bytes]) -> Sequence[Record]:
        """See `RecordStore.read`."""
        kind_digest = self._kind_digest(kind)
        with self._transaction() as connection:
            entries = [self._entries.get(name) for name in names]
            found = [e for e in entries if e is not None and e.kind_digest == kind_digest]
            if len(found) != len(names):
                raise RecordUnknown("there is no record of this name and kind")
            return [self._read(connection, kind, entry) for entry in found]

    def write(self, *changes: Change) -> None:
        """See `RecordStore.write`."""
        digests = [self._record_digest(change.kind, change.record_id) for change in changes]
        if len(set(digests)) != len(digests):
            raise ValueError("a record occurs twice in one write")
        with self._lock:
            with self._transaction(writes=True) as connection:
                added: dict[bytes, Entry] = {}
                version = self._manifest.counter + 1
                for digest, change in zip(digests, changes, strict=True):
                    _check_expectation(self._entries.get(digest), change)
                    connection.execute(_DELETE, {"digest": digest})
                    if isinstance(change, Put):
                        added[digest] = self._insert(connection, change, digest, version)
                removed = [self._entries[digest] for digest in digests if digest in self._entries]
                manifest = self._manifest_key.advance(
                    self._manifest, removed=removed, added=list(added.values())
                )
                if manifest.count > MAX_RECORDS:
                    raise StoreFull(f"a store keeps at most {MAX_RECORDS} records")
                sealed = self._manifest_key.seal(manifest)
                connection.execute(_PUT_MANIFEST, {"number": manifest.counter, "value": sealed})
            # Only what is committed is remembered; otherwise the next one reads it all again.
            for digest in digests:
                self._entries.pop(digest, None)
            self._entries.update(added)
            self._manifest, self._seen = manifest, sealed

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `RecordStore.together`."""
        with self._lock:
            if self._joined is not None:
                yield
                return
            try:
                with self._transaction(writes=True) as connection:
                    self._joined = connection
                    try:
                        yield
                    finally:
                        self._joined = None
            except BaseException:
                # What was remembered is not what is there: the next one reads it all again.
                self._seen = b""
                raise

    def _fold_log(self) -> None:
        with typed_errors(), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        """One transaction, at whose start the entries are those of the manifest.

        Inside `together` it is a part of that one, undone alone when it fails.
        """
        engine = self._writer if writes else self._engine
        with self._lock, typed_errors():
            if self._joined is None:
                with engine.begin() as connection:
                    self._refresh(connection)
                    yield connection
            elif writes:
                with part_of(self._joined):
                    yield self._joined
            else:
                yield self._joined

    def _refresh(self, connection: Connection) -> None:
        row = connection.execute(_MANIFEST).one_or_none()
        if row is None:
            raise StoreDamaged("the store has no manifest")
        if row.sealed == self._seen:
            return
        manifest = self._manifest_key.unseal(row.counter, row.sealed)
        entries = self._manifest_key.entries(manifest, connection.execute(_ENTRIES).all())
        self._manifest, self._entries, self._seen = manifest, entries, row.sealed

    def _insert(self, connection: Connection, change: Put, digest: bytes, version: int) -> Entry:
        kind_digest = self._kind_digest(change.kind)
        context = record_context(digest, kind_digest, version)
        sealed = self._root.seal(
            pad(change.record_id, change.payload), context=context, associated_data=context
        )
        named = {"record_digest": digest, "kind_digest": kind_digest}
        connection.execute(_INSERT, {**named, "version": version, "sealed": sealed})
        return Entry(digest, kind_digest, version, sealed[:NONCE_BYTES])

    def _read(self, connection: Connection, kind: str, entry: Entry) -> Record:
        sealed: Any = connection.execute(
            _SEALED, {"digest": entry.record_digest}
        ).scalar_one_or_none()
        if type(sealed) is not bytes or sealed[:NONCE_BYTES] != entry.nonce:
            raise StoreDamaged("a record is missing or was exchanged")
        context = record_context(entry.record_digest, entry.kind_digest, entry.version)
        try:
            plaintext = self._root.unseal(sealed, context=context, associated_data=context)
        except SealBroken:
            raise StoreDamaged("a record was altered") from None
        record_id, payload = unpad(plaintext)
        return Record(kind, record_id, entry.version, payload)

    def _kind_digest(self, kind: str) -> bytes:
        return self._root.digest(b"seoul-wallet;kind", name_bytes(kind))

    def _record_digest(self, kind: str, record_id: str) -> bytes:
        return self._root.digest(b"seoul-wallet;record", name_bytes(kind) + name_bytes(record_id))


def _check_expectation(entry: Entry | None, change: Change) -> None:
    if not isinstance(change, Put):
        if entry is None:
            raise RecordUnknown("there is no such record to delete")
        return
    found = 0 if entry is None else entry.version
    if change.expected_version not in (None, found):
        raise RecordConflict("the record was changed in the meantime, or exists already")


def _files_of(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]


def _engine(path: Path) -> Engine:
    engine = open_engine(sqlite_url(path))
    event.listen(engine, "connect", _overwrite_what_is_deleted)
    return engine


def _overwrite_what_is_deleted(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA secure_delete = ON").close()


def _write_empty_store(path: Path, passphrase: str, parameters: Argon2Parameters) -> None:
    engine = _engine(path)
    root = RootKey.generate()
    try:
        migrate(engine, "holder")
        with engine.begin() as connection:
            write_new_header(connection, root, passphrase, parameters)
            sealed = ManifestKey(root).seal(EMPTY)
            connection.execute(insert(tables.manifest).values(id=1, counter=0, sealed=sealed))
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()


def _sync_folder(folder: Path) -> None:
    """Make the new name in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
