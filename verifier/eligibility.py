"""Eligibility decisions: from a wallet's answer to a programme's outcome. No Flask types.

Evidence counts when its presentation passed every step of verification within the ages that the
programme accepts, its issuer's accreditation included. What fails is told as what it is and leaves
the rule without those facts: unknown, unless the rest decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from verifier.acting import acting_json
from verifier.catalogue import ProgrammeShelf
from verifier.claims.counting import Counting, claim_id_of
from verifier.claims.records import Change
from verifier.decision import Decision as AnswerDecision
from verifier.decision import Examiner, Verdict
from verifier.programme_answers import Piece, answer_of, decide_on_answer
from verifier.queries import QUERY_PREFIX, NamedQuery
from verifier.receipts.basis import DecidedAnswer
from verifier.receipts.desk import ApplicationWithdrawn
from wallet.eligibility.days import seoul_day
from wallet.eligibility.decision import Decision, Outcome
from wallet.eligibility.nullifier import ONCE_CLAUSE
from wallet.eligibility.programme import Programme
from wallet.eligibility.reasons import Cause
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, MalformedError, RejectedError, SeoulWalletError
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.oid4vp_response import RawPresentation


class ProgrammeChanged(ConflictError):
    """The programme was changed after the request was made; ask again."""

    code = "programme_changed"


AfterDecision = Callable[[DecidedAnswer, str], JsonObject]


def _no_addition(_: DecidedAnswer, __: str) -> JsonObject:
    return {}


def programme_query(programme: Programme) -> NamedQuery:
    """Return what a wallet is asked for a programme, and the purpose that its holder is told."""
    title = programme.title
    purpose = f"{title.ko} 자격 확인 / Eligibility for: {title.en}"
    # Every credential has its own key; that all are of one person shows `sector_id`.
    return NamedQuery(QUERY_PREFIX + programme.name, programme.query, purpose, one_holder=False)


class EligibilityDesk:
    """Decides on answers to programmes' queries, with the programmes of a shelf.

    `after_decision` sees every decision before the agency does; what it returns is told beside
    it (a receipt, for example), and if it raises a conflict there is no decision. Without
    `counting`, and with `is_offline`, nobody is eligible where people are counted.
    """

    def __init__(
        self,
        shelf: ProgrammeShelf,
        examiner: Examiner,
        *,
        after_decision: AfterDecision = _no_addition,
        counting: Counting | None = None,
        is_offline: bool = False,
    ) -> None:
        self._shelf = shelf
        self._examiner = examiner
        self._after_decision = after_decision
        self._counting = counting
        self._is_offline = is_offline

    def offline(self, examiner: Examiner) -> EligibilityDesk:
        """Return a desk for answers by which nobody can be counted: the register is away.

        Whoever would be eligible for what a person may have once is unknown there.
        """
        return EligibilityDesk(
            self._shelf,
            examiner,
            after_decision=self._after_decision,
            counting=self._counting,
            is_offline=True,
        )

    def query_for(self, programme_id: str, version: str | None, now: int) -> NamedQuery:
        """Return the query of a programme: the version in force, or the one named if it is.

        Raises `ProgrammeUnknown`, `ProgrammeNotInForce`, `CatalogueUnavailable`.
        """
        catalogue = self._shelf.current
        found = catalogue.in_force(programme_id, seoul_day(now))
        if version is not None and found.version != version:
            catalogue.version(programme_id, version)
            raise ProgrammeChanged("another version of this programme is in force")
        return programme_query(found)

    def is_for(self, query_name: str | None) -> TypeGuard[str]:
        """Return whether a request of that name asked for a programme."""
        return query_name is not None and query_name.startswith(QUERY_PREFIX)

    def decide(
        self,
        query_name: str,
        query: DcqlQuery,
        vp_token: Mapping[str, Sequence[RawPresentation]],
        *,
        audience: str,
        nonce: str,
        now: int,
        application: str,
    ) -> AnswerDecision:
        """Return the decision on a whole answer; raises nothing for bad input.

        An answer that discloses more than was asked for, or of several people, is refused as a
        whole. Evidence that is not there is unknown, not a fault. `application` is the id of the
        session: whoever answers it again draws no second benefit. Raises `AlreadyDecided` for
        another answer to a request that was decided on, and `StorageUnavailable`.
        """
        try:
            programme = self._programme(query_name, query)
            decision, pieces = decide_on_answer(
                programme,
                vp_token,
                self._examiner.evidence_for,
                self._examiner.rules,
                audience=audience,
                nonce=nonce,
                now=now,
                nullifier_context=self._context(programme, now),
            )
        except RejectedError as error:
            return _refused(Verdict.REJECTED, error, now)
        except (MalformedError, ConflictError) as error:
            return _refused(Verdict.UNAVAILABLE, error, now)
        decision, beside = self._counted(decision, pieces, application)
        try:
            # Of all the requests there ever are, one has this nonce.
            answer = answer_of(decision, pieces)
            added = self._after_decision(answer, nonce)
        except ApplicationWithdrawn as error:
            return _refused(Verdict.REJECTED, error, now)
        acted = () if decision.acted_for is None else (decision.acted_for,)
        result: JsonObject = {
            "outcome": Verdict.ACCEPTED.value,
            "code": None,
            "checked_at": now,
            "facts_as_of": decision.facts_as_of,
            "facts_age_s": decision.to_json()["facts_age_s"],
            "presentations": [
                {"id": piece.seen.evidence, **piece.examined.to_json()} for piece in pieces
            ],
            "eligibility": decision.to_json(),
            **({} if beside is None else {"claim_id": claim_id_of(application)}),
            **acting_json(acted),
            **added,
        }
        told = None if answer.holder is None else added.get("decision_receipt")
        return AnswerDecision(
            Verdict.ACCEPTED, None, result, None, acted, beside=beside, to_wallet=told
        )

    def _context(self, programme: Programme, now: int) -> bytes | None:
        if programme.once is None or self._counting is None:
            return None
        return self._counting.context(programme, programme.once, now)

    def _counted(
        self, decision: Decision, pieces: Sequence[Piece], application: str
    ) -> tuple[Decision, Change | None]:
        """Return the decision after the person was counted, and the change that grants it."""
        evaluation = decision.evaluation
        once = evaluation.programme.once
        if once is None or evaluation.outcome is not Outcome.ELIGIBLE:
            return decision, None
        nullifier = next(
            (piece.nullifier for piece in pieces if piece.seen.evidence == once.evidence), None
        )
        if self._counting is None or nullifier is None or self._is_offline:
            left_open = evaluation.left_open(ONCE_CLAUSE, Cause.COULD_NOT_CHECK)
            return replace(decision, evaluation=left_open), None
        counted = self._counting.count(evaluation, once, nullifier, claim_id_of(application))
        return replace(decision, evaluation=counted.evaluation), counted.grant

    def _programme(self, query_name: str, query: DcqlQuery) -> Programme:
        programme_id, _, version = query_name.removeprefix(QUERY_PREFIX).partition("@")
        programme = self._shelf.current.version(programme_id, version)
        if programme.query != query:
            raise ProgrammeChanged("the programme asks for something else by now")
        return programme


def _refused(verdict: Verdict, error: SeoulWalletError, now: int) -> AnswerDecision:
    result: JsonObject = {
        "outcome": verdict.value,
        "code": error.code,
        "checked_at": now,
        "facts_as_of": None,
        "facts_age_s": None,
        "presentations": [],
        "detail": str(error),
    }
    return AnswerDecision(verdict, error.code, result, None)
