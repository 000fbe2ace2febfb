"""Credential issuer metadata (§12.2), plain and signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.jose import claim_time, parse_compact_jws, sign_jws, verify_jws
from wallet.crypto.keys import SigningKey
from wallet.did.document import DidDocument
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
    parse_configuration,
    parse_labels,
)
from wallet.protocols.oid4vci.encryption import (
    RequestEncryptionOffer,
    ResponseEncryptionOffer,
    parse_request_encryption_offer,
    parse_response_encryption_offer,
)
from wallet.protocols.oid4vci.recovery import (
    RECOVERY_MEMBER,
    RecoveryOffer,
    parse_recovery_offer,
)
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    insert_well_known,
    object_of,
    texts_of,
)

__all__ = (
    "MAX_METADATA_BYTES",
    "ClaimDescription",
    "CredentialConfiguration",
    "IssuerMetadata",
    "Label",
    "MetadataMismatch",
    "issuer_metadata_url",
    "parse_issuer_metadata",
    "sign_issuer_metadata",
    "verify_signed_metadata",
)

SIGNED_METADATA_TYPE: Final = "openidvci-issuer-metadata+jwt"
SIGNED_METADATA_MEDIA_TYPE: Final = "application/jwt"
SIGNED_METADATA_LIFETIME_S: Final = 24 * 3600
MAX_METADATA_BYTES: Final = 256 * 1024
MAX_CONFIGURATIONS: Final = 200
MAX_CLOCK_SKEW_S: Final = 60
_ISSUER_WELL_KNOWN: Final = "openid-credential-issuer"
_ENDPOINTS: Final = ("nonce_endpoint", "deferred_credential_endpoint", "notification_endpoint")
# What a signed form adds to the metadata itself.
_JWT_CLAIMS: Final = frozenset(("iss", "sub", "iat", "exp"))


class MetadataMismatch(RejectedError):
    """The metadata is of another issuer than the one that was asked for."""

    code = "metadata_mismatch"


def issuer_metadata_url(credential_issuer: str) -> str:
    """Return where an issuer's metadata is (§12.2.2: the well-known part goes before the path)."""
    return insert_well_known(credential_issuer, _ISSUER_WELL_KNOWN)


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """What an issuer offers and where. `batch_size` is 1 when it issues one at a time.

    `request_encryption` and `response_encryption` are None when the issuer does neither, and
    `recovery` when it does not have that extension of this project.
    """

    credential_issuer: str
    credential_endpoint: str
    nonce_endpoint: str | None
    configurations: Mapping[str, CredentialConfiguration]
    display: tuple[Label, ...] = ()
    authorization_servers: tuple[str, ...] = field(default=())
    batch_size: int = 1
    deferred_credential_endpoint: str | None = None
    notification_endpoint: str | None = None
    request_encryption: RequestEncryptionOffer | None = None
    response_encryption: ResponseEncryptionOffer | None = None
    recovery: RecoveryOffer | None = None

    def to_json(self) -> JsonObject:
        """Return the metadata document."""
        document: JsonObject = {
            "credential_issuer": self.credential_issuer,
            "credential_endpoint": self.credential_endpoint,
        }
        for name in _ENDPOINTS:
            if getattr(self, name) is not None:
                document[name] = getattr(self, name)
        if self.authorization_servers:
            document["authorization_servers"] = list(self.authorization_servers)
        if self.batch_size > 1:
            document["batch_credential_issuance"] = {"batch_size": self.batch_size}
        if self.request_encryption is not None:
            document["credential_request_encryption"] = self.request_encryption.to_json()
        if self.response_encryption is not None:
            document["credential_response_encryption"] = self.response_encryption.to_json()
        if self.recovery is not None:
            document[RECOVERY_MEMBER] = self.recovery.to_json()
        return document | {
            "display": [label.to_json() for label in self.display],
            "credential_configurations_supported": {
                name: item.to_json() for name, item in self.configurations.items()
            },
        }


def parse_issuer_metadata(
    value: object, *, credential_issuer: str, development: bool = False
) -> IssuerMetadata:
    """Return the metadata of `credential_issuer`, which it must name byte for byte (§12.2.1).

    Configurations in formats that are not implemented are left out. Raises `MetadataMismatch`,
    `Oid4vciMessageMalformed`. Does not say whether the issuer is to be trusted.
    """
    document = object_of(value, "issuer metadata")
    if document.get("credential_issuer") != credential_issuer:
        raise MetadataMismatch("credential_issuer is not the issuer that was asked for")
    check_url(credential_issuer, development=development, query=False)
    servers = texts_of(
        document.get("authorization_servers", []),
        "authorization_servers",
        max_items=10,
        max_characters=2048,
    )
    supported = object_of(
        document.get("credential_configurations_supported"), "credential_configurations_supported"
    )
    if len(supported) > MAX_CONFIGURATIONS:
        raise Oid4vciMessageMalformed(f"more than {MAX_CONFIGURATIONS} configurations")
    parsed = [parse_configuration(name, item) for name, item in supported.items()]
    endpoints = {
        name: check_url(document[name], development=development)
        for name in _ENDPOINTS
        if document.get(name) is not None
    }
    return IssuerMetadata(
        credential_issuer,
        check_url(document.get("credential_endpoint"), development=development),
        endpoints.get("nonce_endpoint"),
        {item.id: item for item in parsed if item is not None},
        parse_labels(document.get("display", [])),
        tuple(check_url(item, development=development, query=False) for item in servers),
        _parse_batch_size(document),
        endpoints.get("deferred_credential_endpoint"),
        endpoints.get("notification_endpoint"),
        parse_request_encryption_offer(document.get("credential_request_encryption")),
        parse_response_encryption_offer(document.get("credential_response_encryption")),
        parse_recovery_offer(document.get(RECOVERY_MEMBER), development=development),
    )


def _parse_batch_size(document: Mapping[str, Any]) -> int:
    if "batch_credential_issuance" not in document:
        return 1
    size = object_of(document["batch_credential_issuance"], "batch_credential_issuance").get(
        "batch_size"
    )
    if type(size) is not int or size < 1:
        raise Oid4vciMessageMalformed("batch_size is a positive whole number")
    return size


def sign_issuer_metadata(
    document: JsonObject, key: SigningKey, *, verification_method: str, issued_at: int
) -> str:
    """Return the metadata as a signed JWT (§12.2.3); `kid` is the DID URL of the key.

    It is good for `SIGNED_METADATA_LIFETIME_S`, so that an old one cannot be replayed for ever.
    """
    issuer = document["credential_issuer"]
    times = {"iat": issued_at, "exp": issued_at + SIGNED_METADATA_LIFETIME_S}
    claims = {**document, "iss": issuer, "sub": issuer, **times}
    return sign_jws(key, {"typ": SIGNED_METADATA_TYPE, "kid": verification_method}, claims)


def verify_signed_metadata(
    token: str | bytes, signer: DidDocument, *, credential_issuer: str, now: int
) -> JsonObject:
    """Return the metadata document of a signed form that a key of `signer` vouches for.

    `sub` is the issuer, `iat` not in the future, `exp`, if there, not over. Raises
    `MetadataMismatch`, `JwsMalformed`, `KeyNotAuthorized`, `SignatureInvalid`. Whether `signer`
    may speak for the issuer is for the caller to say.
    """
    jws = parse_compact_jws(token, typ=SIGNED_METADATA_TYPE)
    verify_jws(jws, signer.key_for(jws.kid or "", "assertionMethod"))
    claims = jws.peek_claims()
    issued_at = claim_time(claims, "iat", required=True) or 0
    expires_at = claim_time(claims, "exp")
    if claims.get("sub") != credential_issuer:
        raise MetadataMismatch("the signed metadata is about another issuer")
    if issued_at > now + MAX_CLOCK_SKEW_S or (expires_at is not None and expires_at <= now):
        raise MetadataMismatch("the signed metadata is not of this time")
    return {name: value for name, value in claims.items() if name not in _JWT_CLAIMS}
