"""Issues receipts and serves their holders: countersignature, withdrawal, deletion."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from verifier.receipts.basis import DecidedAnswer, ReceiptDraft, draft_receipt
from verifier.receipts.records import (
    AgencyRecords,
    DecisionReceiptUnknown,
    EntryOf,
    LogEntry,
    LogWriter,
)
from wallet.anchoring import AnchorIdentity
from wallet.eligibility.evidence_types import Text
from wallet.eligibility.receipts.entry import EntryKind, Kept, issue_agency_entry
from wallet.eligibility.receipts.holder import (
    Act,
    HolderStatement,
    HolderStatementInvalid,
    verify_holder_statement,
)
from wallet.eligibility.receipts.issuing import new_receipt_id, sign_receipt_claims
from wallet.eligibility.receipts.own import (
    CommitmentMismatch,
    check_commitments,
    verify_countersignature,
)
from wallet.eligibility.receipts.statement import (
    DecisionReceipt,
    Shown,
    verify_decision_receipt,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import ConflictError
from wallet.ports.clock import Clock
from wallet.trust.receipt import SALT_BYTES

# What an agency tells of a deletion, by stable names.
DELETED: Final = ("commitment_salts",)
LEAF_GROUND: Final = Text(
    "추가만 되는 기록의 해시값으로, 내용을 알 수 없습니다.",
    "A hash in an append-only log; nothing can be read from it.",
)
RESULT_GROUND: Final = Text(
    "신청한 쪽이 결과를 받아 갈 때까지만 보관합니다.",
    "Kept only until whoever asked has collected the result.",
)
WATCH_GROUND: Final = Text(
    "이 사업은 지급 후에도 증명의 상태를 확인합니다.",
    "This programme looks at the status of its evidence after the grant.",
)


class ApplicationWithdrawn(ConflictError):
    """The holder withdrew this application before it was decided; no decision is made on it."""

    code = "application_withdrawn"


class AlreadyDecided(ConflictError):
    """There is a decision on this application already, and one is all there ever is."""

    code = "already_decided"


class NothingToWithdraw(ConflictError):
    """No request or batch waits for an answer with this nonce."""

    code = "nothing_to_withdraw"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long receipts are kept after the decision, in seconds, and on which ground; and how
    long the result of a request is."""

    keep_s: int
    ground: Text
    result_ttl_s: int


class ReceiptDesk:
    """The receipts of one agency. `is_open` tells whether a nonce, with the state of its request
    or None for a batch, waits for an answer."""

    def __init__(
        self,
        identity: AnchorIdentity,
        records: AgencyRecords,
        clock: Clock,
        *,
        retention: Retention,
        is_open: Callable[[str, str | None], bool],
    ) -> None:
        self._identity = identity
        self._records = records
        self._clock = clock
        self._retention = retention
        self._is_open = is_open

    @property
    def issuer(self) -> str:
        """The DID that receipts are signed under."""
        return self._identity.did

    def after_decision(self, answer: DecidedAnswer, nonce: str) -> JsonObject:
        """Put a decision on the request with this nonce into the log and return its receipt, to
        tell beside the decision.

        Raises `ApplicationWithdrawn`, `AlreadyDecided`, `StorageUnavailable`.
        """
        draft = draft_receipt(answer, issuer=self.issuer, nonce=nonce)
        with self._records.writing() as log:
            entry = self.record(draft, nonce, log)
        return {"decision_receipt": receipt_json(entry)}

    def record(self, draft: ReceiptDraft, application: str, log: LogWriter) -> LogEntry:
        """Append a decision on `application`, an id that no other has, to the log; the same
        decision on the same answer is the one of before.

        Raises `ApplicationWithdrawn`, `AlreadyDecided`.
        """
        if self._earlier(EntryOf.WITHDRAWAL, draft, application, log) is not None:
            raise ApplicationWithdrawn("the application was withdrawn")
        known = self._earlier(EntryOf.DECISION, draft, application, log)
        if known is not None:
            self._check_same(known, draft)
            return known
        token = sign_receipt_claims(
            draft.claims,
            self._identity.key,
            verification_method=self._identity.verification_method,
            log_index=log.next_index,
        )
        entry = self._entry(
            draft.receipt_id,
            EntryOf.DECISION,
            application,
            draft.holder,
            token,
            log.next_index,
            draft.decided_at,
            draft.salts,
        )
        log.append(entry, draft.watched)
        return entry

    def _earlier(
        self, kind: EntryOf, draft: ReceiptDraft, application: str, log: LogWriter
    ) -> LogEntry | None:
        found = log.find(kind, application)
        if found is None and draft.holder is not None:
            found = log.of_holder(kind, draft.holder)
        return found

    def _entry(
        self,
        entry_id: str,
        kind: EntryOf,
        about: str,
        holder: str | None,
        token: str,
        log_index: int,
        now: int,
        salts: Mapping[str, bytes],
    ) -> LogEntry:
        return LogEntry(
            entry_id=entry_id,
            log_index=log_index,
            kind=kind,
            about=about,
            holder=holder,
            token=token,
            anchor_salt=secrets.token_bytes(SALT_BYTES),
            salts=salts,
            countersignature=None,
            created_at=now,
            keep_until=now + self._retention.keep_s,
        )

    def _check_same(self, known: LogEntry, draft: ReceiptDraft) -> None:
        """Return if a process that ended between log and answer decided the same on the same."""
        receipt, claims = self.receipt_in(known), parse_json_object(draft.claims)
        programme = claims["programme"]
        told = (receipt.programme, receipt.version, receipt.outcome, receipt.holder,
                receipt.guardian, receipt.nonce)  # fmt: skip
        now = (programme["id"], programme["version"], claims["outcome"], claims["sub"],
               claims.get("guardian"), claims["nonce"])  # fmt: skip
        try:
            shown = {name: Shown(*digests) for name, digests in draft.shown.items()}
            check_commitments(receipt, shown, known.salts)
        except CommitmentMismatch:
            raise AlreadyDecided("another answer was decided on before") from None
        if told != now:
            raise AlreadyDecided("another decision was made before")

    def receipt_in(self, entry: LogEntry) -> DecisionReceipt:
        """Return the receipt of an entry of ours. Raises `DecisionReceiptUnknown`."""
        if entry.token is None or entry.kind is not EntryOf.DECISION:
            raise DecisionReceiptUnknown("there is no such receipt")
        return verify_decision_receipt(
            entry.token, issuer=self._identity.did, keys=self._identity.key.public_key
        )

    def countersign(self, receipt_id: str, statement: str) -> None:
        """Keep a countersignature of a receipt: its holder's, or the guardian's that it names.

        Raises `DecisionReceiptUnknown`, `AlreadyCountersigned`, and what
        `verify_countersignature` raises.
        """
        receipt = self.receipt_in(self._records.entry(receipt_id))
        signed = verify_countersignature(receipt, statement)
        by_guardian = signed.holder == receipt.guardian
        self._records.countersign(receipt_id, statement, by_guardian=by_guardian)

    def collect(self, statement: str) -> LogEntry:
        """Return the decision on a request to whose answer this key was named.

        For a guardian who took part, for who answered without a network, and for who was not
        reached by the answer. Raises `DecisionReceiptUnknown`, also for a key that the receipt
        does not name, and what `verify_holder_statement` raises.
        """
        asked = self._asked(statement, Act.COLLECT)
        entry = self._records.decision_on(asked.about, asked.holder)
        if entry.holder != asked.holder and not self._is_guardian(entry, asked):
            raise DecisionReceiptUnknown("there is no such receipt")
        self.receipt_in(entry)
        return entry

    def _is_guardian(self, entry: LogEntry, asked: HolderStatement) -> bool:
        return asked.holder == self.receipt_in(entry).guardian

    def withdraw(self, statement: str) -> LogEntry:
        """Put a withdrawal into the log, before any decision on its application.

        The same withdrawal again returns the entry of before. Raises `AlreadyDecided`,
        `NothingToWithdraw`, and what `verify_holder_statement` raises.
        """
        asked = self._asked(statement, Act.WITHDRAW)
        with self._records.writing() as log:
            known = log.of_holder(EntryOf.WITHDRAWAL, asked.holder)
            if known is not None:
                return known
            decided = log.of_holder(EntryOf.DECISION, asked.holder)
            if decided is not None or log.find(EntryOf.DECISION, asked.about) is not None:
                raise AlreadyDecided("the application was decided before it was withdrawn")
            # Asked last: a nonce that was answered is not open any more.
            if not self._is_open(asked.about, asked.state):
                raise NothingToWithdraw("no request waits for an answer with this nonce")
            # A request is one application; of a batch, whose nonce many have, it is the holder's.
            of_batch = asked.state is None
            unique = f"{asked.about}/{asked.holder}" if of_batch else asked.about
            return self._append(log, EntryKind.WITHDRAWAL, asked, asked.about, unique, (), ())

    def delete(self, receipt_id: str, statement: str) -> LogEntry:
        """Delete what need not be kept of a decision, and sign what was and what was not.

        Raises `DecisionReceiptUnknown`, and what `verify_holder_statement` raises.
        """
        asked = self._asked(statement, Act.DELETE, about=receipt_id)
        entry = self._records.entry(receipt_id)
        is_holder = entry.holder == asked.holder
        if entry.kind is not EntryOf.DECISION or not (
            is_holder or self._is_guardian(entry, asked)
        ):
            raise HolderStatementInvalid("another key than the one that the receipt names")
        # Holder and guardian have an answer each.
        unique = receipt_id if is_holder else f"{receipt_id}/{asked.holder}"
        with self._records.writing() as log:
            known = log.find(EntryOf.DELETION, unique)
            if known is not None:
                return known
            log.forget_salts(receipt_id)
            kept = self._kept(entry, is_watched=log.is_watched(receipt_id))
            return self._append(log, EntryKind.DELETION, asked, receipt_id, unique, DELETED, kept)

    def _kept(self, entry: LogEntry, *, is_watched: bool) -> tuple[Kept, ...]:
        kept = [Kept("receipt", self._retention.ground, entry.keep_until)]
        if is_watched:
            kept.append(Kept("status_watches", WATCH_GROUND, entry.keep_until))
        result_until = entry.created_at + self._retention.result_ttl_s
        if self._clock.now() < result_until:
            kept.append(Kept("request_result", RESULT_GROUND, result_until))
        return (*kept, Kept("log_leaf", LEAF_GROUND, None))

    def _asked(self, statement: str, act: Act, about: str | None = None) -> HolderStatement:
        return verify_holder_statement(
            statement, act, audience=self._identity.did, about=about, now=self._clock.now()
        )

    def _append(
        self,
        log: LogWriter,
        kind: EntryKind,
        asked: HolderStatement,
        about: str,
        unique: str,
        deleted: tuple[str, ...],
        kept: tuple[Kept, ...],
    ) -> LogEntry:
        now, index = self._clock.now(), log.next_index
        token = issue_agency_entry(
            self._identity.key,
            kind,
            issuer=self._identity.did,
            verification_method=self._identity.verification_method,
            holder=asked.holder,
            about=about,
            log_index=index,
            now=now,
            deleted=deleted,
            kept=kept,
        )
        entry = self._entry(
            new_receipt_id(), EntryOf(kind.value), unique, asked.holder, token, index, now, {}
        )
        log.append(entry)
        return entry


def receipt_json(entry: LogEntry) -> JsonObject:
    """Return a receipt as it is told: the token, and the salts that belong to it."""
    return {
        "id": entry.entry_id,
        "receipt": entry.token,
        "anchor_salt": base64url.encode(entry.anchor_salt),
        "salts": {name: base64url.encode(salt) for name, salt in entry.salts.items()},
    }
