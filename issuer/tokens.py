"""Access and refresh tokens of grants in a session store.

An access token serves one issuance and says afterwards what became of it; a refresh token serves
once. Both follow the generation of their grant: with new tokens the old ones end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from issuer.sessions import (
    MAX_TX_CODE_ATTEMPTS,
    AccessTokenInvalid,
    Dead,
    Entitlement,
    Exchanged,
    GrantInvalid,
    GrantState,
    Issued,
    LiveState,
    Terms,
    Waiting,
    decode_state,
    encode_state,
)
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown

GRANT: Final = "issuer.grant"
TOKEN: Final = "issuer.token"  # noqa: S105 (the kind of a session, not a token)
REFRESH: Final = "issuer.refresh"
# A grant changes at most once per attempt, then a few times more: more collisions cannot happen.
MAX_COLLISIONS: Final = MAX_TX_CODE_ATTEMPTS + 16
_SECRET_BYTES: Final = 32
_LIVE: Final = (Exchanged, Waiting, Issued)


def derive(label: str, secret: str) -> str:
    """Return a secret or id that follows from another, one way."""
    return base64url.encode(sha256(f"seoul-wallet {label}\0{secret}".encode()))


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """A grant whose access token was shown, and the version of its state."""

    grant_id: str
    state: LiveState
    version: int

    @property
    def issuance_id(self) -> str:
        """The id under which the credentials of the present round are on record."""
        if self.state.round == 0:
            return self.grant_id
        return derive(f"round {self.state.round}", self.grant_id)

    @property
    def credential_identifier(self) -> str:
        """The identifier that a request has to name if the grant is `identified`."""
        return derive("credential identifier", self.grant_id)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Until when new tokens last: the access token, and the grant with its refresh token.

    `refresh_until` is None when there is to be no refresh token.
    """

    token_until: int
    refresh_until: int | None = None


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Tokens that were just made, and the grant that they are for."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    grant: LiveGrant


class Tokens:
    """The tokens of live grants. Every method may raise `StorageUnavailable`."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def refresh(
        self,
        refresh_token: str,
        *,
        now: int,
        client_id: str | None,
        jkt: str | None,
        configuration_ids: tuple[str, ...] = (),
        lifetimes: Callable[[Entitlement, Terms], Lifetimes],
    ) -> NewTokens:
        """Exchange a refresh token, once, for new tokens.

        Used a second time it revokes the grant with all of its tokens. Raises `GrantInvalid`, and
        for `configuration_ids` that are not the grant's `AuthorizationDetailsInvalid`.
        """
        refused = GrantInvalid("the refresh token is wrong, expired or used")
        try:
            kept = self._store.load(REFRESH, refresh_token, now=now)
        except SessionUnknown:
            raise refused from None
        entry = parse_json_object(kept.state)
        for _ in range(MAX_COLLISIONS):
            grant = self._live(entry["grant"], now)
            if grant is None:
                break
            terms = grant.state.terms
            if (client_id, jkt) != (terms.client_id, terms.jkt):
                break
            if grant.state.generation != entry["generation"]:
                # Used before: whoever has the tokens that came of it may have stolen it.
                self.revoke(grant.grant_id, now=now)
                break
            granted = grant.state.entitlement.configuration_id
            terms = terms.asked_for(configuration_ids, granted)
            following = replace(grant.state.renew(), terms=terms)
            try:
                # The generation is what a refresh token is good for, so this uses it up.
                self.replace(grant.grant_id, following, grant.version, following.expires_at)
            except SessionConflict:
                continue
            until = lifetimes(following.entitlement, terms)
            return self.create(LiveGrant(grant.grant_id, following, grant.version + 1), until)
        raise refused

    def create(self, grant: LiveGrant, until: Lifetimes) -> NewTokens:
        """Make the tokens of a grant's present generation."""
        entry = {"grant": grant.grant_id, "generation": grant.state.generation}
        access_token = secrets.token_urlsafe(_SECRET_BYTES)
        self._store.create(TOKEN, access_token, to_json(entry), expires_at=until.token_until)
        refresh_token = None
        if until.refresh_until is not None:
            refresh_token = secrets.token_urlsafe(_SECRET_BYTES)
            self._store.create(
                REFRESH,
                refresh_token,
                to_json(entry),
                expires_at=until.refresh_until,
            )
        return NewTokens(access_token, refresh_token, grant)

    def revoke(self, grant_id: str, *, now: int) -> None:
        """End a grant with its tokens. One that has ended already is no error."""
        for _ in range(MAX_COLLISIONS):
            grant = self._live(grant_id, now)
            if grant is None:
                return
            dead = Dead(grant.state.expires_at)
            try:
                self.replace(grant_id, dead, grant.version, dead.expires_at)
            except SessionConflict:
                continue
            return

    def by_token(self, token: str, *, now: int, jkt: str | None = None) -> LiveGrant:
        """Return the grant of an access token, shown with DPoP by the key `jkt` or as Bearer.

        Raises `AccessTokenInvalid`.
        """
        try:
            entry = parse_json_object(self._store.load(TOKEN, token, now=now).state)
        except SessionUnknown:
            raise AccessTokenInvalid("the access token is unknown or expired") from None
        grant = self._live(entry["grant"], now)
        if grant is None or grant.state.generation != entry["generation"]:
            raise AccessTokenInvalid("the access token is used up or revoked")
        if grant.state.terms.jkt != jkt:
            raise AccessTokenInvalid("the access token is bound to another key, or to none")
        return grant

    def _live(self, grant_id: str, now: int) -> LiveGrant | None:
        try:
            stored = self._store.load(GRANT, grant_id, now=now)
        except SessionUnknown:
            return None
        state = decode_state(stored.state)
        return LiveGrant(grant_id, state, stored.version) if isinstance(state, _LIVE) else None

    def finish(self, grant: LiveGrant) -> None:
        """Use up the access token. Losing to someone who did the same is success."""
        if isinstance(grant.state, Issued):
            return
        try:
            following = grant.state.issue()
            self.replace(grant.grant_id, following, grant.version, following.expires_at)
        except SessionConflict:
            return

    def hold(self, grant: LiveGrant) -> LiveGrant:
        """Let the grant wait for approval. Raises `AccessTokenInvalid` when it is not unused."""
        if isinstance(grant.state, Exchanged):
            following = grant.state.hold()
            try:
                self.replace(grant.grant_id, following, grant.version, following.expires_at)
            except SessionConflict:
                pass
            else:
                return LiveGrant(grant.grant_id, following, grant.version + 1)
        raise AccessTokenInvalid("the access token is used up or revoked")

    def replace(self, grant_id: str, state: GrantState, version: int, expires_at: int) -> None:
        """Store the next state of a grant. Raises `SessionConflict`."""
        self._store.replace(
            GRANT, grant_id, encode_state(state), expected_version=version, expires_at=expires_at
        )
