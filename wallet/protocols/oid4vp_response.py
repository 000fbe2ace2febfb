"""OpenID4VP 1.0 responses (§8): what a wallet posts to the verifier, plain or encrypted."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.jwe import (
    CompactJwe,
    DecryptionKey,
    EncryptionKey,
    decrypt_jwe,
    encrypt_jwe,
    parse_jwe,
)
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError
from wallet.protocols.oid4vp import OPAQUE

MAX_PRESENTATIONS: Final = 64
# What a verifier decrypts (§8.3; HAIP 1.0 §5 names both).
VERIFIER_ENCRYPTIONS: Final = ("A128GCM", "A256GCM")
_APU_BYTES: Final = 16

# A presentation as it travels: a string, or an object for ldp_vc.
RawPresentation = str | JsonObject


class ResponseMalformed(MalformedError):
    """Not an authorization response of OpenID4VP 1.0."""

    code = "vp_response_malformed"


@dataclass(frozen=True, slots=True)
class PresentationResponse:
    """The wallet's answer (§8.1): presentations by the id of the credential query."""

    vp_token: Mapping[str, tuple[RawPresentation, ...]]
    state: str | None


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The wallet declines or cannot answer (§8.5), for example `access_denied`."""

    error: str
    state: str | None


@dataclass(frozen=True, slots=True)
class EncryptedResponse:
    """An answer that only the holder of a request's key can read (§8.3)."""

    jwe: CompactJwe


AnyResponse = PresentationResponse | ErrorResponse | EncryptedResponse


def build_response(
    vp_token: Mapping[str, Sequence[RawPresentation]], state: str | None
) -> dict[str, str]:
    """Return the form fields of a direct_post response (§8.2)."""
    fields = {"vp_token": to_json(_lists(vp_token)).decode()}
    return fields if state is None else {**fields, "state": state}


def build_error_response(error: str, state: str | None) -> dict[str, str]:
    """Return the form fields of a direct_post error response."""
    return {"error": error} if state is None else {"error": error, "state": state}


def encrypt_response(
    vp_token: Mapping[str, Sequence[RawPresentation]],
    state: str | None,
    *,
    recipient: EncryptionKey,
    enc: str,
    nonce: str,
) -> str:
    """Return the JWE that a `.jwt` response mode carries in `response` (§8.3).

    `nonce` is the request's and goes into the key derivation as `apv`, beside a random `apu`.
    """
    members: JsonObject = {"vp_token": _lists(vp_token)}
    if state is not None:
        members["state"] = state
    return encrypt_jwe(
        to_json(members),
        recipient,
        enc=enc,
        apu=secrets.token_bytes(_APU_BYTES),
        apv=nonce.encode("ascii"),
    )


def _lists(vp_token: Mapping[str, Sequence[RawPresentation]]) -> JsonObject:
    return {name: list(items) for name, items in vp_token.items()}


def parse_response(fields: Mapping[str, str]) -> AnyResponse:
    """Return the response of its form fields; unknown fields are ignored.

    Raises `ResponseMalformed`, `JsonMalformed`, and what `parse_jwe` raises. Verifies and
    decrypts nothing.
    """
    state = _opaque(fields.get("state"), "state")
    if "error" in fields:
        if "vp_token" in fields or "response" in fields:
            raise ResponseMalformed("an error response has an error code and nothing else")
        return ErrorResponse(_opaque(fields["error"], "error") or "", state)
    if "response" in fields:
        if "vp_token" in fields:
            raise ResponseMalformed("a response is encrypted or not")
        return _encrypted(fields["response"])
    if "vp_token" not in fields:
        raise ResponseMalformed("vp_token is missing")
    data = fields["vp_token"].encode("utf-8", "surrogatepass")
    return PresentationResponse(_vp_token(parse_json_object(data)), state)


def parse_dc_response(data: JsonObject) -> AnyResponse:
    """Return the response in `data` of a `DigitalCredential` (Appendix A.4).

    Raises as `parse_response` does.
    """
    if "error" in data:
        return ErrorResponse(_opaque(data["error"], "error") or "", None)
    if "response" in data:
        if type(data["response"]) is not str or "vp_token" in data:
            raise ResponseMalformed("response is a string, and alone")
        return _encrypted(data["response"])
    if type(data.get("vp_token")) is not dict:
        raise ResponseMalformed("vp_token is an object")
    return PresentationResponse(_vp_token(data["vp_token"]), None)


def _encrypted(text: str) -> EncryptedResponse:
    raw = text.encode("utf-8", "surrogatepass")
    return EncryptedResponse(parse_jwe(raw, encryptions=VERIFIER_ENCRYPTIONS))


def decrypt_response(
    response: EncryptedResponse, key: DecryptionKey
) -> PresentationResponse | ErrorResponse:
    """Return what an encrypted response says. Anybody may have encrypted it.

    Raises `ResponseMalformed`, `JsonMalformed`, and what `decrypt_jwe` raises.
    """
    members = parse_json_object(decrypt_jwe(response.jwe, key))
    state = _opaque(members.get("state"), "state")
    if "error" in members:
        return ErrorResponse(_opaque(members["error"], "error") or "", state)
    if type(members.get("vp_token")) is not dict:
        raise ResponseMalformed("vp_token is an object")
    return PresentationResponse(_vp_token(members["vp_token"]), state)


def _opaque(value: Any, name: str) -> str | None:
    if value is None:
        return None
    if type(value) is not str or not OPAQUE.match(value):
        raise ResponseMalformed(f"{name} is printable ASCII of limited length")
    return value


def _vp_token(vp_token: JsonObject) -> Mapping[str, tuple[RawPresentation, ...]]:
    count = 0
    for presentations in vp_token.values():
        if type(presentations) is not list or not presentations:
            raise ResponseMalformed("vp_token maps query ids to non-empty lists")
        if any(type(item) not in (str, dict) for item in presentations):
            raise ResponseMalformed("a presentation is a string or an object")
        count += len(presentations)
    if not 0 < count <= MAX_PRESENTATIONS:
        raise ResponseMalformed(f"a vp_token holds 1 to {MAX_PRESENTATIONS} presentations")
    return {name: tuple(presentations) for name, presentations in vp_token.items()}
