"""Authorization server metadata (RFC 8414) with what OpenID4VCI and HAIP add to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.metadata import MetadataMismatch
from wallet.protocols.oid4vci.offer import PRE_AUTHORIZED_CODE_GRANT
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    insert_well_known,
    object_of,
    texts_of,
)

ATTESTED_CLIENT: Final = "attest_jwt_client_auth"
PUBLIC_CLIENT: Final = "none"
_SERVER_WELL_KNOWN: Final = "oauth-authorization-server"


def authorization_server_metadata_url(issuer: str) -> str:
    """Return where an authorization server's metadata is (RFC 8414 §3.1)."""
    return insert_well_known(issuer, _SERVER_WELL_KNOWN)


@dataclass(frozen=True, slots=True)
class AuthorizationServerMetadata:
    """Where to get authorized and get tokens, and how.

    `anonymous` says that no `client_id` is needed for the pre-authorized code (§12.3).
    `iss_in_answer` promises `iss` in authorization responses (RFC 9207).
    """

    issuer: str
    token_endpoint: str
    grant_types: tuple[str, ...] = (PRE_AUTHORIZED_CODE_GRANT,)
    anonymous: bool = True
    authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    require_pushed: bool = False
    iss_in_answer: bool = False
    code_challenge_methods: tuple[str, ...] = ()
    dpop_algorithms: tuple[str, ...] = ()
    client_authentication: tuple[str, ...] = (PUBLIC_CLIENT,)
    scopes: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the metadata document."""
        document: JsonObject = {
            "issuer": self.issuer,
            "token_endpoint": self.token_endpoint,
            "grant_types_supported": list(self.grant_types),
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": list(self.client_authentication),
            "pre-authorized_grant_anonymous_access_supported": self.anonymous,
        }
        if self.authorization_endpoint is not None:
            document |= {
                "authorization_endpoint": self.authorization_endpoint,
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "code_challenge_methods_supported": list(self.code_challenge_methods),
                "authorization_response_iss_parameter_supported": self.iss_in_answer,
                "authorization_details_types_supported": ["openid_credential"],
                "scopes_supported": list(self.scopes),
            }
        if self.pushed_authorization_request_endpoint is not None:
            document |= {
                "pushed_authorization_request_endpoint": (
                    self.pushed_authorization_request_endpoint
                ),
                "require_pushed_authorization_requests": self.require_pushed,
            }
        if self.dpop_algorithms:
            document["dpop_signing_alg_values_supported"] = list(self.dpop_algorithms)
        if ATTESTED_CLIENT in self.client_authentication:
            for name in ("client_attestation", "client_attestation_pop"):
                document[f"{name}_signing_alg_values_supported"] = ["ES256"]
        return document


def parse_authorization_server_metadata(
    value: object, *, issuer: str, development: bool = False
) -> AuthorizationServerMetadata:
    """Return the metadata of the authorization server `issuer`, which it must name byte for byte.

    Raises `MetadataMismatch`, `Oid4vciMessageMalformed`.
    """
    document = object_of(value, "authorization server metadata")
    if document.get("issuer") != issuer:
        raise MetadataMismatch("issuer is not the server that was asked for")
    endpoints = {
        name: check_url(document[name], development=development)
        for name in ("authorization_endpoint", "pushed_authorization_request_endpoint")
        if document.get(name) is not None
    }
    return AuthorizationServerMetadata(
        issuer,
        check_url(document.get("token_endpoint"), development=development),
        _names(document, "grant_types_supported"),
        _flag(document, "pre-authorized_grant_anonymous_access_supported"),
        endpoints.get("authorization_endpoint"),
        endpoints.get("pushed_authorization_request_endpoint"),
        _flag(document, "require_pushed_authorization_requests"),
        _flag(document, "authorization_response_iss_parameter_supported"),
        _names(document, "code_challenge_methods_supported"),
        _names(document, "dpop_signing_alg_values_supported"),
        _names(document, "token_endpoint_auth_methods_supported"),
        _names(document, "scopes_supported"),
    )


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name, False)
    if type(value) is not bool:
        raise Oid4vciMessageMalformed(f"{name} is a boolean")
    return value


def _names(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return texts_of(document.get(name, []), name, max_items=200, max_characters=300)
