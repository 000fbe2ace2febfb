"""What someone with the wallet's file can learn and do: nothing, and nothing unnoticed."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.holder_stores import CHEAP, PASSPHRASE, create_store, open_store
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.crypto.sealing import FLOOR, Argon2Parameters
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.ports.holder import (
    Delete,
    PassphraseTooShort,
    PassphraseWrong,
    Put,
    RecordUnknown,
    StoreDamaged,
    StoreExists,
    StoreMissing,
    StoreTooWeak,
)

NAME = "김하늘 (가상)"
# Every how many bytes one is flipped; 1 is all of them.
FLIP_STRIDE = int(os.environ.get("SOAK_FLIP_STRIDE", "5"))
ISSUER = "https://issuer.example.seoul.go.kr"
PAYLOAD = f'{{"name":"{NAME}","iss":"{ISSUER}"}}'.encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wallet.db"


def fill(store: SqliteRecordStore) -> None:
    store.write(Put("credential", "first", PAYLOAD), Put("log", "second", b"when and to whom"))


def contents(store: SqliteRecordStore) -> list[tuple[str, str, bytes]]:
    return [
        (record.kind, record.record_id, record.payload)
        for kind in ("credential", "log")
        for record in store.list(kind)
    ]


def sql(path: Path, statement: str, *values: Any) -> list[Any]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def test_nothing_legible_is_in_any_file(path: Path) -> None:
    with create_store(path) as store:
        fill(store)
        keys = SoftwareKeyStore(store)
        held = keys.generate()
        secret = store.get("key", held.handle).payload
        store.write(Put("credential", "gone", PAYLOAD))
        store.write(Delete("credential", "gone"))
        files = [file for file in path.parent.iterdir() if file.is_file()]
        assert {file.name for file in files} == {"wallet.db", "wallet.db-wal", "wallet.db-shm"}
        images = [file.read_bytes() for file in files]
    images += [file.read_bytes() for file in path.parent.iterdir()]
    forbidden = [
        PAYLOAD,
        NAME.encode(),
        NAME.encode("utf-16-le"),
        ISSUER.encode(),
        b"credential",
        b"first",
        held.handle.encode(),
        secret,
        base64url.encode(secret).encode(),
        secret.hex().encode(),
        PASSPHRASE.encode(),
    ]
    assert [text for text in forbidden if any(text in image for image in images)] == []
    # The scan itself finds what is there: the tables are named in the clear.
    assert any(b"holder_record" in image for image in images)


def test_two_records_with_the_same_content_look_different(path: Path) -> None:
    with create_store(path) as store:
        for record_id in ("a", "b"):
            store.write(Put("credential", record_id, PAYLOAD))
    sealed = [row[0] for row in sql(path, "SELECT sealed FROM holder_record")]
    chunks = [{value[i : i + 16] for i in range(0, len(value) - 15)} for value in sealed]
    assert not chunks[0] & chunks[1]


def test_no_nonce_and_no_version_of_a_record_is_used_twice(path: Path) -> None:
    seen = set()
    with create_store(path) as store:
        for round_ in range(50):
            store.write(Put("credential", "a", PAYLOAD))
            seen.add(sql(path, "SELECT version, substr(sealed, 1, 12) FROM holder_record")[0])
            if round_ % 5 == 0:
                store.write(Delete("credential", "a"))
    assert len({version for version, _ in seen}) == len({nonce for _, nonce in seen}) == 50


def test_the_length_of_a_name_does_not_show(path: Path) -> None:
    with create_store(path) as store:
        store.write(
            Put("credential", "a", "김".encode()), Put("credential", "b", "남궁하늘".encode())
        )
    assert len(sql(path, "SELECT DISTINCT length(sealed) FROM holder_record")) == 1


def test_the_file_belongs_to_its_owner_alone(path: Path) -> None:
    with create_store(path) as store:
        fill(store)
        assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


def test_opens_with_its_passphrase_however_the_keyboard_composes_it(path: Path) -> None:
    import unicodedata

    with create_store(path, unicodedata.normalize("NFC", PASSPHRASE)) as store:
        fill(store)
    with open_store(path, unicodedata.normalize("NFD", PASSPHRASE)) as store:
        assert store.get("credential", "first").payload == PAYLOAD


@pytest.mark.parametrize("passphrase", [PASSPHRASE + "!", PASSPHRASE.upper() + " ", "x" * 12])
def test_refuses_another_passphrase(path: Path, passphrase: str) -> None:
    create_store(path).close()
    with pytest.raises(PassphraseWrong):
        open_store(path, passphrase)


def test_refuses_a_short_passphrase_for_a_new_store(path: Path) -> None:
    with pytest.raises(PassphraseTooShort):
        create_store(path, "1234567")
    assert list(path.parent.iterdir()) == []


def test_never_overwrites_what_is_there(path: Path) -> None:
    path.write_bytes(b"a photograph")
    with pytest.raises(StoreExists):
        create_store(path)
    assert path.read_bytes() == b"a photograph"
    with pytest.raises(StoreMissing):
        open_store(path.with_name("nowhere.db"))


@pytest.mark.parametrize("content", [b"", b"a photograph", b"SQLite format 3\0" + bytes(4096)])
def test_a_file_that_is_no_store_is_called_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        open_store(path)


def test_uses_the_full_cost_of_argon2id_unless_a_test_says_otherwise(path: Path) -> None:
    assert Argon2Parameters(memory_kib=64 * 1024, time=3, lanes=4) == FLOOR
    SqliteRecordStore.create(path, PASSPHRASE).close()
    stored = sql(path, "SELECT memory_kib, time, lanes, length(salt) FROM holder_header")
    assert stored == [(65536, 3, 4, 16)]
    SqliteRecordStore.open(path, PASSPHRASE).close()


def test_refuses_stored_parameters_below_the_floor(path: Path) -> None:
    create_store(path).close()
    with pytest.raises(StoreTooWeak):
        SqliteRecordStore.open(path, PASSPHRASE)


@pytest.mark.parametrize(
    ("column", "value"),
    [("memory_kib", 4), ("memory_kib", 2**31), ("time", 0), ("time", 17), ("lanes", 17)],
)
def test_refuses_a_header_that_was_rewritten_with_other_parameters(
    path: Path, column: str, value: int
) -> None:
    from wallet.adapters.sql.holder_header import _checksum

    create_store(path).close()
    sql(path, f"UPDATE holder_header SET {column} = ?", value)
    with pytest.raises(StoreDamaged):
        open_store(path)
    names = ("format", "memory_kib", "time", "lanes", "salt", "sealed")
    (row,) = sql(path, f"SELECT {', '.join(names)} FROM holder_header")
    sql(
        path,
        "UPDATE holder_header SET checksum = ?",
        _checksum(dict(zip(names, row, strict=True))),
    )
    with pytest.raises(StoreTooWeak):
        open_store(path)


def test_refuses_a_rewritten_header_within_the_limits(path: Path) -> None:
    from wallet.adapters.sql.holder_header import _checksum

    create_store(path).close()
    sql(path, "UPDATE holder_header SET time = 2")
    names = ("format", "memory_kib", "time", "lanes", "salt", "sealed")
    (row,) = sql(path, f"SELECT {', '.join(names)} FROM holder_header")
    sql(
        path,
        "UPDATE holder_header SET checksum = ?",
        _checksum(dict(zip(names, row, strict=True))),
    )
    with pytest.raises(PassphraseWrong):
        open_store(path)


@pytest.mark.soak
def test_no_flipped_byte_of_any_value_goes_unnoticed(path: Path) -> None:
    with create_store(path) as store:
        fill(store)
        right = contents(store)
    values = (
        [("holder_header", "id", column) for column in ("salt", "sealed", "checksum")]
        + [("holder_manifest", "id", "sealed")]
        + [
            ("holder_record", "rowid", column)
            for column in ("record_digest", "kind_digest", "sealed")
        ]
    )
    flips = 0
    for table, key, column in values:
        for row, value in sql(path, f"SELECT {key}, {column} FROM {table}"):
            for position in range(0, len(value), FLIP_STRIDE):
                flipped = bytearray(value)
                flipped[position] ^= 1 << (position % 8)
                _put(path, table, key, row, column, bytes(flipped))
                flips += 1
                with pytest.raises((StoreDamaged, PassphraseWrong)), open_store(path) as store:
                    contents(store)
            _put(path, table, key, row, column, value)
    assert flips > 500 // FLIP_STRIDE
    with open_store(path) as store:
        assert contents(store) == right


def _put(path: Path, table: str, key: str, row: int, column: str, value: bytes) -> None:
    sql(path, f"UPDATE {table} SET {column} = ? WHERE {key} = ?", value, row)


@pytest.mark.parametrize("position", range(0, 32768, 397))
def test_a_flipped_byte_anywhere_in_the_file_is_typed_or_without_effect(
    path: Path, position: int
) -> None:
    with create_store(path) as store:
        fill(store)
        right = contents(store)
    image = bytearray(path.read_bytes())
    image[position % len(image)] ^= 0x41
    path.write_bytes(image)
    assert outcome(path) in (right, "store_damaged", "passphrase_wrong", "store_unavailable")


def outcome(path: Path) -> object:
    try:
        with open_store(path) as store:
            return contents(store)
    except SeoulWalletError as error:
        return error.code


Tampering = Callable[[sqlite3.Connection], object]
TAMPERINGS: dict[str, Tampering] = {
    "two ciphertexts exchanged": lambda c: c.execute(
        "UPDATE holder_record SET sealed = (SELECT o.sealed FROM holder_record o"
        " WHERE o.rowid <> holder_record.rowid)"
    ),
    "a record removed": lambda c: c.execute("DELETE FROM holder_record WHERE rowid = 1"),
    "a record added": lambda c: c.execute(
        "INSERT INTO holder_record SELECT randomblob(32), kind_digest, version, sealed"
        " FROM holder_record WHERE rowid = 1"
    ),
    "a version raised": lambda c: c.execute("UPDATE holder_record SET version = version + 1"),
    "a ciphertext cut off": lambda c: c.execute(
        "UPDATE holder_record SET sealed = substr(sealed, 1, 100)"
    ),
    "a ciphertext turned into a number": lambda c: c.execute(
        "UPDATE holder_record SET sealed = 7"
    ),
    "a kind exchanged": lambda c: c.execute(
        "UPDATE holder_record SET kind_digest = (SELECT max(kind_digest) FROM holder_record)"
    ),
    "the manifest removed": lambda c: c.execute("DELETE FROM holder_manifest"),
    "the counter set back": lambda c: c.execute("UPDATE holder_manifest SET counter = 0"),
    "the header removed": lambda c: c.execute("DELETE FROM holder_header"),
    "an unknown schema version": lambda c: c.execute(
        "UPDATE alembic_version_holder SET version_num = 'holder_9999'"
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_notices_tampering_with_rows(path: Path, name: str) -> None:
    with create_store(path) as store:
        fill(store)
    with sqlite3.connect(path) as connection:
        TAMPERINGS[name](connection)
    connection.close()
    with pytest.raises(StoreDamaged), open_store(path) as store:
        contents(store)


@pytest.mark.parametrize("name", ["two ciphertexts exchanged", "a record removed"])
def test_notices_tampering_while_it_is_open(path: Path, name: str) -> None:
    with create_store(path) as store:
        fill(store)
        assert len(contents(store)) == 2
        with sqlite3.connect(path) as connection:
            TAMPERINGS[name](connection)
        connection.close()
        with pytest.raises(StoreDamaged):
            contents(store)


def test_notices_one_record_put_back_to_an_earlier_version(path: Path) -> None:
    with create_store(path) as store:
        fill(store)
    (old,) = sql(path, "SELECT record_digest, version, sealed FROM holder_record WHERE rowid = 1")
    with open_store(path) as store:
        changed = "credential" if len(store.list("credential")) else "log"
        store.write(Put(changed, "first", b"newer"), Put("log", "second", b"newer"))
    sql(
        path,
        "UPDATE holder_record SET version = ?, sealed = ? WHERE record_digest = ?",
        old[1],
        old[2],
        old[0],
    )
    with pytest.raises(StoreDamaged), open_store(path) as store:
        contents(store)


def test_notices_a_record_of_another_branch_of_its_own_history(path: Path) -> None:
    with create_store(path) as store:
        fill(store)
    branch = path.with_name("branch.db")
    shutil.copy(path, branch)
    for file, payload in ((path, b"one"), (branch, b"two")):
        with open_store(file) as store:
            store.write(Put("credential", "first", payload))
    query = "SELECT sealed, version FROM holder_record ORDER BY version DESC LIMIT 1"
    ((foreign, version),) = sql(branch, query)
    sql(path, "UPDATE holder_record SET sealed = ? WHERE version = ?", foreign, version)
    with pytest.raises(StoreDamaged), open_store(path) as store:
        contents(store)


def test_notices_the_whole_file_put_back_when_the_counter_is_kept_elsewhere(path: Path) -> None:
    with create_store(path) as store:
        fill(store)
    old = path.read_bytes()
    with open_store(path) as store:
        store.write(Put("log", "third", b"presented"))
        counter = store.counter
    with open_store(path, least_counter=counter) as store:
        assert store.get("log", "third").payload == b"presented"
    path.write_bytes(old)
    with pytest.raises(StoreDamaged):
        open_store(path, least_counter=counter)
    with open_store(path) as store, pytest.raises(RecordUnknown):
        store.get("log", "third")


def test_two_open_wallets_on_one_file_see_each_others_writes(path: Path) -> None:
    with create_store(path) as one, open_store(path) as other:
        one.write(Put("credential", "first", b"one"))
        assert other.get("credential", "first").payload == b"one"
        other.write(Put("credential", "first", b"two"))
        assert one.get("credential", "first").payload == b"two"
        one.write(Delete("credential", "first"))
        with pytest.raises(RecordUnknown):
            other.get("credential", "first")


def test_the_cheap_parameters_are_below_the_floor() -> None:
    assert CHEAP.memory_kib < FLOOR.memory_kib
