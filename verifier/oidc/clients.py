"""How relying parties authenticate at the token endpoint (OIDC Core §9)."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from verifier.oidc.settings import RelyingParty
from wallet.credentials.jose import (
    claim_string,
    claim_time,
    parse_compact_jws,
    verify_jws,
)
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import SignatureInvalid
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.ports.sessions import SessionConflict, SessionStore

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_KIND: Final = "oidc_assertion"
MAX_ASSERTION_S: Final = 600
MAX_CLOCK_SKEW_S: Final = 30
MAX_BASIC_CHARACTERS: Final = 1024
MAX_JTI_CHARACTERS: Final = 256


class RelyingPartyNotAuthenticated(RejectedError):
    """The client did not prove who it is."""

    code = "relying_party_not_authenticated"
    status = 401


class ClientAuthentication:
    """Authenticates clients in the way that each is registered with, and in no other."""

    def __init__(
        self,
        clients: Mapping[str, RelyingParty],
        store: SessionStore,
        audiences: frozenset[str],
    ) -> None:
        """`audiences` are what an assertion may be for: the issuer, or its token endpoint."""
        self._clients = clients
        self._store = store
        self._audiences = audiences

    def authenticate(
        self, authorization: str | None, fields: Mapping[str, str], *, now: int
    ) -> RelyingParty:
        """Return the client of a token request.

        Raises `RelyingPartyNotAuthenticated`, also for two methods at once, for a `client_id` of
        another, and for an assertion that came before.
        """
        assertion = fields.get("client_assertion")
        if (authorization is None) is (assertion is None):
            raise RelyingPartyNotAuthenticated("authenticate in one way")
        client = (
            self._by_secret(authorization)
            if authorization is not None
            else self._by_assertion(assertion or "", fields.get("client_assertion_type"), now)
        )
        if fields.get("client_id", client.client_id) != client.client_id:
            raise RelyingPartyNotAuthenticated("client_id is of another client")
        return client

    def _by_secret(self, authorization: str) -> RelyingParty:
        scheme, _, encoded = authorization.partition(" ")
        try:
            if scheme.lower() != "basic" or len(encoded) > MAX_BASIC_CHARACTERS:
                raise RelyingPartyNotAuthenticated("expected HTTP Basic")
            text = b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise RelyingPartyNotAuthenticated("the credentials cannot be read") from None
        name, _, secret = text.partition(":")
        # Both are form-encoded before they are joined (RFC 6749 §2.3.1).
        client = self._clients.get(unquote_plus(name))
        known = None if client is None else client.secret_digest
        given = sha256(unquote_plus(secret).encode("utf-8", "surrogatepass"))
        if client is None or known is None or not hmac.compare_digest(given, known):
            raise RelyingPartyNotAuthenticated("unknown client or wrong secret")
        return client

    def _by_assertion(self, assertion: str, kind: str | None, now: int) -> RelyingParty:
        if kind != ASSERTION_TYPE:
            raise RelyingPartyNotAuthenticated("client_assertion_type is for JWT bearers")
        try:
            jws = parse_compact_jws(assertion, typ=None)
            claims = jws.peek_claims()
            client = self._clients.get(claim_string(claims, "iss"))
            if client is None:
                raise RelyingPartyNotAuthenticated("no client has this id")
            for key in client.keys:
                try:
                    verify_jws(jws, key)
                except SignatureInvalid:
                    continue
                break
            else:
                raise RelyingPartyNotAuthenticated("the assertion is not signed by the client")
            expires_at = self._check(claims, client, now)
            jti = claim_string(claims, "jti")
        except (MalformedError, UnsupportedError):
            raise RelyingPartyNotAuthenticated("the assertion cannot be read") from None
        if len(jti) > MAX_JTI_CHARACTERS:
            raise RelyingPartyNotAuthenticated("jti is a short string")
        try:
            self._store.create(
                ASSERTION_KIND,
                f"{client.client_id} {jti}",
                b"",
                expires_at=expires_at + MAX_CLOCK_SKEW_S,
            )
        except SessionConflict:
            raise RelyingPartyNotAuthenticated("the assertion was used") from None
        return client

    def _check(self, claims: Mapping[str, Any], client: RelyingParty, now: int) -> int:
        audience = claims.get("aud")
        single = audience[0] if type(audience) is list and len(audience) == 1 else audience
        if type(single) is not str or single not in self._audiences:
            raise RelyingPartyNotAuthenticated("the assertion is for another")
        if claims.get("sub") != client.client_id:
            raise RelyingPartyNotAuthenticated("the assertion is of another")
        expires_at = claim_time(claims, "exp", required=True) or 0
        not_before = max(claim_time(claims, "nbf") or 0, claim_time(claims, "iat") or 0)
        if not now - MAX_CLOCK_SKEW_S < expires_at <= now + MAX_ASSERTION_S:
            raise RelyingPartyNotAuthenticated("the assertion has expired or lasts too long")
        if not_before > now + MAX_CLOCK_SKEW_S:
            raise RelyingPartyNotAuthenticated("the assertion is not valid yet")
        return expires_at
