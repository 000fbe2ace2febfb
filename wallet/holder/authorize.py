"""Getting authorized in the holder's browser: the authorization code flow of a wallet.

The request is pushed, the browser only carries a reference to it, and the answer counts only if
it is of the server that was asked (`iss`), to the request that was made (`state`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from wallet.errors import ConflictError, MalformedError, RejectedError
from wallet.holder.cards import HeldCredential
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.intents import KIND, Authorization, Intent, intent_of
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.issuers import InspectedOffer, UnsupportedOffer
from wallet.holder.receive import Receiver
from wallet.ports.holder import RecordStore
from wallet.protocols.oid4vci.authorization import (
    CHALLENGE_METHOD,
    AuthorizationRequest,
    authorization_url,
    code_challenge,
    new_code_verifier,
    parse_authorization_answer,
    parse_pushed_response,
)
from wallet.protocols.oid4vci.token import CodeTokenRequest

_STATE_BYTES: Final = 24


class AuthorizationUnknown(ConflictError):
    """No authorization is under way that this answer could be to."""

    code = "authorization_unknown"


class Authorizer:
    """Begins and finishes authorizations; what was begun is an intent of the receiver's."""

    def __init__(
        self, *, receiver: Receiver, records: RecordStore, client: ClientIdentity
    ) -> None:
        self._receiver = receiver
        self._records = records
        self._client = client

    def authorize(self, offer: str | Mapping[str, Any] | InspectedOffer) -> str:
        """See `Wallet.authorize`."""
        inspected = offer if isinstance(offer, InspectedOffer) else self._receiver.inspect(offer)
        server, grant = inspected.server, inspected.offer.authorization_code
        endpoint, push = (
            server.authorization_endpoint,
            server.pushed_authorization_request_endpoint,
        )
        if grant is None or endpoint is None or push is None:
            raise UnsupportedOffer("the issuer takes no pushed authorization requests")
        if CHALLENGE_METHOD not in server.code_challenge_methods or not server.iss_in_answer:
            raise UnsupportedOffer("the issuer lacks PKCE with S256, or iss in its answers")
        intent = self._receiver.begin(inspected)
        verifier, state = new_code_verifier(), secrets.token_urlsafe(_STATE_BYTES)
        redirect_uri = self._client.redirect_uri
        scopes = [item.scope for item in inspected.configurations if item.scope is not None]
        by_scope = len(scopes) == len(inspected.configurations)
        request = AuthorizationRequest(
            self._client.client_id,
            redirect_uri,
            code_challenge(verifier),
            " ".join(scopes) if by_scope else None,
            () if by_scope else tuple(item.id for item in inspected.configurations),
            state,
            grant.issuer_state,
        )
        authorization = Authorization(verifier, state, redirect_uri, server.issuer)
        intent = replace(intent, authorization=authorization)
        self._records.write(intent.to_put())
        session = self._receiver.session(inspected, intent.dpop)
        answer = session.post_oauth(push, request.to_form())
        created = replace(answer, status=200) if answer.status == 201 else answer
        pushed = parse_pushed_response(session.accepted(created, "the pushed request"))
        return authorization_url(
            endpoint, client_id=self._client.client_id, request_uri=pushed.request_uri
        )

    def finish_authorization(self, url: str) -> tuple[HeldCredential, ...]:
        """See `Wallet.finish_authorization`."""
        intent = self._authorized_by(url)
        authorization = intent.authorization
        if authorization is None:
            raise AuthorizationUnknown("no authorization is under way")
        try:
            code = parse_authorization_answer(
                url,
                redirect_uri=authorization.redirect_uri,
                state=authorization.state,
                issuer=authorization.server,
                iss_promised=True,
            )
        except (RejectedError, MalformedError):
            self._receiver.drop(intent)
            raise
        inspected = self._receiver.inspect(intent.offer)
        request = CodeTokenRequest(
            code, authorization.redirect_uri, authorization.verifier, self._client.client_id
        )
        # The code is not asked for twice, whatever happens from here on.
        intent = replace(intent, authorization=None)
        self._records.write(intent.to_put())
        try:
            tokens = self._receiver.session(inspected, intent.dpop).token(request)
        except OfferRefused:
            self._receiver.drop(intent)
            raise
        return self._receiver.go_on_with(intent, tokens, inspected)

    def _authorized_by(self, url: str) -> Intent:
        """Return the intent whose state an answer names; of several, the right one."""
        for record in self._records.list(KIND):
            intent = intent_of(record)
            if intent.authorization is not None and intent.authorization.state in url:
                return intent
        raise AuthorizationUnknown("no authorization is under way that this answers")
