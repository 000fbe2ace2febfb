"""Credential requests and responses (§8), with the `anchor` member of this project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.configuration import BBS_NYM_PROOF, JWT_PROOF
from wallet.protocols.oid4vci.encryption import ResponseEncryption, parse_response_encryption
from wallet.protocols.oid4vci.offer import MAX_CODE_CHARACTERS
from wallet.protocols.oid4vci.recovery import MAX_RECOVERY_PROOF_CHARACTERS, RECOVERY_MEMBER
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
MAX_INTERVAL_S: Final = 30 * 24 * 3600
MAX_PROOF_CHARACTERS: Final = 16 * 1024
MAX_CREDENTIAL_CHARACTERS: Final = 256 * 1024


class KeyProofMissing(MalformedError):
    """The credential request carries no key proof in a form that is understood."""

    code = "key_proof_missing"


class UnsupportedProofType(UnsupportedError):
    """Only key proofs of the types `jwt` and, for pseudonyms, `bbs_nym` are supported."""

    code = "unsupported_proof_type"


class UnknownCredentialIdentifier(RejectedError):
    """The access token was not given this `credential_identifier`, or must use the one it has."""

    code = "unknown_credential_identifier"


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """What to issue, and one key proof per credential wanted, unverified.

    Named by exactly one of `credential_configuration_id` and `credential_identifier`. With
    `proof_type` `bbs_nym` the one proof is the text of a `NymProof`. `recovery_proof` has the act
    `register` (see `wallet.protocols.oid4vci.recovery`), or is None.
    """

    credential_configuration_id: str | None
    proofs: tuple[str, ...]
    credential_identifier: str | None = None
    proof_type: str = JWT_PROOF
    response_encryption: ResponseEncryption | None = None
    recovery_proof: str | None = None

    def to_json(self) -> JsonObject:
        """Return the credential request object."""
        request: JsonObject = {"proofs": {self.proof_type: list(self.proofs)}}
        if self.credential_configuration_id is not None:
            request["credential_configuration_id"] = self.credential_configuration_id
        if self.credential_identifier is not None:
            request["credential_identifier"] = self.credential_identifier
        if self.response_encryption is not None:
            request["credential_response_encryption"] = self.response_encryption.to_json()
        if self.recovery_proof is not None:
            request[RECOVERY_MEMBER] = self.recovery_proof
        return request


def parse_credential_request(value: object) -> CredentialRequest:
    """Return the credential request of its JSON value (§8.2).

    Raises `Oid4vciMessageMalformed`, `KeyProofMissing`, `UnsupportedProofType`,
    `EncryptionParametersInvalid`.
    """
    request = object_of(value, "a credential request")
    named = {
        name: text_member(request, name, max_characters=MAX_CODE_CHARACTERS)
        for name in ("credential_configuration_id", "credential_identifier")
        if name in request
    }
    if len(named) != 1:
        raise Oid4vciMessageMalformed("name a configuration or an identifier, and not both")
    encryption = None
    if "credential_response_encryption" in request:
        encryption = parse_response_encryption(request["credential_response_encryption"])
    recovery_proof = None
    if RECOVERY_MEMBER in request:
        recovery_proof = text_member(
            request, RECOVERY_MEMBER, max_characters=MAX_RECOVERY_PROOF_CHARACTERS
        )
    proof_type, proofs = _parse_proofs(request.get("proofs"))
    return CredentialRequest(
        named.get("credential_configuration_id"),
        proofs,
        named.get("credential_identifier"),
        proof_type,
        encryption,
        recovery_proof,
    )


def _parse_proofs(value: object) -> tuple[str, tuple[str, ...]]:
    if type(value) is not dict or not value:
        raise KeyProofMissing("proofs is an object with one key proof type")
    if len(value) != 1:
        raise Oid4vciMessageMalformed("proofs holds exactly one key proof type")
    ((name, given),) = value.items()
    if name not in (JWT_PROOF, BBS_NYM_PROOF):
        raise UnsupportedProofType("only the key proof types jwt and bbs_nym are supported")
    proofs = texts_of(
        given, f"proofs.{name}", max_items=MAX_PROOFS, max_characters=MAX_PROOF_CHARACTERS
    )
    if not proofs:
        raise KeyProofMissing(f"proofs.{name} is empty")
    return name, proofs


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
    """One credential of a response, unverified; `anchor` is None from other issuers.

    `credential` is a string, or an object in the format `ldp_vc` and in that of this project.
    """

    credential: str | JsonObject
    anchor: CredentialAnchor | None = None

    @property
    def text(self) -> str:
        """The credential in a format of strings. Raises `Oid4vciMessageMalformed`."""
        if type(self.credential) is not str:
            raise Oid4vciMessageMalformed("a credential in this format is a string")
        return self.credential

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
    notification_id: str | None = None

    def to_json(self) -> JsonObject:
        """Return the credential response object."""
        response: JsonObject = {"credentials": [item.to_json() for item in self.credentials]}
        if self.notification_id is not None:
            response["notification_id"] = self.notification_id
        return response


@dataclass(frozen=True, slots=True)
class DeferredResponse:
    """Not yet: ask again with `transaction_id` after `interval` seconds (§8.3, §9.2)."""

    transaction_id: str
    interval: int

    def to_json(self) -> JsonObject:
        """Return the response object, which goes with status 202."""
        return {"transaction_id": self.transaction_id, "interval": self.interval}


def parse_credential_response(value: object, *, development: bool = False) -> CredentialResponse:
    """Return the credentials of a response (§8.3), unverified.

    Raises `Oid4vciMessageMalformed`, `Base64urlMalformed`.
    """
    response = object_of(value, "a credential response")
    items = list_of(response.get("credentials"), "credentials", max_items=MAX_PROOFS)
    if not items:
        raise Oid4vciMessageMalformed("credentials is empty")
    notification_id = None
    if response.get("notification_id") is not None:
        notification_id = text_member(
            response, "notification_id", max_characters=MAX_CODE_CHARACTERS
        )
    return CredentialResponse(
        tuple(_parse_item(item, development) for item in items), notification_id
    )


def parse_deferred_response(value: object) -> DeferredResponse:
    """Return the response that came with status 202. Raises `Oid4vciMessageMalformed`."""
    response = object_of(value, "a deferred credential response")
    interval = response.get("interval")
    if type(interval) is not int or not 0 < interval <= MAX_INTERVAL_S:
        raise Oid4vciMessageMalformed("interval is a positive whole number of seconds")
    transaction_id = text_member(response, "transaction_id", max_characters=MAX_CODE_CHARACTERS)
    return DeferredResponse(transaction_id, interval)


def _parse_item(value: object, development: bool) -> ReceivedCredential:
    item = object_of(value, "an item of credentials")
    credential: str | JsonObject
    if type(item.get("credential")) is dict:
        credential = item["credential"]
    else:
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
