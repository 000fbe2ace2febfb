"""Encryption of credential requests and responses (§8.2, §8.3, §10, §12.2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.jwe import (
    KEY_AGREEMENT,
    DecryptionKey,
    EncryptionKey,
    decrypt_jwe,
    encrypt_jwe,
    parse_encryption_jwk,
    parse_jwe,
)
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, list_of, object_of, texts_of

ENCRYPTED_MEDIA_TYPE: Final = "application/jwt"
ENC_VALUES: Final = ("A128GCM", "A256GCM")
MAX_ENCRYPTION_KEYS: Final = 16


class EncryptionParametersInvalid(RejectedError):
    """The encryption that a credential request asks for cannot be done, or one is missing."""

    code = "encryption_parameters_invalid"


@dataclass(frozen=True, slots=True)
class RequestEncryptionOffer:
    """`credential_request_encryption`: the issuer's keys, and whether it takes plain requests."""

    keys: tuple[EncryptionKey, ...]
    enc_values: tuple[str, ...] = ENC_VALUES
    required: bool = False

    def to_json(self) -> JsonObject:
        """Return the member of the metadata."""
        return {
            "jwks": {"keys": [key.jwk for key in self.keys]},
            "enc_values_supported": list(self.enc_values),
            "encryption_required": self.required,
        }


@dataclass(frozen=True, slots=True)
class ResponseEncryptionOffer:
    """`credential_response_encryption`: how the issuer can encrypt, and whether it insists."""

    enc_values: tuple[str, ...] = ENC_VALUES
    required: bool = False
    alg_values: tuple[str, ...] = (KEY_AGREEMENT,)

    def to_json(self) -> JsonObject:
        """Return the member of the metadata."""
        return {
            "alg_values_supported": list(self.alg_values),
            "enc_values_supported": list(self.enc_values),
            "encryption_required": self.required,
        }


@dataclass(frozen=True, slots=True)
class ResponseEncryption:
    """What a request asks its response to be encrypted with: the wallet's key and `enc`."""

    key: EncryptionKey
    enc: str

    def to_json(self) -> JsonObject:
        """Return the member of the credential request."""
        return {"jwk": self.key.jwk, "enc": self.enc}


def parse_request_encryption_offer(value: object) -> RequestEncryptionOffer | None:
    """Return the offer of its JSON form. Keys that are not P-256 with ECDH-ES are left out.

    Raises `Oid4vciMessageMalformed`.
    """
    if value is None:
        return None
    offer = object_of(value, "credential_request_encryption")
    jwks = object_of(offer.get("jwks"), "jwks")
    keys = []
    for jwk in list_of(jwks.get("keys"), "jwks.keys", max_items=MAX_ENCRYPTION_KEYS):
        try:
            keys.append(parse_encryption_jwk(jwk))
        except (MalformedError, UnsupportedError):
            continue
    return RequestEncryptionOffer(tuple(keys), _enc_values(offer), _required(offer))


def parse_response_encryption_offer(value: object) -> ResponseEncryptionOffer | None:
    """Return the offer of its JSON form. Raises `Oid4vciMessageMalformed`."""
    if value is None:
        return None
    offer = object_of(value, "credential_response_encryption")
    algorithms = texts_of(
        offer.get("alg_values_supported"), "alg_values_supported", max_items=20, max_characters=100
    )
    return ResponseEncryptionOffer(_enc_values(offer), _required(offer), algorithms)


def _enc_values(offer: Mapping[str, Any]) -> tuple[str, ...]:
    return texts_of(
        offer.get("enc_values_supported"), "enc_values_supported", max_items=20, max_characters=100
    )


def _required(offer: Mapping[str, Any]) -> bool:
    required = offer.get("encryption_required")
    if type(required) is not bool:
        raise Oid4vciMessageMalformed("encryption_required is a boolean")
    return required


def parse_response_encryption(value: object) -> ResponseEncryption:
    """Return what `credential_response_encryption` of a request asks for.

    Raises `EncryptionParametersInvalid`, whatever is wrong with it: the protocol has one name.
    """
    try:
        asked = object_of(value, "credential_response_encryption")
        key = parse_encryption_jwk(asked.get("jwk"))
    except (MalformedError, UnsupportedError) as error:
        raise EncryptionParametersInvalid(str(error)) from error
    if asked.get("enc") not in ENC_VALUES:
        raise EncryptionParametersInvalid("enc is one of " + ", ".join(ENC_VALUES))
    if "zip" in asked:
        raise EncryptionParametersInvalid("compression is not supported")
    return ResponseEncryption(key, str(asked["enc"]))


def encrypt_message(message: JsonObject, recipient: EncryptionKey, *, enc: str) -> str:
    """Return the message as a compact JWE."""
    return encrypt_jwe(to_json(message), recipient, enc=enc, header={"cty": "json"})


def decrypt_message(token: bytes, key: DecryptionKey, *, max_bytes: int) -> JsonObject:
    """Return the message of a compact JWE for `key`.

    Raises `EncryptionParametersInvalid` for what does not decrypt, `JsonMalformed` for a
    plaintext that is no JSON object.
    """
    try:
        jwe = parse_jwe(token, encryptions=ENC_VALUES, max_bytes=max_bytes)
        plaintext = decrypt_jwe(jwe, key)
    except (MalformedError, UnsupportedError, RejectedError) as error:
        raise EncryptionParametersInvalid(str(error)) from error
    return parse_json_object(plaintext, max_bytes=max_bytes)
