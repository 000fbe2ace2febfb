"""The use cases of the verifier. No Flask types, no adapters; ports and configuration come in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from verifier.catalogue import ProgrammeShelf
from verifier.config import VerifierConfig
from verifier.decision import Decision, Examiner, Verdict, refused_by_wallet
from verifier.eligibility import EligibilityDesk
from verifier.metrics import Metrics
from verifier.queries import NamedQuery, QueryUnknown, UnsupportedQuery, check_query_is_supported
from verifier.sessions import PresentationSessions
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import SigningKey
from wallet.did.document import build_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, UnavailableError
from wallet.evidence import FactSources
from wallet.ports.clock import Clock
from wallet.ports.facts import ReplicaDiverged
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown
from wallet.protocols.client_id import DidClientId
from wallet.protocols.dcql import SD_JWT_VC_FORMAT, parse_dcql
from wallet.protocols.oid4vp import (
    AuthorizationRequest,
    build_request_link,
    new_secret,
    sign_request_object,
)
from wallet.protocols.oid4vp_session import (
    Answered,
    Fetched,
    Requested,
    SessionAlreadyFetched,
    SessionNotFetched,
)
from wallet.trust.facts import Assurance, BlockRef
from wallet.verification.policy import VerificationPolicy

KEY_FRAGMENT: Final = "key-1"
SIGNATURE_ALGORITHMS: Final = ("ES256", "ES384", "EdDSA")
# The holder's key and the place in a status list would let agencies link what they were shown.
_NOT_FOR_AGENCIES: Final = frozenset(("cnf", "status"))
# What a wallet may say instead of answering (OpenID4VP §8.5); any other word is `wallet_error`.
WALLET_ERRORS: Final = frozenset(
    ("access_denied", "invalid_request", "invalid_client", "vp_formats_not_supported")
)


class ReplicaHead(Protocol):
    """Tells how far the local replica of the anchor contracts has come."""

    def head(self) -> BlockRef | None:
        """Return the last finalized block that was applied, or None."""

    def alarm(self) -> str | None:
        """Return why the replica must not be used, or None."""

    def assurance(self) -> Assurance | None:
        """Return how the last block was checked, or None while nothing is known of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRequest:
    """What the agency gets: the link for the holder, and the secret to collect the result with."""

    session_id: str
    link: str
    request_uri: str
    result_token: str
    expires_at: int


class VerifierService:
    """Asks holders for presentations, decides on the answers and tells the agency."""

    def __init__(
        self,
        *,
        config: VerifierConfig,
        signing_key: SigningKey,
        sessions: SessionStore,
        sources: FactSources,
        replica_head: ReplicaHead,
        clock: Clock,
        metrics: Metrics,
        shelf: ProgrammeShelf | None = None,
    ) -> None:
        self._config = config
        self._key = signing_key
        self._sessions = PresentationSessions(sessions)
        self._replica_head = replica_head
        self._clock = clock
        self._metrics = metrics
        self._client_id = DidClientId(parse_did(config.did))
        self._examiner = Examiner(
            sources=sources, trust=config.trust, max_binding_age_s=config.max_binding_age_s
        )
        self._desk = EligibilityDesk(shelf or ProgrammeShelf(dict), self._examiner)

    @property
    def client_id(self) -> str:
        """The client identifier, prefix included: the audience of every key binding."""
        return str(self._client_id)

    def did_document(self) -> JsonObject:
        """Return the document of this verifier's did:web."""
        return build_did_document(self._config.did, {KEY_FRAGMENT: self._key.public_key})

    def create_request(
        self,
        *,
        query_name: str | None = None,
        dcql_query: object = None,
        purpose: str | None = None,
    ) -> NewRequest:
        """Open a session for a configured query, or for a DCQL query of the agency's own.

        `purpose` is what the holder is told; a configured query has one of its own. Raises
        `QueryUnknown`, `UnsupportedQuery`, and what `parse_dcql` raises.
        """
        named = self._query(query_name, dcql_query)
        return self._open(query_name, named, purpose or named.purpose)

    def create_programme_request(self, programme_id: str, version: str | None) -> NewRequest:
        """Open a session for the evidence of a programme; the answer is decided by its rule.

        Raises `ProgrammeUnknown`, `ProgrammeNotInForce`, `ProgrammeChanged` (another version is
        in force than the one named), `CatalogueUnavailable`.
        """
        named = self._desk.query_for(programme_id, version, self._clock.now())
        return self._open(named.name, named, named.purpose)

    def _open(self, query_name: str | None, named: NamedQuery, purpose: str) -> NewRequest:
        now = self._clock.now()
        session_id, token = new_secret(), new_secret()
        session = Requested(
            query_name=query_name,
            query=named.query,
            purpose=purpose,
            one_holder=named.one_holder,
            result_token_digest=sha256(token.encode()),
            created_at=now,
            fetch_until=now + self._config.link_ttl_s,
        )
        self._sessions.open(session_id, session)
        self._metrics.requests.inc()
        request_uri = f"{self._config.base_url}/request-objects/{session_id}"
        return NewRequest(
            session_id=session_id,
            link=build_request_link(self._client_id, request_uri),
            request_uri=request_uri,
            result_token=token,
            expires_at=session.fetch_until,
        )

    def _query(self, name: str | None, dcql_query: object) -> NamedQuery:
        if (name is None) == (dcql_query is None):
            raise UnsupportedQuery("name a configured query or give a dcql_query, one of them")
        if name is not None:
            named = self._config.queries.get(name)
            if named is None:
                raise QueryUnknown("no query of that name is configured")
            return named
        query = parse_dcql(dcql_query)
        check_query_is_supported(query)
        return NamedQuery("", query, "")

    def request_object(self, session_id: str, *, wallet_nonce: str | None = None) -> str:
        """Return the signed request object of a session, once.

        Nonce and state are made here, so nobody knows them before. Raises `SessionUnknown`,
        `SessionAlreadyFetched`, `SessionExpired`.
        """
        now = self._clock.now()
        session, version = self._sessions.load(session_id, now=now)
        if not isinstance(session, Requested):
            raise SessionAlreadyFetched("the request object was handed out before")
        fetched = session.fetch(
            nonce=new_secret(),
            state=new_secret(),
            now=now,
            answer_ttl_s=self._config.answer_ttl_s,
        )
        try:
            self._sessions.advance(
                session_id, fetched, expected_version=version, expires_at=fetched.answer_until
            )
        except SessionConflict:
            raise SessionAlreadyFetched("the request object was handed out before") from None
        self._sessions.keep_state(session_id, fetched)
        return sign_request_object(
            self._request(fetched, wallet_nonce), self._key, kid=f"{self._config.did}#key-1"
        )

    def _request(self, session: Fetched, wallet_nonce: str | None) -> AuthorizationRequest:
        algorithms = list(SIGNATURE_ALGORITHMS)
        formats = {
            SD_JWT_VC_FORMAT: {"sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms}
        }
        return AuthorizationRequest(
            client_id=self._client_id,
            response_uri=f"{self._config.base_url}/responses",
            nonce=session.nonce,
            state=session.state,
            dcql_query=session.requested.query,
            client_metadata={
                "client_name": self._config.display_name,
                "vp_formats_supported": formats,
            },
            issued_at=session.fetched_at,
            expires_at=session.answer_until,
            wallet_nonce=wallet_nonce,
            purpose=session.requested.purpose or None,
        )

    def receive_response(self, state: str, vp_token: Mapping[str, Sequence[str]]) -> None:
        """Decide on a wallet's answer and keep the result for the agency.

        The state is used up first: of N equal posts one is decided on, whatever its outcome.
        Raises `SessionUnknown` for a state that is unknown, used or expired alike.
        """
        session_id, session, version = self._take(state)
        now = self._clock.now()
        asked = session.requested
        if asked.query_name is not None and self._desk.is_for(asked.query_name):
            decision = self._desk.decide(
                asked.query_name,
                asked.query,
                vp_token,
                audience=self.client_id,
                nonce=session.nonce,
                now=now,
            )
        else:
            decision = self._examiner.decide(
                asked.query,
                vp_token,
                audience=self.client_id,
                nonce=session.nonce,
                one_holder=asked.one_holder,
                now=now,
            )
        self._conclude(session_id, session, version, decision, now)

    def receive_error(self, state: str, error: str) -> None:
        """Note that the wallet declined or could not answer. Raises as `receive_response`."""
        session_id, session, version = self._take(state)
        now = self._clock.now()
        code = error if error in WALLET_ERRORS else "wallet_error"
        self._conclude(session_id, session, version, refused_by_wallet(code, now), now)

    def _take(self, state: str) -> tuple[str, Fetched, int]:
        now = self._clock.now()
        session_id = self._sessions.take_state(state, now=now)
        session, version = self._sessions.load(session_id, now=now)
        if not isinstance(session, Fetched):
            raise SessionNotFetched("the session does not wait for an answer")
        return session_id, session, version

    def _conclude(
        self, session_id: str, session: Fetched, version: int, decision: Decision, now: int
    ) -> None:
        answered = session.answer(decision.result, decision.disclosed, now=now)
        self._sessions.advance(
            session_id,
            answered,
            expected_version=version,
            expires_at=now + self._config.result_ttl_s,
        )
        self._count(decision.verdict, decision.code)

    def result(self, session_id: str, token: str) -> JsonObject:
        """Return the state of a session and, once answered, the decision.

        The disclosed claims are handed out once and forgotten; `credentials` is None ever after.
        Raises `SessionUnknown`, also for a wrong token.
        """
        now = self._clock.now()
        session, version = self._sessions.load(session_id, now=now)
        requested = session if isinstance(session, Requested) else session.requested
        if not hmac.compare_digest(sha256(token.encode()), requested.result_token_digest):
            raise SessionUnknown("there is no such session")
        about: JsonObject = {"query": requested.query_name, "purpose": requested.purpose}
        if not isinstance(session, Answered):
            stage = "requested" if isinstance(session, Requested) else "fetched"
            return {"state": stage, **about}
        disclosed = session.disclosed
        if disclosed is not None:
            try:
                self._sessions.advance(
                    session_id,
                    session.collect(),
                    expected_version=version,
                    expires_at=session.answered_at + self._config.result_ttl_s,
                )
            except SessionConflict:
                disclosed = None
        return {"state": "answered", **about, **session.result, "credentials": disclosed}

    def verify(
        self, presentation: str, *, audience: str, nonce: str, query_name: str | None = None
    ) -> JsonObject:
        """Return the report on a presentation in hand; raises nothing for a bad presentation.

        The caller made `nonce` and MUST see to it that it is used once: nothing is remembered
        here. Without `query_name` every configured credential type is accepted and only the
        presentation is judged; with it, the disclosed claims must answer that query, which names
        one credential. Raises `QueryUnknown`, `UnsupportedQuery`.
        """
        now = self._clock.now()
        if query_name is not None:
            return self._verify_answer(presentation, audience, nonce, query_name, now)
        policy = VerificationPolicy(
            accepted_types=self._config.accepted_types,
            audience=audience,
            nonce=nonce,
            trust=self._config.trust,
            max_binding_age_s=self._config.max_binding_age_s,
        )
        examined = self._examiner.examine(presentation, policy, now)
        failure = examined.report.failure
        self._count(examined.verdict, None if failure is None else failure.code)
        credential: JsonObject | None = None
        if examined.verified is not None:
            verified = examined.verified
            shown = {
                name: value
                for name, value in verified.claims.items()
                if name not in _NOT_FOR_AGENCIES
            }
            credential = {"issuer": verified.issuer, "vct": verified.vct, "claims": shown}
        return {**examined.to_json(), "credential": credential}

    def _verify_answer(
        self, presentation: str, audience: str, nonce: str, query_name: str, now: int
    ) -> JsonObject:
        named = self._query(query_name, None)
        if len(named.query.credentials) != 1:
            raise UnsupportedQuery("a presentation in hand answers a query for one credential")
        (query_id,) = named.query.credentials
        decision = self._examiner.decide(
            named.query,
            {query_id: [presentation]},
            audience=audience,
            nonce=nonce,
            one_holder=True,
            now=now,
        )
        self._count(decision.verdict, decision.code)
        result = dict(decision.result)
        (report,) = result.pop("presentations")
        credential = None if decision.disclosed is None else decision.disclosed[query_id][0]
        return {**report, **result, "credential": credential}

    def _count(self, verdict: Verdict, code: str | None) -> None:
        self._metrics.decisions.labels(outcome=verdict.value, code=code or "none").inc()

    def health(self) -> tuple[bool, JsonObject]:
        """Return whether this verifier can decide now, and the age of its replica."""
        try:
            head = self._replica_head.head()
            alarm = self._replica_head.alarm()
            assurance = self._replica_head.assurance()
        except (UnavailableError, ConflictError) as error:
            return False, {"status": "degraded", "code": error.code}
        limit = self._config.trust.max_replica_age_s
        if alarm is not None:
            return False, {"status": "degraded", "code": ReplicaDiverged.code}
        if head is None:
            return False, {"status": "degraded", "code": "replica_empty"}
        age_s = max(0, self._clock.now() - head.time)
        self._metrics.replica_age_s.set(age_s)
        replica: JsonObject = {"block": head.number, "age_s": age_s, "max_age_s": limit}
        if assurance is not None:
            replica["endpoints"] = assurance.endpoints
            replica["proven"] = assurance.proven
        if age_s > limit:
            return False, {"status": "degraded", "code": "facts_too_old", "replica": replica}
        return True, {"status": "ok", "replica": replica}

    def purge(self) -> int:
        """Forget sessions and results that expired; return how many."""
        return self._sessions.purge(now=self._clock.now())
