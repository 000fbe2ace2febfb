"""The end of a presentation session: one answer is decided on, and what came of it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from verifier.answers import WALLET_ERRORS, Taken
from verifier.config import VerifierConfig
from verifier.decision import Decision, Examiner, refused_by_wallet
from verifier.eligibility import EligibilityDesk
from verifier.metrics import Metrics
from verifier.queries import use_of
from verifier.sessions import PresentationSessions
from wallet.crypto.hashing import sha256
from wallet.ports.clock import Clock
from wallet.protocols.oid4vp import new_secret
from wallet.protocols.oid4vp_offline import MAX_AGE_S
from wallet.protocols.oid4vp_response import ErrorResponse, PresentationResponse, RawPresentation
from wallet.protocols.oid4vp_session import Fetched, Flow
from wallet.protocols.oid4vp_transaction import parse_transaction_data


class Concluder:
    """Decides on answers for one verifier.

    An answer in frames must be `MAX_AGE_S` fresh; whoever is counted over programmes is unknown
    then, since the others cannot be asked.
    """

    def __init__(
        self,
        *,
        config: VerifierConfig,
        sessions: PresentationSessions,
        examiner: Examiner,
        clock: Clock,
        metrics: Metrics,
        desk: EligibilityDesk | None,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._clock = clock
        self._metrics = metrics
        fresh = examiner.within(MAX_AGE_S)
        self._online = examiner, desk
        self._offline = fresh, None if desk is None else desk.offline(fresh)

    def conclude(
        self,
        session_id: str,
        session: Fetched,
        version: int,
        response: PresentationResponse | ErrorResponse,
        audience: str,
    ) -> Taken:
        """Decide, keep the result, and return what the wallet is told.

        Raises `SessionExpired`, `SessionConflict` for whoever comes second.
        """
        now = self._clock.now()
        if isinstance(response, ErrorResponse):
            code = response.error if response.error in WALLET_ERRORS else "wallet_error"
            decision = refused_by_wallet(code, now)
        else:
            decision = self._decide(session_id, session, response.vp_token, audience, now)
        options = session.requested.options
        response_code = None if options.return_uri is None else new_secret()
        answered = session.answer(
            decision.result,
            decision.disclosed,
            now=now,
            response_code_digest=None if response_code is None else sha256(response_code.encode()),
        )
        # The one durable step: whoever comes second finds another version.
        self._sessions.advance(
            session_id,
            answered,
            expected_version=version,
            expires_at=now + self._config.result_ttl_s,
            beside=decision.beside,
        )
        self._metrics.decided(decision.verdict, decision.code)
        if options.return_uri is None or response_code is None:
            return Taken("", decision.to_wallet)
        separator = "&" if urlsplit(options.return_uri).query else "?"
        code_parameter = urlencode({"response_code": response_code})
        return Taken(options.return_uri + separator + code_parameter, decision.to_wallet)

    def _decide(
        self,
        session_id: str,
        session: Fetched,
        vp_token: Mapping[str, Sequence[RawPresentation]],
        audience: str,
        now: int,
    ) -> Decision:
        requested = session.requested
        is_offline = requested.options.flow is Flow.FRAMES
        examiner, desk = self._offline if is_offline else self._online
        if desk is not None and desk.is_for(requested.query_name):
            return desk.decide(
                requested.query_name,
                requested.query,
                vp_token,
                audience=audience,
                nonce=session.nonce,
                now=now,
                application=session_id,
            )
        transactions = list(requested.options.transactions) or None
        return examiner.decide(
            requested.query,
            vp_token,
            audience=audience,
            nonce=session.nonce,
            one_holder=requested.one_holder,
            now=now,
            transactions=parse_transaction_data(transactions, requested.query),
            programme=requested.query_name,
            use=use_of(requested.query_name),
        )
