"""From a pushed request to an authorization code: login, consent, and who may take the answer.

Pushed -> AskingWho -> AskingConsent -> answered. A pushed request opens one browser session; the
session is taken when the holder decides, so it is answered once.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from issuer.authorization.clients import Clients
from issuer.authorization.login import AuthenticatedHolder, HolderLogin, LoginRefused
from issuer.calendar import seoul_day
from issuer.catalogue import Catalogue, ConfigurationUnknown
from issuer.grants import Grants
from issuer.identity import IssuerIdentity
from issuer.sessions import Authorized, Entitlement, OfferUnknown, Terms
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, RejectedError, UnavailableError, UnsupportedError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown
from wallet.protocols.oid4vci.authorization import (
    AuthorizationRequest,
    PushedResponse,
    authorization_answer_url,
)
from wallet.protocols.oid4vci.authorization_details import AuthorizationDetailsInvalid

PUSHED: Final = "issuer.pushed"
BROWSER: Final = "issuer.browser"
REQUEST_URI_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
MAX_LOGIN_ATTEMPTS: Final = 5
# Who asked when no operator did. Not the name of any operator.
HOLDER_THEMSELF: Final = "(holder)"
_SECRET_BYTES: Final = 32


class ScopeUnknown(UnsupportedError):
    """What is asked for is not one credential configuration of this issuer."""

    code = "scope_unknown"


class AuthorizationSessionUnknown(ConflictError):
    """The authorization was answered already, has expired, or belongs to another browser."""

    code = "authorization_session_unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationTimes:
    """Seconds that a pushed request, a browser session and a code last."""

    pushed_ttl_s: int = 90
    browser_ttl_s: int = 600
    code_ttl_s: int = 60


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that a browser session is about. `holder` is known after the login."""

    request: AuthorizationRequest
    configuration_id: str
    csrf: str
    failed_logins: int = 0
    holder: AuthenticatedHolder | None = None

    def refuse(self) -> Pending:
        """Count a failed login."""
        return replace(self, failed_logins=self.failed_logins + 1)

    def recognise(self, holder: AuthenticatedHolder) -> Pending:
        """The person logged in: a new token for the next form, which is another page."""
        return replace(self, holder=holder, csrf=secrets.token_urlsafe(_SECRET_BYTES))


def _encode(pending: Pending) -> bytes:
    return to_json(asdict(pending))


def _decode(stored: bytes) -> Pending:
    members: dict[str, Any] = parse_json_object(stored)
    return Pending(**{**members, **_parts(members)})


def _parts(members: Mapping[str, Any]) -> dict[str, Any]:
    request = dict(members["request"])
    request["configuration_ids"] = tuple(request["configuration_ids"])
    holder = members["holder"]
    return {
        "request": AuthorizationRequest(**request),
        "holder": None if holder is None else AuthenticatedHolder(**holder),
    }


class AuthorizationServer:
    """Takes pushed requests, asks the holder, and gives codes."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        catalogue: Catalogue,
        grants: Grants,
        store: SessionStore,
        clients: Clients,
        login: HolderLogin,
        clock: Clock,
        times: AuthorizationTimes,
    ) -> None:
        self._identity = identity
        self._catalogue = catalogue
        self._grants = grants
        self._store = store
        self._clock = clock
        self._times = times
        self.clients = clients
        self.login = login

    def push(self, request: AuthorizationRequest, *, client_id: str) -> PushedResponse:
        """Keep the request of an authenticated client (RFC 9126).

        Raises `ClientNotAuthenticated`, `RedirectUriRefused`, `ScopeUnknown`,
        `AuthorizationDetailsInvalid`.
        """
        self.clients.client(client_id, request.redirect_uri)
        self._configuration_of(request)
        reference = secrets.token_urlsafe(_SECRET_BYTES)
        expires_at = self._clock.now() + self._times.pushed_ttl_s
        kept = to_json(asdict(replace(request, client_id=client_id)))
        self._store.create(PUSHED, reference, kept, expires_at=expires_at)
        return PushedResponse(REQUEST_URI_PREFIX + reference, self._times.pushed_ttl_s)

    def _configuration_of(self, request: AuthorizationRequest) -> str:
        if request.scope is not None and not request.by_details:
            scopes = request.scope.split(" ")
            named = [
                name
                for name, item in self._catalogue.configurations.items()
                if item.scope in scopes
            ]
            # Scopes that mean nothing here are ignored (RFC 6749 §3.3).
        else:
            named = list(request.configuration_ids)
        refusal = AuthorizationDetailsInvalid if request.by_details else ScopeUnknown
        if len(named) != 1:
            raise refusal("ask for one credential at a time")
        try:
            self._catalogue.type_of(named[0])
        except ConfigurationUnknown:
            raise refusal("no credential configuration has this id") from None
        return named[0]

    def begin(self, request_uri: str, *, client_id: str) -> str:
        """Return the secret of a new browser session for a pushed request, used up by it.

        Raises `AuthorizationSessionUnknown`.
        """
        now = self._clock.now()
        try:
            kept = self._store.take(PUSHED, request_uri.removeprefix(REQUEST_URI_PREFIX), now=now)
        except SessionUnknown:
            raise AuthorizationSessionUnknown("the request was used or has expired") from None
        members = parse_json_object(kept)
        members["configuration_ids"] = tuple(members["configuration_ids"])
        request = AuthorizationRequest(**members)
        if not request_uri.startswith(REQUEST_URI_PREFIX) or request.client_id != client_id:
            raise AuthorizationSessionUnknown("the request is another client's")
        session = secrets.token_urlsafe(_SECRET_BYTES)
        csrf = secrets.token_urlsafe(_SECRET_BYTES)
        pending = Pending(request, self._configuration_of(request), csrf)
        expires_at = now + self._times.browser_ttl_s
        self._store.create(BROWSER, session, _encode(pending), expires_at=expires_at)
        return session

    def pending(self, session: str) -> Pending:
        """Return what a browser session is about. Raises `AuthorizationSessionUnknown`."""
        return self._load(session)[0]

    def _load(self, session: str) -> tuple[Pending, int, int]:
        try:
            stored = self._store.load(BROWSER, session, now=self._clock.now())
        except SessionUnknown:
            raise AuthorizationSessionUnknown("the session is over") from None
        return _decode(stored.state), stored.version, stored.expires_at

    def authenticate(self, session: str, csrf: str | None, answers: Mapping[str, str]) -> Pending:
        """Let the login judge what was entered; return the session with its holder.

        `csrf` is None for the return of a login elsewhere, which carries none. Raises
        `AuthorizationSessionUnknown`, `LoginRefused`, and what the login raises.
        """
        pending, version, expires_at = self._load(session)
        if csrf is not None:
            _check_csrf(pending, csrf)
        if pending.failed_logins >= MAX_LOGIN_ATTEMPTS:
            raise AuthorizationSessionUnknown("too many attempts")
        try:
            following = pending.recognise(self.login.authenticate(answers))
        except LoginRefused:
            self._replace(session, pending.refuse(), version, expires_at)
            raise
        self._replace(session, following, version, expires_at)
        return following

    def _replace(self, session: str, pending: Pending, version: int, expires_at: int) -> None:
        try:
            self._store.replace(
                BROWSER,
                session,
                _encode(pending),
                expected_version=version,
                expires_at=expires_at,
            )
        except SessionConflict:
            raise AuthorizationSessionUnknown("the session was used in the meantime") from None

    def answer(self, session: str, csrf: str, *, agreed: bool) -> str:
        """Return the URL to send the browser to: with a code, or with the protocol's error.

        The register is asked whether this person is entitled. `iss` is always there (RFC 9207).
        Raises `AuthorizationSessionUnknown`, and when it could not be asked an
        `UnavailableError`, which leaves the session open.
        """
        pending = self.pending(session)
        _check_csrf(pending, csrf)
        now = self._clock.now()
        error: str | None = None
        entitlement = None
        if not agreed or pending.holder is None:
            error = "access_denied"
        else:
            try:
                entitlement = self._entitlement(pending, pending.holder, now)
            except UnavailableError:
                raise
            except (RejectedError, ConflictError):
                error = "access_denied"
        try:
            self._store.take(BROWSER, session, now=now)
        except SessionUnknown:
            raise AuthorizationSessionUnknown("the session is over") from None
        code = None
        if entitlement is not None:
            try:
                code = self._grants.authorize(
                    self._authorized(pending.request, entitlement, now),
                    issuer_state=pending.request.issuer_state,
                    now=now,
                )
            except OfferUnknown:
                error = "access_denied"
        return authorization_answer_url(
            pending.request.redirect_uri,
            {
                "code": code,
                "error": error,
                "state": pending.request.state,
                "iss": self._identity.base_url,
            },
        )

    def _entitlement(self, pending: Pending, holder: AuthenticatedHolder, now: int) -> Entitlement:
        kind = self._catalogue.type_of(pending.configuration_id)
        entitlement = Entitlement(pending.configuration_id, holder.subject_id, holder.holder_id)
        if pending.request.issuer_state is not None:
            invited = self._grants.invitation(pending.request.issuer_state, now=now)
            if replace(invited, held_by=None) != entitlement:
                raise OfferUnknown("the invitation is another person's")
            entitlement = invited
        elif kind.needs_approval:
            entitlement = replace(entitlement, held_by=HOLDER_THEMSELF)
        kind.content(entitlement, seoul_day(now))
        return entitlement

    def _authorized(
        self, request: AuthorizationRequest, entitlement: Entitlement, now: int
    ) -> Authorized:
        return Authorized(
            entitlement,
            now + self._times.code_ttl_s,
            Terms(request.client_id, request.dpop_jkt, request.by_details),
            request.redirect_uri,
            request.code_challenge,
        )


def _check_csrf(pending: Pending, csrf: str) -> None:
    if not hmac.compare_digest(pending.csrf.encode(), csrf.encode("utf-8", "surrogatepass")):
        raise AuthorizationSessionUnknown("the form is of another session")
