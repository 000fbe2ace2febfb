"""What a wallet is to its issuers: one key and one device each, with nothing in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.holder_stores import create_store
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.jose import parse_compact_jws
from wallet.crypto.sealing import SealBroken
from wallet.encoding import base64url
from wallet.holder.recovery import Recovery
from wallet.holder.recovery_keys import DeviceNameTooLong, RecoveryKeys
from wallet.holder.registering import Registrar
from wallet.protocols.oid4vci.recovery import RECOVERY_PROOF_TYPE

ONE, OTHER = "https://one.example", "https://other.example"
SECRET = bytes(range(32))
DEVICE_ID = bytes(16)


class FixedClock:
    def now(self) -> int:
        return 1_800_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRecordStore]:
    with create_store(tmp_path / "wallet.db") as opened:
        yield opened


def registrar(store: SqliteRecordStore) -> Registrar:
    return Registrar(store, Recovery(store), FixedClock())


def test_two_issuers_are_told_nothing_that_they_could_compare(store: SqliteRecordStore) -> None:
    made = registrar(store)
    said = []
    for issuer in (ONE, OTHER):
        proof = made.register_proof(issuer, made.new_holding(), "nonce")
        jws = parse_compact_jws(proof, typ=RECOVERY_PROOF_TYPE)
        claims = jws.peek_claims()
        said.append({jws.header["jwk"]["x"], claims["device"], claims["holding"], claims["label"]})
    assert len(said[0]) == len(said[1]) == 4
    assert not said[0] & said[1]


def test_an_issuer_recognises_key_and_device_again(store: SqliteRecordStore) -> None:
    first, later = registrar(store), registrar(store)
    assert first.this_device() == later.this_device()
    assert first.this_device().handle(ONE) == later.this_device().handle(ONE)
    keys = [RecoveryKeys(SECRET).signing_key(ONE).public_key for _ in range(2)]
    assert keys[0] == keys[1]
    assert RecoveryKeys(bytes(32)).signing_key(ONE).public_key != keys[0]


def test_names_of_devices_are_for_the_wallet_alone() -> None:
    keys = RecoveryKeys(SECRET)
    labels = [keys.seal_device(ONE, DEVICE_ID, name) for name in ("", "전화", "x" * 112)]
    assert len({len(label) for label in labels}) == 1
    assert keys.seal_device(ONE, DEVICE_ID, "전화") != labels[1]
    assert keys.open_device(ONE, labels[1]) == (DEVICE_ID, "전화")
    flipped = bytearray(base64url.decode(labels[1]))
    flipped[-1] ^= 1
    for issuer, label in ((OTHER, labels[1]), (ONE, base64url.encode(bytes(flipped))), (ONE, "")):
        with pytest.raises(SealBroken):
            keys.open_device(issuer, label)
    with pytest.raises(SealBroken):
        RecoveryKeys(bytes(32)).open_device(ONE, labels[1])
    with pytest.raises(DeviceNameTooLong):
        keys.seal_device(ONE, DEVICE_ID, "가" * 38)


def test_a_name_that_is_too_long_changes_nothing(store: SqliteRecordStore) -> None:
    made = registrar(store)
    made.name_device("전화 (가상)")
    with pytest.raises(DeviceNameTooLong):
        made.name_device("가" * 38)
    assert made.this_device().name == "전화 (가상)"
