"""Which relying parties log people in here, from a JSON file.

`pairwise_key` (32 bytes or more in base64url) and `clients` by client id: `name`,
`redirect_uris`, `scopes` beside `openid`, `sector_identifier` where the redirect URIs have several
hosts, and one way to authenticate: `client_secret_digest` (hex SHA-256 of a random secret) for
`client_secret_basic`, or `jwks` for `private_key_jwt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from wallet.crypto.keys import PublicKey, parse_jwk
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object
from wallet.errors import SeoulWalletError
from wallet.protocols.oid4vci.authorization import check_redirect_uri

OPENID: Final = "openid"
# What may be asked for beside the identifier: a claim of the account by scope, and its OIDC name.
SCOPE_CLAIMS: Final[Mapping[str, tuple[str, str]]] = {
    "birthdate": ("birth_date", "birthdate"),
    "seoul_resident": ("seoul_resident", "seoul_resident"),
}
SECRET_BASIC: Final = "client_secret_basic"  # noqa: S105
PRIVATE_KEY_JWT: Final = "private_key_jwt"
MIN_PAIRWISE_KEY_BYTES: Final = 32
MAX_CLIENTS: Final = 1000
MAX_NAME_CHARACTERS: Final = 100
_DIGEST_BYTES: Final = 32
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}\Z")
_MEMBERS: Final = frozenset(
    ("name", "redirect_uris", "scopes", "sector_identifier", "client_secret_digest", "jwks")
)


class OidcConfigurationError(ValueError):
    """A relying party's settings make no sense. Names the setting, never a secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RelyingParty:
    """A client. `sector_identifier` is the host by which `sub` is made (OIDC Core §8.1).

    It authenticates by the secret of `secret_digest` (SHA-256), or with one of `keys`.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    sector_identifier: str
    secret_digest: bytes | None = None
    keys: tuple[PublicKey, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OidcSettings:
    """The relying parties by client id, and the key that their users' identifiers are made with.

    Another `pairwise_key` gives everybody another `sub` everywhere: it outlives signing keys.
    """

    clients: Mapping[str, RelyingParty]
    pairwise_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.pairwise_key) < MIN_PAIRWISE_KEY_BYTES:
            raise OidcConfigurationError(
                f"pairwise_key has {MIN_PAIRWISE_KEY_BYTES} bytes or more"
            )


def read_oidc_settings(path: Path, *, development: bool = False) -> OidcSettings:
    """Return the settings of a file; in `development` localhost may be http.

    Raises `OidcConfigurationError`.
    """
    try:
        item = parse_json_object(path.read_bytes())
        return parse_oidc_settings(item, development=development)
    except (OSError, SeoulWalletError) as error:
        raise OidcConfigurationError(f"{path.name} cannot be read") from error


def parse_oidc_settings(item: Mapping[str, Any], *, development: bool = False) -> OidcSettings:
    """Return the settings of their JSON form. Raises `OidcConfigurationError`."""
    clients = item.get("clients")
    if not isinstance(clients, dict) or not 0 < len(clients) <= MAX_CLIENTS:
        raise OidcConfigurationError(f"clients is an object of 1 to {MAX_CLIENTS}")
    try:
        return OidcSettings(
            clients={name: _client(name, one, development) for name, one in clients.items()},
            pairwise_key=base64url.decode(item["pairwise_key"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, SeoulWalletError) as error:
        if isinstance(error, OidcConfigurationError):
            raise
        raise OidcConfigurationError("the relying parties cannot be read") from error


def _client(client_id: str, item: Mapping[str, Any], development: bool) -> RelyingParty:
    if not _CLIENT_ID.match(client_id) or not item.keys() <= _MEMBERS:
        raise OidcConfigurationError("a client has an id and " + ", ".join(sorted(_MEMBERS)))
    uris = tuple(check_redirect_uri(uri, development=development) for uri in item["redirect_uris"])
    hosts = {urlsplit(uri).hostname or "" for uri in uris}
    sector = item.get("sector_identifier")
    if not uris or (sector is None and (len(hosts) != 1 or "" in hosts)):
        raise OidcConfigurationError("redirect_uris of one host, or a sector_identifier")
    scopes = frozenset(item.get("scopes", ()))
    if not scopes <= SCOPE_CLAIMS.keys():
        raise OidcConfigurationError("scopes are of " + ", ".join(sorted(SCOPE_CLAIMS)))
    digest = item.get("client_secret_digest")
    keys = tuple(parse_jwk(key) for key in item.get("jwks", {}).get("keys", ()))
    if (digest is None) is (not keys):
        raise OidcConfigurationError("a client has a client_secret_digest or jwks, one of them")
    if digest is not None and len(bytes.fromhex(digest)) != _DIGEST_BYTES:
        raise OidcConfigurationError("client_secret_digest is a SHA-256 digest")
    name = item["name"]
    if type(name) is not str or not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise OidcConfigurationError("name is a short text")
    return RelyingParty(
        client_id=client_id,
        name=name,
        redirect_uris=uris,
        scopes=scopes,
        sector_identifier=sector or hosts.pop(),
        secret_digest=None if digest is None else bytes.fromhex(digest),
        keys=keys,
    )
