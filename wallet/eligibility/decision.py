"""From evidence to a decision: eligible, not eligible or unknown, and why.

`evaluate` is all that decides, in a wallet and at a verifier alike. What it is given are the
claims of credentials that somebody else has verified; it looks at no signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from wallet.eligibility.evidence_types import Text
from wallet.eligibility.guardian import GUARDIAN_CLAUSE
from wallet.eligibility.nullifier import Once
from wallet.eligibility.once_reader import shown_fact
from wallet.eligibility.programme import Programme
from wallet.eligibility.query_reader import EvidenceNeed
from wallet.eligibility.ranking import RankKey
from wallet.eligibility.reasons import Cause
from wallet.eligibility.rule import Result
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError
from wallet.verification.acting import ActedFor


class ProgrammeNotInForce(ConflictError):
    """This version of the programme is not in force on the day asked."""

    code = "programme_not_in_force"


class Outcome(StrEnum):
    """What an evaluation came to."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    UNKNOWN = "unknown"


_OUTCOMES = {True: Outcome.ELIGIBLE, False: Outcome.NOT_ELIGIBLE, None: Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a stable code with its texts, and by which clause of the rule."""

    code: str
    clause: str
    text: Text

    def to_json(self) -> JsonObject:
        """Return the reason as it travels."""
        return {"code": self.code, "clause": self.clause, "text": self.text.to_json()}


@dataclass(frozen=True, slots=True)
class MissingDocument:
    """What would settle an unknown: the evidence by its id and credential type, why it could not
    be used, the document's name and where to get it."""

    evidence: str
    vct: str
    cause: Cause
    document: Text
    obtain_at: Text

    def to_json(self) -> JsonObject:
        """Return the document as it travels."""
        return {
            "evidence": self.evidence,
            "type": self.vct,
            "cause": self.cause.value,
            "document": self.document.to_json(),
            "obtain_at": self.obtain_at.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a programme says about some evidence on a day.

    `decided_by` are the clauses that decided, or that are open; `reasons` say why it is not
    eligible or unknown and are empty otherwise; `missing` is empty unless it is unknown.
    """

    programme: Programme
    on: date
    outcome: Outcome
    reasons: tuple[Reason, ...]
    decided_by: tuple[str, ...]
    missing: tuple[MissingDocument, ...]
    rank_key: RankKey | None = None

    def refused(self, clause: str, reason: str) -> Evaluation:
        """Return the same with a refusal by one clause that stands outside the rule."""
        text = self.programme.reason_text(reason)
        return Evaluation(
            self.programme,
            self.on,
            Outcome.NOT_ELIGIBLE,
            (Reason(reason, clause, text),),
            (clause,),
            (),
        )

    def left_open(self, clause: str, cause: Cause) -> Evaluation:
        """Return the same as unknown, by one clause that could not be told from outside."""
        text = self.programme.reason_text(cause.value)
        return Evaluation(
            self.programme,
            self.on,
            Outcome.UNKNOWN,
            (Reason(cause.value, clause, text),),
            (clause,),
            (),
        )


class _Facts(NamedTuple):
    values: dict[str, Any]
    causes: dict[str, Cause]


def evaluate(
    programme: Programme,
    claims: Mapping[str, JsonObject],
    on: date,
    *,
    unusable: Mapping[str, Cause] | None = None,
) -> Evaluation:
    """Return what `programme` says on that day about the claims of each evidence, by its id.

    `unusable` says why evidence that was shown is not among `claims`. Raises
    `ProgrammeNotInForce`. Does not check that the credentials are genuine, accepted, current or
    of one person: that is for who calls.
    """
    if not programme.is_in_force(on):
        raise ProgrammeNotInForce(f"{programme.name} is not in force on that day")
    facts = _read_facts(programme, claims, on, unusable or {})
    result = programme.rule.evaluate(facts.values, on)
    outcome = _OUTCOMES[result.truth]
    if outcome is Outcome.ELIGIBLE and programme.needs_guardian:
        lacking = _lacking_guardian(programme, claims, on, unusable or {})
        if lacking is not None:
            return lacking
    reasons: tuple[Reason, ...] = ()
    missing: tuple[MissingDocument, ...] = ()
    rank_key = None
    if outcome is Outcome.NOT_ELIGIBLE:
        reasons = tuple(
            Reason(name.reason, name.id, programme.reason_text(name.reason))
            for name in dict.fromkeys(result.by)
            if name.reason is not None
        )
    elif outcome is Outcome.UNKNOWN:
        reasons, missing = _open_ends(programme, facts, result)
    elif programme.quota is not None:
        rank_key = programme.quota.rank_key(facts.values)
    decided_by = tuple(dict.fromkeys(name.id for name in result.by))
    return Evaluation(programme, on, outcome, reasons, decided_by, missing, rank_key)


def _lacking_guardian(
    programme: Programme, claims: Mapping[str, JsonObject], on: date, unusable: Mapping[str, Cause]
) -> Evaluation | None:
    """Return what an eligible evaluation comes to without the guardianship; None with it."""
    name = programme.guardianship or ""
    if name in claims:
        return None
    need, cause = programme.evidence[name], unusable.get(name, Cause.DOCUMENT_MISSING)
    reason = Reason(cause.value, GUARDIAN_CLAUSE, programme.reason_text(cause.value))
    lacking = MissingDocument(name, need.type.vct, cause, need.document, need.obtain_at)
    return Evaluation(programme, on, Outcome.UNKNOWN, (reason,), (GUARDIAN_CLAUSE,), (lacking,))


def _read_facts(
    programme: Programme,
    claims: Mapping[str, JsonObject],
    on: date,
    unusable: Mapping[str, Cause],
) -> _Facts:
    values: dict[str, Any] = {}
    causes: dict[str, Cause] = {}
    for key, fact in programme.facts.items():
        held: Any = claims.get(fact.evidence)
        if held is None:
            causes[key] = unusable.get(fact.evidence, Cause.DOCUMENT_MISSING)
            continue
        for part in fact.path:
            held = held.get(part) if type(held) is dict else None
        value = fact.type.read(held)
        if value is None:
            absent = held is None
            causes[key] = Cause.DOCUMENT_MISSING if absent else Cause.FACT_UNREADABLE
        else:
            values[key] = value
    for need in programme.evidence.values():
        if need.dated_by is not None and need.id in claims:
            _check_date(programme, need, values, causes, on)
    if programme.once is not None:
        _check_benefit_key(programme, programme.once, values, causes, on)
    return _Facts(values, causes)


def _check_benefit_key(
    programme: Programme,
    once: Once,
    values: dict[str, Any],
    causes: dict[str, Cause],
    on: date,
) -> None:
    """Take back the facts of a benefit key that is over."""
    until = values.get(shown_fact(once.evidence))
    if until is None or on <= until:
        return
    for key, fact in programme.facts.items():
        if fact.evidence == once.evidence and key in values:
            del values[key]
            causes[key] = Cause.FACTS_TOO_OLD


def _check_date(
    programme: Programme,
    need: EvidenceNeed,
    values: dict[str, Any],
    causes: dict[str, Cause],
    on: date,
) -> None:
    """Take back the facts of evidence that is older than the programme accepts, or undated."""
    dated = values.get(need.dated_by or "")
    if dated is not None and on <= dated + timedelta(days=need.max_age_days or 0):
        return
    for key, fact in programme.facts.items():
        if fact.evidence == need.id and key in values:
            del values[key]
            causes[key] = Cause.FACT_UNREADABLE if dated is None else Cause.FACTS_TOO_OLD


def _open_ends(
    programme: Programme, facts: _Facts, result: Result
) -> tuple[tuple[Reason, ...], tuple[MissingDocument, ...]]:
    reasons: dict[tuple[Cause, str], Reason] = {}
    missing: dict[str, MissingDocument] = {}
    for unsettled in result.open:
        for key in unsettled.lacking:
            # A fact that is there and does not settle the clause is not precise enough.
            cause = facts.causes.get(key, Cause.NOT_PRECISE)
            clause = unsettled.clause.id
            if (cause, clause) not in reasons:
                text = programme.reason_text(cause.value)
                reasons[cause, clause] = Reason(cause.value, clause, text)
            need = programme.evidence[programme.facts[key].evidence]
            if need.id not in missing:
                missing[need.id] = MissingDocument(
                    need.id, need.type.vct, cause, need.document, need.obtain_at
                )
    return tuple(reasons.values()), tuple(missing.values())


@dataclass(frozen=True, slots=True)
class EvidenceSeen:
    """One piece of evidence that was looked at, without what it says.

    `digest` is SHA-256 of the credential as its issuer signed it (JWS signing input): the same
    in every presentation of it, so it must not leave unsalted; `presentation_digest` is of the
    text that was sent. `accepted` is False for evidence that did not count; `facts_as_of` is the
    time of the oldest fact that its check rests on.
    """

    evidence: str
    vct: str
    issuer: str | None
    digest: bytes
    presentation_digest: bytes
    accepted: bool
    code: str | None
    facts_as_of: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """An evaluation together with what it rests on: what a receipt is made from.

    `decided_at` is unix seconds. `acted_for` names the guardian who applied and the child, by
    identifiers of this agency alone. Holds no claim of any credential.
    """

    evaluation: Evaluation
    decided_at: int
    evidence: tuple[EvidenceSeen, ...]
    acted_for: ActedFor | None = None

    @property
    def facts_as_of(self) -> int | None:
        """The time of the oldest fact behind the accepted evidence, None without any."""
        times = [item.facts_as_of for item in self.evidence if item.facts_as_of is not None]
        return min(times, default=None)

    def to_json(self) -> JsonObject:
        """Return what the agency and the holder are told: no claim, no digest."""
        found, as_of = self.evaluation, self.facts_as_of
        return {
            "programme": found.programme.id,
            "version": found.programme.version,
            "programme_digest": base64url.encode(found.programme.digest),
            "outcome": found.outcome.value,
            "on": found.on.isoformat(),
            "reasons": [reason.to_json() for reason in found.reasons],
            "decided_by": list(found.decided_by),
            "missing": [document.to_json() for document in found.missing],
            "decided_at": self.decided_at,
            "facts_as_of": as_of,
            "facts_age_s": None if as_of is None else self.decided_at - as_of,
            "evidence": [
                {
                    "id": item.evidence,
                    "type": item.vct,
                    "accepted": item.accepted,
                    "code": item.code,
                    "facts_as_of": item.facts_as_of,
                    "facts_age_s": None
                    if item.facts_as_of is None
                    else self.decided_at - item.facts_as_of,
                }
                for item in self.evidence
            ],
            **({} if self.acted_for is None else {"acted_for": self.acted_for.to_json()}),
        }
