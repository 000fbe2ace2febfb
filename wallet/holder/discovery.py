"""What the holder probably qualifies for: found out on the device, applied for with one consent.

The city's signed catalogue is the same for everybody, and rules run here, on the holder's own
cards. What leaves the wallet leaves in `apply`, to the agency that the catalogue names, and is
what the programme's published query asks for and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from wallet.credentials.bbs_nym import NymScope
from wallet.did.syntax import parse_did
from wallet.eligibility.days import seoul_day
from wallet.eligibility.decision import Evaluation, Outcome, evaluate
from wallet.eligibility.programme import Programme
from wallet.eligibility.signed_catalogue import (
    PublishedCatalogue,
    restore_catalogue,
    verify_published_catalogue,
)
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError, SeoulWalletError
from wallet.holder.answers import AnswerUnexpected, check_reachable, json_answer, refusal_of
from wallet.holder.cards import HeldCredential, HeldCredentials
from wallet.holder.choices import Answer, Choice, choices_for
from wallet.holder.consent import ConsentRequest, build_consent
from wallet.holder.nullifiers import did_of_host, nullifier_scopes
from wallet.holder.present import Presented
from wallet.holder.requests import RequestReader
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import HolderTransport, Put, RecordStore, RecordUnknown, StoreDamaged
from wallet.protocols.client_id import DidClientId
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.dcql_answer import check_answered_ids
from wallet.protocols.oid4vp import VerifiedRequest

KIND: Final = "catalogue"
MAX_ANSWER_BYTES: Final = 64 * 1024
# More people than this in one wallet are not looked at: the cards are the newest first.
MAX_PEOPLE: Final = 16
_BEST_FIRST: Final = (Outcome.ELIGIBLE, Outcome.UNKNOWN, Outcome.NOT_ELIGIBLE)


class PublisherNotTrusted(RejectedError):
    """The wallet does not take programme catalogues from this publisher."""

    code = "publisher_not_trusted"


class NoCatalogue(ConflictError):
    """No programme catalogue has been fetched, or the one at hand has expired."""

    code = "no_catalogue"


class CannotApply(ConflictError):
    """The cards at hand do not answer what this programme asks for."""

    code = "cannot_apply"


class RequestNotAsPublished(RejectedError):
    """The agency asks for something else than the catalogue says, or is another one."""

    code = "request_not_as_published"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one programme says about the cards at hand: probable, since the agency decides.

    `choices` are the cards that would be shown, by evidence: no more than the outcome takes.
    """

    evaluation: Evaluation
    choices: Mapping[str, Choice]
    apply_to: str

    @property
    def programme(self) -> Programme:
        return self.evaluation.programme

    @property
    def outcome(self) -> Outcome:
        return self.evaluation.outcome

    def uses(self, card_id: str) -> bool:
        """Return whether this card would be shown."""
        return any(choice.card.id == card_id for choice in self.choices.values())


@dataclass(frozen=True, slots=True)
class ApplicationPlan:
    """Applications to agree to at once. Show, for each, its agency and what it would see."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of one application.

    `presented` is None and `code` tells why when nothing was sent, or when the agency refused
    what was sent. `decision` is as the agency told it, None if it could not be collected.
    """

    finding: Finding
    presented: Presented | None
    decision: JsonObject | None
    code: str | None


class Discovery:
    """Finds programmes and applies for them. `publishers` are DIDs; none given, none is believed.

    `present` sends what was agreed to.

    `refresh` and `apply` use the network, nothing else does.
    """

    def __init__(
        self,
        *,
        records: RecordStore,
        held: HeldCredentials,
        reader: RequestReader,
        present: Callable[[ConsentRequest], Presented],
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        publishers: frozenset[str],
    ) -> None:
        self._records = records
        self._held = held
        self._reader = reader
        self._send = present
        self._transport = transport
        self._dids = dids
        self._clock = clock
        self._publishers = publishers
        self._known: dict[str, PublishedCatalogue] = {}

    def refresh(self, base_url: str) -> PublishedCatalogue:
        """Fetch the catalogue of the publisher at `base_url`, and keep it if it is newer.

        Sends nothing about the holder. Raises `PublisherNotTrusted`, `PeerUnreachable`,
        `AnswerUnexpected`, and what `verify_published_catalogue` raises.
        """
        publisher = did_of_host(base_url)
        if publisher not in self._publishers:
            raise PublisherNotTrusted("catalogues of this publisher are not taken")
        answer = self._transport.get(
            f"{base_url}/v1/programmes/catalogue", accept="application/json"
        )
        check_reachable(answer, what="the catalogue")
        if answer.status != 200:
            raise AnswerUnexpected(f"the catalogue was answered with status {answer.status}")
        document = self._dids.resolve(parse_did(publisher)).value
        known = self._known.get(publisher) or self._restored(publisher)
        found = verify_published_catalogue(
            answer.body,
            publisher=publisher,
            document=document,
            now=self._clock.now(),
            not_before=0 if known is None else known.issued_at,
        )
        self._records.write(Put(KIND, publisher, to_json(found.to_json())))
        self._known[publisher] = found
        return found

    def findings(self) -> tuple[Finding, ...]:
        """Return what every programme in force says about the cards, the eligible ones first.

        Asks nobody anything. Raises `NoCatalogue`.
        """
        now = self._clock.now()
        held = self._held.all()
        found = [
            finding
            for published in self._catalogues(now)
            for finding in find_programmes(published, held, now)
        ]
        return tuple(sorted(found, key=lambda item: _BEST_FIRST.index(item.outcome)))

    def plan(self, findings: Collection[Finding]) -> ApplicationPlan:
        """Return the applications for what was found, to show before `apply`.

        Every agency gets a copy of its own of a card, as long as there are copies. Raises
        `CannotApply` for a programme whose query the cards do not answer.
        """
        for finding in findings:
            if not _answers(finding.programme.query, finding.choices):
                raise CannotApply(f"the cards do not answer {finding.programme.id}")
        return ApplicationPlan(tuple(findings))

    def apply(self, plan: ApplicationPlan) -> tuple[Applied, ...]:
        """Apply for everything in the plan. Handing it in *is* the consent, given once.

        One agency that fails does not keep the others from being applied to. Raises what the
        store raises.
        """
        return tuple(self._apply(finding) for finding in plan.findings)

    def _apply(self, finding: Finding) -> Applied:
        presented: Presented | None = None
        try:
            opened = self._open(finding)
            presented = self._present(finding, opened["link"])
            return Applied(finding, presented, self._decision(finding, opened), None)
        except StoreDamaged:
            raise
        except SeoulWalletError as error:
            return Applied(finding, presented, None, error.code)

    def _open(self, finding: Finding) -> JsonObject:
        programme = finding.programme
        form = urlencode({"programme": programme.id, "version": programme.version}).encode()
        answer = self._transport.post_form(f"{finding.apply_to}/v1/eligibility/applications", form)
        refusal = refusal_of(answer)
        if refusal is not None or answer.status != 201:
            check_reachable(answer, what="the application")
            raise CannotApply(f"the application was answered with status {answer.status}")
        opened = parse_json_object(answer.body, max_bytes=MAX_ANSWER_BYTES)
        wanted = ("link", "decision_uri", "result_token")
        if any(type(opened.get(name)) is not str for name in wanted):
            raise AnswerUnexpected("the application was not answered as it should be")
        return opened

    def _present(self, finding: Finding, link: str) -> Presented:
        verified = self._reader.read(link)
        client = verified.request.client_id
        is_agency = isinstance(client, DidClientId) and str(client.did) == did_of_host(
            finding.apply_to
        )
        uri = verified.request.response_uri or ""
        if not verified.authenticated or not is_agency or not _is_below(finding.apply_to, uri):
            raise RequestNotAsPublished("another agency asks than the catalogue names")
        if verified.request.dcql_query != finding.programme.query:
            raise RequestNotAsPublished("the agency asks for something else than was published")
        consent = build_consent(verified, (), language="en", now=self._clock.now())
        answers = tuple(Answer(name, True, (choice,)) for name, choice in finding.choices.items())
        return self._send(
            replace(
                consent,
                answers=answers,
                optional=(),
                missing=(),
                scopes=self.scopes(verified),
            )
        )

    def scopes(self, verified: VerifiedRequest) -> Mapping[str, NymScope]:
        """Return in which contexts a request of a published programme counts its applicants.

        Nothing for a request that is no programme's, or not from the agency that the catalogue
        names: then it gets no pseudonym but its own.
        """
        client, now = verified.request.client_id, self._clock.now()
        if not verified.authenticated or not isinstance(client, DidClientId):
            return {}
        for publisher in self._publishers:
            known = self._known.get(publisher) or self._restored(publisher)
            if known is not None and now < known.expires_at:
                found = nullifier_scopes(
                    known, verified.request.dcql_query, str(client.did), now=now
                )
                if found:
                    return found
        return {}

    def _decision(self, finding: Finding, opened: JsonObject) -> JsonObject | None:
        uri = opened["decision_uri"]
        if not _is_below(finding.apply_to, uri):
            raise RequestNotAsPublished("the decision is elsewhere than the agency")
        answer = self._transport.post_json(uri, {}, bearer=opened["result_token"])
        told = json_answer(answer, what="the decision", max_bytes=MAX_ANSWER_BYTES)
        decision = told.get("decision")
        if decision is None:
            code = told.get("code")
            raise CannotApply(f"the agency refused the answer: {code}")
        if type(decision) is not dict:
            raise AnswerUnexpected("the decision is not an object")
        return decision

    def _catalogues(self, now: int) -> list[PublishedCatalogue]:
        found = []
        for publisher in sorted(self._publishers):
            known = self._known.get(publisher) or self._restored(publisher)
            if known is not None and now < known.expires_at:
                self._known[publisher] = known
                found.append(known)
        if not found:
            raise NoCatalogue("fetch a programme catalogue first")
        return found

    def _restored(self, publisher: str) -> PublishedCatalogue | None:
        try:
            record = self._records.get(KIND, publisher)
        except RecordUnknown:
            return None
        try:
            return restore_catalogue(parse_json_object(record.payload))
        except (KeyError, TypeError, MalformedError) as error:
            raise StoreDamaged("a stored catalogue cannot be read") from error


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
        found = [
            _least(programme, choices, apply_to, now) for choices in _people(programme, valid)
        ]
        yield min(found, key=lambda item: _BEST_FIRST.index(item.outcome))


def _evaluated(programme: Programme, choices: Mapping[str, Choice], now: int) -> Evaluation:
    # Judged is what the agency would see, so that it comes to the same.
    shown = {name: choice.disclosed for name, choice in choices.items()}
    return evaluate(programme, shown, seoul_day(now))


def _least(
    programme: Programme, choices: Mapping[str, Choice], apply_to: str, now: int
) -> Finding:
    """Return the finding on these cards, without those that an eligible outcome does not need."""
    evaluation = _evaluated(programme, choices, now)
    if evaluation.outcome is Outcome.ELIGIBLE:
        for name in reversed(list(programme.evidence)):
            fewer = {other: choice for other, choice in choices.items() if other != name}
            if len(fewer) == len(choices) or not _answers(programme.query, fewer):
                continue
            judged = _evaluated(programme, fewer, now)
            if judged.outcome is Outcome.ELIGIBLE:
                choices, evaluation = fewer, judged
    return Finding(evaluation, choices, apply_to)


def _answers(query: DcqlQuery, choices: Mapping[str, Choice]) -> bool:
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


def _is_below(base_url: str, url: str) -> bool:
    return url.startswith(base_url + "/")
