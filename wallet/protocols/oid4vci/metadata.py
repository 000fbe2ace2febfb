"""Credential issuer metadata (§12.2) and authorization server metadata (RFC 8414)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.sd_jwt import ClaimPattern
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.protocols.oid4vci.offer import PRE_AUTHORIZED_CODE_GRANT
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    insert_well_known,
    list_of,
    object_of,
    text_member,
    texts_of,
)

SD_JWT_VC_FORMAT: Final = "dc+sd-jwt"
MAX_METADATA_BYTES: Final = 256 * 1024
MAX_CONFIGURATIONS: Final = 200
MAX_CLAIMS: Final = 200
MAX_LOCALES: Final = 50
MAX_LABEL_CHARACTERS: Final = 300
_ISSUER_WELL_KNOWN: Final = "openid-credential-issuer"
_SERVER_WELL_KNOWN: Final = "oauth-authorization-server"


class MetadataMismatch(RejectedError):
    """The metadata is of another issuer than the one that was asked for."""

    code = "metadata_mismatch"


def issuer_metadata_url(credential_issuer: str) -> str:
    """Return where an issuer's metadata is (§12.2.2: the well-known part goes before the path)."""
    return insert_well_known(credential_issuer, _ISSUER_WELL_KNOWN)


def authorization_server_metadata_url(issuer: str) -> str:
    """Return where an authorization server's metadata is (RFC 8414 §3.1)."""
    return insert_well_known(issuer, _SERVER_WELL_KNOWN)


@dataclass(frozen=True, slots=True)
class Label:
    """A name for people in one language. `description` is for credentials, not for claims."""

    name: str
    locale: str
    description: str | None = None

    def to_json(self) -> JsonObject:
        """Return the item of a `display` array."""
        label: JsonObject = {"name": self.name, "locale": self.locale}
        if self.description is not None:
            label["description"] = self.description
        return label


@dataclass(frozen=True, slots=True)
class ClaimDescription:
    """How to show one claim: its path, names by language, and whether it is always there."""

    path: ClaimPattern
    display: tuple[Label, ...] = ()
    mandatory: bool = False

    def to_json(self) -> JsonObject:
        """Return the item of `claims` (App. B.2)."""
        return {
            "path": list(self.path),
            "mandatory": self.mandatory,
            "display": [label.to_json() for label in self.display],
        }


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """One credential type in the format dc+sd-jwt, bound to a key that a `jwt` proof shows."""

    id: str
    vct: str
    display: tuple[Label, ...]
    claims: tuple[ClaimDescription, ...] = ()
    scope: str | None = None
    binding_methods: tuple[str, ...] = ("jwk",)
    signing_algorithms: tuple[str, ...] = ("ES256",)
    proof_algorithms: tuple[str, ...] = ("ES256",)

    def to_json(self) -> JsonObject:
        """Return the value in `credential_configurations_supported`."""
        configuration: JsonObject = {"format": SD_JWT_VC_FORMAT, "vct": self.vct}
        if self.scope is not None:
            configuration["scope"] = self.scope
        return configuration | {
            "cryptographic_binding_methods_supported": list(self.binding_methods),
            "credential_signing_alg_values_supported": list(self.signing_algorithms),
            "proof_types_supported": {
                "jwt": {"proof_signing_alg_values_supported": list(self.proof_algorithms)}
            },
            "credential_metadata": {
                "display": [label.to_json() for label in self.display],
                "claims": [claim.to_json() for claim in self.claims],
            },
        }


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """What an issuer offers and where. `batch_size` is 1 when it issues one at a time."""

    credential_issuer: str
    credential_endpoint: str
    nonce_endpoint: str | None
    configurations: Mapping[str, CredentialConfiguration]
    display: tuple[Label, ...] = ()
    authorization_servers: tuple[str, ...] = field(default=())
    batch_size: int = 1

    def to_json(self) -> JsonObject:
        """Return the metadata document."""
        document: JsonObject = {
            "credential_issuer": self.credential_issuer,
            "credential_endpoint": self.credential_endpoint,
        }
        if self.nonce_endpoint is not None:
            document["nonce_endpoint"] = self.nonce_endpoint
        if self.authorization_servers:
            document["authorization_servers"] = list(self.authorization_servers)
        if self.batch_size > 1:
            document["batch_credential_issuance"] = {"batch_size": self.batch_size}
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

    Configurations in other formats than dc+sd-jwt are left out. Raises `MetadataMismatch`,
    `Oid4vciMessageMalformed`. Does not say whether the issuer is to be trusted.
    """
    document = object_of(value, "issuer metadata")
    if document.get("credential_issuer") != credential_issuer:
        raise MetadataMismatch("credential_issuer is not the issuer that was asked for")
    check_url(credential_issuer, development=development, query=False)
    nonce_endpoint = document.get("nonce_endpoint")
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
    parsed = [_parse_configuration(name, item) for name, item in supported.items()]
    return IssuerMetadata(
        credential_issuer,
        check_url(document.get("credential_endpoint"), development=development),
        None if nonce_endpoint is None else check_url(nonce_endpoint, development=development),
        {item.id: item for item in parsed if item is not None},
        _parse_labels(document.get("display", [])),
        tuple(check_url(item, development=development, query=False) for item in servers),
        _parse_batch_size(document),
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


def _parse_configuration(name: str, value: object) -> CredentialConfiguration | None:
    item = object_of(value, "a credential configuration")
    if text_member(item, "format", max_characters=100) != SD_JWT_VC_FORMAT:
        return None
    metadata = object_of(item.get("credential_metadata", {}), "credential_metadata")
    proofs = object_of(item.get("proof_types_supported", {}), "proof_types_supported")
    jwt = object_of(proofs.get("jwt", {}), "proof_types_supported.jwt")
    claims = list_of(metadata.get("claims", []), "claims", max_items=MAX_CLAIMS)
    return CredentialConfiguration(
        name,
        text_member(item, "vct", max_characters=2048),
        _parse_labels(metadata.get("display", [])),
        tuple(_parse_claim(claim) for claim in claims),
        text_member(item, "scope", max_characters=300) if "scope" in item else None,
        _names(item, "cryptographic_binding_methods_supported"),
        _names(item, "credential_signing_alg_values_supported"),
        _names(jwt, "proof_signing_alg_values_supported"),
    )


def _names(value: Mapping[str, Any], member: str) -> tuple[str, ...]:
    return texts_of(value.get(member, []), member, max_items=50, max_characters=100)


def _parse_labels(value: object) -> tuple[Label, ...]:
    labels = []
    for entry in list_of(value, "display", max_items=MAX_LOCALES):
        item = object_of(entry, "an item of display")
        if "name" not in item:
            continue
        description = item.get("description")
        if description is not None and type(description) is not str:
            raise Oid4vciMessageMalformed("description is a string")
        labels.append(
            Label(
                text_member(item, "name", max_characters=MAX_LABEL_CHARACTERS),
                text_member(item, "locale", max_characters=64) if "locale" in item else "",
                None if description is None else description[:MAX_LABEL_CHARACTERS],
            )
        )
    return tuple(labels)


def _parse_claim(value: object) -> ClaimDescription:
    claim = object_of(value, "an item of claims")
    path = list_of(claim.get("path"), "path", max_items=32)
    for part in path:
        if not (part is None or type(part) is str or (type(part) is int and part >= 0)):
            raise Oid4vciMessageMalformed("a path holds strings, indexes and null")
    mandatory = claim.get("mandatory", False)
    if not path or type(mandatory) is not bool:
        raise Oid4vciMessageMalformed("a claim has a path, and mandatory is a boolean")
    return ClaimDescription(tuple(path), _parse_labels(claim.get("display", [])), mandatory)


@dataclass(frozen=True, slots=True)
class AuthorizationServerMetadata:
    """Where to get tokens. `anonymous` says that no `client_id` is needed (§12.3)."""

    issuer: str
    token_endpoint: str
    grant_types: tuple[str, ...] = (PRE_AUTHORIZED_CODE_GRANT,)
    anonymous: bool = True

    def to_json(self) -> JsonObject:
        """Return the metadata document."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.token_endpoint,
            "grant_types_supported": list(self.grant_types),
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["none"],
            "pre-authorized_grant_anonymous_access_supported": self.anonymous,
        }


def parse_authorization_server_metadata(
    value: object, *, issuer: str, development: bool = False
) -> AuthorizationServerMetadata:
    """Return the metadata of the authorization server `issuer`, which it must name byte for byte.

    Raises `MetadataMismatch`, `Oid4vciMessageMalformed`.
    """
    document = object_of(value, "authorization server metadata")
    if document.get("issuer") != issuer:
        raise MetadataMismatch("issuer is not the server that was asked for")
    anonymous = document.get("pre-authorized_grant_anonymous_access_supported", False)
    if type(anonymous) is not bool:
        raise Oid4vciMessageMalformed("anonymous access is a boolean")
    return AuthorizationServerMetadata(
        issuer,
        check_url(document.get("token_endpoint"), development=development),
        texts_of(
            document.get("grant_types_supported", []),
            "grant_types_supported",
            max_items=50,
            max_characters=200,
        ),
        anonymous,
    )
