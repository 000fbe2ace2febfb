"""The key that signs for an operator: what is in its file opens, or is refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3

from seoul_wallet.anchor.options import PASSPHRASE_VARIABLE, OperatorKeyUnusable, operator

SECRET = "11" * 32
PASSPHRASE = "correct horse"
Crypto = dict[str, Any]


def file_with(folder: Path, text: str) -> Path:
    path = folder / "key.json"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def keystore(**changes: Any) -> dict[str, Any]:
    return {**Account.encrypt(SECRET, PASSPHRASE, iterations=2), **changes}


def opened(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
    return operator(Web3(), file_with(folder, text)).address


def test_opens_a_keystore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = opened(tmp_path, json.dumps(keystore()), monkeypatch)
    assert address == Account.from_key(SECRET).address.lower()


@pytest.mark.parametrize(
    "broken",
    [
        lambda crypto: [],
        lambda crypto: {**crypto, "kdf": "argon2"},
        lambda crypto: {**crypto, "ciphertext": 7},
        lambda crypto: {**crypto, "ciphertext": "zz"},
        lambda crypto: {**crypto, "mac": "00" * 32},
        lambda crypto: {**crypto, "cipherparams": None},
        lambda crypto: {**crypto, "kdfparams": "salt"},
        lambda crypto: {**crypto, "kdfparams": {**crypto["kdfparams"], "c": 2**70}},
        lambda crypto: {**crypto, "kdfparams": {**crypto["kdfparams"], "dklen": -1}},
        lambda crypto: {
            **crypto,
            "kdf": "scrypt",
            "kdfparams": {"n": 2**70, "r": 8, "p": 1, "dklen": 32, "salt": ""},
        },
    ],
    ids=["list", "kdf", "type", "hex", "mac", "none", "text", "rounds", "length", "scrypt"],
)
def test_refuses_a_keystore_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Callable[[Crypto], object]
) -> None:
    text = json.dumps(keystore(crypto=broken(keystore()["crypto"])))
    with pytest.raises(OperatorKeyUnusable):
        opened(tmp_path, text, monkeypatch)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"version": 3', "not JSON"),
        ('{"version": 3, "version": 3}', "not JSON"),
        ('{"version": 4}', "not of version 3"),
        ('{"version": "3"}', "not of version 3"),
        ('{"version": 3}', "incomplete"),
    ],
)
def test_refuses_what_is_no_keystore_of_version_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    with pytest.raises(OperatorKeyUnusable, match=reason):
        opened(tmp_path, text, monkeypatch)
