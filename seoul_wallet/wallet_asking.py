"""How the command line asks a holder before anything is shown to a verifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from seoul_wallet.wallet_views import Session, find_card, show_consent, show_links
from wallet.holder.consent import ConsentRefused, ConsentRequest, NoMatchingCredential
from wallet.holder.wallet import Wallet


def asking(
    session: Session, holder: Wallet, *, yes: bool, cards: Sequence[str], include: Sequence[str]
) -> Callable[[ConsentRequest], ConsentRequest | None]:
    """Return what shows a request and asks; None from it is a no. With `yes` it only shows.

    `cards` are ids to answer with, `include` names of optional answers to add.
    """

    def ask(consent: ConsentRequest) -> ConsentRequest | None:
        chosen = _as_chosen(holder, consent, cards, include)
        show_consent(session, chosen)
        show_links(session, holder.linking.warnings(chosen))
        if chosen.missing:
            raise NoMatchingCredential(chosen.missing)
        return chosen if yes or click.confirm(session.say("agree"), err=True) else None

    return ask


def agreed_to(
    session: Session, holder: Wallet, consent: ConsentRequest, *, yes: bool, cards: Sequence[str]
) -> ConsentRequest:
    """Show a part of an answer, ask, and return it as chosen; the rest is another's to add.

    Raises `ConsentRefused`.
    """
    chosen = _as_chosen(holder, consent, cards, ())
    show_consent(session, chosen)
    show_links(session, holder.linking.warnings(chosen))
    if not yes and not click.confirm(session.say("agree"), err=True):
        raise ConsentRefused("the holder did not agree")
    return chosen


def _as_chosen(
    holder: Wallet, consent: ConsentRequest, cards: Sequence[str], include: Sequence[str]
) -> ConsentRequest:
    for name in include:
        consent = consent.including(name)
    for card_id in cards:
        card = find_card(holder, card_id)
        answered = [
            answer.query_id
            for answer in consent.answers
            if any(choice.card.id == card.id for choice in answer.choices)
        ]
        # A card that answers nothing is named to `choosing`, which says so.
        for query_id in answered or [""]:
            consent = consent.choosing(query_id, card.id)
    return consent
