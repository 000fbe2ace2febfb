"""Checks of presentations that an agency already holds, against a nonce of its own."""

from __future__ import annotations

from typing import Final

from verifier.config import VerifierConfig
from verifier.decision import Examiner
from verifier.metrics import Metrics
from verifier.queries import FORMATS, NamedQuery, UnsupportedQuery
from wallet.credentials.formats import SD_JWT_VC_FORMAT, SUBJECT, type_names
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.protocols.oid4vp_response import RawPresentation

# The holder's key and the place in a status list would let agencies link what they were shown.
_NOT_FOR_AGENCIES: Final = frozenset(("cnf", "status", "credentialStatus"))


class InHand:
    """Reports on presentations without a session."""

    def __init__(
        self, config: VerifierConfig, examiner: Examiner, clock: Clock, metrics: Metrics
    ) -> None:
        self._config = config
        self._examiner = examiner
        self._clock = clock
        self._metrics = metrics

    def verify(
        self, presentation: RawPresentation, *, audience: str, nonce: str, format: str | None
    ) -> JsonObject:
        """Return the report; every configured credential type is accepted, in the format named.

        Raises `UnsupportedQuery` for a format that is not verified here.
        """
        format = format or SD_JWT_VC_FORMAT
        if format not in FORMATS:
            raise UnsupportedQuery("expected a credential format of " + ", ".join(FORMATS))
        accepted = self._config.accepted_types
        policy = self._examiner.rules.policy(
            format=format,
            accepted_types=accepted,
            type_values=tuple((name,) for name in sorted(type_names(accepted))),
            audience=audience,
            nonce=nonce,
        )
        examined = self._examiner.examine(presentation, policy, self._clock.now())
        failure = examined.report.failure
        self._metrics.decided(examined.verdict, None if failure is None else failure.code)
        credential: JsonObject | None = None
        if examined.verified is not None:
            verified = examined.verified
            credential = {
                "issuer": verified.issuer,
                "vct": verified.vct,
                "claims": _shown(verified.claims),
            }
        return {**examined.to_json(), "credential": credential}

    def verify_answer(
        self,
        presentation: RawPresentation,
        *,
        audience: str,
        nonce: str,
        named: NamedQuery,
        format: str | None,
    ) -> JsonObject:
        """Return the report and what answers a query for one credential, in its format.

        Raises `UnsupportedQuery`, also when `format` is another than the query's.
        """
        if len(named.query.credentials) != 1:
            raise UnsupportedQuery("a presentation in hand answers a query for one credential")
        ((query_id, asked),) = named.query.credentials.items()
        if format not in (None, asked.format):
            raise UnsupportedQuery(f"this query asks for {asked.format}")
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


def _shown(claims: JsonObject) -> JsonObject:
    shown = {name: value for name, value in claims.items() if name not in _NOT_FOR_AGENCIES}
    if SUBJECT in shown:
        # Its id is the holder's DID, which is the holder's key.
        shown[SUBJECT] = _nameless(shown[SUBJECT])
    return shown


def _nameless(subject: object) -> object:
    if isinstance(subject, list):
        return [_nameless(one) for one in subject]
    if isinstance(subject, dict):
        return {name: value for name, value in subject.items() if name != "id"}
    return subject
