"""What a verifier asks for and what the wallet would give: shown first, sent only when agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import (
    ClaimPattern,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError
from wallet.holder.cards import Card, HeldCredential, plain_claims
from wallet.holder.texts import ClaimLine, claim_lines, shown
from wallet.protocols.client_id import DidClientId
from wallet.protocols.dcql import DcqlQuery, matching_claims
from wallet.protocols.oid4vp import AuthorizationRequest, VerifiedRequest

MAX_NAME_MEMBERS: Final = 50


class ConsentRefused(ConflictError):
    """The holder did not agree. Nothing was sent."""

    code = "consent_refused"


class NoMatchingCredential(ConflictError):
    """The wallet holds no valid card that answers. `missing` says what was asked for in vain."""

    code = "no_matching_credential"

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("no valid card answers " + ", ".join(item.query_id for item in missing))
        self.missing = tuple(missing)


class ChoiceUnknown(ConflictError):
    """This card does not answer this part of the request."""

    code = "choice_unknown"


@dataclass(frozen=True, slots=True)
class Choice:
    """A card that answers: exactly what would leave the wallet, disclosures as indexes."""

    card: Card
    disclosures: frozenset[int]
    disclosed: JsonObject = field(repr=False)

    def lines(self, language: str) -> tuple[ClaimLine, ...]:
        """Return every claim that the verifier would see, also those that cannot be withheld.

        Besides, it always sees the card's type, issuer, dates, status place and public key.
        """
        return claim_lines(self.disclosed, self.card.claim_descriptions, language)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one credential query is answered: by one of `choices`, which has at least one."""

    query_id: str
    required: bool
    choices: tuple[Choice, ...]
    chosen: int = 0

    @property
    def choice(self) -> Choice:
        return self.choices[self.chosen]


@dataclass(frozen=True, slots=True)
class Missing:
    """A query that no valid card answers. `outdated` are cards that would, but for their dates."""

    query_id: str
    vct_values: tuple[str, ...]
    outdated: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """A request as its holder is asked about it.

    `authenticated`: a key of the verifier's DID signed the request; otherwise nobody vouches for
    who asks, only for where the answer goes. `verifier_name` and `purpose` are the verifier's own
    words: show `verifier` (its identifier) and `answers_to` (host) beside them. Optional answers
    are given only when they were added by `including`.
    """

    verifier: str
    authenticated: bool
    verifier_name: str
    purpose: str
    answers: tuple[Answer, ...]
    optional: tuple[Answer, ...]
    missing: tuple[Missing, ...]
    request: AuthorizationRequest = field(repr=False)

    @property
    def answers_to(self) -> str:
        """The host that the answer goes to."""
        return self.request.response_uri.split("/")[2]

    def choosing(self, query_id: str, card_id: str) -> ConsentRequest:
        """Return this request answered with another card. Raises `ChoiceUnknown`."""
        changed = []
        found = False
        for answer in self.answers:
            for position, choice in enumerate(answer.choices):
                if (answer.query_id, choice.card.id) == (query_id, card_id):
                    answer = replace(answer, chosen=position)
                    found = True
            changed.append(answer)
        if not found:
            raise ChoiceUnknown("this card does not answer this part of the request")
        return replace(self, answers=tuple(changed))

    def including(self, query_id: str) -> ConsentRequest:
        """Return this request with an optional answer added. Raises `ChoiceUnknown`."""
        added = [answer for answer in self.optional if answer.query_id == query_id]
        if not added:
            raise ChoiceUnknown("nothing optional has this name")
        rest = tuple(answer for answer in self.optional if answer.query_id != query_id)
        return replace(self, answers=(*self.answers, *added), optional=rest)


def build_consent(
    verified: VerifiedRequest,
    held: Sequence[HeldCredential],
    *,
    language: str,
    now: int,
) -> ConsentRequest:
    """Return how the credentials answer the request, with the least disclosure (§6.4.1).

    Only cards whose dates include `now` answer; whether one was revoked is not asked, so as not
    to tell its issuer where it is used.
    """
    request = verified.request
    choices = {
        query_id: tuple(_choices(request.dcql_query, query_id, held))
        for query_id in request.dcql_query.credentials
    }
    valid = {
        query_id: tuple(choice for choice in found if choice.card.is_valid_at(now))
        for query_id, found in choices.items()
    }
    required: dict[str, None] = {}
    optional: dict[str, None] = {}
    missing: dict[str, None] = {}
    for credential_set in request.dcql_query.sets():
        options = credential_set.options
        answered = next((ids for ids in options if all(valid[name] for name in ids)), None)
        if answered is not None:
            (required if credential_set.required else optional).update(dict.fromkeys(answered))
        elif credential_set.required:
            missing.update(dict.fromkeys(name for name in options[0] if not valid[name]))
    metadata = request.client_metadata or {}
    return ConsentRequest(
        verifier=str(request.client_id),
        authenticated=verified.authenticated,
        verifier_name=_name(metadata, request, language),
        purpose=shown(request.purpose or ""),
        answers=tuple(Answer(name, True, valid[name]) for name in required),
        optional=tuple(
            Answer(name, False, valid[name]) for name in optional if name not in required
        ),
        missing=tuple(
            Missing(
                name,
                request.dcql_query.credentials[name].vct_values,
                tuple(choice.card for choice in choices[name]),
            )
            for name in missing
        ),
        request=request,
    )


def _choices(query: DcqlQuery, query_id: str, held: Sequence[HeldCredential]) -> list[Choice]:
    """Return the answers to one query, the newest card first."""
    found = []
    for credential in reversed(held):
        parsed = credential.parsed()
        processed = parsed.process(parsed.jws.peek_claims())
        paths = matching_claims(query.credentials[query_id], processed.claims)
        if paths is None:
            continue
        wanted: list[ClaimPattern] = [tuple(path) for path in paths]
        disclosures = select_disclosures(processed, wanted)
        # What the verifier will see is read from what would be sent, not from what was asked.
        sent = parse_sd_jwt(present_sd_jwt(parsed, disclosures))
        claims = plain_claims(sent.process(sent.jws.peek_claims()).claims)
        found.append(Choice(credential.card(), disclosures, claims))
    return found


def disclosed_paths(choice: Choice) -> tuple[ClaimPath, ...]:
    """Return the places of the values that a choice discloses."""
    return tuple(line.path for line in choice.lines("en"))


def _name(metadata: JsonObject, request: AuthorizationRequest, language: str) -> str:
    client = request.client_id
    otherwise = str(client.did) if isinstance(client, DidClientId) else client.uri
    return _text(metadata, "client_name", language) or shown(otherwise)


def _text(metadata: JsonObject, member: str, language: str) -> str:
    """Return a member, in the language if it is there (`client_name#ko`, RFC 7591 §2.2)."""
    for name in (f"{member}#{language}", member):
        value = metadata.get(name)
        if type(value) is str and shown(value):
            return shown(value)
    return ""
