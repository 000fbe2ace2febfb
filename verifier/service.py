"""The use cases of the verifier. No Flask types, no adapters; ports and configuration come in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from verifier.answers import Taken, open_response
from verifier.client import REDIRECT_URI, Client
from verifier.concluding import Concluder
from verifier.config import VerifierConfig
from verifier.decision import Examiner
from verifier.eligibility import EligibilityDesk
from verifier.in_hand import InHand
from verifier.metrics import Metrics
from verifier.queries import (
    NamedQuery,
    QueryUnknown,
    UnsupportedQuery,
    check_query_is_supported,
)
from verifier.requests import RequestWriter
from verifier.sessions import PresentationSessions
from wallet.credentials.jwe import DecryptionKey
from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionConflict, SessionUnknown
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp import Way, new_secret
from wallet.protocols.oid4vp_link import build_request_link
from wallet.protocols.oid4vp_offline import MAX_AGE_S
from wallet.protocols.oid4vp_response import (
    AnyResponse,
    EncryptedResponse,
    RawPresentation,
)
from wallet.protocols.oid4vp_session import (
    Answered,
    Fetched,
    Flow,
    Requested,
    RequestOptions,
    ResponseCodeUnknown,
    Session,
    SessionAlreadyFetched,
    SessionNotFetched,
    told_stage,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRequest:
    """What the agency gets: the way for the holder, and the secret to collect the result with.

    `link` is for QR codes and buttons, `request_uri` what it leads to, if anything; instead,
    `dc_request` is for the Digital Credentials API and `request_object` to be shown in frames.
    """

    session_id: str
    link: str | None
    request_uri: str | None
    dc_request: JsonObject | None
    request_object: str | None
    result_token: str
    expires_at: int


class VerifierService:
    """Asks holders for presentations, decides on the answers and tells the agency."""

    def __init__(
        self,
        *,
        config: VerifierConfig,
        client: Client,
        sessions: PresentationSessions,
        examiner: Examiner,
        clock: Clock,
        metrics: Metrics,
        desk: EligibilityDesk | None = None,
    ) -> None:
        self._config = config
        self._client = client
        self._writer = RequestWriter(config, client)
        self._sessions = sessions
        self._clock = clock
        self._metrics = metrics
        self._concluder = Concluder(
            config=config,
            sessions=sessions,
            examiner=examiner,
            clock=clock,
            metrics=metrics,
            desk=desk,
        )
        self._in_hand = InHand(config, examiner, clock, metrics)

    @property
    def client_id(self) -> str:
        """The default client identifier, prefix included: the audience of key bindings to it."""
        return str(self._client.id_for(self._config.client_id_prefix))

    def did_document(self) -> JsonObject:
        """Return the document of this verifier's did:web."""
        return self._client.did_document

    def create_request(
        self,
        *,
        query_name: str | None = None,
        dcql_query: object = None,
        purpose: str | None = None,
        one_holder: bool | None = None,
        options: RequestOptions | None = None,
        named: NamedQuery | None = None,
    ) -> NewRequest:
        """Open a session for a configured query, or for a DCQL query of the agency's own.

        `named` is one made elsewhere here. `purpose` is what the holder is told; a configured
        query has one. `one_holder` is for a query of the agency's own: whether all credentials
        must be bound to one key, which they are if it says nothing. Raises `QueryUnknown`,
        `UnsupportedQuery`, and as `RequestWriter.check`.
        """
        if named is None:
            named = self._query(query_name, dcql_query, one_holder)
        options = options or RequestOptions(prefix=self._config.client_id_prefix)
        self._writer.check(options, named.query)
        now = self._clock.now()
        session_id, token = new_secret(), new_secret()
        session = Requested(
            query_name=named.name or None,
            query=named.query,
            purpose=purpose or named.purpose,
            one_holder=named.one_holder,
            options=options,
            result_token_digest=sha256(token.encode()),
            created_at=now,
            fetch_until=now + self._config.link_ttl_s,
        )
        link, request_uri, dc_request, request_object = None, None, None, None
        if options.flow.way is not Way.LINK or options.prefix == REDIRECT_URI:
            # Nobody fetches these: what the holder gets is the request itself.
            fetched = self._fetched(session_id, session, now)
            self._sessions.open(session_id, fetched)
            if options.flow is Flow.FRAMES:
                request_object = self._writer.write(session_id, fetched, None)
            elif options.flow is Flow.DC_API:
                dc_request = self._writer.dc_request(session_id, fetched)
            else:
                link = self._writer.link_by_value(session_id, fetched)
        else:
            self._sessions.open(session_id, session)
            request_uri = f"{self._config.base_url}/request-objects/{session_id}"
            client_id = self._client.id_for(options.prefix)
            link = build_request_link(client_id, request_uri, post=options.post)
        self._metrics.requests.inc()
        return NewRequest(
            session_id=session_id,
            link=link,
            request_uri=request_uri,
            dc_request=dc_request,
            request_object=request_object,
            result_token=token,
            expires_at=session.fetch_until,
        )

    def _query(
        self, name: str | None, dcql_query: object, one_holder: bool | None = None
    ) -> NamedQuery:
        if (name is None) == (dcql_query is None):
            raise UnsupportedQuery("name a configured query or give a dcql_query, one of them")
        if name is not None:
            named = self._config.queries.get(name)
            if named is None:
                raise QueryUnknown("no query of that name is configured")
            if one_holder is not None:
                raise UnsupportedQuery("a configured query says itself whether it is one holder's")
            return named
        query = parse_dcql(dcql_query)
        check_query_is_supported(query)
        return NamedQuery("", query, "", one_holder=one_holder is not False)

    def _fetched(self, session_id: str, session: Requested, now: int) -> Fetched:
        is_encrypted = session.options.response_mode.is_encrypted
        answer_ttl_s = self._config.answer_ttl_s
        if session.options.flow is Flow.FRAMES:
            # As long as the request is good, and as long again for its answer.
            answer_ttl_s = 2 * MAX_AGE_S
        return session.fetch(
            nonce=new_secret(),
            # The part before the point finds the session; the secret behind it is compared.
            state=f"{session_id}.{new_secret()}",
            now=now,
            answer_ttl_s=answer_ttl_s,
            key_secret=DecryptionKey.generate().secret() if is_encrypted else None,
        )

    def request_object(self, session_id: str, *, wallet_nonce: str | None = None) -> str:
        """Return the signed request object of a session, once.

        Nonce, state and the key of the answer are made here, so nobody knows them before. Raises
        `SessionUnknown`, `SessionAlreadyFetched`, `SessionExpired`.
        """
        now = self._clock.now()
        session, version = self._sessions.load(session_id, now=now)
        if not isinstance(session, Requested):
            raise SessionAlreadyFetched("the request object was handed out before")
        fetched = self._fetched(session_id, session, now)
        try:
            self._sessions.advance(
                session_id, fetched, expected_version=version, expires_at=fetched.answer_until
            )
        except SessionConflict:
            raise SessionAlreadyFetched("the request object was handed out before") from None
        return self._writer.write(session_id, fetched, wallet_nonce)

    def receive(self, response: AnyResponse) -> Taken:
        """Decide on what a wallet posted, keep the result, and say what the wallet is told.

        Of N equal posts one is decided on, whatever its outcome. Raises `SessionUnknown` for a
        state that is unknown, used or expired alike, `SessionConflict`, `AlreadyDecided`,
        `ResponseNotEncrypted`, and what `decrypt_response` raises.
        """
        if isinstance(response, EncryptedResponse):
            session_id = response.jwe.kid or ""
        else:
            session_id = (response.state or "").partition(".")[0]
        session, version = self._sessions.load_waiting(session_id, now=self._clock.now())
        if session.requested.options.flow.way is not Way.LINK:
            raise SessionNotFetched("the session does not wait for an answer")
        opened = open_response(session_id, session, response)
        if opened.state is None or not hmac.compare_digest(
            opened.state.encode(), session.state.encode()
        ):
            raise SessionUnknown("the session does not wait for this state")
        audience = self._writer.audience(session.requested.options)
        return self._concluder.conclude(session_id, session, version, opened, audience)

    def receive_from_page(
        self, session_id: str, token: str, response: AnyResponse, origin: str | None
    ) -> None:
        """Decide on what a page got through the Digital Credentials API, or read in frames.

        `origin` is the page's, and must be one that was expected; an answer in frames has none.
        Raises as `receive` does, and `UnsupportedOptions` for another origin.
        """
        found, version = self._sessions.load_for(session_id, token, now=self._clock.now())
        if not isinstance(found, Fetched) or found.requested.options.flow.way is Way.LINK:
            raise SessionNotFetched("the session does not wait for an answer that is handed in")
        audience = self._writer.audience(found.requested.options, origin)
        opened = open_response(session_id, found, response)
        self._concluder.conclude(session_id, found, version, opened, audience)

    def result(
        self, session_id: str, token: str, *, response_code: str | None = None
    ) -> JsonObject:
        """Return the state of a session and, once answered, the decision.

        The disclosed claims are handed out once and forgotten; `credentials` is None ever after.
        A same-device session tells nothing before its response code has come, once. Raises
        `SessionUnknown`, also for a wrong token, and `ResponseCodeUnknown`.
        """
        now = self._clock.now()
        session, version = self._sessions.load_for(session_id, token, now=now)
        about: JsonObject = {"query": session.asked.query_name, "purpose": session.asked.purpose}
        if response_code is not None:
            session = _redeemed(session, response_code)
        if not isinstance(session, Answered) or session.is_locked:
            return {"state": told_stage(session), **about}
        disclosed = session.disclosed
        if disclosed is not None or response_code is not None:
            try:
                self._advance_result(session_id, session.collect(), version)
            except SessionConflict:
                if response_code is not None:
                    raise ResponseCodeUnknown("this response code was used") from None
                disclosed = None
        return {"state": "answered", **about, **session.result, "credentials": disclosed}

    def redeem(self, session_id: str, token: str, response_code: str) -> None:
        """Take a response code back, once; the result stays to be collected.

        Raises as `result` does.
        """
        session, version = self._sessions.load_for(session_id, token, now=self._clock.now())
        try:
            self._advance_result(session_id, _redeemed(session, response_code), version)
        except SessionConflict:
            raise ResponseCodeUnknown("this response code was used") from None

    def _advance_result(self, session_id: str, session: Answered, version: int) -> None:
        self._sessions.advance(
            session_id,
            session,
            expected_version=version,
            expires_at=session.answered_at + self._config.result_ttl_s,
        )

    def verify(
        self,
        presentation: RawPresentation,
        *,
        audience: str,
        nonce: str,
        query_name: str | None = None,
        format: str | None = None,
    ) -> JsonObject:
        """Return the report on a presentation in hand; raises nothing for a bad presentation.

        The caller made `nonce` and MUST see to it that it is used once: nothing is remembered
        here. Without `query_name` every configured credential type is accepted and only the
        presentation is judged, in the `format` named, SD-JWT VC by default; with it, the disclosed
        claims must answer that query, which names one credential and its format. Raises
        `QueryUnknown`, `UnsupportedQuery`.
        """
        if query_name is None:
            return self._in_hand.verify(
                presentation, audience=audience, nonce=nonce, format=format
            )
        named = self._query(query_name, None)
        return self._in_hand.verify_answer(
            presentation, audience=audience, nonce=nonce, named=named, format=format
        )

    def purge(self) -> int:
        """Forget sessions and results that expired; return how many."""
        return self._sessions.purge(now=self._clock.now())


def _redeemed(session: Session, response_code: str) -> Answered:
    if not isinstance(session, Answered):
        raise ResponseCodeUnknown("there is no answer yet")
    return session.redeem(response_code)
