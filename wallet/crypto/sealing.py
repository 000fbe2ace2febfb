"""Encryption at rest: sealed values under derived keys, and keys wrapped by a passphrase.

AES-256-GCM with 96-bit random nonces. Each value is sealed under a key of its own, derived by
HKDF-SHA-256 (RFC 5869) from the root key and a context that is never used twice, so no pair of
key and nonce repeats. Argon2id (RFC 9106) turns a passphrase into the key that wraps a root key.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wallet.errors import MalformedError, RejectedError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SALT_BYTES: Final = 16
MAX_PASSPHRASE_CHARACTERS: Final = 1024
MAX_ARGON2_MEMORY_KIB: Final = 1024 * 1024
MAX_ARGON2_TIME: Final = 16
MAX_ARGON2_LANES: Final = 16


class SealBroken(RejectedError):
    """A sealed value was altered, or sealed under another key or for another place."""

    code = "seal_broken"


class PassphraseMalformed(MalformedError):
    """A passphrase that is empty, far too long or not text."""

    code = "passphrase_malformed"


class PassphraseHashOutOfRange(RejectedError):
    """Argon2id parameters below the floor or above the ceiling."""

    code = "passphrase_hash_out_of_range"


class RootKey:
    """A 256-bit secret from which the keys of single values are derived."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a root key has {KEY_BYTES} bytes")
        self._secret = secret

    @classmethod
    def generate(cls) -> RootKey:
        """Return a new key from the operating system's randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def derive(self, context: bytes) -> bytes:
        """Return the 32-byte key of `context`, which must be unambiguous."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=context).derive(self._secret)

    def digest(self, context: bytes, data: bytes) -> bytes:
        """Return HMAC-SHA-256 of `data` under the key of `context`."""
        return hmac.digest(self.derive(context), data, sha256)

    def seal(self, plaintext: bytes, *, context: bytes, associated_data: bytes) -> bytes:
        """Return nonce || ciphertext || tag. `context` is never to be used for two values."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.derive(context)).encrypt(nonce, plaintext, associated_data)

    def unseal(self, sealed: bytes, *, context: bytes, associated_data: bytes) -> bytes:
        """Return what `seal` was given. Raises `SealBroken`."""
        return _open(self.derive(context), sealed, associated_data)


def _open(key: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise SealBroken("a sealed value is longer than that")
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated_data)
    except InvalidTag:
        raise SealBroken("the sealed value was altered, or the key is another") from None


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """The cost of Argon2id: memory in KiB, passes, lanes."""

    memory_kib: int = 64 * 1024
    time: int = 3
    lanes: int = 4

    def check_at_least(self, floor: Argon2Parameters) -> None:
        """Return if no part is below `floor` or above the ceiling of this module.

        Raises `PassphraseHashOutOfRange`.
        """
        if (
            not floor.memory_kib <= self.memory_kib <= MAX_ARGON2_MEMORY_KIB
            or not floor.time <= self.time <= MAX_ARGON2_TIME
            or not floor.lanes <= self.lanes <= MAX_ARGON2_LANES
        ):
            raise PassphraseHashOutOfRange(
                f"expected at least {floor.memory_kib} KiB, {floor.time} passes,"
                f" {floor.lanes} lanes, and no more than anyone needs"
            )


FLOOR: Final = Argon2Parameters()


def normalize_passphrase(passphrase: str) -> str:
    """Return the passphrase in NFC (RFC 8265 §4.2), so that every keyboard gives the same bytes.

    Raises `PassphraseMalformed`.
    """
    normal = unicodedata.normalize("NFC", passphrase)
    if not 0 < len(normal) <= MAX_PASSPHRASE_CHARACTERS or not _is_text(normal):
        raise PassphraseMalformed("a passphrase is text, neither empty nor endless")
    return normal


def _is_text(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A root key sealed under a passphrase; the parameters are part of what is authenticated."""

    parameters: Argon2Parameters
    salt: bytes
    sealed: bytes


def wrap_key(
    root: RootKey, passphrase: str, *, parameters: Argon2Parameters = FLOOR, label: bytes
) -> WrappedKey:
    """Seal `root` under `passphrase`. `label` says what the key is for.

    Raises `PassphraseMalformed`, and `PassphraseHashOutOfRange` above the ceiling.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    nonce = secrets.token_bytes(NONCE_BYTES)
    key = _passphrase_key(passphrase, salt, parameters)
    associated_data = _wrapping_data(parameters, salt, label)
    sealed = nonce + AESGCM(key).encrypt(nonce, root._secret, associated_data)
    return WrappedKey(parameters, salt, sealed)


def unwrap_key(
    wrapped: WrappedKey, passphrase: str, *, floor: Argon2Parameters = FLOOR, label: bytes
) -> RootKey:
    """Return the root key. Parameters below `floor` are refused before anything is computed.

    Raises `PassphraseHashOutOfRange`, `PassphraseMalformed`, and `SealBroken` when the
    passphrase is wrong or anything was altered.
    """
    wrapped.parameters.check_at_least(floor)
    if len(wrapped.salt) != SALT_BYTES:
        raise PassphraseHashOutOfRange(f"a salt has {SALT_BYTES} bytes")
    key = _passphrase_key(passphrase, wrapped.salt, wrapped.parameters)
    secret = _open(key, wrapped.sealed, _wrapping_data(wrapped.parameters, wrapped.salt, label))
    if len(secret) != KEY_BYTES:
        raise SealBroken("the sealed value is not a key")
    return RootKey(secret)


def _wrapping_data(parameters: Argon2Parameters, salt: bytes, label: bytes) -> bytes:
    numbers = f"argon2id;{parameters.memory_kib};{parameters.time};{parameters.lanes};"
    return numbers.encode("ascii") + salt + label


def _passphrase_key(passphrase: str, salt: bytes, parameters: Argon2Parameters) -> bytes:
    return hash_secret_raw(
        normalize_passphrase(passphrase).encode("utf-8"),
        salt,
        time_cost=parameters.time,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.lanes,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )
