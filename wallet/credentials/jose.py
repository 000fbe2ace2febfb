"""JSON Web Signatures in compact form (RFC 7515), under the restrictions of RFC 8725."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from wallet.crypto.keys import (
    ALG_VALUES,
    EcPublicKey,
    PublicKey,
    SignatureInvalid,
    SigningKey,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError, UnsupportedError

MAX_JWS_BYTES: Final = 256 * 1024
MAX_CACHED_HEADER_BYTES: Final = 1024
MAX_REMEMBERED: Final = 4096
MAX_REMEMBERED_BYTES: Final = 16 * 1024
# A search for a number is a search for one byte; one for bytes first tries them as a number.
_DOT: Final = ord(".")
SUPPORTED_ALGORITHMS: Final = frozenset(("ES256", "ES384", "ES256K", "EdDSA", "Ed25519"))


class JwsMalformed(MalformedError):
    """Not a compact JWS, or its header or claims are not what this use of it needs."""

    code = "jws_malformed"


class UnsupportedAlgorithm(UnsupportedError):
    """An `alg` that is not implemented; `none` and the MAC algorithms never are."""

    code = "unsupported_algorithm"


class CompactJws(NamedTuple):
    """A parsed, unverified JWS. `signing_input` is what the signature covers."""

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    @property
    def kid(self) -> str | None:
        """The `kid` header. Raises `JwsMalformed` if it is not a string."""
        kid = self.header.get("kid")
        if kid is not None and type(kid) is not str:
            raise JwsMalformed("kid is a string")
        return kid

    @property
    def compact(self) -> str:
        """The token as it travels."""
        return f"{self.signing_input.decode('ascii')}.{base64url.encode(self.signature)}"

    def peek_claims(self) -> JsonObject:
        """Return the payload as a JSON object, unverified. Raises `JsonMalformed`."""
        return parse_json_object(self.payload, max_bytes=MAX_JWS_BYTES)


class _Header(NamedTuple):
    """A header that asks for nothing unknown, and its `typ` in short and lower case."""

    parameters: Mapping[str, Any]
    typ: str | None


def _parse(encoded: bytes) -> _Header:
    header = parse_json_object(base64url.decode(encoded))
    algorithm, typ = header.get("alg"), header.get("typ")
    if type(algorithm) is not str:
        raise JwsMalformed("alg is a string")
    if algorithm not in SUPPORTED_ALGORITHMS:
        raise UnsupportedAlgorithm("expected one of " + ", ".join(sorted(SUPPORTED_ALGORITHMS)))
    if "crit" in header or "b64" in header:
        raise UnsupportedAlgorithm("critical header parameters are not implemented")
    short = typ.lower().removeprefix("application/") if type(typ) is str else None
    return _Header(MappingProxyType(header), short)


# An issuer's tokens share their header to the byte, and so do all key bindings. What is refused
# is not kept.
_header = lru_cache(maxsize=256)(_parse)


def parse_compact_jws(token: str | bytes, *, typ: str | frozenset[str] | None) -> CompactJws:
    """Return the parts of a compact JWS whose header `typ` is (one of) `typ`.

    None is for formats whose specification names no type: any `typ` will do, and none.

    Refused: an algorithm outside `SUPPORTED_ALGORITHMS`, any `crit`, unencoded payloads.
    Raises `JwsMalformed`, `UnsupportedAlgorithm`, `Base64urlMalformed`, `JsonMalformed`.
    Does not verify the signature.
    """
    try:
        raw = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise JwsMalformed("a compact JWS is ASCII") from None
    if len(raw) > MAX_JWS_BYTES:
        raise JwsMalformed(f"the JWS is longer than {MAX_JWS_BYTES} bytes")
    signing_input, _, signature = raw.rpartition(b".")
    encoded, separator, payload = signing_input.partition(b".")
    if not separator or _DOT in payload:
        raise JwsMalformed("a compact JWS has three parts")
    header = _header(encoded) if len(encoded) <= MAX_CACHED_HEADER_BYTES else _parse(encoded)
    accepted = typ if isinstance(typ, frozenset) else (typ,)
    if typ is not None and header.typ not in accepted:
        raise JwsMalformed("expected typ " + " or ".join(sorted(map(str, accepted))))
    return CompactJws(
        header.parameters, base64url.decode(payload), signing_input, base64url.decode(signature)
    )


def verify_jws(jws: CompactJws, key: PublicKey) -> None:
    """Return if the signature is valid and its `alg` is the key's. Raises `SignatureInvalid`."""
    if jws.header["alg"] not in ALG_VALUES.get(key.algorithm, ()):
        raise SignatureInvalid("alg is not the algorithm of the key")
    key.verify(jws.signature, jws.signing_input)


def verify_jws_once(jws: CompactJws, key: PublicKey) -> None:
    """As `verify_jws`, and remember the last signatures that held, for tokens that come again.

    What is remembered is that these bytes are signed under this key, which stays so. Whether the
    key still counts, and what the token says, is for the caller to judge each time. For ECDSA on
    P-256 and P-384, and for tokens of at most `MAX_REMEMBERED_BYTES`.
    """
    short = len(jws.signing_input) <= MAX_REMEMBERED_BYTES
    if not short or not isinstance(key, EcPublicKey) or jws.header["alg"] != key.algorithm:
        verify_jws(jws, key)
        return
    _verify_once(key, jws.signature, jws.signing_input)


@lru_cache(maxsize=MAX_REMEMBERED)
def _verify_once(key: EcPublicKey, signature: bytes, signing_input: bytes) -> None:
    # The cache compares key and bytes in full, and keeps nothing of a call that raised.
    key.verify(signature, signing_input)


def sign_jws(key: SigningKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Return a compact JWS over `claims`; `alg` is set from the key."""
    return sign_jws_payload(key, header, to_json(dict(claims)))


def sign_jws_payload(key: SigningKey, header: Mapping[str, Any], payload: bytes) -> str:
    """As `sign_jws`, over claims that are JSON already."""
    protected = base64url.encode(to_json({"alg": key.algorithm, **header}))
    signing_input = f"{protected}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(key.sign(signing_input.encode('ascii')))}"


def claim_time(claims: Mapping[str, Any], name: str, *, required: bool = False) -> int | None:
    """Return a NumericDate claim in whole unix seconds, or None.

    Booleans, strings, negative and absurd numbers are refused. Raises `JwsMalformed`.
    """
    if name not in claims and not required:
        return None
    value: Any = claims.get(name)
    if type(value) not in (int, float) or not 0 <= value <= 253402300799:
        raise JwsMalformed(f"{name} is a NumericDate")
    return int(value)


def claim_string(claims: Mapping[str, Any], name: str) -> str:
    """Return a string claim that must be there. Raises `JwsMalformed`."""
    value = claims.get(name)
    if type(value) is not str or not value:
        raise JwsMalformed(f"{name} is a string")
    return value
