"""The configurations of the register and of the agencies that ask it, from JSON files.

The register's: `base_url`, `database_url`, `key_file` (the 32-byte P-256 secret in base64url that
opens what wallets seal), `groups` (by id: `lifetime`, or a period as in a programme file) and
`agencies` (hex SHA-256 of each agency's bearer token, by its DID). An agency's: `base_url`, `jwk`
(the register's public key) and `token`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from wallet.credentials.jwe import DecryptionKey, EncryptionKey, parse_encryption_jwk
from wallet.eligibility.clauses import Window
from wallet.eligibility.document import Problems
from wallet.eligibility.rule_reader import read_window
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import SeoulWalletError
from wallet.protocols.client_id import check_url

DIGEST_BYTES: Final = 32
LIFETIME: Final = "lifetime"


class ExclusionConfigurationError(ValueError):
    """A setting is missing or makes no sense. Names the setting, never a secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterConfig:
    """Everything that may differ between two registers."""

    base_url: str
    database_url: str
    key: DecryptionKey = field(repr=False)
    groups: Mapping[str, Window]
    agency_token_digests: Mapping[str, bytes]

    @property
    def did(self) -> str:
        """The did:web of the register's host."""
        return did_of(self.base_url)


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


def read_register_config(path: Path) -> RegisterConfig:
    """Return the register's configuration. Raises `ExclusionConfigurationError`."""
    item = _read(path)
    try:
        secret = base64url.decode(Path(item["key_file"]).read_text("ascii").strip())
        return RegisterConfig(
            base_url=check_url(item["base_url"], development=True),
            database_url=item["database_url"],
            key=DecryptionKey.from_secret(secret),
            groups={name: _window(value) for name, value in item["groups"].items()},
            agency_token_digests={
                name: _digest(digest) for name, digest in item["agencies"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError, SeoulWalletError) as error:
        raise ExclusionConfigurationError("the register's settings cannot be used") from error


def read_register_at_hand(path: Path) -> RegisterAtHand:
    """Return the register that an agency asks. Raises `ExclusionConfigurationError`."""
    item = _read(path)
    try:
        url = check_url(item["base_url"], development=True)
        return RegisterAtHand(url, parse_encryption_jwk(item["jwk"]), str(item["token"]))
    except (KeyError, TypeError, SeoulWalletError) as error:
        raise ExclusionConfigurationError("the register's address cannot be used") from error


def _read(path: Path) -> JsonObject:
    try:
        return parse_json_object(path.read_bytes())
    except (OSError, SeoulWalletError) as error:
        raise ExclusionConfigurationError(f"{path.name} cannot be read") from error


def _window(value: Any) -> Window:
    if value == LIFETIME:
        return Window()
    problems = Problems("groups", lambda _: 0)
    window = read_window(value, (), problems)
    if window is None:
        raise ExclusionConfigurationError("a group's period cannot be read")
    return window


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != DIGEST_BYTES:
        raise ValueError("not a SHA-256 digest")
    return digest
