"""What a verifier asks for and what the wallet would give: shown first, sent only when agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wallet.credentials.jose import CompactJws
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError
from wallet.holder.cards import HeldCredential
from wallet.holder.choices import Answer, Choice, Missing, choices_for
from wallet.holder.counted import Counted
from wallet.holder.presentables import check_answerable
from wallet.holder.rights import first_usable, may_be_shown_to, own_part, with_rights
from wallet.holder.texts import shown
from wallet.protocols.client_id import DidClientId, RedirectUriClientId, SanDnsClientId
from wallet.protocols.oid4vp import AuthorizationRequest, VerifiedRequest, Way
from wallet.protocols.oid4vp_metadata import FormatsNotSupported, response_encryption
from wallet.protocols.oid4vp_transaction import check_type_is_shown
from wallet.protocols.registration import UNCHECKED, RegistrationReport
from wallet.protocols.retention import retention_days

MAX_NAME_MEMBERS: Final = 50
ACCESS_DENIED: Final = "access_denied"


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
class ConsentRequest:
    """A request as its holder is asked about it.

    `authenticated`: a key of the verifier's DID or certificate signed the request; otherwise
    nobody vouches for who asks, only for where the answer goes. `verifier_name` and `purpose` are
    the verifier's own words: show `verifier` (its identifier), `certificate` (the name that a
    trusted authority certified) and `answers_to` (host or page) beside them. `certified_hosts`
    are the hosts that the certificate is for. `registration` is how the request stands to the
    public registry of verifiers. `transactions` are texts that the holder agrees to by answering.
    Optional answers are given only when added by `including`.
    `retention_days` is for how long the verifier says it keeps what it sees, None if it does not.
    `refusal` is the error (§8.5) that declining tells; it depends on the request, never on cards.
    `contributed` are presentations of another wallet that go along, by query (`wallet.joint`).
    `counted` tells that a published programme counts its applicants: show its lines.
    """

    verifier: str
    authenticated: bool
    verifier_name: str
    purpose: str
    answers: tuple[Answer, ...]
    optional: tuple[Answer, ...]
    missing: tuple[Missing, ...]
    request: AuthorizationRequest = field(repr=False)
    audience: str
    certificate: str | None = None
    certified_hosts: frozenset[str] = frozenset()
    registration: RegistrationReport = UNCHECKED
    transactions: tuple[str, ...] = ()
    origin: str | None = None
    retention_days: int | None = None
    refusal: str = ACCESS_DENIED
    request_object: CompactJws | None = field(default=None, repr=False)
    contributed: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    counted: Counted | None = None

    @property
    def answers_to(self) -> str:
        """The host, the page's origin, or the camera, that the answer goes to."""
        if self.request.response_mode.way is Way.FRAMES:
            return "QR"
        if self.request.response_uri is None:
            return shown(self.origin or "")
        return self.request.response_uri.split("/")[2]

    @property
    def is_recognised(self) -> bool:
        """Whether the verifier gets a pseudonym by which it knows the holder again.

        Where a published programme asks for it, `counted` says what it is for.
        """
        queries = self.request.dcql_query.credentials
        return any(queries[answer.query_id].pseudonym for answer in self.answers)

    def choosing(self, query_id: str, card_id: str) -> ConsentRequest:
        """Return this request answered with another card. Raises `ChoiceUnknown`."""
        changed = []
        found = False
        for answer in self.answers:
            for position, choice in enumerate(answer.choices):
                if (answer.query_id, choice.card.id) == (query_id, card_id):
                    answer = replace(answer, chosen=position, also=())
                    found = True
            changed.append(answer)
        if not found:
            raise ChoiceUnknown("this card does not answer this part of the request")
        return replace(self, answers=with_rights(changed, self.request.dcql_query))

    def adding(self, query_id: str, card_id: str) -> ConsentRequest:
        """Return this request with one more card, where several are taken.

        Raises `ChoiceUnknown`.
        """
        for at, answer in enumerate(self.answers):
            ids = [choice.card.id for choice in answer.choices]
            if answer.query_id == query_id and answer.multiple and card_id in ids:
                position = ids.index(card_id)
                if position != answer.chosen and position not in answer.also:
                    answer = replace(answer, also=(*answer.also, position))
                changed = (*self.answers[:at], answer, *self.answers[at + 1 :])
                return replace(self, answers=with_rights(changed, self.request.dcql_query))
        raise ChoiceUnknown("no further card can be added to this part of the request")

    def including(self, query_id: str) -> ConsentRequest:
        """Return this request with an optional answer added. Raises `ChoiceUnknown`."""
        added = [answer for answer in self.optional if answer.query_id == query_id]
        if not added:
            raise ChoiceUnknown("nothing optional has this name")
        rest = tuple(answer for answer in self.optional if answer.query_id != query_id)
        answers = with_rights((*self.answers, *added), self.request.dcql_query)
        return replace(self, answers=answers, optional=rest)


def build_consent(
    verified: VerifiedRequest,
    held: Sequence[HeldCredential],
    *,
    language: str,
    now: int,
    registration: RegistrationReport = UNCHECKED,
) -> ConsentRequest:
    """Return how the credentials answer the request, with the least disclosure (§6.4.1).

    Only cards whose dates include `now` answer; whether one was revoked is not asked, so as not
    to tell its issuer where it is used. Raises `UnsupportedTransactionData` for a transaction
    that cannot be shown, and `RequestMalformed`, `UnsupportedRequest` when no answer could be
    encrypted as asked.
    """
    request = verified.request
    for item in request.transaction_data:
        check_type_is_shown(item)
    if request.response_mode.is_encrypted:
        response_encryption(request.client_metadata)
    choices = {
        query_id: tuple(choices_for(query, request.client_metadata, held))
        for query_id, query in request.dcql_query.credentials.items()
    }
    valid = {
        query_id: tuple(
            choice
            for choice in found
            if choice.card.is_valid_at(now) and may_be_shown_to(choice, verified.audience)
        )
        for query_id, found in choices.items()
    }
    usable: dict[str, tuple[Choice, ...]] = {}
    required: dict[str, None] = {}
    optional: dict[str, None] = {}
    missing: dict[str, None] = {}
    for credential_set in request.dcql_query.sets():
        options = credential_set.options
        answered = first_usable(options, request.dcql_query, valid)
        if answered is not None:
            usable = answered | usable
            (required if credential_set.required else optional).update(dict.fromkeys(answered))
        elif credential_set.required:
            own, lacking = own_part(options, request.dcql_query, valid)
            usable = own | usable
            required.update(dict.fromkeys(own))
            missing.update(dict.fromkeys(lacking))
    extra = tuple(name for name in optional if name not in required)
    certificate = verified.certificate
    return ConsentRequest(
        verifier=_verifier(verified),
        authenticated=verified.authenticated,
        verifier_name=_name(request.client_metadata or {}, verified, language),
        purpose=shown(request.purpose or ""),
        answers=with_rights(
            [_answer(request, name, usable[name], required=True) for name in required],
            request.dcql_query,
        ),
        optional=tuple(_answer(request, name, usable[name], required=False) for name in extra),
        missing=tuple(
            Missing(
                name,
                request.dcql_query.credentials[name].accepted_types,
                tuple(choice.card for choice in choices[name]),
            )
            for name in missing
        ),
        request=request,
        audience=verified.audience,
        certificate=None if certificate is None else shown(certificate.subject),
        certified_hosts=frozenset() if certificate is None else certificate.dns_names,
        registration=registration,
        transactions=tuple(shown(item.text(language)) for item in request.transaction_data),
        origin=verified.origin,
        retention_days=retention_days(request.verifier_info),
        refusal=_refusal(request),
        request_object=verified.request_object,
    )


def _refusal(request: AuthorizationRequest) -> str:
    """Return why no wallet like this could answer, or that its holder did not want to."""
    able = set()
    for name, query in request.dcql_query.credentials.items():
        try:
            check_answerable(query, request.client_metadata)
        except FormatsNotSupported:
            continue
        able.add(name)
    required = (found for found in request.dcql_query.sets() if found.required)
    if all(any(able.issuperset(ids) for ids in found.options) for found in required):
        return ACCESS_DENIED
    return FormatsNotSupported.code


def _answer(
    request: AuthorizationRequest, name: str, choices: tuple[Choice, ...], *, required: bool
) -> Answer:
    query = request.dcql_query.credentials[name]
    return Answer(
        name,
        required,
        choices,
        multiple=query.multiple,
        bound=query.require_holder_binding,
    )


def _verifier(verified: VerifiedRequest) -> str:
    client = verified.request.client_id
    return verified.audience if client is None else str(client)


def _name(metadata: JsonObject, verified: VerifiedRequest, language: str) -> str:
    return _text(metadata, "client_name", language) or shown(_otherwise(verified))


def _otherwise(verified: VerifiedRequest) -> str:
    client = verified.request.client_id
    if isinstance(client, DidClientId):
        return str(client.did)
    if isinstance(client, RedirectUriClientId):
        return client.uri
    if isinstance(client, SanDnsClientId):
        return client.name
    if verified.certificate is not None:
        return verified.certificate.subject
    return verified.origin or ""


def _text(metadata: JsonObject, member: str, language: str) -> str:
    """Return a member, in the language if it is there (`client_name#ko`, RFC 7591 §2.2)."""
    for name in (f"{member}#{language}", member):
        value = metadata.get(name)
        if type(value) is str and shown(value):
            return shown(value)
    return ""
