"""Stores for tests: real ones, with Argon2id so cheap that a test can open them many times."""

from pathlib import Path
from typing import Final

from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.crypto.sealing import Argon2Parameters

CHEAP: Final = Argon2Parameters(memory_kib=8, time=1, lanes=1)
PASSPHRASE: Final = "한강을 건너는 비밀 문장"


def create_store(path: Path, passphrase: str = PASSPHRASE) -> SqliteRecordStore:
    return SqliteRecordStore.create(path, passphrase, _floor=CHEAP)


def open_store(
    path: Path, passphrase: str = PASSPHRASE, *, least_counter: int = 0
) -> SqliteRecordStore:
    return SqliteRecordStore.open(path, passphrase, least_counter=least_counter, _floor=CHEAP)
