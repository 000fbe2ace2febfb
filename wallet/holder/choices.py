"""The cards that answer a query, and exactly what each would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wallet.credentials.delegation import DELEGATION_TYPE
from wallet.credentials.disclosure import ClaimPath
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card, HeldCredential
from wallet.holder.presentables import presentable
from wallet.holder.texts import ClaimLine, claim_lines
from wallet.protocols.dcql import CredentialQuery
from wallet.protocols.dcql_match import matching_claims
from wallet.protocols.oid4vp_metadata import FormatsNotSupported


@dataclass(frozen=True, slots=True)
class Choice:
    """A card that answers: exactly what would leave the wallet.

    `paths` are the places of the claims that were asked for, `disclosed` is all that is shown. A
    delegation is a choice under the id of the card that it is for.
    """

    card: Card
    paths: tuple[ClaimPath, ...]
    disclosed: JsonObject = field(repr=False)

    def lines(self, language: str) -> tuple[ClaimLine, ...]:
        """Return every claim that the verifier would see, also those that cannot be withheld.

        Besides, it always sees the card's type, issuer, dates, status place and public key.
        """
        return claim_lines(self.disclosed, self.card.claim_descriptions, language)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one credential query is answered: by one of `choices`, which has at least one.

    Where the verifier takes several cards, `also` are the positions of those added by
    `ConsentRequest.adding`. `bound` tells whether possession of the card's key is proven.
    """

    query_id: str
    required: bool
    choices: tuple[Choice, ...]
    chosen: int = 0
    also: tuple[int, ...] = ()
    multiple: bool = False
    bound: bool = True

    @property
    def choice(self) -> Choice:
        return self.choices[self.chosen]

    @property
    def sent(self) -> tuple[Choice, ...]:
        """Every card that would be sent, the chosen one first."""
        return (self.choice, *(self.choices[position] for position in self.also))


@dataclass(frozen=True, slots=True)
class Missing:
    """A query that no valid card answers. `outdated` are cards that would, but for their dates."""

    query_id: str
    vct_values: tuple[str, ...]
    outdated: tuple[Card, ...] = ()


def choices_for(
    query: CredentialQuery, metadata: JsonObject | None, held: Sequence[HeldCredential]
) -> list[Choice]:
    """Return the answers to one query, the newest card first.

    `metadata` is the verifier's, None when it is not known yet.
    """
    found = []
    for credential in reversed(_parts(query, held)):
        ready = presentable(credential)
        paths = matching_claims(query, ready.candidate())
        if paths is None:
            continue
        try:
            ready.check_accepted(metadata)
        except FormatsNotSupported:
            continue
        found.append(Choice(credential.card(), paths, ready.shown(paths)))
    return found


def disclosed_paths(choice: Choice) -> tuple[ClaimPath, ...]:
    """Return the places of the values that a choice discloses."""
    return tuple(line.path for line in choice.lines("en"))


def _parts(query: CredentialQuery, held: Sequence[HeldCredential]) -> list[HeldCredential]:
    if DELEGATION_TYPE in query.vct_values:
        return [item.warrant() for item in held if item.delegation is not None]
    return list(held)
