"""Receipts of agencies' decisions: taken, checked, countersigned; and what a holder may ask later.

A presentation to an agency that gives receipts names a key made for it alone. The agency's receipt
is about that key, which countersigns it, withdraws, and asks for deletion, also when the card that
was shown is long gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from wallet.crypto.keys import parse_jwk, thumbprint
from wallet.did.syntax import parse_did
from wallet.eligibility.receipts.entry import AgencyEntry, EntryKind, verify_agency_entry
from wallet.eligibility.receipts.file import ReceiptFile, parse_salts
from wallet.eligibility.receipts.holder import Act, countersigned, sign_holder_statement
from wallet.eligibility.receipts.members import octets
from wallet.eligibility.receipts.own import ExpectedReceipt, check_own_receipt
from wallet.eligibility.receipts.proof import EntryProof, parse_entry_proof
from wallet.eligibility.receipts.signed import agency_key
from wallet.eligibility.receipts.statement import (
    ENDPOINT_MEMBER,
    RECEIPT_TYPE,
    DecisionReceipt,
    shown_of,
    verify_decision_receipt,
)
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError, SeoulWalletError
from wallet.holder.answers import JSON, AnswerUnexpected, check_reachable, json_answer
from wallet.holder.decision_records import (
    NOTHING_FOLLOWED,
    DecisionRecords,
    FollowUp,
    HeldReceipt,
    NoDecisionReceipt,
    parse_told,
)
from wallet.holder.log import LogEntry, PresentationLog
from wallet.holder.nullifiers import did_of_host
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import (
    HeldKey,
    HolderTransport,
    HttpAnswer,
    KeyStore,
    RecordStore,
    StoreDamaged,
)
from wallet.protocols.client_id import DidClientId, check_url, check_url_is_of_client
from wallet.protocols.oid4vp import AuthorizationRequest
from wallet.protocols.oid4vp_response import RawPresentation

MAX_ANSWER_BYTES: Final = 256 * 1024
# For so long an agency is asked for a receipt that did not come.
COLLECT_FOR_S: Final = 30 * 86400
NOT_THERE: Final = "decision_receipt_unknown"


class AlreadyDecidedThere(ConflictError):
    """The agency has decided on this presentation: it can no longer be withdrawn."""

    code = "already_decided_there"


class AgencyRefused(RejectedError):
    """The agency refused what the holder asked about a decision; the message has its code."""

    code = "agency_refused"


@dataclass(frozen=True, slots=True)
class OfferedReceipt:
    """An agency gives receipts, and this key was made for this one; `holder` is its thumbprint."""

    key: HeldKey
    endpoint: str
    issuer: str

    @property
    def holder(self) -> str:
        return thumbprint(self.key.public_key)


@dataclass(frozen=True, slots=True)
class ReceiptProgress:
    """How far a receipt is; `error` is what kept it from going on for now."""

    receipt: HeldReceipt | None
    error: SeoulWalletError | None = None


class DecisionReceipts:
    """The receipts of one wallet."""

    def __init__(
        self,
        *,
        records: RecordStore,
        keys: KeyStore,
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        development: bool,
    ) -> None:
        self._records = DecisionRecords(records)
        self._log = PresentationLog(records)
        self._keys = keys
        self._transport = transport
        self._dids = dids
        self._clock = clock
        self._development = development

    def offered(
        self, entry_id: str, request: AuthorizationRequest, certified_hosts: frozenset[str]
    ) -> OfferedReceipt | None:
        """Return a fresh key if the verifier gives receipts, under a name that it can sign with.

        What is sent again has the key of the first time. Only a did:web on the host of the
        endpoint will do, and the request must be that DID's, or of a certificate for the host.
        Raises what the key store raises.
        """
        endpoint = (request.client_metadata or {}).get(ENDPOINT_MEMBER)
        client = request.client_id
        try:
            url = check_url(endpoint, development=self._development)
            if isinstance(client, DidClientId):
                check_url_is_of_client(client, url, development=self._development)
                issuer, is_its_own = str(client.did), client.did.method == "web"
            else:
                issuer, is_its_own = did_of_host(url), urlsplit(url).hostname in certified_hosts
        except (MalformedError, RejectedError):
            return None
        if not is_its_own:
            return None
        try:
            key = self._keys.find(self._records.get(entry_id).key)
        except NoDecisionReceipt:
            key = self._keys.generate()
        return OfferedReceipt(key, url.rstrip("/"), issuer)

    def expect(
        self,
        entry: LogEntry,
        offered: OfferedReceipt,
        request: AuthorizationRequest,
        vp_token: Mapping[str, Sequence[RawPresentation]],
    ) -> None:
        """Note, before it is sent, what the receipt must be about.

        Until an answer says otherwise there may be one to collect.
        """
        shown = {
            name: shown_of(item)
            for name, presentations in vp_token.items()
            for item in presentations
        }
        expected = ExpectedReceipt(offered.issuer, offered.holder, request.nonce, shown, entry.at)
        self._records.put(
            HeldReceipt(
                entry.id,
                expected,
                offered.key.handle,
                offered.endpoint,
                request.state,
                awaited=True,
            )
        )

    def take(self, entry_id: str, answer: HttpAnswer) -> ReceiptProgress:
        """Keep the receipt in a verifier's answer, and go on with it as far as possible.

        Raises nothing but `StoreDamaged`: the presentation was taken, whatever comes of this.
        """
        try:
            held = self._records.get(entry_id)
            told = parse_json_object(answer.body, max_bytes=MAX_ANSWER_BYTES)
            if "decision_receipt" not in told:
                return ReceiptProgress(self._records.put(replace(held, awaited=False)))
            held = self._told(held, told["decision_receipt"])
        except (NoDecisionReceipt, MalformedError) as error:
            unexpected = None if isinstance(error, NoDecisionReceipt) else error
            return ReceiptProgress(None, unexpected)
        return self._go_on(held)

    def all(self) -> tuple[HeldReceipt, ...]:
        """Return what is known of every decision. Asks nobody."""
        return self._records.all()

    def of(self, entry_id: str) -> HeldReceipt:
        """Return what is known of the decision on a presentation, by the id of its log entry.

        Raises `NoDecisionReceipt`.
        """
        return self._records.get(entry_id)

    def follow_up(self, entry_id: str) -> FollowUp:
        """Return what came after a presentation: verified receipt, answers of the agency."""
        try:
            held = self._records.get(entry_id)
        except NoDecisionReceipt:
            return NOTHING_FOLLOWED
        receipt = held.told["receipt"] if held.is_verified and held.told is not None else None
        return FollowUp(receipt, held.withdrawal, held.deletion)

    def receipt(self, entry_id: str) -> DecisionReceipt:
        """Return the verified receipt of a presentation. Raises `NoDecisionReceipt`."""
        held = self._records.get(entry_id)
        if held.told is None or held.agency_key is None:
            raise NoDecisionReceipt("the receipt has not come, or was not verified yet")
        return verify_decision_receipt(
            held.told["receipt"], issuer=held.expected.issuer, keys=parse_jwk(held.agency_key)
        )

    def update(self) -> tuple[ReceiptProgress, ...]:
        """Go on with every receipt that is not at its end: verify, countersign, fetch its proof.

        One that did not come is collected, for `COLLECT_FOR_S` after what it is about; that there
        is none yet is no failure. A failure is told for its receipt and does not keep the others
        from going on.
        """
        return tuple(
            self._go_on(held, with_proof=True)
            for held in self._records.all()
            if not held.is_final and (held.told is not None or self._is_awaited(held))
        )

    def _is_awaited(self, held: HeldReceipt) -> bool:
        return held.awaited and self._clock.now() - held.expected.sent_at <= COLLECT_FOR_S

    def _told(self, held: HeldReceipt, told: object) -> HeldReceipt:
        return self._records.put(replace(held, told=parse_told(told), awaited=False))

    def _collected(self, held: HeldReceipt) -> HeldReceipt:
        """Return the record with the receipt that the agency has for it, or as it is."""
        statement = self._sign(held, Act.COLLECT, held.expected.nonce)
        answer = self._post(f"{held.endpoint}/collections", statement)
        if answer.status == 404 and _code(answer) == NOT_THERE:
            return held
        value = json_answer(answer, what="the receipt", max_bytes=MAX_ANSWER_BYTES)
        return self._told(held, value.get("decision_receipt"))

    def _go_on(self, held: HeldReceipt, *, with_proof: bool = False) -> ReceiptProgress:
        try:
            if held.told is None:
                held = self._collected(held)
                if held.told is None:
                    return ReceiptProgress(held)
            if not held.is_verified:
                held = self._records.put(self._countersigned(held))
                # What the agency decided on has arrived there, whoever handed it in.
                self._log.arrived(held.entry_id)
            if not held.delivered:
                self._deliver(held)
                held = self._records.put(replace(held, delivered=True))
            if with_proof:
                proof = self._fetch_proof(held).to_json(with_salt=True)
                held = self._records.put(replace(held, proof=proof))
        except StoreDamaged:
            raise
        except SeoulWalletError as error:
            return ReceiptProgress(held, error)
        return ReceiptProgress(held)

    def _countersigned(self, held: HeldReceipt) -> HeldReceipt:
        told = parse_told(held.told)
        token, issuer = told["receipt"], held.expected.issuer
        document = self._dids.resolve(parse_did(issuer)).value
        key = agency_key(token, typ=RECEIPT_TYPE, issuer=issuer, keys=document)
        receipt = verify_decision_receipt(token, issuer=issuer, keys=key)
        now = self._clock.now()
        check_own_receipt(receipt, held.expected, parse_salts(told["salts"]), now=now)
        signed = self._sign(held, Act.COUNTERSIGN, countersigned(receipt.digest))
        return replace(held, agency_key=dict(key.jwk), countersignature=signed)

    def _sign(self, held: HeldReceipt, act: Act, about: str, state: str | None = None) -> str:
        return sign_holder_statement(
            HeldSigningKey(self._keys, self._keys.find(held.key)),
            act,
            audience=held.expected.issuer,
            about=about,
            now=self._clock.now(),
            state=state,
        )

    def _post(self, url: str, statement: str) -> HttpAnswer:
        body = to_json({"statement": statement})
        answer = self._transport.post_body(url, body, content_type=JSON, headers={})
        check_reachable(answer, what="the statement about a receipt")
        return answer

    def _deliver(self, held: HeldReceipt) -> None:
        url = f"{held.endpoint}/{parse_told(held.told)['id']}/countersignature"
        answer = self._post(url, held.countersignature or "")
        if answer.status != 204:
            raise AgencyRefused(f"the countersignature was refused: {_code(answer)}")

    def _fetch_proof(self, held: HeldReceipt) -> EntryProof:
        told = parse_told(held.told)
        answer = self._transport.get(f"{held.endpoint}/{told['id']}", accept=JSON)
        value = json_answer(answer, what="the receipt", max_bytes=MAX_ANSWER_BYTES)
        salt = octets(told["anchor_salt"], "anchor_salt")
        proof = parse_entry_proof(value.get("proof"), salt)
        if proof.anchor is not None:
            # It must lead from this receipt to some root; whose, the chain tells.
            proof.anchor.root_for(told["receipt"].rpartition(".")[0].encode())
        return proof

    def withdraw(self, entry_id: str) -> AgencyEntry:
        """Withdraw what was presented, before it is decided; return the agency's signed entry.

        Its place in the agency's log comes before that of any decision. Raises
        `NoDecisionReceipt`, `AlreadyDecidedThere`, `AgencyRefused`, `PeerUnreachable`,
        `DidUnresolvable` and what `verify_agency_entry` raises.
        """
        held = self._records.get(entry_id)
        nonce = held.expected.nonce
        # A nonce that came without a state is that of a batch.
        signed = self._sign(held, Act.WITHDRAW, nonce, held.state)
        answer = self._post(f"{held.endpoint}/withdrawals", signed)
        if answer.status == 409 and _code(answer) == "already_decided":
            raise AlreadyDecidedThere("the agency has decided already")
        entry = self._entry(answer, EntryKind.WITHDRAWAL, held, nonce)
        self._records.put(replace(held, withdrawal=entry.token))
        return entry

    def request_deletion(self, entry_id: str) -> AgencyEntry:
        """Ask the agency to delete what it need not keep; return its signed answer.

        The answer says what was deleted, and what is kept, on which ground and how long. Raises as
        `withdraw` does.
        """
        held = self._records.get(entry_id)
        if held.told is None:
            raise NoDecisionReceipt("the receipt has not come")
        receipt_id = parse_told(held.told)["id"]
        signed = self._sign(held, Act.DELETE, receipt_id)
        answer = self._post(f"{held.endpoint}/{receipt_id}/deletion", signed)
        entry = self._entry(answer, EntryKind.DELETION, held, receipt_id)
        self._records.put(replace(held, deletion=entry.token))
        return entry

    def _entry(
        self, answer: HttpAnswer, kind: EntryKind, held: HeldReceipt, about: str
    ) -> AgencyEntry:
        if answer.status != 200:
            raise AgencyRefused(f"the agency refused: {_code(answer)}")
        value = parse_json_object(answer.body, max_bytes=MAX_ANSWER_BYTES)
        if type(value.get("entry")) is not str:
            raise AnswerUnexpected("the agency answered without a signed entry")
        return verify_agency_entry(
            value["entry"],
            kind,
            issuer=held.expected.issuer,
            keys=self._dids.resolve(parse_did(held.expected.issuer)).value,
            holder=held.expected.holder,
            about=about,
        )

    def export(self, entry_id: str) -> ReceiptFile:
        """Return the receipt as a file to keep, which is checked without this wallet.

        Raises `NoDecisionReceipt`.
        """
        held = self._records.get(entry_id)
        receipt = self.receipt(entry_id)
        told = parse_told(held.told)
        salt = octets(told["anchor_salt"], "anchor_salt")
        return ReceiptFile(
            receipt.issuer,
            parse_jwk(held.agency_key),
            receipt.token,
            held.countersignature,
            salt,
            parse_salts(told["salts"]),
            None if held.proof is None else parse_entry_proof(held.proof, salt),
        )


def _code(answer: HttpAnswer) -> str:
    try:
        code = parse_json_object(answer.body, max_bytes=MAX_ANSWER_BYTES).get("code")
    except MalformedError:
        return f"status {answer.status}"
    return code if type(code) is str and code.isidentifier() else f"status {answer.status}"
