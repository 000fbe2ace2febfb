"""A trustee's key folder: values that are written once, encrypted, each in a file of its own.

AES-256-GCM under a random key that Argon2id wraps with the passphrase. A value is there whole or
not at all, and the first one stands: two processes over one folder come to the same.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from wallet.crypto.sealing import (
    FLOOR,
    Argon2Parameters,
    RootKey,
    SealBroken,
    WrappedKey,
    unwrap_key,
    wrap_key,
)
from wallet.crypto.secp256k1 import encode_point, encode_scalar, random_scalar, secret_multiple
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError, UnavailableError
from wallet.ports.holder import PassphraseTooShort
from wallet.voting.manifest import Trustee
from wallet.voting.shapes import Shape

HEADER_FILE: Final = "key-folder.json"
KIND: Final = "seoul-wallet trustee key folder"
VERSION: Final = 1
MIN_PASSPHRASE_CHARACTERS: Final = 12
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_UNFINISHED: Final = ".unfinished-"
_LABEL: Final = b"seoul-wallet/trustee/1"
_NAME: Final = re.compile(r"[a-z0-9_-]{1,80}")
_SECRET_BYTES: Final = 32


class KeyFolderExists(ConflictError):
    """The folder holds something already; keys never go into a folder that is in use."""

    code = "key_folder_exists"


class KeyFolderMalformed(MalformedError):
    """No key folder, or a file of it is not what it should be."""

    code = "key_folder_malformed"


class KeyFolderExposed(RejectedError):
    """Other users of this computer may read the key folder."""

    code = "key_folder_exposed"


class KeyFolderUnavailable(UnavailableError):
    """The key folder cannot be read or written just now."""

    code = "key_folder_unavailable"


class TrusteePassphraseWrong(RejectedError):
    """The key folder does not open: the passphrase is wrong, or the folder was altered."""

    code = "trustee_passphrase_wrong"


_SHAPE: Final = Shape(KeyFolderMalformed)


class KeyFolder:
    """An open key folder. `signing_key` and `encryption_secret` are the trustee's own."""

    def __init__(self, path: Path, root: RootKey, keys: bytes) -> None:
        self.path = path
        self.signing_key = Es256kSigningKey.from_secret(keys[:_SECRET_BYTES])
        self.encryption_secret = int.from_bytes(keys[_SECRET_BYTES:], "big")
        self._root = root

    @classmethod
    def create(
        cls, path: Path, passphrase: str, *, parameters: Argon2Parameters = FLOOR
    ) -> KeyFolder:
        """Draw the keys of a trustee into a new or empty folder.

        Raises `KeyFolderExists`, `PassphraseTooShort`, `PassphraseMalformed`,
        `KeyFolderUnavailable`.
        """
        if len(passphrase) < MIN_PASSPHRASE_CHARACTERS:
            raise PassphraseTooShort(
                f"take a passphrase of at least {MIN_PASSPHRASE_CHARACTERS} characters"
            )
        root = RootKey.generate()
        wrapped = wrap_key(root, passphrase, parameters=parameters, label=_LABEL)
        signing, encryption = random_scalar(), random_scalar()
        keys = encode_scalar(signing) + encode_scalar(encryption)
        header = {
            "kind": KIND,
            "version": VERSION,
            "memory_kib": parameters.memory_kib,
            "time": parameters.time,
            "lanes": parameters.lanes,
            "salt": wrapped.salt.hex(),
            "root": wrapped.sealed.hex(),
            "keys": root.seal(keys, context=_LABEL + b"/keys", associated_data=_LABEL).hex(),
            "public": _public(signing, encryption),
        }
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(not item.name.startswith(_UNFINISHED) for item in path.iterdir()):
                raise KeyFolderExists("the folder is not empty; name a new one")
            path.chmod(0o700)
            is_ours = _write_once(path / HEADER_FILE, to_json(header))
        except OSError as error:
            raise KeyFolderUnavailable(f"the folder: {error.strerror}") from None
        if not is_ours:
            raise KeyFolderExists("the folder is not empty; name a new one")
        return cls(path, root, keys)

    @classmethod
    def open(cls, path: Path, passphrase: str, *, floor: Argon2Parameters = FLOOR) -> KeyFolder:
        """Open a key folder.

        Raises `KeyFolderMalformed`, `KeyFolderExposed`, `TrusteePassphraseWrong`,
        `PassphraseMalformed`, `PassphraseHashOutOfRange`, `KeyFolderUnavailable`.
        """
        header = _read_header(path)
        integer = _SHAPE.integer
        parameters = Argon2Parameters(
            *(integer(header[name], low=1) for name in ("memory_kib", "time", "lanes"))
        )
        salt, root, keys = (_SHAPE.any_octets(header[name]) for name in ("salt", "root", "keys"))
        wrapped = WrappedKey(parameters, salt, root)
        try:
            opened = unwrap_key(wrapped, passphrase, floor=floor, label=_LABEL)
            found = opened.unseal(keys, context=_LABEL + b"/keys", associated_data=_LABEL)
        except SealBroken:
            raise TrusteePassphraseWrong("the passphrase does not open this folder") from None
        return cls(path, opened, found)

    @property
    def public(self) -> dict[str, str]:
        """The public keys, for the organiser's manifest."""
        return _public(int.from_bytes(self.signing_key.secret(), "big"), self.encryption_secret)

    def is_of(self, trustee: Trustee) -> bool:
        """Whether a manifest's trustee has the keys of this folder."""
        keys = trustee.signing_key, trustee.encryption_key
        return list(self.public.values()) == [encode_point(key).hex() for key in keys]

    def get(self, name: str) -> bytes | None:
        """Return the value of a name, or None.

        Raises `KeyFolderMalformed` if it was altered, `KeyFolderUnavailable`.
        """
        path = self._path(name)
        if not path.exists():
            return None
        sealed = _read(path)
        context = self._context(name)
        try:
            return self._root.unseal(sealed, context=context, associated_data=_LABEL)
        except SealBroken:
            raise KeyFolderMalformed(f"{path.name} was altered, or is of another folder") from None

    def put_once(self, name: str, value: bytes) -> bytes:
        """Keep a value unless there is one; return the one that stands. Durable on return."""
        context = self._context(name)
        sealed = self._root.seal(value, context=context, associated_data=_LABEL)
        try:
            if _write_once(self._path(name), sealed):
                return value
        except OSError as error:
            raise KeyFolderUnavailable(f"the key folder: {error.strerror}") from None
        stands = self.get(name)
        if stands is None:
            raise KeyFolderUnavailable("the key folder changed meanwhile")
        return stands

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyFolderMalformed("a value's name has small letters, digits, - and _")
        return self.path / f"{name}.sealed"

    def _context(self, name: str) -> bytes:
        # A second value of a name never gets to be a file.
        return _LABEL + b"/value/" + name.encode("ascii")


def read_public(path: Path) -> Mapping[str, str]:
    """Return the public keys of a key folder, without its passphrase.

    What they say is not authenticated: `KeyFolder.public` is. Raises as `KeyFolder.open`.
    """
    public = _SHAPE.members(_read_header(path)["public"], "signing_key", "encryption_key")
    return {name: _SHAPE.text(value) for name, value in public.items()}


def _public(signing: int, encryption: int) -> dict[str, str]:
    return {
        "signing_key": encode_point(secret_multiple(signing)).hex(),
        "encryption_key": encode_point(secret_multiple(encryption)).hex(),
    }


def _read_header(path: Path) -> JsonObject:
    file = path / HEADER_FILE
    if not file.is_file():
        raise KeyFolderMalformed("there is no key folder; make one with: trustee new")
    if (path.stat().st_mode | file.stat().st_mode) & 0o077:
        raise KeyFolderExposed(
            "others may read the key folder: chmod 700 FOLDER, chmod 600 FOLDER/*"
        )
    try:
        value: Any = parse_json_object(_read(file))
    except MalformedError as error:
        raise KeyFolderMalformed(f"{HEADER_FILE} is damaged") from error
    header = _SHAPE.members(
        value,
        *("kind", "version", "memory_kib", "time", "lanes", "salt", "root", "keys", "public"),
    )
    if (header["kind"], header["version"]) != (KIND, VERSION):
        raise KeyFolderMalformed("a key folder of another kind or version")
    return header


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFolderUnavailable(f"{path.name}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise KeyFolderMalformed(f"{path.name} is too large")
    return data


def _write_once(path: Path, data: bytes) -> bool:
    """Write a file of mode 0600 that is not there yet, whole; False if it is there."""
    unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
    number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return False
    finally:
        unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True
