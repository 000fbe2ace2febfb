"""Showing for another: which cards need a delegation or guardianship beside them, and which one.

A card that is somebody else's only answers a request that also asks for the right to show it, and
goes there together with the credential that gives this right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from wallet.credentials.delegation import DELEGATION_TYPE, GUARDIANSHIP_TYPE, WARRANT_TYPES
from wallet.errors import ConflictError
from wallet.holder.cards import HeldCredential
from wallet.holder.choices import Answer, Choice
from wallet.protocols.dcql import DcqlQuery
from wallet.verification.guardianship import ACTS, GuardianActs, shared_ward

Choices = Mapping[str, tuple[Choice, ...]]


class RightsDiffer(ConflictError):
    """The cards chosen need several rights, and the verifier takes one."""

    code = "rights_differ"


def shown_part(held: HeldCredential, choice: Choice) -> HeldCredential:
    """Return what of a held card a choice shows: the card, or the delegation beside it."""
    if held.delegation is not None and choice.card.vct == DELEGATION_TYPE:
        return held.warrant()
    return held


def may_be_shown_to(choice: Choice, audience: str) -> bool:
    """Return whether the delegation of a card, if it has one, names this verifier."""
    delegated = choice.card.delegated
    audiences = None if delegated is None else delegated.scope.audiences
    return audiences is None or audience in audiences


def first_usable(
    options: Iterable[Sequence[str]], query: DcqlQuery, valid: Choices
) -> dict[str, tuple[Choice, ...]] | None:
    """Return how the first option that can be answered is answered, by query id; else None.

    `valid` are the cards that answer each query, one's own and others'. Without a query for a
    right only one's own count; with one, somebody else's that the right is for.
    """
    for ids in options:
        found = _usable(ids, query, valid)
        if found is not None:
            return found
    return None


def own_part(
    options: Sequence[Sequence[str]], query: DcqlQuery, valid: Choices
) -> tuple[dict[str, tuple[Choice, ...]], tuple[str, ...]]:
    """Return what a child can answer of the first option that only lacks its guardian's part.

    Also the ids that are lacking: of the preferred option, if nothing can be answered.
    """
    for ids in options:
        lacking = tuple(
            name for name in ids if set(query.credentials[name].vct_values) == {GUARDIANSHIP_TYPE}
        )
        own = {name: _own(valid[name]) for name in ids if name not in lacking}
        if lacking and own and all(own.values()):
            return own, lacking
    return {}, tuple(name for name in options[0] if not _own(valid[name])) or tuple(options[0])


def with_rights(answers: Sequence[Answer], query: DcqlQuery) -> tuple[Answer, ...]:
    """Return the answers, each right being the one that the cards chosen need.

    Raises `RightsDiffer`.
    """
    sent = [
        choice
        for answer in answers
        if not _asks_for_right(query, answer.query_id)
        for choice in answer.sent
        if choice.card.is_for_another
    ]
    return tuple(
        _paired(answer, sent) if _asks_for_right(query, answer.query_id) else answer
        for answer in answers
    )


def _paired(answer: Answer, sent: Sequence[Choice]) -> Answer:
    needed: dict[int, None] = {}
    for choice in sent:
        for at, right in enumerate(answer.choices):
            if _gives(right, choice):
                needed[at] = None
                break
    if not needed:
        return answer
    chosen, *also = needed
    if also and not answer.multiple:
        raise RightsDiffer("the verifier takes one right, and these cards need several")
    return replace(answer, chosen=chosen, also=tuple(also))


def _usable(
    ids: Sequence[str], query: DcqlQuery, valid: Choices
) -> dict[str, tuple[Choice, ...]] | None:
    rights = [name for name in ids if _asks_for_right(query, name)]
    given = [choice for name in rights for choice in valid[name]]
    found: dict[str, tuple[Choice, ...]] = {}
    for name in ids:
        if name not in rights:
            others = tuple(item for item in valid[name] if _is_given(item, given))
            found[name] = others or _own(valid[name])
    shown = [choice for choices in found.values() for choice in choices]
    for name in rights:
        found[name] = tuple(
            right for right in valid[name] if any(_gives(right, item) for item in shown)
        )
    return found if all(found.values()) else None


def _own(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices if not choice.card.is_for_another)


def _asks_for_right(query: DcqlQuery, query_id: str) -> bool:
    types = query.credentials[query_id].vct_values
    return bool(types) and WARRANT_TYPES.issuperset(types)


def _is_given(choice: Choice, rights: Iterable[Choice]) -> bool:
    return any(_gives(right, choice) for right in rights)


def _gives(right: Choice, choice: Choice) -> bool:
    card, other = right.card, choice.card
    if card.vct == DELEGATION_TYPE:
        return other.delegated is not None and card.id == other.id
    return (
        other.is_for_ward
        and card.claims.get(ACTS) == GuardianActs.ALONE
        and shared_ward(other.claims, card.claims) is not None
    )
