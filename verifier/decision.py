"""From presentations to one decision: accepted, rejected or unavailable, with every reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from verifier.acting import Acting, acted_for, acting_json
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.crypto.certificates import TrustAnchors
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError, SeoulWalletError
from wallet.evidence import FactSources, collect, collect_required
from wallet.protocols.dcql import CredentialQuery, DcqlQuery
from wallet.protocols.dcql_answer import check_answer, check_answered_ids
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.protocols.oid4vp_transaction import TransactionData, check_transactions
from wallet.verification.acting import ActedFor, Use
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import (
    VerifiedPresentation,
    VerifiedProof,
    check_presentation,
    verify_presentation,
)
from wallet.verification.policy import TrustPolicy, VerificationPolicy
from wallet.verification.presented import (
    ParsedPresentation,
    Presentable,
    parse_presented,
    parse_received,
)
from wallet.verification.report import Outcome, VerificationReport
from wallet.verification.requirements import Requirements


class Verdict(StrEnum):
    """What the agency is told."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"


_VERDICTS = {
    Outcome.PASSED: Verdict.ACCEPTED,
    Outcome.REJECTED: Verdict.REJECTED,
    Outcome.UNAVAILABLE: Verdict.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Examined:
    """One presentation after every step ran; `verified` is None unless all passed."""

    report: VerificationReport
    verified: VerifiedPresentation | None

    @property
    def verdict(self) -> Verdict:
        """The report's outcome in the agency's words."""
        return _VERDICTS[self.report.outcome]

    def to_json(self) -> JsonObject:
        """Return the report with the verdict as its outcome."""
        return {**self.report.to_json(), "outcome": self.verdict.value}


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of one answer.

    `result` is what may be kept and shown to operators; `disclosed` are the claims asked for, by
    query id, None unless accepted. `acted_for` names who showed credentials for whom, if anyone
    did, and is in `result` too. `beside` is a change that takes effect in the transaction which
    concludes the answer, or not at all. `to_wallet` is the receipt for a wallet that named a key
    for it.
    """

    verdict: Verdict
    code: str | None
    result: JsonObject
    disclosed: JsonObject | None
    acted_for: tuple[ActedFor, ...] = ()
    beside: Callable[[Any], None] | None = None
    to_wallet: JsonObject | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What one verifier accepts: values alone, so they go along to where the work is done."""

    trust: TrustPolicy
    trust_anchors: TrustAnchors
    max_binding_age_s: int

    def policy_for(self, query: CredentialQuery, audience: str, nonce: str) -> VerificationPolicy:
        """Return the policy that answers to one credential query are judged by.

        Whether key binding is required follows from the query, never from what the holder sent.
        """
        bound = query.require_holder_binding
        return self.policy(
            format=query.format,
            accepted_types=frozenset(query.vct_values),
            type_values=query.type_values,
            pseudonym=query.pseudonym,
            audience=audience if bound else None,
            nonce=nonce if bound else None,
        )

    def policy(
        self,
        *,
        format: str,
        accepted_types: frozenset[str],
        type_values: tuple[tuple[str, ...], ...],
        audience: str | None,
        nonce: str | None,
        pseudonym: bool = False,
    ) -> VerificationPolicy:
        """Return the policy for presentations of one format: see `VerificationPolicy`."""
        return VerificationPolicy(
            accepted_types=accepted_types,
            format=format,
            type_values=type_values,
            pseudonym=pseudonym,
            audience=audience,
            nonce=nonce,
            trust=self.trust,
            max_binding_age_s=self.max_binding_age_s,
            trust_anchors=self.trust_anchors,
        )


def parsed_once(presentation: Presentable, format_: str) -> Presentable | ParsedPresentation:
    """Return the presentation parsed, or as it came: then the check meets the fault and tells."""
    try:
        return parse_received(presentation, format_)
    except SeoulWalletError:
        return presentation


def examine(
    presentation: Presentable | ParsedPresentation,
    evidence: Evidence,
    policy: VerificationPolicy,
    now: int,
) -> Examined:
    """Run every step on the evidence given (pure); raises nothing for bad input."""
    try:
        verified = verify_presentation(presentation, evidence, policy, now=now)
    except SeoulWalletError:
        return Examined(check_presentation(presentation, evidence, policy, now=now), None)
    return Examined(verified.report, verified)


@dataclass(frozen=True, kw_only=True, slots=True)
class Examiner:
    """Examines presentations for one verifier: where facts come from, and what it accepts."""

    sources: FactSources
    trust: TrustPolicy
    max_binding_age_s: int

    @property
    def rules(self) -> Rules:
        """What is accepted, without where facts come from."""
        return Rules(
            trust=self.trust,
            trust_anchors=self.sources.trust_anchors,
            max_binding_age_s=self.max_binding_age_s,
        )

    def within(self, age_s: int) -> Examiner:
        """Return the same for answers that were signed within `age_s` seconds at most."""
        return replace(self, max_binding_age_s=min(age_s, self.max_binding_age_s))

    def policy_for(self, query: CredentialQuery, audience: str, nonce: str) -> VerificationPolicy:
        """Return the policy that answers to one credential query are judged by."""
        return self.rules.policy_for(query, audience, nonce)

    def evidence_for(
        self,
        presentation: Presentable | ParsedPresentation,
        format_: str = SD_JWT_VC_FORMAT,
    ) -> Evidence:
        """Collect the evidence for one presentation; what cannot be had is its reason."""
        try:
            return collect(parse_presented(presentation, format_), self.sources)
        except SeoulWalletError as error:
            # The check meets the same fault in its first steps and reports it there.
            return Evidence(error, error, error)

    def collect_for(self, needs: Requirements) -> Evidence:
        """Collect the evidence for presentations with these needs."""
        return collect_required(needs, self.sources)

    def examine(self, presentation: Presentable, policy: VerificationPolicy, now: int) -> Examined:
        """Collect evidence and run every step; raises nothing for bad input."""
        received = parsed_once(presentation, policy.format)
        evidence = self.evidence_for(received, policy.format)
        return examine(received, evidence, policy, now)

    def decide(
        self,
        query: DcqlQuery,
        vp_token: Mapping[str, Sequence[RawPresentation]],
        *,
        audience: str,
        nonce: str,
        one_holder: bool,
        now: int,
        transactions: Sequence[TransactionData] = (),
        use: Use = Use.PRESENTATION,
        programme: str | None = None,
    ) -> Decision:
        """Return the decision on a whole answer; raises nothing for bad input.

        `use` is what it is for: only a presentation can be made for another. `programme` is the
        name of the request, which a delegation may be bound to.
        """
        use = Use.SIGNATURE if transactions and use is Use.PRESENTATION else use
        try:
            check_answered_ids(query, vp_token)
            acting = Acting.of_answer(
                query,
                vp_token,
                audience=audience,
                nonce=nonce,
                now=now,
                use=use,
                programme=programme,
            )
        except RejectedError as error:
            return _refused(error, {}, now)
        policies = {
            name: self.policy_for(item, audience, nonce)
            for name, item in query.credentials.items()
        }
        examined = {
            name: [Examined(item.report, None) for item in acting.presented[name]]
            if name in acting.presented
            else [
                self.examine(item, acting.policy(item, policies[name]), now)
                for item in presentations
            ]
            for name, presentations in vp_token.items()
        }
        reports = [item for items in examined.values() for item in items]
        for verdict in (Verdict.REJECTED, Verdict.UNAVAILABLE):
            for item in reports:
                failure = item.report.failure
                if item.verdict is verdict and failure is not None:
                    return _decision(verdict, failure.code, examined, None, now)
        try:
            shown = acting.settle(
                {
                    name: [item.verified for item in items if item.verified is not None]
                    for name, items in examined.items()
                    if name not in acting.presented
                }
            )
            verified: Mapping[str, Sequence[VerifiedProof]] = {**shown, **acting.proofs()}
            claims = check_answer(
                query, verified, one_holder=one_holder, apart=acting.queries.guardianships
            )
            check_transactions(transactions, _bindings(verified))
        except RejectedError as error:
            return _refused(error, examined, now)
        disclosed: JsonObject = {
            name: [
                _told(query.credentials[name], item, acting.issuer_of(item), asked)
                for item, asked in zip(verified[name], claims[name], strict=True)
            ]
            for name in claims
        }
        if transactions:
            _add_evidence(disclosed, vp_token, nonce, transactions)
        return _decision(
            Verdict.ACCEPTED, None, examined, disclosed, now, acted=acted_for(verified)
        )


def _told(
    query: CredentialQuery, verified: VerifiedProof, issuer: str, asked: JsonObject
) -> JsonObject:
    told: JsonObject = {"issuer": issuer, "vct": verified.vct, "claims": asked}
    if query.pseudonym and verified.pseudonym is not None:
        told["pseudonym"] = base64url.encode(verified.pseudonym)
    return told


def _add_evidence(
    disclosed: JsonObject,
    vp_token: Mapping[str, Sequence[RawPresentation]],
    nonce: str,
    transactions: Sequence[TransactionData],
) -> None:
    # Who asked for a signature keeps it: what was sent, and all that it answers to.
    signed = [item.encoded for item in transactions]
    for name, told in disclosed.items():
        for one, presentation in zip(told, vp_token[name], strict=True):
            one["evidence"] = {
                "presentation": presentation,
                "nonce": nonce,
                "transaction_data": signed,
            }


def _bindings(
    verified: Mapping[str, Sequence[VerifiedProof]],
) -> dict[str, list[JsonObject]]:
    return {name: [item.binding for item in items] for name, items in verified.items()}


def _refused(
    error: RejectedError, examined: Mapping[str, Sequence[Examined]], now: int
) -> Decision:
    return _decision(Verdict.REJECTED, error.code, examined, None, now, detail=str(error))


def refused_by_wallet(code: str, now: int) -> Decision:
    """Return the decision when the wallet answered with an error instead of presentations."""
    return _decision(
        Verdict.REJECTED, code, {}, None, now, detail="the wallet sent no presentation"
    )


def _decision(
    verdict: Verdict,
    code: str | None,
    examined: Mapping[str, Sequence[Examined]],
    disclosed: JsonObject | None,
    now: int,
    *,
    detail: str | None = None,
    acted: tuple[ActedFor, ...] = (),
) -> Decision:
    reports = [item.report for items in examined.values() for item in items]
    times = [as_of for report in reports if (as_of := report.facts_as_of) is not None]
    as_of = min(times, default=None)
    result: JsonObject = {
        "outcome": verdict.value,
        "code": code,
        "checked_at": now,
        "facts_as_of": as_of,
        "facts_age_s": None if as_of is None else now - as_of,
        "presentations": [
            {"id": name, **item.to_json()} for name, items in examined.items() for item in items
        ],
        **acting_json(acted),
    }
    if detail is not None:
        result["detail"] = detail
    return Decision(verdict, code, result, disclosed, acted)
