"""Presenting: read a request (OpenID4VP 1.0), ask the holder, and only then answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from wallet.eligibility.receipts.statement import HOLDER_KEY_CLAIM
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import ConflictError, MalformedError, SeoulWalletError
from wallet.holder.answers import check_reachable
from wallet.holder.card_index import CardIndex
from wallet.holder.cards import HeldCredential, HeldCredentials, ReceiptState
from wallet.holder.choices import Answer, Choice, disclosed_paths
from wallet.holder.consent import ConsentRequest, NoMatchingCredential, build_consent
from wallet.holder.counted import Counted
from wallet.holder.decision_records import HeldReceipt
from wallet.holder.decisions import DecisionReceipts
from wallet.holder.handles import is_nym_handle
from wallet.holder.linking import Linking
from wallet.holder.log import DisclosedCard, LogEntry, LogOutcome, PresentationLog, entry_id
from wallet.holder.nyms import Nyms
from wallet.holder.presentables import Binding, presentable
from wallet.holder.requests import RequestReader, RequestRefused
from wallet.holder.rights import shown_part
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.holder import HolderTransport, HttpAnswer, KeyStore
from wallet.protocols.client_id import check_url
from wallet.protocols.oid4vp import VerifiedRequest, Way
from wallet.protocols.oid4vp_metadata import response_encryption
from wallet.protocols.oid4vp_response import (
    RawPresentation,
    build_error_response,
    build_response,
    encrypt_response,
)
from wallet.protocols.oid4vp_transaction import TransactionData, transaction_claims
from wallet.trust.receipt import RECEIPT_CLAIM

MAX_VERIFIER_ANSWER_BYTES: Final = 64 * 1024
VpToken = dict[str, list[RawPresentation]]


class RequestExpired(ConflictError):
    """The time to answer is over: ask the verifier for a new request."""

    code = "request_expired"


@dataclass(frozen=True, slots=True)
class Presented:
    """An answer that the verifier took.

    `redirect_uri` is where it wants the holder's browser to go on (§8.2), https, or None.
    `receipt` is that of an agency's decision, None if there was none, and `receipt_error` what
    kept it from being verified and countersigned for now.
    """

    entry: LogEntry
    redirect_uri: str | None
    receipt: HeldReceipt | None = None
    receipt_error: SeoulWalletError | None = None


def _counts_nobody(_: VerifiedRequest) -> None:
    return None


class Presenter:
    """Reads requests and answers them from what the wallet holds.

    `counted` tells how a request counts the holder, where that is known from elsewhere than the
    request: in which contexts it asks for a pseudonym.
    """

    def __init__(
        self,
        *,
        reader: RequestReader,
        held: HeldCredentials,
        index: CardIndex,
        log: PresentationLog,
        receipts: DecisionReceipts,
        linking: Linking,
        keys: KeyStore,
        nyms: Nyms,
        transport: HolderTransport,
        clock: Clock,
        development: bool,
        counted: Callable[[VerifiedRequest], Counted | None] = _counts_nobody,
    ) -> None:
        self._counted = counted
        self._reader = reader
        self._held = held
        self._index = index
        self._log = log
        self._receipts = receipts
        self._linking = linking
        self._keys = keys
        self._nyms = nyms
        self._transport = transport
        self._clock = clock
        self._development = development

    def review(self, link: str, *, language: str) -> ConsentRequest:
        """See `Wallet.review`."""
        return self._consent(self._reader.read(link), language)

    def review_from_page(
        self, protocol: str, data: JsonObject, *, origin: str, language: str
    ) -> ConsentRequest:
        """See `Wallet.review_from_page`."""
        verified = self._reader.read_from_page(protocol, data, origin=origin)
        return self._consent(verified, language)

    def review_offline(self, request_object: bytes, *, language: str) -> ConsentRequest:
        """See `Offline.review`."""
        return self._consent(self._reader.read_offline(request_object), language)

    def _consent(self, verified: VerifiedRequest, language: str) -> ConsentRequest:
        consent = build_consent(
            verified,
            self._index.answering(verified.request.dcql_query),
            language=language,
            now=self._clock.now(),
            registration=self._reader.standing(verified),
        )
        consent = replace(consent, counted=self._counted(verified))
        return self._linking.preferring_unused(consent)

    def present(self, consent: ConsentRequest) -> Presented:
        """See `Wallet.present`."""
        response_uri = consent.request.response_uri
        if response_uri is None:
            raise ValueError("a request is answered the way that it came")
        form, entry = self._answer(consent)
        answer = self._transport.post_form(response_uri, urlencode(form).encode())
        check_reachable(answer, what="the presentation")
        accepted = answer.status == 200
        entry = self._finish(entry, LogOutcome.ACCEPTED if accepted else LogOutcome.REFUSED)
        if not accepted:
            raise RequestRefused(f"the verifier answered with status {answer.status}")
        taken = self._receipts.take(entry.id, answer)
        return Presented(entry, self._redirect_uri(answer), taken.receipt, taken.error)

    def answer_page(self, consent: ConsentRequest) -> JsonObject:
        """See `Wallet.answer_page`."""
        _check_way(consent, Way.PAGE)
        data, entry = self._answer(consent)
        self._finish(entry, LogOutcome.UNANSWERED)
        if "response" in data:
            return {"response": data["response"]}
        return {"vp_token": parse_json_object(data["vp_token"].encode())}

    def answer_offline(self, consent: ConsentRequest) -> bytes:
        """See `Offline.answer`. Whether it arrived is known once there is a receipt."""
        _check_way(consent, Way.FRAMES)
        data, entry = self._answer(consent)
        self._finish(entry, LogOutcome.UNANSWERED)
        return data["response"].encode("ascii")

    def contribute(self, consent: ConsentRequest) -> VpToken:
        """Return the presentations of a part of an answer, and note them in the log.

        Another wallet sends them: whether they arrive is known once there is a receipt.
        """
        self._check_answerable(consent)
        vp_token, _ = self._noted(consent)
        return vp_token

    def decline(self, consent: ConsentRequest) -> str | None:
        """See `Wallet.decline`."""
        request = consent.request
        if request.response_uri is None:
            return None
        form = urlencode(build_error_response(consent.refusal, request.state)).encode()
        answer = self._transport.post_form(request.response_uri, form)
        check_reachable(answer, what="the refusal")
        if answer.status != 200:
            raise RequestRefused(f"the verifier answered with status {answer.status}")
        return self._redirect_uri(answer)

    def _answer(self, consent: ConsentRequest) -> tuple[dict[str, str], LogEntry]:
        self._check_answerable(consent)
        request = consent.request
        vp_token, entry = self._noted(consent)
        if not request.response_mode.is_encrypted:
            return build_response(vp_token, request.state), entry
        recipient, enc = response_encryption(request.client_metadata)
        jwe = encrypt_response(
            vp_token, request.state, recipient=recipient, enc=enc, nonce=request.nonce
        )
        return {"response": jwe}, entry

    def _noted(self, consent: ConsentRequest) -> tuple[VpToken, LogEntry]:
        """Return what answers, with what others contributed, and its entry in the log.

        Noted before it is sent, so that no crash hides from the holder what may have left.
        """
        now, request = self._clock.now(), consent.request
        receipt = self._receipts.offered(
            entry_id(consent.verifier, request.nonce), request, consent.certified_hosts
        )
        vp_token = self._vp_token(consent, now, None if receipt is None else receipt.holder)
        for query_id, presentations in consent.contributed.items():
            vp_token.setdefault(query_id, []).extend(presentations)
        entry = self._linking.marked(_log_entry(consent, now), consent)
        self._log.begin(entry)
        if receipt is not None:
            self._receipts.expect(entry, receipt, request, vp_token)
        return vp_token, entry

    def _check_answerable(self, consent: ConsentRequest) -> None:
        if consent.missing:
            raise NoMatchingCredential(consent.missing)
        expires_at = consent.request.expires_at
        if expires_at is not None and self._clock.now() >= expires_at:
            raise RequestExpired("the time to answer is over")

    def _finish(self, entry: LogEntry, outcome: LogOutcome) -> LogEntry:
        entry = replace(entry, outcome=outcome)
        self._log.finish(entry)
        return entry

    def _redirect_uri(self, answer: HttpAnswer) -> str | None:
        try:
            value = parse_json_object(answer.body, max_bytes=MAX_VERIFIER_ANSWER_BYTES)
            return check_url(value["redirect_uri"], development=self._development)
        except (MalformedError, KeyError):
            # The presentation was taken; where to go on is a courtesy.
            return None

    def _vp_token(self, consent: ConsentRequest, now: int, receipt_key: str | None) -> VpToken:
        agreed = _transactions_by_query(consent)
        vp_token: VpToken = {}
        for answer in consent.answers:
            for position, choice in enumerate(answer.sent):
                # One card authorizes a transaction: the chosen one, not those added to it.
                items = agreed.get(answer.query_id, []) if position == 0 else []
                vp_token.setdefault(answer.query_id, []).append(
                    self._presentation(consent, answer, choice, items, now, receipt_key)
                )
        return vp_token

    def _presentation(
        self,
        consent: ConsentRequest,
        answer: Answer,
        choice: Choice,
        transactions: list[TransactionData],
        now: int,
        receipt_key: str | None,
    ) -> RawPresentation:
        held = shown_part(self._held.get(choice.card.id), choice)
        if not answer.bound:
            return presentable(held).present(choice.paths, None)
        key = None
        if not is_nym_handle(held.key_handle):
            key = HeldSigningKey(self._keys, self._keys.find(held.key_handle))
        counted = consent.counted
        binding = Binding(
            key=key,
            nyms=self._nyms,
            audience=consent.audience,
            nonce=consent.request.nonce,
            issued_at=now,
            claims={
                **_receipt_claim(held),
                **transaction_claims(transactions),
                **({} if receipt_key is None else {HOLDER_KEY_CLAIM: receipt_key}),
            },
            pseudonym=consent.request.dcql_query.credentials[answer.query_id].pseudonym,
            scope=None if counted is None else counted.scopes.get(answer.query_id),
        )
        return presentable(held).present(choice.paths, binding)


def _check_way(consent: ConsentRequest, way: Way) -> None:
    if consent.request.response_mode.way is not way:
        raise ValueError("a request is answered the way that it came")


def _transactions_by_query(consent: ConsentRequest) -> dict[str, list[TransactionData]]:
    """Return the transactions by the one query whose card authorizes each (§5.1)."""
    answered = [answer.query_id for answer in consent.answers]
    found: dict[str, list[TransactionData]] = {}
    for item in consent.request.transaction_data:
        query_id = next((name for name in item.credential_ids if name in answered), None)
        if query_id is None:
            raise NoMatchingCredential(consent.missing)
        found.setdefault(query_id, []).append(item)
    return found


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
        cards=tuple(
            DisclosedCard(
                choice.card.id,
                choice.card.vct,
                disclosed_paths(choice),
                choice.card.is_for_another,
            )
            for answer in consent.answers
            for choice in answer.sent
        ),
        outcome=LogOutcome.UNANSWERED,
        registration=consent.registration.standing.value,
        certificate=consent.certificate,
        retention_days=consent.retention_days,
    )
