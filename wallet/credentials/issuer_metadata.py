"""JWT VC Issuer Metadata: the keys of an issuer that is an https URL (SD-JWT VC §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from wallet.crypto.keys import PublicKey, UnsupportedKey, parse_jwk
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError

MAX_ISSUER_KEYS: Final = 100
MAX_URL_CHARACTERS: Final = 2048
WELL_KNOWN: Final = "jwt-vc-issuer"


class IssuerMetadataMalformed(MalformedError):
    """Not JWT VC Issuer Metadata, or not that of the issuer that was asked for."""

    code = "issuer_metadata_malformed"


class IssuerKeyUnknown(RejectedError):
    """The issuer's metadata holds no key of that name, or does not say which one it is."""

    code = "issuer_key_unknown"


def _https_url(text: object, *, development: bool) -> str:
    if type(text) is not str or not 0 < len(text) <= MAX_URL_CHARACTERS:
        raise IssuerMetadataMalformed("a URL is a string of limited length")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise IssuerMetadataMalformed("a URL is printable ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise IssuerMetadataMalformed("not a URL") from None
    local = development and parts.scheme == "http" and host == "localhost"
    if not host or port == 0 or "@" in parts.netloc or (parts.scheme != "https" and not local):
        raise IssuerMetadataMalformed("expected an https URL")
    return text


def issuer_metadata_url(issuer: str, *, development: bool = False) -> str:
    """Return where the metadata of `issuer` is: the well-known name goes before its path.

    A slash at the end of the path is dropped (SD-JWT VC §5). With `development`, http is accepted
    for the host `localhost`. Raises `IssuerMetadataMalformed` for anything but an https URL
    without query, fragment and user information.
    """
    _https_url(issuer, development=development)
    if "?" in issuer or "#" in issuer:
        raise IssuerMetadataMalformed("an issuer has no query and no fragment")
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{WELL_KNOWN}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """An issuer's verification keys, with their `kid` where they have one."""

    issuer: str
    keys: tuple[tuple[str | None, PublicKey], ...]

    def key_for(self, kid: str | None) -> PublicKey:
        """Return the key called `kid`; without one, the only key. Raises `IssuerKeyUnknown`."""
        found = [key for name, key in self.keys if kid is None or name == kid]
        if len(found) != 1:
            raise IssuerKeyUnknown(f"the issuer's metadata has {len(found)} keys of that name")
        return found[0]


@dataclass(frozen=True, slots=True)
class IssuerKeysElsewhere:
    """Metadata that names the address of the keys instead of the keys themselves."""

    issuer: str
    jwks_uri: str


def parse_issuer_metadata(
    value: Mapping[str, Any], issuer: str, *, development: bool = False
) -> IssuerMetadata | IssuerKeysElsewhere:
    """Return the metadata of `issuer`, with `jwks` or with `jwks_uri`, never both.

    `issuer` in it must be the very string asked for. Raises `IssuerMetadataMalformed` and what a
    malformed key raises.
    """
    if value.get("issuer") != issuer:
        raise IssuerMetadataMalformed("the metadata is of another issuer")
    if ("jwks" in value) == ("jwks_uri" in value):
        raise IssuerMetadataMalformed("expected either jwks or jwks_uri")
    if "jwks_uri" in value:
        uri = _https_url(value["jwks_uri"], development=development)
        return IssuerKeysElsewhere(issuer, uri)
    return IssuerMetadata(issuer, parse_jwks(value["jwks"]))


def parse_jwks(value: object) -> tuple[tuple[str | None, PublicKey], ...]:
    """Return the keys of a JWK Set (RFC 7517 §5) that are of a supported kind.

    Raises `IssuerMetadataMalformed`, also when two keys share a `kid`, and `KeyMalformed`.
    """
    listed = value.get("keys") if isinstance(value, dict) else None
    if type(listed) is not list or not 0 < len(listed) <= MAX_ISSUER_KEYS:
        raise IssuerMetadataMalformed(f"a JWK set has 1 to {MAX_ISSUER_KEYS} keys")
    keys: list[tuple[str | None, PublicKey]] = []
    names: set[str] = set()
    for jwk in listed:
        kid = jwk.get("kid") if isinstance(jwk, dict) else None
        if kid is not None and (type(kid) is not str or kid in names):
            raise IssuerMetadataMalformed("kid is a string that occurs once")
        if isinstance(jwk, dict) and jwk.get("use", "sig") != "sig":
            continue  # a key for encryption is none to verify with
        if kid is not None:
            names.add(kid)
        try:
            keys.append((kid, parse_jwk(jwk)))
        except UnsupportedKey:
            continue
    return tuple(keys)


def build_issuer_metadata(issuer: str, keys: Mapping[str, PublicKey]) -> JsonObject:
    """Return the metadata document of `issuer` with `keys` by `kid`."""
    return {
        "issuer": issuer,
        "jwks": {"keys": [{"kid": kid, **key.jwk} for kid, key in keys.items()]},
    }
