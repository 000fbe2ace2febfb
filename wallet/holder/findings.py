"""What programmes say about the cards at hand, found out on the device. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.eligibility.days import seoul_day
from wallet.eligibility.decision import Evaluation, Outcome, evaluate
from wallet.eligibility.programme import Programme
from wallet.eligibility.signed_catalogue import PublishedCatalogue
from wallet.errors import RejectedError
from wallet.holder.cards import HeldCredential
from wallet.holder.choices import Choice, choices_for
from wallet.holder.counted import Counted
from wallet.holder.nullifiers import counted_in
from wallet.holder.texts import shown
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.dcql_answer import check_answered_ids
from wallet.verification.guardianship import ACTS, CHILD_NAME, GuardianActs

# More people than this in one wallet are not looked at: the cards are the newest first.
MAX_PEOPLE: Final = 16
BEST_FIRST: Final = (Outcome.ELIGIBLE, Outcome.UNKNOWN, Outcome.NOT_ELIGIBLE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one programme says about the cards at hand: probable, since the agency decides.

    `choices` are the cards that would be shown, by evidence: no more than the outcome takes.
    `counted` tells that applying counts the person, None where nobody is counted. `child` is
    whom the holder would apply for as a guardian, by name; None for oneself.
    """

    evaluation: Evaluation
    choices: Mapping[str, Choice]
    apply_to: str
    counted: Counted | None
    child: str | None = None

    @property
    def programme(self) -> Programme:
        return self.evaluation.programme

    @property
    def outcome(self) -> Outcome:
        return self.evaluation.outcome

    def uses(self, card_id: str) -> bool:
        """Return whether this card would be shown."""
        return any(choice.card.id == card_id for choice in self.choices.values())


def find_programmes(
    published: PublishedCatalogue, held: Sequence[HeldCredential], now: int
) -> Iterator[Finding]:
    """Yield what every programme in force at `now` says about the cards that are valid then.

    A programme that could be for several people in this wallet is judged for each; for oneself
    the best outcome is given, and where the programme takes a guardian, one for every child that
    the wallet acts for alone. Pure.
    """
    valid: dict[str, list[HeldCredential]] = {}
    for item in held:
        card = item.card()
        # Nobody applies by a delegation.
        if card.is_valid_at(now) and card.delegated is None:
            valid.setdefault(card.vct, []).append(item)
    for programme in published.catalogue.all_in_force(seoul_day(now)):
        apply_to = published.apply_to[programme.id]
        counted = counted_in(published, programme, now=now)
        people = list(_people(programme, valid))
        own = [
            Finding(*_least(programme, choices, now), apply_to, counted)
            for choices in [one for one in people if not _is_ward(one)] or [{}]
        ]
        yield min(own, key=lambda item: BEST_FIRST.index(item.outcome))
        for choices in filter(_is_ward, people):
            child = _child(programme, choices)
            if child is not None:
                yield Finding(*_least(programme, choices, now), apply_to, counted, child)


def _is_ward(choices: Mapping[str, Choice]) -> bool:
    return any(
        choice.card.is_for_ward or choice.card.vct == GUARDIANSHIP_TYPE
        for choice in choices.values()
    )


def _child(programme: Programme, choices: Mapping[str, Choice]) -> str | None:
    """Return the name of the child that these cards are about, None if nobody may act for it."""
    right = choices.get(programme.guardianship or "")
    if right is None or len(choices) < 2 or right.card.claims.get(ACTS) != GuardianActs.ALONE:
        return None
    return shown(str(right.card.claims.get(CHILD_NAME, "")))


def _evaluated(programme: Programme, choices: Mapping[str, Choice], now: int) -> Evaluation:
    # Judged is what the agency would see, so that it comes to the same.
    shown = {name: choice.disclosed for name, choice in choices.items()}
    return evaluate(programme, shown, seoul_day(now))


def _least(
    programme: Programme, choices: Mapping[str, Choice], now: int
) -> tuple[Evaluation, Mapping[str, Choice]]:
    """Return the evaluation of these cards, without those that an eligible one does not need."""
    evaluation = _evaluated(programme, choices, now)
    if evaluation.outcome is Outcome.ELIGIBLE:
        for name in reversed(list(programme.evidence)):
            fewer = {other: choice for other, choice in choices.items() if other != name}
            if name == programme.guardianship or len(fewer) == len(choices):
                continue
            if not answers_query(programme.query, fewer):
                continue
            judged = _evaluated(programme, fewer, now)
            if judged.outcome is Outcome.ELIGIBLE:
                choices, evaluation = fewer, judged
    return evaluation, choices


def answers_query(query: DcqlQuery, choices: Mapping[str, Choice]) -> bool:
    """Return whether these cards are a whole answer to a query."""
    try:
        check_answered_ids(query, {name: (choice,) for name, choice in choices.items()})
    except RejectedError:
        return False
    return bool(choices)


def _people(
    programme: Programme, held: Mapping[str, Sequence[HeldCredential]]
) -> Iterator[dict[str, Choice]]:
    """Yield the cards that answer, the newest of each, by whom they are about.

    `held` has the wallet's cards by type.

    A wallet may hold the cards of a child beside those of its holder.
    """
    by_person: dict[str, dict[str, Choice]] = {}
    for name, query in programme.query.credentials.items():
        cards = [card for vct in query.vct_values for card in held.get(vct, ())]
        for at, choice in enumerate(choices_for(query, None, cards)):
            person = _person(programme, name, choice, f"{at}")
            if person in by_person or len(by_person) < MAX_PEOPLE:
                by_person.setdefault(person, {}).setdefault(name, choice)
    yield from by_person.values()


def _person(programme: Programme, name: str, choice: Choice, otherwise: str) -> str:
    if programme.sector is None:
        return otherwise
    return programme.person(name, choice.disclosed) or otherwise
