"""Key folders: written once, sealed, for one pair of eyes."""

from __future__ import annotations

from pathlib import Path

import pytest

from seoul_wallet.trustee.folder import (
    HEADER_FILE,
    KeyFolder,
    KeyFolderExists,
    KeyFolderExposed,
    KeyFolderMalformed,
    TrusteePassphraseWrong,
    read_public,
)
from tests.support.trustee_desks import CHEAP, PASSPHRASE, new_folder
from wallet.crypto.sealing import PassphraseHashOutOfRange
from wallet.ports.holder import PassphraseTooShort


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return new_folder(tmp_path / "keys")


def opened(folder: KeyFolder, passphrase: str = PASSPHRASE) -> KeyFolder:
    return KeyFolder.open(folder.path, passphrase, floor=CHEAP)


def test_opens_with_its_passphrase_and_has_the_same_keys(folder: KeyFolder) -> None:
    assert opened(folder).public == folder.public == read_public(folder.path)
    assert opened(folder).encryption_secret == folder.encryption_secret


def test_refuses_another_passphrase(folder: KeyFolder) -> None:
    with pytest.raises(TrusteePassphraseWrong):
        opened(folder, PASSPHRASE + "x")


def test_refuses_a_passphrase_that_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(PassphraseTooShort):
        KeyFolder.create(tmp_path / "keys", "elf letters", parameters=CHEAP)
    assert not (tmp_path / "keys").exists()


def test_takes_no_folder_that_is_in_use(folder: KeyFolder) -> None:
    with pytest.raises(KeyFolderExists):
        new_folder(folder.path)


def test_takes_the_folder_of_a_start_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / ".unfinished-00").write_bytes(b"half")
    assert opened(new_folder(tmp_path / "keys")).public


def test_every_file_is_for_its_owner_only(folder: KeyFolder) -> None:
    folder.put_once("value", b"secret")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.path.iterdir()} == {0o600}


@pytest.mark.parametrize("name", [".", HEADER_FILE])
def test_refuses_a_folder_that_others_may_read(folder: KeyFolder, name: str) -> None:
    (folder.path / name).chmod(0o740)
    with pytest.raises(KeyFolderExposed):
        opened(folder)


def test_the_first_value_of_a_name_stands(folder: KeyFolder) -> None:
    assert folder.put_once("value", b"first") == b"first"
    assert opened(folder).put_once("value", b"second") == b"first"
    assert folder.get("value") == b"first"
    assert folder.get("other") is None


def test_no_secret_is_readable_in_a_file(folder: KeyFolder) -> None:
    folder.put_once("value", b"a secret value")
    secrets = [
        b"a secret value",
        folder.signing_key.secret(),
        folder.signing_key.secret().hex().encode(),
        folder.encryption_secret.to_bytes(32, "big"),
    ]
    for file in folder.path.iterdir():
        assert not any(secret in file.read_bytes() for secret in secrets)


def test_refuses_a_value_that_was_altered_or_renamed(folder: KeyFolder) -> None:
    folder.put_once("value", b"secret")
    (folder.path / "value.sealed").rename(folder.path / "other.sealed")
    with pytest.raises(KeyFolderMalformed):
        folder.get("other")


def test_refuses_a_header_with_a_cheaper_passphrase_hash(folder: KeyFolder) -> None:
    with pytest.raises(PassphraseHashOutOfRange):
        KeyFolder.open(folder.path, PASSPHRASE)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"kind":"other"}', b"\xff"])
def test_refuses_a_header_that_is_none(folder: KeyFolder, data: bytes) -> None:
    (folder.path / HEADER_FILE).write_bytes(data)
    with pytest.raises(KeyFolderMalformed):
        opened(folder)


def test_refuses_a_folder_without_keys(tmp_path: Path) -> None:
    with pytest.raises(KeyFolderMalformed):
        KeyFolder.open(tmp_path, PASSPHRASE)
