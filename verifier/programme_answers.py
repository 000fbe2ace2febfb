"""What an answer to a programme's query comes to: each piece examined, then the rule. Pure.

Evidence counts when its presentation passed every step of verification within the ages that the
programme accepts, its issuer's accreditation included. What fails is told as what it is and leaves
the rule without those facts: unknown, unless the rest decides. One pipeline, for one answer at a
time and for batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from verifier.claims.counting import GroupLink, Nullifier
from verifier.decision import Examined, Rules, Verdict, examine, parsed_once
from verifier.receipts.basis import DecidedAnswer, WatchedEvidence
from wallet.credentials.bbs_nym import parse_nym_presentation
from wallet.credentials.jose import claim_time
from wallet.credentials.sd_jwt import SdJwt
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.bbs.linked_nym import link_answer
from wallet.eligibility.days import seoul_day
from wallet.eligibility.decision import Decision, EvidenceSeen, Outcome, evaluate
from wallet.eligibility.nullifier import sector_nullifier
from wallet.eligibility.programme import Programme, Recheck
from wallet.eligibility.query_reader import EvidenceNeed
from wallet.eligibility.reasons import Cause
from wallet.eligibility.receipts.members import THUMBPRINT
from wallet.eligibility.receipts.statement import HOLDER_KEY_CLAIM, shown_of
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError, SeoulWalletError
from wallet.protocols.dcql import CredentialQuery, DcqlQuery
from wallet.protocols.dcql_answer import (
    AnswerExcessive,
    AnswerIncomplete,
    check_answer,
)
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.status.token_status_list import parse_status_reference
from wallet.verification.acting import ActedFor, is_held_by_guardian
from wallet.verification.evidence import Evidence
from wallet.verification.guardianship import check_guardianships
from wallet.verification.presented import ParsedPresentation, Presentable
from wallet.verification.proof_steps import FactsTooOld


class EvidenceOfSeveralPeople(RejectedError):
    """The evidence in one answer is about different people."""

    code = "evidence_of_several_people"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence after it was looked at: its claims, or why it does not count.

    `nullifier` is that of the benefit key, None of everything else. `holder` is the thumbprint of
    the key that its key binding names for a receipt, "" if it names none, None if it can have
    none; not verified unless `claims` is there. `acted_for` names the guardian who showed it.
    """

    seen: EvidenceSeen
    claims: JsonObject | None
    cause: Cause | None
    examined: Examined
    holder: str | None = None
    nullifier: Nullifier | None = None
    acted_for: ActedFor | None = None


def decide_on_answer(
    programme: Programme,
    vp_token: Mapping[str, Sequence[RawPresentation]],
    evidence_for: Callable[[Presentable | ParsedPresentation, str], Evidence],
    rules: Rules,
    *,
    audience: str,
    nonce: str,
    now: int,
    nullifier_context: bytes | None = None,
) -> tuple[Decision, Sequence[Piece]]:
    """Return the decision on an answer to a programme's query, and what was looked at.

    Pure but for `evidence_for`, which gets a presentation and its format. Without
    `nullifier_context` nobody is counted, and a benefit key has no nullifier. Raises
    `AnswerExcessive`, `AnswerIncomplete`, `EvidenceOfSeveralPeople`, `ProgrammeNotInForce`, and
    as `check_guardianships` does.
    """
    if not programme.evidence.keys() >= vp_token.keys():
        raise AnswerExcessive("the answer names a credential that was not asked for")
    if any(len(presentations) != 1 for presentations in vp_token.values()):
        raise AnswerExcessive("one presentation of every credential is asked for")
    pieces: Sequence[Piece] = []
    for name, (raw,) in vp_token.items():
        need, query = programme.evidence[name], programme.query.credentials[name]
        policy = _within_ages(rules, programme, need).policy_for(query, audience, nonce)
        policy = replace(
            policy,
            nym_context=nullifier_context if query.pseudonym else None,
            accepts_held_by_guardian=programme.guardianship is not None,
        )
        received = parsed_once(raw, query.format)
        examined = examine(received, evidence_for(received, query.format), policy, now)
        piece = _piece(need, query, raw, _sd_jwt_in(received), examined)
        if nullifier_context is not None and query.pseudonym and piece.claims is not None:
            piece = replace(piece, nullifier=_nullifier(programme, raw))
        pieces = [*pieces, piece]
    if programme.guardianship is not None:
        pieces = _with_guardian(pieces, programme.guardianship, audience=audience, now=now)
    _check_one_person(programme, pieces)
    if nullifier_context is not None:
        pieces = _counted_by_sector(programme, pieces, nullifier_context)
    return _decide(programme, pieces, now), pieces


def _with_guardian(
    pieces: Sequence[Piece], guardianship: str, *, audience: str, now: int
) -> list[Piece]:
    """Return the pieces with who acted for whom.

    Raises as `check_guardianships` does. A right that does not count, or that could not be
    checked, is no verdict on what it was shown for: that does not count either.
    """
    right = next((piece for piece in pieces if piece.seen.evidence == guardianship), None)
    if right is not None and right.examined.verified is None:
        return [_without_right(piece, right) if _is_held(piece) else piece for piece in pieces]
    about = {
        piece.seen.evidence: piece.examined.verified
        for piece in pieces
        if piece is not right and piece.examined.verified is not None
    }
    rights = [right.examined.verified] if right is not None and right.examined.verified else []
    if not about:
        return list(pieces)
    checked = check_guardianships(list(about.values()), rights, audience=audience, now=now)
    acted = {name: item.acted_for for name, item in zip(about, checked, strict=True)}
    return [replace(piece, acted_for=acted.get(piece.seen.evidence)) for piece in pieces]


def _is_held(piece: Piece) -> bool:
    verified = piece.examined.verified
    return verified is not None and is_held_by_guardian(verified.claims)


def _without_right(piece: Piece, right: Piece) -> Piece:
    seen = replace(piece.seen, accepted=False, code=right.seen.code)
    return replace(piece, seen=seen, claims=None, cause=right.cause)


def _counted_by_sector(
    programme: Programme, pieces: Sequence[Piece], context: bytes
) -> Sequence[Piece]:
    """Return the pieces, the one that counts with its nullifier where no benefit key does."""
    once = programme.once
    if once is None or once.epoch is not None:
        return pieces
    return [
        replace(piece, nullifier=_sector_nullifier(programme, piece, context))
        if piece.seen.evidence == once.evidence
        else piece
        for piece in pieces
    ]


def _sector_nullifier(programme: Programme, piece: Piece, context: bytes) -> Nullifier | None:
    if piece.claims is None or programme.sector is None:
        return None
    person = programme.person(piece.seen.evidence, piece.claims)
    if person is None:
        return None
    return Nullifier(sector_nullifier(context, programme.sector, person), None)


def _nullifier(programme: Programme, presentation: RawPresentation) -> Nullifier:
    """Return the nullifier of a benefit key that was verified.

    Raises `AnswerIncomplete` when the group's link is not there, `AnswerExcessive` when there is
    no group.
    """
    shown = parse_nym_presentation(presentation)
    proof, link = shown.proof, shown.link
    grouped = programme.once is not None and programme.once.group is not None
    if grouped != (link is not None):
        raise (
            AnswerIncomplete("the register of the group was told nothing")
            if grouped
            else AnswerExcessive("no register counts this programme")
        )
    told = None if link is None else GroupLink(link.digest, link_answer(proof.proof), link.sealed)
    return Nullifier(proof.pseudonym.octets, told)


def _within_ages(rules: Rules, programme: Programme, need: EvidenceNeed) -> Rules:
    once = programme.once
    epochs = rules.trust.epochs
    if once is not None and once.evidence == need.id and once.epoch is not None:
        epochs = frozenset((once.epoch,))
    trust = replace(
        rules.trust,
        epochs=epochs,
        max_status_age_s=need.max_status_age_s,
        max_replica_age_s=need.max_replica_age_s,
        max_issuer_keys_age_s=need.max_replica_age_s,
    )
    return replace(rules, trust=trust)


def _sd_jwt_in(received: Presentable | ParsedPresentation) -> SdJwt | None:
    found = received.presented if isinstance(received, ParsedPresentation) else None
    return found if isinstance(found, SdJwt) else None


def _piece(
    need: EvidenceNeed,
    query: CredentialQuery,
    raw: RawPresentation,
    sd_jwt: SdJwt | None,
    examined: Examined,
) -> Piece:
    claims: JsonObject | None = None
    cause, code = _cause(examined)
    if examined.verified is not None:
        try:
            answered = {need.id: [examined.verified]}
            (claims,) = check_answer(DcqlQuery({need.id: query}), answered)[need.id]
        except AnswerIncomplete as error:
            cause, code = Cause.FACT_UNREADABLE, error.code
    shown = shown_of(raw, sd_jwt)
    seen = EvidenceSeen(
        evidence=need.id,
        vct=need.type.vct,
        issuer=None if examined.verified is None else examined.verified.issuer,
        digest=shown.credential,
        presentation_digest=shown.presentation,
        accepted=claims is not None,
        code=code,
        facts_as_of=examined.report.facts_as_of,
    )
    return Piece(seen, claims, cause, examined, _peek_holder(raw, sd_jwt))


def _cause(examined: Examined) -> tuple[Cause | None, str | None]:
    failure = examined.report.failure
    if failure is None:
        return None, None
    if examined.verdict is Verdict.REJECTED:
        return Cause.EVIDENCE_NOT_ACCEPTED, failure.code
    too_old = isinstance(failure, FactsTooOld)
    return (Cause.FACTS_TOO_OLD if too_old else Cause.COULD_NOT_CHECK), failure.code


def _peek_holder(raw: RawPresentation, sd_jwt: SdJwt | None) -> str | None:
    if isinstance(raw, dict):
        name = raw.get(HOLDER_KEY_CLAIM)
        return name if type(name) is str and THUMBPRINT.match(name) else ""
    try:
        binding = (sd_jwt or parse_presented_sd_jwt(raw)).key_binding
        name = None if binding is None else binding.peek_claims().get(HOLDER_KEY_CLAIM)
    except SeoulWalletError:
        return ""
    # Every key binding must name the same key: one that names none, or no key, names another.
    return name if type(name) is str and THUMBPRINT.match(name) else ""


def answer_of(decision: Decision, pieces: Sequence[Piece]) -> DecidedAnswer:
    """Return what a receipt of the decision is made from.

    The holder's key is the one that every key binding names, or none: if any piece was accepted,
    its key binding vouches for the name, and if none was, nothing rests on it. The guardianship
    of a guardian who took part with another wallet names a key of that one.
    """
    holder, guardian = _receipt_keys(decision, pieces)
    watched: tuple[WatchedEvidence, ...] = ()
    found = decision.evaluation
    if found.programme.recheck and found.outcome is Outcome.ELIGIBLE:
        watched = tuple(
            _watched(piece, found.programme) for piece in pieces if piece.claims is not None
        )
    return DecidedAnswer(decision, holder, watched, guardian)


def _receipt_keys(decision: Decision, pieces: Sequence[Piece]) -> tuple[str | None, str | None]:
    acted = decision.acted_for
    apart = decision.evaluation.programme.guardianship
    if acted is None or not acted.jointly:
        apart = None
    names = {
        piece.holder
        for piece in pieces
        if piece.holder is not None and piece.seen.evidence != apart
    }
    holder = names.pop() if len(names) == 1 else None
    right = next((piece.holder for piece in pieces if piece.seen.evidence == apart), None)
    return holder or None, right if right and holder and right != holder else None


def _watched(piece: Piece, programme: Programme) -> WatchedEvidence:
    verified = piece.examined.verified
    if verified is None:
        raise AssertionError("claims come from a verified presentation")
    uri = index = expires_at = None
    if Recheck.STATUS in programme.recheck and "status" in verified.claims:
        reference = parse_status_reference(verified.claims["status"])
        uri, index = reference.uri, reference.index
    if Recheck.EXPIRY in programme.recheck:
        expires_at = claim_time(verified.claims, "exp")
    max_age_s = programme.evidence[piece.seen.evidence].max_status_age_s
    return WatchedEvidence(
        programme.id, verified.issuer, verified.vct, uri, index, max_age_s, expires_at
    )


def _check_one_person(programme: Programme, pieces: Sequence[Piece]) -> None:
    """Return if all evidence that counts is about one person. Raises `EvidenceOfSeveralPeople`."""
    if programme.sector is None:
        return
    people = {
        programme.person(piece.seen.evidence, piece.claims)
        for piece in pieces
        if piece.claims is not None
    }
    if len(people) > 1 or None in people:
        raise EvidenceOfSeveralPeople("the evidence does not belong to one person")


def _decide(programme: Programme, pieces: Sequence[Piece], now: int) -> Decision:
    evaluation = evaluate(
        programme,
        {piece.seen.evidence: piece.claims for piece in pieces if piece.claims is not None},
        seoul_day(now),
        unusable={piece.seen.evidence: piece.cause for piece in pieces if piece.cause is not None},
    )
    acted = next((piece.acted_for for piece in pieces if piece.acted_for is not None), None)
    return Decision(evaluation, now, tuple(piece.seen for piece in pieces), acted)
