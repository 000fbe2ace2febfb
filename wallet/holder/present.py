"""Presenting: read a request (OpenID4VP 1.0), ask the holder, and only then answer it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from wallet.credentials.sd_jwt import bind_to_key, present_sd_jwt
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import ConflictError, MalformedError
from wallet.holder.answers import AnswerUnexpected, check_reachable
from wallet.holder.cards import HeldCredential, HeldCredentials, ReceiptState
from wallet.holder.consent import (
    Answer,
    Choice,
    ConsentRequest,
    NoMatchingCredential,
    build_consent,
    disclosed_paths,
)
from wallet.holder.log import DisclosedCard, LogEntry, LogOutcome, PresentationLog, entry_id
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import HolderTransport, HttpAnswer, KeyStore
from wallet.protocols.client_id import DidClientId, check_url
from wallet.protocols.oid4vp import (
    REQUEST_OBJECT_MEDIA_TYPE,
    AuthorizationRequest,
    RequestLink,
    VerifiedRequest,
    new_secret,
    parse_request_link,
    parse_request_object,
    verify_request_object,
    verify_unsigned_request,
)
from wallet.protocols.oid4vp_response import build_response
from wallet.trust.receipt import RECEIPT_CLAIM

MAX_VERIFIER_ANSWER_BYTES: Final = 64 * 1024


class RequestRefused(ConflictError):
    """The verifier did not take the answer, or no longer waits for one."""

    code = "request_refused"


class RequestExpired(ConflictError):
    """The time to answer is over: ask the verifier for a new request."""

    code = "request_expired"


@dataclass(frozen=True, slots=True)
class Presented:
    """An answer that the verifier took.

    `redirect_uri` is where it wants the holder's browser to go on (§8.2), https, or None.
    """

    entry: LogEntry
    redirect_uri: str | None


class Presenter:
    """Reads requests and answers them from what the wallet holds."""

    def __init__(
        self,
        *,
        held: HeldCredentials,
        log: PresentationLog,
        keys: KeyStore,
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        development: bool,
    ) -> None:
        self._held = held
        self._log = log
        self._keys = keys
        self._transport = transport
        self._dids = dids
        self._clock = clock
        self._development = development

    def review(self, link: str, *, language: str) -> ConsentRequest:
        """See `Wallet.review`."""
        read = parse_request_link(link, development=self._development)
        verified = self._verified(read)
        return build_consent(verified, self._held.all(), language=language, now=self._clock.now())

    def present(self, consent: ConsentRequest) -> Presented:
        """See `Wallet.present`."""
        now = self._clock.now()
        request = consent.request
        if consent.missing:
            raise NoMatchingCredential(consent.missing)
        if request.expires_at is not None and now >= request.expires_at:
            raise RequestExpired("the time to answer is over")
        vp_token = {
            answer.query_id: [self._presentation(answer.choice, request, now)]
            for answer in consent.answers
        }
        form = urlencode(build_response(vp_token, request.state)).encode("ascii")
        entry = _log_entry(consent, now)
        # Noted before it is sent, so that no crash hides from the holder what may have left.
        self._log.begin(entry)
        answer = self._transport.post_form(request.response_uri, form)
        check_reachable(answer, what="the presentation")
        accepted = answer.status == 200
        entry = replace(entry, outcome=LogOutcome.ACCEPTED if accepted else LogOutcome.REFUSED)
        self._log.finish(entry)
        if not accepted:
            raise RequestRefused(f"the verifier answered with status {answer.status}")
        return Presented(entry, self._redirect_uri(answer))

    def _redirect_uri(self, answer: HttpAnswer) -> str | None:
        try:
            value = parse_json_object(answer.body, max_bytes=MAX_VERIFIER_ANSWER_BYTES)
            return check_url(value["redirect_uri"], development=self._development)
        except (MalformedError, KeyError):
            # The presentation was taken; where to go on is a courtesy.
            return None

    def _verified(self, link: RequestLink) -> VerifiedRequest:
        now = self._clock.now()
        if link.request_uri is None or not isinstance(link.client_id, DidClientId):
            return verify_unsigned_request(link.parameters, now=now, development=self._development)
        wallet_nonce = None
        if link.request_uri_method == "post":
            wallet_nonce = new_secret()
            form = urlencode({"wallet_nonce": wallet_nonce}).encode("ascii")
            answer = self._transport.post_form(link.request_uri, form)
        else:
            answer = self._transport.get(link.request_uri, accept=REQUEST_OBJECT_MEDIA_TYPE)
        request_object = parse_request_object(_request_object(answer))
        return verify_request_object(
            request_object,
            link.client_id,
            self._dids.resolve(link.client_id.did).value,
            now=now,
            wallet_nonce=wallet_nonce,
            development=self._development,
        )

    def _presentation(self, choice: Choice, request: AuthorizationRequest, now: int) -> str:
        held = self._held.get(choice.card.id)
        parsed = held.parsed()
        key = HeldSigningKey(self._keys, self._keys.find(held.key_handle))
        return bind_to_key(
            present_sd_jwt(parsed, choice.disclosures),
            key,
            audience=str(request.client_id),
            nonce=request.nonce,
            issued_at=now,
            hash_name=parsed.jws.peek_claims().get("_sd_alg", "sha-256"),
            extra_claims=_receipt_claim(held),
        )


def _request_object(answer: HttpAnswer) -> bytes:
    check_reachable(answer, what="the request")
    if 400 <= answer.status < 500:
        raise RequestRefused(f"the request is not there any more (status {answer.status})")
    if answer.status != 200 or answer.content_type != REQUEST_OBJECT_MEDIA_TYPE:
        raise AnswerUnexpected(f"the request did not come as {REQUEST_OBJECT_MEDIA_TYPE}")
    return answer.body


def _receipt_claim(held: HeldCredential) -> JsonObject:
    if held.receipt_state is not ReceiptState.FINAL or held.receipt is None:
        return {}
    return {RECEIPT_CLAIM: held.receipt.to_json()}


def _log_entry(consent: ConsentRequest, now: int) -> LogEntry:
    return LogEntry(
        id=entry_id(consent.verifier, consent.request.nonce),
        at=now,
        verifier=consent.verifier,
        verifier_name=consent.verifier_name,
        purpose=consent.purpose,
        cards=tuple(_disclosed_card(answer) for answer in consent.answers),
        outcome=LogOutcome.UNANSWERED,
    )


def _disclosed_card(answer: Answer) -> DisclosedCard:
    choice = answer.choice
    return DisclosedCard(choice.card.id, choice.card.vct, disclosed_paths(choice))
