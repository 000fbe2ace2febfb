"""A verifier's metadata in its request (OpenID4VP 1.0 §5.1, §8.3, §11.1): formats and keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from wallet.credentials.formats import BBS_NYM_FORMAT, LDP_VC_FORMAT, SD_JWT_VC_FORMAT
from wallet.credentials.jwe import EncryptionKey, parse_encryption_jwk
from wallet.crypto.keys import UnsupportedKey
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.protocols.oid4vci.nym_proof import BBS_NYM_ALGORITHM
from wallet.protocols.oid4vp import RequestMalformed, UnsupportedRequest

MAX_KEYS: Final = 16
MAX_LISTED: Final = 64
# What a verifier that says nothing takes (§8.3).
DEFAULT_ENCRYPTION: Final = "A128GCM"
# In the order that this wallet prefers them.
ENCRYPTIONS: Final = ("A256GCM", "A128GCM", "A128CBC-HS256")
# RFC 9864 has a name of its own for what is used here of EdDSA.
_GENERAL_NAMES: Final = {"Ed25519": "EdDSA"}


class FormatsNotSupported(RejectedError):
    """The verifier does not take the formats or algorithms of what it asks for (§8.5)."""

    code = "vp_formats_not_supported"


def response_encryption(metadata: JsonObject | None) -> tuple[EncryptionKey, str]:
    """Return the key and content encryption for an answer that must be encrypted (§8.3).

    Keys come from `jwks` alone, none is fetched; the first that this wallet can use is taken.
    Raises `RequestMalformed`, `UnsupportedRequest` when no key or no encryption fits.
    """
    found = metadata or {}
    offered = found.get("encrypted_response_enc_values_supported", [DEFAULT_ENCRYPTION])
    if type(offered) is not list or not 0 < len(offered) <= MAX_LISTED:
        raise RequestMalformed("encrypted_response_enc_values_supported is a short list")
    enc = next((name for name in ENCRYPTIONS if name in offered), None)
    if enc is None:
        raise UnsupportedRequest("no content encryption in common")
    jwks = found.get("jwks")
    keys = jwks.get("keys") if type(jwks) is dict else None
    if type(keys) is not list or not 0 < len(keys) <= MAX_KEYS:
        raise RequestMalformed("an encrypted answer needs keys in client_metadata.jwks")
    for jwk in keys:
        try:
            return parse_encryption_jwk(jwk), enc
        except UnsupportedKey:
            continue
    raise UnsupportedRequest("no key for ECDH-ES on P-256")


def check_format(
    metadata: JsonObject | None, format_: str, algorithms: Mapping[str, Collection[str]]
) -> None:
    """Return if the verifier takes a format with these algorithms.

    `algorithms` are those of the presentation by the member of `vp_formats_supported` that lists
    them, for example `sd-jwt_alg_values`. Without `vp_formats_supported` nothing is known and
    nothing refused. Raises `FormatsNotSupported`, `RequestMalformed`.
    """
    if metadata is None or "vp_formats_supported" not in metadata:
        return
    formats = metadata["vp_formats_supported"]
    if type(formats) is not dict:
        raise RequestMalformed("vp_formats_supported is an object")
    accepted = formats.get(format_)
    if type(accepted) is not dict:
        raise FormatsNotSupported(f"the verifier does not take {format_}")
    for name, used in algorithms.items():
        listed: Any = accepted.get(name)
        if listed is None:
            continue
        if type(listed) is not list or len(listed) > MAX_LISTED:
            raise RequestMalformed(f"{name} is a short list")
        taken = {_GENERAL_NAMES.get(item, item) for item in listed if type(item) is str}
        if not taken.issuperset(_GENERAL_NAMES.get(item, item) for item in used):
            raise FormatsNotSupported(f"the verifier's {name} does not have the algorithm used")


def verifier_formats(
    formats: Collection[str], algorithms: list[str], cryptosuites: list[str]
) -> JsonObject:
    """Return `vp_formats_supported` for the formats of one query."""
    result: JsonObject = {}
    for format_ in formats:
        if format_ == SD_JWT_VC_FORMAT:
            result[format_] = {
                "sd-jwt_alg_values": algorithms,
                "kb-jwt_alg_values": algorithms,
            }
        elif format_ == LDP_VC_FORMAT:
            result[format_] = {
                "proof_type_values": ["DataIntegrityProof"],
                "cryptosuite_values": cryptosuites,
            }
        elif format_ == BBS_NYM_FORMAT:
            result[format_] = {"alg_values": [BBS_NYM_ALGORITHM]}
        else:
            result[format_] = {"alg_values": algorithms}
    return result
