"""Checks of presentations that an agency already holds, against a nonce of its own."""

from __future__ import annotations

from typing import Final

from verifier.config import VerifierConfig
from verifier.decision import Examiner
from verifier.metrics import Metrics
from verifier.queries import NamedQuery, UnsupportedQuery
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.verification.policy import VerificationPolicy

# The holder's key and the place in a status list would let agencies link what they were shown.
_NOT_FOR_AGENCIES: Final = frozenset(("cnf", "status"))


class InHand:
    """Reports on SD-JWT VC presentations without a session."""

    def __init__(
        self, config: VerifierConfig, examiner: Examiner, clock: Clock, metrics: Metrics
    ) -> None:
        self._config = config
        self._examiner = examiner
        self._clock = clock
        self._metrics = metrics

    def verify(self, presentation: str, *, audience: str, nonce: str) -> JsonObject:
        """Return the report; every configured credential type is accepted."""
        policy = VerificationPolicy(
            accepted_types=self._config.accepted_types,
            audience=audience,
            nonce=nonce,
            trust=self._config.trust,
            max_binding_age_s=self._config.max_binding_age_s,
        )
        examined = self._examiner.examine(presentation, policy, self._clock.now())
        failure = examined.report.failure
        self._metrics.decided(examined.verdict, None if failure is None else failure.code)
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

    def verify_answer(
        self, presentation: str, *, audience: str, nonce: str, named: NamedQuery
    ) -> JsonObject:
        """Return the report and what answers a query for one credential.

        Raises `UnsupportedQuery`.
        """
        if len(named.query.credentials) != 1:
            raise UnsupportedQuery("a presentation in hand answers a query for one credential")
        (query_id,) = named.query.credentials
        decision = self._examiner.decide(
            named.query,
            {query_id: [presentation]},
            audience=audience,
            nonce=nonce,
            one_holder=True,
            now=self._clock.now(),
        )
        self._metrics.decided(decision.verdict, decision.code)
        result = dict(decision.result)
        (report,) = result.pop("presentations")
        credential = None if decision.disclosed is None else decision.disclosed[query_id][0]
        return {**report, **result, "credential": credential}
