"""What the holder probably qualifies for: found out on the device, applied for with one consent.

The city's signed catalogue is the same for everybody, and rules run here, on the holder's own
cards. What leaves the wallet leaves in `apply`, to the agency that the catalogue names, and is
what the programme's published query asks for and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from wallet.did.syntax import parse_did
from wallet.eligibility.signed_catalogue import (
    PublishedCatalogue,
    restore_catalogue,
    verify_published_catalogue,
)
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError, SeoulWalletError
from wallet.holder.answers import AnswerUnexpected, check_reachable, json_answer, refusal_of
from wallet.holder.cards import HeldCredentials
from wallet.holder.choices import Answer
from wallet.holder.consent import ConsentRequest, build_consent
from wallet.holder.counted import Counted
from wallet.holder.findings import BEST_FIRST, Finding, answers_query, find_programmes
from wallet.holder.nullifiers import counted_by, did_of_host
from wallet.holder.present import Presented
from wallet.holder.requests import RequestReader
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import HolderTransport, Put, RecordStore, RecordUnknown, StoreDamaged
from wallet.protocols.client_id import DidClientId
from wallet.protocols.oid4vp import VerifiedRequest

KIND: Final = "catalogue"
MAX_ANSWER_BYTES: Final = 64 * 1024


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
class ApplicationPlan:
    """Applications to agree to at once.

    Show, for each, its agency and what it would see, and the lines of its `counted`.
    """

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
        return tuple(sorted(found, key=lambda item: BEST_FIRST.index(item.outcome)))

    def plan(self, findings: Collection[Finding]) -> ApplicationPlan:
        """Return the applications for what was found, to show before `apply`.

        Every agency gets a copy of its own of a card, as long as there are copies. Raises
        `CannotApply` for a programme whose query the cards do not answer.
        """
        for finding in findings:
            if not answers_query(finding.programme.query, finding.choices):
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
                counted=self.counted(verified),
            )
        )

    def counted(self, verified: VerifiedRequest) -> Counted | None:
        """Return how a request of a published programme counts the holder.

        None for a request that is no programme's, or not from the agency that the catalogue
        names: then it gets no pseudonym but its own.
        """
        client, now = verified.request.client_id, self._clock.now()
        if not verified.authenticated or not isinstance(client, DidClientId):
            return None
        for publisher in self._publishers:
            known = self._known.get(publisher) or self._restored(publisher)
            if known is not None and now < known.expires_at:
                query, agency = verified.request.dcql_query, str(client.did)
                found = counted_by(known, query, agency, now=now)
                if found is not None:
                    return found
        return None

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


def _is_below(base_url: str, url: str) -> bool:
    return url.startswith(base_url + "/")
