"""Attacks on a wallet at rest that the store's own tests do not try (WA-2, WA-4, WA-6, WA-7)."""

from __future__ import annotations

import logging
import os
import resource
import secrets
import sqlite3
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from seoul_wallet.demo.phones import PhoneProcess
from tests.support.holder_stores import PASSPHRASE, create_store, open_store
from tests.support.issuing import issuer_world
from tests.support.phones import Phones
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.crypto.recovery_phrase import (
    PhraseLanguage,
    RecoveryPhrase,
    parse_recovery_phrase,
)
from wallet.crypto.sealing import NONCE_BYTES, RootKey, SealBroken
from wallet.errors import SeoulWalletError
from wallet.holder.recovery import Recovery
from wallet.holder.registering import Registrar
from wallet.holder.reissue import Outcome
from wallet.ports.holder import Put

WRITES = int(os.environ.get("SOAK_SEALED_RECORDS", "1000"))
RECORDS_AT_ONCE = 250


class FixedClock:
    def now(self) -> int:
        return 1


@pytest.mark.soak
def test_wa_2_no_key_and_no_nonce_is_used_twice(tmp_path: Path) -> None:
    path = tmp_path / "wallet.db"
    # The key of a value follows from its record and version: no such pair may come twice.
    keys: set[tuple[bytes, int]] = set()
    nonces: set[bytes] = set()
    with create_store(path) as store:
        written = 0
        while written < WRITES:
            names = [f"record-{number}" for number in range(RECORDS_AT_ONCE)]
            store.write(*(Put("credential", name, b"payload") for name in names))
            written += RECORDS_AT_ONCE
            with sqlite3.connect(path) as connection:
                rows = connection.execute(
                    "SELECT record_digest, version, substr(sealed, 1, 12) FROM holder_record"
                ).fetchall()
            connection.close()
            keys |= {(digest, version) for digest, version, _ in rows}
            nonces |= {nonce for _, _, nonce in rows}
    assert len(keys) == len(nonces) == written >= WRITES


@pytest.mark.parametrize("length", [8, 11, 13, 16, 32, 48, 128])
def test_wa_4_a_value_with_a_nonce_of_another_length_is_refused(length: int) -> None:
    root = RootKey(bytes(32))
    nonce = secrets.token_bytes(length)
    sealed = nonce + AESGCM(root.derive(b"context")).encrypt(nonce, b"value", b"data")
    assert length != NONCE_BYTES
    with pytest.raises(SealBroken):
        root.unseal(sealed, context=b"context", associated_data=b"data")


def test_wa_6_a_backup_restored_twice_has_one_successor(tmp_path: Path) -> None:
    world = issuer_world(tmp_path)
    phones = Phones(world, tmp_path)
    old = phones.new("old")
    old.wallet.receive(phones.offer())
    backup = phones.back_up(old)
    restored = [phones.restore(name, *backup) for name in ("one", "other")]
    assert [phone.wallet.credentials() for phone in restored] == [old.wallet.credentials()] * 2
    told = [phone.wallet.devices.reissue_all()[0].outcome for phone in restored]
    assert told == [Outcome.REISSUED, Outcome.NOT_POSSIBLE]
    assert phones.good() == restored[0].indexes()
    phones.close()
    world.close()


def test_wa_7_no_secret_is_in_a_log_or_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "wallet.db"
    with create_store(path) as store:
        registrar = Registrar(store, Recovery(store), FixedClock())
        this, secret = registrar.this_device(), Recovery(store).secret()
        phrase = RecoveryPhrase(secret, PhraseLanguage.KOREAN)
        issuer = "https://issuer.example"
        signing_key = registrar.keys_of(issuer).signing_key(issuer).secret()
        held = SoftwareKeyStore(store).generate()
        key = store.get("key", held.handle).payload
        shown = [
            repr(item) for item in (this, phrase, registrar, held, store.get("key", held.handle))
        ]
    words = list(phrase.words)
    attempts: list[Callable[[], object]] = [
        lambda: open_store(path, PASSPHRASE + "!"),
        lambda: parse_recovery_phrase(" ".join([*words[:-1], "틀린말"])),
        lambda: parse_recovery_phrase(" ".join([words[1], words[0], *words[2:]])),
        lambda: path.write_bytes(b"spoilt") and open_store(path),
    ]
    with caplog.at_level(logging.DEBUG):
        for attempt in attempts:
            try:
                attempt()
            except SeoulWalletError:
                shown.append(traceback.format_exc())
    assert len(shown) >= 5 + 3
    # Lines of source are in a traceback, values are not.
    text = "\n".join([*shown, caplog.text])
    forbidden = [" ".join(words[:3]), PASSPHRASE]
    for value in (secret, this.secret, key, signing_key):
        forbidden += [value.hex(), str(value), repr(value)]
    assert [item for item in forbidden if item in text] == []


@pytest.mark.loopback
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_wa_7_a_phone_at_work_shows_no_secret_and_leaves_no_core_file(tmp_path: Path) -> None:
    with PhoneProcess(tmp_path / "phone") as phone:
        phone.do("create", name="전화 (가상)")
        words = phone.do("back_up", export=str(tmp_path / "export")).split()
        place = Path(f"/proc/{phone.pid}")
        shown = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
        limits = (place / "limits").read_text("ascii")
    assert b"PYTHONUTF8=1" in shown
    assert not any(word.encode() in shown for word in words)
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4] == "0"
    assert resource.getrlimit(resource.RLIMIT_CORE)  # the limit is the phone's own
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(" ".join(words[:2]).encode() in image for image in files)
