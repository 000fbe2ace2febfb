"""What programmes say about the cards at hand, found out on the device. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.eligibility.days import seoul_day
from wallet.eligibility.decision import Evaluation, Outcome, evaluate
from wallet.eligibility.programme import Programme
from wallet.eligibility.signed_catalogue import PublishedCatalogue
from wallet.errors import RejectedError
from wallet.holder.cards import HeldCredential
from wallet.holder.choices import Choice, choices_for
from wallet.holder.counted import Counted
from wallet.holder.nullifiers import counted_in
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.dcql_answer import check_answered_ids

# More people than this in one wallet are not looked at: the cards are the newest first.
MAX_PEOPLE: Final = 16
BEST_FIRST: Final = (Outcome.ELIGIBLE, Outcome.UNKNOWN, Outcome.NOT_ELIGIBLE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one programme says about the cards at hand: probable, since the agency decides.

    `choices` are the cards that would be shown, by evidence: no more than the outcome takes.
    `counted` tells that applying counts the person, None where nobody is counted.
    """

    evaluation: Evaluation
    choices: Mapping[str, Choice]
    apply_to: str
    counted: Counted | None

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

    A programme that could be for several people in this wallet is judged for each; the best
    outcome is given. Pure.
    """
    valid: dict[str, list[HeldCredential]] = {}
    for item in held:
        card = item.card()
        # An application is made for oneself.
        if card.is_valid_at(now) and not card.is_for_another:
            valid.setdefault(card.vct, []).append(item)
    for programme in published.catalogue.all_in_force(seoul_day(now)):
        apply_to = published.apply_to[programme.id]
        counted = counted_in(published, programme, now=now)
        found = [
            Finding(*_least(programme, choices, now), apply_to, counted)
            for choices in _people(programme, valid)
        ]
        yield min(found, key=lambda item: BEST_FIRST.index(item.outcome))


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
            if len(fewer) == len(choices) or not answers_query(programme.query, fewer):
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
    """Yield the cards that answer, the newest of each, by whom they are about; or nothing once.

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
    yield from by_person.values() or [{}]


def _person(programme: Programme, name: str, choice: Choice, otherwise: str) -> str:
    if programme.sector is None:
        return otherwise
    return programme.person(name, choice.disclosed) or otherwise
