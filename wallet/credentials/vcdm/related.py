"""Digests of the resources that a credential relates to (VC Data Model 2.0 §5.3)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final, TypeGuard

from wallet.credentials.vcdm.credential import Credential
from wallet.credentials.vcdm.fields import parse_entries
from wallet.crypto.hashing import HashFunction, hash_named, sha256, sha384
from wallet.encoding.multibase import decode_base58btc, decode_base64url
from wallet.errors import MalformedError, RejectedError

MAX_DIGESTS: Final = 8
MAX_DIGEST_CHARACTERS: Final = 1024
_SHA_512: Final = hash_named("sha-512")
# By the name in an integrity value (SRI §3.2), the weakest first.
_SRI: Final[Mapping[str, HashFunction]] = {
    "sha256": sha256,
    "sha384": sha384,
    "sha512": _SHA_512,
}
# By what a multihash of it starts with: code and length.
_MULTIHASH: Final[Mapping[bytes, HashFunction]] = {
    b"\x12\x20": sha256,
    b"\x20\x30": sha384,
    b"\x13\x40": _SHA_512,
}


class RelatedResourceMismatch(RejectedError):
    """A resource that the credential relates to is not the one that the issuer saw."""

    code = "related_resource_mismatch"


def check_related_resources(credential: Credential, held: Mapping[str, bytes]) -> None:
    """Compare `relatedResource` digests with the resources in `held`, by URL.

    Nothing is fetched: what is not in `held` is *not* checked, nor a digest by a hash function
    that is not known here. Raises `RelatedResourceMismatch`.
    """
    for resource in parse_entries(credential.document, "relatedResource"):
        data = held.get(resource["id"])
        if data is None:
            continue
        sri, multibase = resource.get("digestSRI"), resource.get("digestMultibase")
        if "digestSRI" in resource and not (_is_text(sri) and _fits_sri(sri, data)):
            raise RelatedResourceMismatch("a related resource does not have its digestSRI")
        if "digestMultibase" in resource:
            values = multibase if type(multibase) is list else [multibase]
            if not 0 < len(values) <= MAX_DIGESTS or not all(
                _is_text(value) and _fits_multihash(value, data) for value in values
            ):
                raise RelatedResourceMismatch("a related resource has not its digestMultibase")


def _is_text(value: object) -> TypeGuard[str]:
    return type(value) is str and len(value) <= MAX_DIGEST_CHARACTERS


def _fits_sri(integrity: str, data: bytes) -> bool:
    """Return whether one of the strongest digests fits (SRI §3.3.4)."""
    parts = [token.partition("?")[0].partition("-") for token in integrity.split()]
    named = {algorithm for algorithm, _, _ in parts}
    strongest = [name for name in _SRI if name in named]
    if not strongest:
        return bool(parts) and all(digest for _, _, digest in parts)
    wanted = _SRI[strongest[-1]](data)
    return wanted in [_decoded(digest) for name, _, digest in parts if name == strongest[-1]]


def _decoded(digest: str) -> bytes | None:
    try:
        return base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        return None


def _fits_multihash(text: str, data: bytes) -> bool:
    """Return whether a multihash is of `data`, or by an unknown function and well formed."""
    try:
        if text.startswith("z"):
            multihash = decode_base58btc(text)
        else:
            multihash = decode_base64url(text, max_characters=MAX_DIGEST_CHARACTERS)
    except MalformedError:
        return False
    function = _MULTIHASH.get(multihash[:2])
    if function is None:
        return len(multihash) > 2 and multihash[1] == len(multihash) - 2
    return multihash[2:] == function(data)
