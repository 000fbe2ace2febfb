"""The codes of grants in a session store: each is used exactly once.

What is secret is derived forwards only: the offer's id gives the code, the code gives the grant's
id. The store holds digests, so neither it nor a log of grant ids gives a usable code.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from issuer.sessions import (
    Authorized,
    Dead,
    Entitlement,
    Exchanged,
    GrantInvalid,
    GrantState,
    Invited,
    Issued,
    Offered,
    OfferUnknown,
    Terms,
    TxCodeMissing,
    TxCodeUnexpected,
    Waiting,
    decode_state,
    encode_state,
)
from issuer.tokens import GRANT, MAX_COLLISIONS, Lifetimes, LiveGrant, NewTokens, Tokens, derive
from wallet.encoding import base64url
from wallet.errors import RejectedError
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown
from wallet.protocols.oid4vci.authorization import check_code_verifier
from wallet.protocols.oid4vci.token import CodeTokenRequest

TX_CODE_DIGITS: Final = 6
_SECRET_BYTES: Final = 32
# Of a session that was just made.
_FIRST_VERSION: Final = 1
_LIVE: Final = (Exchanged, Waiting, Issued)


def _code_of(offer_id: str) -> str:
    return derive("pre-authorized code", offer_id)


def _grant_id(code: str) -> str:
    return derive("grant", code)


def _tx_code_digest(code: str, tx_code: str) -> str:
    # Keyed with the code, which is not stored: six digits alone would be found by trying.
    return base64url.encode(hmac.digest(code.encode(), tx_code.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer that was just made. Both are secrets: one for the QR code, one for another way."""

    offer_id: str
    tx_code: str | None


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer that can still be taken; `code` is pre-authorized, or the `issuer_state`."""

    code: str
    state: Offered | Invited


class Grants:
    """Grants in a session store. Every method may raise `StorageUnavailable`."""

    def __init__(self, store: SessionStore, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def open(
        self,
        entitlements: Sequence[Entitlement],
        *,
        with_tx_code: bool,
        expires_at: int,
        by_authorization: bool = False,
    ) -> tuple[NewOffer, ...]:
        """Make one offer each, all in one transaction, good until `expires_at`.

        `by_authorization` makes invitations to authorize in a browser, without any code.
        """
        offers = []
        states: dict[str, bytes] = {}
        for entitlement in entitlements:
            offer_id = secrets.token_urlsafe(_SECRET_BYTES)
            code = _code_of(offer_id)
            state: GrantState = Invited(entitlement, expires_at)
            tx_code = None
            if not by_authorization:
                digest = None
                if with_tx_code:
                    tx_code = f"{secrets.randbelow(10**TX_CODE_DIGITS):06d}"
                    digest = _tx_code_digest(code, tx_code)
                state = Offered(entitlement, expires_at, digest)
            states[_grant_id(code)] = encode_state(state)
            offers.append(NewOffer(offer_id, tx_code))
        self._store.create_many(GRANT, states, expires_at=expires_at)
        return tuple(offers)

    def offer(self, offer_id: str, *, now: int) -> OpenOffer:
        """Return the offer with this id. Raises `OfferUnknown`."""
        code = _code_of(offer_id)
        try:
            stored = self._store.load(GRANT, _grant_id(code), now=now)
        except SessionUnknown:
            raise OfferUnknown("there is no such offer") from None
        state = decode_state(stored.state)
        if not isinstance(state, Offered | Invited):
            raise OfferUnknown("there is no such offer")
        return OpenOffer(code, state)

    def invitation(self, issuer_state: str, *, now: int) -> Entitlement:
        """Return what an `issuer_state` invites to. Raises `OfferUnknown`."""
        try:
            stored = self._store.load(GRANT, _grant_id(issuer_state), now=now)
        except SessionUnknown:
            raise OfferUnknown("there is no such offer") from None
        state = decode_state(stored.state)
        if not isinstance(state, Invited):
            raise OfferUnknown("there is no such offer")
        return state.entitlement

    def authorize(self, state: Authorized, *, issuer_state: str | None, now: int) -> str:
        """Return a new authorization code for what the holder agreed to.

        An invitation is used up by it. Raises `OfferUnknown` when it was already.
        """
        if issuer_state is not None:
            invited = _grant_id(issuer_state)
            try:
                stored = self._store.load(GRANT, invited, now=now)
                found = decode_state(stored.state)
                if not isinstance(found, Invited):
                    raise OfferUnknown("the invitation was taken")
                self._tokens.replace(invited, found.take(), stored.version, stored.expires_at)
            except (SessionUnknown, SessionConflict):
                raise OfferUnknown("the invitation was taken") from None
        code = secrets.token_urlsafe(_SECRET_BYTES)
        self._store.create(
            GRANT, _grant_id(code), encode_state(state), expires_at=state.expires_at
        )
        return code

    def exchange(
        self,
        code: str,
        tx_code: str | None,
        *,
        now: int,
        terms: Terms,
        configuration_ids: tuple[str, ...] = (),
        lifetimes: Callable[[Entitlement, Terms], Lifetimes],
    ) -> NewTokens:
        """Exchange a pre-authorized code for tokens (§6.1).

        A wrong transaction code is counted durably before it is answered; after
        `MAX_TX_CODE_ATTEMPTS` the code is dead. A code used again also revokes the tokens it gave.
        Raises `GrantInvalid`, `TxCodeMissing`, `TxCodeUnexpected`, and for `configuration_ids`
        that were not offered `AuthorizationDetailsInvalid`, which leaves the code as it was.
        """

        def use(state: GrantState) -> tuple[GrantState, Lifetimes | None]:
            if not isinstance(state, Offered):
                raise GrantInvalid("the code is wrong, expired or used")
            if state.tx_code_digest is None and tx_code is not None:
                raise TxCodeUnexpected("this offer has no transaction code")
            if state.tx_code_digest is not None:
                if tx_code is None:
                    raise TxCodeMissing("this offer needs its transaction code")
                given = _tx_code_digest(code, tx_code)
                if not hmac.compare_digest(given, state.tx_code_digest):
                    return state.refuse(), None
            asked = terms.asked_for(configuration_ids, state.entitlement.configuration_id)
            until = lifetimes(state.entitlement, asked)
            return state.exchange(asked, until.refresh_until or until.token_until), until

        return self._use_code(_grant_id(code), use, now)

    def exchange_code(
        self,
        request: CodeTokenRequest,
        *,
        now: int,
        client_id: str | None,
        jkt: str | None,
        lifetimes: Callable[[Entitlement, Terms], Lifetimes],
    ) -> NewTokens:
        """Exchange an authorization code for tokens.

        Client, redirect URI, PKCE verifier and DPoP key must be those of the request; a code that
        comes without them is dead, for it was stolen. Raises `GrantInvalid`, and
        `AuthorizationDetailsInvalid` as `exchange` does.
        """

        def use(state: GrantState) -> tuple[GrantState, Lifetimes | None]:
            if not isinstance(state, Authorized):
                raise GrantInvalid("the code is wrong, expired or used")
            bound = state.terms
            if (
                client_id != bound.client_id
                or request.redirect_uri != state.redirect_uri
                or (bound.jkt is not None and jkt != bound.jkt)
                or not _is_verifier(request.code_verifier, state.code_challenge)
            ):
                return state.revoke(), None
            terms = Terms(client_id, jkt, bound.identified).asked_for(
                request.configuration_ids, state.entitlement.configuration_id
            )
            until = lifetimes(state.entitlement, terms)
            return state.exchange(terms, until.refresh_until or until.token_until), until

        return self._use_code(_grant_id(request.code), use, now)

    def grant(
        self,
        entitlement: Entitlement,
        terms: Terms,
        *,
        lifetimes: Callable[[Entitlement, Terms], Lifetimes],
    ) -> NewTokens:
        """Make a grant with its tokens at once, for someone who has shown the right to it."""
        until = lifetimes(entitlement, terms)
        state = Exchanged(entitlement, until.refresh_until or until.token_until, terms)
        grant_id = _grant_id(secrets.token_urlsafe(_SECRET_BYTES))
        self._store.create(GRANT, grant_id, encode_state(state), expires_at=state.expires_at)
        return self._tokens.create(LiveGrant(grant_id, state, _FIRST_VERSION), until)

    def _use_code(
        self,
        grant_id: str,
        use: Callable[[GrantState], tuple[GrantState, Lifetimes | None]],
        now: int,
    ) -> NewTokens:
        for _ in range(MAX_COLLISIONS):
            try:
                stored = self._store.load(GRANT, grant_id, now=now)
                state = decode_state(stored.state)
                if isinstance(state, _LIVE):
                    # A second use: whoever has the tokens may have stolen the code.
                    following: GrantState = Dead(state.expires_at)
                    until = None
                else:
                    following, until = use(state)
                lasts = max(following.expires_at, stored.expires_at)
                self._tokens.replace(grant_id, following, stored.version, lasts)
            except SessionUnknown:
                break
            except SessionConflict:
                continue
            if until is not None and isinstance(following, Exchanged):
                # A crash before this line leaves a grant that nobody can use: a new offer is due.
                grant = LiveGrant(grant_id, following, stored.version + 1)
                return self._tokens.create(grant, until)
            break
        raise GrantInvalid("the code is wrong, expired or used")

    def purge(self, *, now: int) -> int:
        """Forget what expired; return how many."""
        return self._store.purge(now=now)


def _is_verifier(verifier: str, challenge: str) -> bool:
    try:
        check_code_verifier(verifier, challenge)
    except RejectedError:
        return False
    return True
