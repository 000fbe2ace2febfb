"""Credential requests and responses (§8), with the `anchor` member of this project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, UnsupportedError
from wallet.protocols.oid4vci.offer import MAX_CODE_CHARACTERS
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    list_of,
    object_of,
    text_member,
    texts_of,
)
from wallet.trust.receipt import SALT_BYTES

MAX_CREDENTIAL_REQUEST_BYTES: Final = 256 * 1024
MAX_CREDENTIAL_RESPONSE_BYTES: Final = 1024 * 1024
MAX_PROOFS: Final = 32
MAX_PROOF_CHARACTERS: Final = 16 * 1024
MAX_CREDENTIAL_CHARACTERS: Final = 256 * 1024


class KeyProofMissing(MalformedError):
    """The credential request carries no key proof in a form that is understood."""

    code = "key_proof_missing"


class UnsupportedProofType(UnsupportedError):
    """Only key proofs of type `jwt` are supported."""

    code = "unsupported_proof_type"


class UnknownCredentialIdentifier(UnsupportedError):
    """The request names a `credential_identifier`; the token response gave none out."""

    code = "unknown_credential_identifier"


class UnsupportedResponseEncryption(UnsupportedError):
    """Encrypted credential responses are not offered."""

    code = "unsupported_response_encryption"


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """What to issue, and one key proof per credential wanted, unverified."""

    credential_configuration_id: str
    proofs: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """Return the credential request object."""
        return {
            "credential_configuration_id": self.credential_configuration_id,
            "proofs": {"jwt": list(self.proofs)},
        }


def parse_credential_request(value: object) -> CredentialRequest:
    """Return the credential request of its JSON value (§8.2).

    Raises `Oid4vciMessageMalformed`, `KeyProofMissing`, `UnsupportedProofType`,
    `UnknownCredentialIdentifier`, `UnsupportedResponseEncryption`.
    """
    request = object_of(value, "a credential request")
    if "credential_identifier" in request:
        if "credential_configuration_id" in request:
            raise Oid4vciMessageMalformed("name a configuration or an identifier, not both")
        raise UnknownCredentialIdentifier("the token carries no credential identifiers")
    configuration_id = text_member(
        request, "credential_configuration_id", max_characters=MAX_CODE_CHARACTERS
    )
    if "credential_response_encryption" in request:
        raise UnsupportedResponseEncryption("responses are protected by TLS alone")
    return CredentialRequest(configuration_id, _parse_proofs(request.get("proofs")))


def _parse_proofs(value: object) -> tuple[str, ...]:
    if type(value) is not dict or not value:
        raise KeyProofMissing("proofs is an object with one key proof type")
    if len(value) != 1:
        raise Oid4vciMessageMalformed("proofs holds exactly one key proof type")
    if "jwt" not in value:
        raise UnsupportedProofType("only the key proof type jwt is supported")
    proofs = texts_of(
        value["jwt"], "proofs.jwt", max_items=MAX_PROOFS, max_characters=MAX_PROOF_CHARACTERS
    )
    if not proofs:
        raise KeyProofMissing("proofs.jwt is empty")
    return proofs


@dataclass(frozen=True, slots=True)
class CredentialAnchor:
    """What the wallet keeps to fetch and use the anchor receipt of one credential.

    `salt` has 32 bytes and is known to issuer and wallet only; `receipt_uri` answers with index,
    size and path once the batch is on the chain.
    """

    salt: bytes
    receipt_uri: str


@dataclass(frozen=True, slots=True)
class ReceivedCredential:
    """One credential of a response, unverified; `anchor` is None from other issuers."""

    credential: str
    anchor: CredentialAnchor | None = None

    def to_json(self) -> JsonObject:
        """Return the item of `credentials`."""
        item: JsonObject = {"credential": self.credential}
        if self.anchor is not None:
            item["anchor"] = {
                "salt": base64url.encode(self.anchor.salt),
                "receipt_uri": self.anchor.receipt_uri,
            }
        return item


@dataclass(frozen=True, slots=True)
class CredentialResponse:
    """The credentials, one per key proof in the order of the proofs."""

    credentials: tuple[ReceivedCredential, ...]

    def to_json(self) -> JsonObject:
        """Return the credential response object."""
        return {"credentials": [item.to_json() for item in self.credentials]}


def parse_credential_response(value: object, *, development: bool = False) -> CredentialResponse:
    """Return the credentials of a response (§8.3), unverified.

    Deferred responses (`transaction_id`) are not supported. Raises `Oid4vciMessageMalformed`,
    `Base64urlMalformed`.
    """
    response = object_of(value, "a credential response")
    items = list_of(response.get("credentials"), "credentials", max_items=MAX_PROOFS)
    if not items:
        raise Oid4vciMessageMalformed("credentials is empty")
    return CredentialResponse(tuple(_parse_item(item, development) for item in items))


def _parse_item(value: object, development: bool) -> ReceivedCredential:
    item = object_of(value, "an item of credentials")
    credential = text_member(item, "credential", max_characters=MAX_CREDENTIAL_CHARACTERS)
    anchor: Any = item.get("anchor")
    if anchor is None:
        return ReceivedCredential(credential)
    anchor = object_of(anchor, "anchor")
    salt = base64url.decode(text_member(anchor, "salt", max_characters=64))
    if len(salt) != SALT_BYTES:
        raise Oid4vciMessageMalformed(f"salt has {SALT_BYTES} bytes")
    receipt_uri = check_url(anchor.get("receipt_uri"), development=development)
    return ReceivedCredential(credential, CredentialAnchor(salt, receipt_uri))
