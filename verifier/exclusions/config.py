"""The configurations of the register, from the environment, and of the agencies that ask it.

Whatever cannot be used, or would not be safe, ends the process at its start. An agency's is a JSON
file of `base_url`, `jwk` (the register's public key) and `token`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from jsonschema import Draft202012Validator

from wallet.credentials.jwe import DecryptionKey, EncryptionKey, parse_encryption_jwk
from wallet.crypto.hashing import sha256
from wallet.did.syntax import parse_did
from wallet.eligibility.clauses import Window
from wallet.eligibility.document import Problems, programme_schema
from wallet.eligibility.rule_reader import read_window
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import SeoulWalletError
from wallet.protocols.client_id import check_url

PREFIX: Final = "SEOUL_WALLET_EXCLUSIONS_"
DIGEST_BYTES: Final = 32
SECRET_BYTES: Final = 32
LIFETIME: Final = "lifetime"
MAX_FILE_BYTES: Final = 1024 * 1024
_NO_TOKEN: Final = sha256(b"")
_EVERYBODY_ELSE: Final = 0o077


class ExclusionConfigurationError(ValueError):
    """A setting is missing or makes no sense. Names the setting, never a secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterConfig:
    """Everything that may differ between two registers.

    `key` opens what wallets seal; `groups` has the period in which a person has one claim, by the
    group's id; `agency_token_digests` SHA-256 of each agency's bearer token, by its DID: no other
    is heard. With `development` the host `localhost` may be http.
    """

    base_url: str
    database_url: str = field(repr=False)
    key: DecryptionKey = field(repr=False)
    groups: Mapping[str, Window]
    agency_token_digests: Mapping[str, bytes]
    development: bool = False

    def __post_init__(self) -> None:
        _check_base_url(self.base_url, development=self.development)
        if not self.groups:
            raise ExclusionConfigurationError("groups: a register counts at least one")
        for name in self.groups:
            if not _group_id().fullmatch(name):
                raise ExclusionConfigurationError(f"groups: {name[:60]!r} is no id of a group")
        _check_agencies(self.agency_token_digests, self.did)

    @property
    def did(self) -> str:
        """The did:web of the register's host."""
        return did_of(self.base_url)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> RegisterConfig:
        """Return the configuration of `SEOUL_WALLET_EXCLUSIONS_*`.

        Required: BASE_URL, DATABASE_URL, KEY_FILE (the 32-byte P-256 secret in base64url, for its
        owner's eyes alone), GROUPS_FILE (JSON: `lifetime`, or a period as in a programme file, by
        the group's id), AGENCIES_FILE (JSON: hex SHA-256 of the agency's token, by its DID).
        Optional: DEVELOPMENT (0 or 1). Raises `ExclusionConfigurationError`.
        """
        given = os.environ if environ is None else environ
        switch = given.get(PREFIX + "DEVELOPMENT") or "0"
        if switch not in ("0", "1"):
            raise ExclusionConfigurationError(f"{PREFIX}DEVELOPMENT is 0 or 1")
        groups = _read(given, "GROUPS_FILE")
        agencies = _read(given, "AGENCIES_FILE")
        return cls(
            base_url=_require(given, "BASE_URL"),
            database_url=_require(given, "DATABASE_URL"),
            key=_read_key(Path(_require(given, "KEY_FILE"))),
            groups={name: _window(name, value) for name, value in groups.items()},
            agency_token_digests={name: _digest(name, text) for name, text in agencies.items()},
            development=switch == "1",
        )


@dataclass(frozen=True, slots=True)
class RegisterAtHand:
    """The register that an agency asks: where, for whom wallets seal, and the agency's token."""

    base_url: str
    key: EncryptionKey
    token: str = field(repr=False)

    @property
    def did(self) -> str:
        """The did:web of the register's host."""
        return did_of(self.base_url)


def did_of(base_url: str) -> str:
    """Return the did:web of a host."""
    return "did:web:" + quote(urlsplit(base_url).netloc, safe="")


def read_register_at_hand(path: Path, *, development: bool = False) -> RegisterAtHand:
    """Return the register that an agency asks. Raises `ExclusionConfigurationError`."""
    item = _parse(path, path.name)
    try:
        url = check_url(item["base_url"], development=development)
        key, token = parse_encryption_jwk(item["jwk"]), item["token"]
    except (KeyError, SeoulWalletError) as error:
        raise ExclusionConfigurationError("the register's address cannot be used") from error
    if type(token) is not str or not token:
        raise ExclusionConfigurationError("the register's token is a text")
    return RegisterAtHand(url, key, token)


def _check_base_url(url: str, *, development: bool) -> None:
    try:
        check_url(url, development=development)
    except SeoulWalletError as error:
        raise ExclusionConfigurationError(f"base_url: {error}") from error
    parts = urlsplit(url)
    if parts.path or parts.query:
        raise ExclusionConfigurationError("base_url has no path: did:web is of the whole host")


def _check_agencies(digests: Mapping[str, bytes], register: str) -> None:
    if not digests:
        raise ExclusionConfigurationError("agencies: a register without any answers nobody")
    for name, digest in digests.items():
        try:
            parse_did(name)
        except SeoulWalletError as error:
            raise ExclusionConfigurationError(f"agencies: {name[:60]!r} is no DID") from error
        if len(digest) != DIGEST_BYTES or digest == _NO_TOKEN:
            raise ExclusionConfigurationError(f"agencies: {name}: not a digest of a token")
    if register in digests:
        raise ExclusionConfigurationError("agencies: a register is none of the agencies it counts")
    if len(set(digests.values())) != len(digests):
        # Either could hand in, and take back, what is the other's.
        raise ExclusionConfigurationError("agencies: two of them have one token")


def _require(given: Mapping[str, str], name: str) -> str:
    value = given.get(PREFIX + name)
    if not value:
        raise ExclusionConfigurationError(f"{PREFIX}{name} is not set")
    return value


def _read(given: Mapping[str, str], name: str) -> JsonObject:
    return _parse(Path(_require(given, name)), PREFIX + name)


def _parse(path: Path, name: str) -> JsonObject:
    try:
        with path.open("rb") as file:
            return parse_json_object(file.read(MAX_FILE_BYTES + 1), max_bytes=MAX_FILE_BYTES)
    except (OSError, SeoulWalletError) as error:
        raise ExclusionConfigurationError(f"{name}: not a file with a JSON object") from error


def _read_key(path: Path) -> DecryptionKey:
    name = f"{PREFIX}KEY_FILE"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ExclusionConfigurationError(f"{name}: the file cannot be read") from error
    if os.name == "posix" and stat.S_IMODE(mode) & _EVERYBODY_ELSE:
        raise ExclusionConfigurationError(f"{name}: others may read the file: chmod 600 it")
    try:
        secret = base64url.decode(raw.strip())
        if len(secret) == SECRET_BYTES:
            return DecryptionKey.from_secret(secret)
    except SeoulWalletError:
        # Said below, as for a secret of another length.
        pass
    raise ExclusionConfigurationError(f"{name}: no 32-byte P-256 secret in base64url")


def _window(name: str, value: Any) -> Window:
    if value == LIFETIME:
        return Window()
    problems = Problems("groups", lambda _: 0)
    window = read_window(value, (), problems) if _period().is_valid(value) else None
    if window is None:
        raise ExclusionConfigurationError(
            f"{PREFIX}GROUPS_FILE: {name[:60]!r}: expected lifetime, or a period as in a programme"
        )
    return window


def _digest(name: str, text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise ExclusionConfigurationError(
            f"{PREFIX}AGENCIES_FILE: {name[:60]!r}: expected a SHA-256 digest in hex"
        ) from error


@cache
def _period() -> Draft202012Validator:
    definitions = programme_schema()["$defs"]
    return Draft202012Validator({"$defs": definitions, "$ref": "#/$defs/period"})


@cache
def _group_id() -> re.Pattern[str]:
    return re.compile(programme_schema()["$defs"]["id"]["pattern"])
