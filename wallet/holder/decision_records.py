"""What the wallet keeps of decisions on what it presented, one record a log entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.eligibility.receipts.file import parse_salts
from wallet.eligibility.receipts.members import (
    DecisionReceiptMalformed,
    check_members,
    octets,
    text,
)
from wallet.eligibility.receipts.own import ExpectedReceipt
from wallet.eligibility.receipts.proof import ProofState
from wallet.eligibility.receipts.statement import Shown
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError
from wallet.ports.holder import Put, RecordStore, RecordUnknown, StoreDamaged

KIND: Final = "decision_receipt"


class NoDecisionReceipt(ConflictError):
    """There is no receipt of this presentation: none was offered, or it has not come."""

    code = "no_decision_receipt"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What came after a presentation, as far as there is anything: all of it signed texts.

    `receipt` is the agency's of its decision, `withdrawal` and `deletion` are its answers to those
    requests.
    """

    receipt: str | None = None
    withdrawal: str | None = None
    deletion: str | None = None


NOTHING_FOLLOWED: Final = FollowUp()


@dataclass(frozen=True, slots=True)
class HeldReceipt:
    """What is known of the decision on one presentation.

    `entry_id` is that of the presentation log. `expected` is what the receipt must match, `key`
    the handle of the key made for it, `endpoint` where the agency keeps receipts. `told` is the
    receipt as the agency told it; `awaited` says that one may exist which it has not told: its
    answer did not come, or went to another wallet. The rest is there once it was verified:
    `agency_key` is the agency's JWK then; `delivered` says that the agency has the
    countersignature; `proof`, `withdrawal` and `deletion` are what it answered later.
    """

    entry_id: str
    expected: ExpectedReceipt
    key: str
    endpoint: str
    state: str | None
    told: JsonObject | None = None
    agency_key: JsonObject | None = None
    countersignature: str | None = None
    delivered: bool = False
    proof: JsonObject | None = None
    withdrawal: str | None = None
    deletion: str | None = None
    awaited: bool = False
    version: int = field(default=0, compare=False)

    @property
    def is_verified(self) -> bool:
        """Whether the agency's receipt was checked and countersigned."""
        return self.countersignature is not None

    @property
    def is_final(self) -> bool:
        """Whether nothing more can come of it."""
        ends = (ProofState.FINAL.value, ProofState.UNANCHORED.value)
        proof = self.proof
        return (
            self.delivered
            and proof is not None
            and proof["state"] in ends
            and proof["log"] is not None
        )


_TOLD: Final = frozenset(("id", "receipt", "anchor_salt", "salts"))


def parse_told(value: object) -> JsonObject:
    """Return a receipt as an agency tells it, unverified. Raises `DecisionReceiptMalformed`."""
    told = check_members(value, _TOLD)
    if type(told["receipt"]) is not str or not told["receipt"].isascii():
        raise DecisionReceiptMalformed("a receipt is a compact JWS")
    if not text(told["id"], "id").replace("-", "").replace("_", "").isalnum():
        raise DecisionReceiptMalformed("an id goes into a URL")
    parse_salts(told["salts"])
    octets(told["anchor_salt"], "anchor_salt")
    return told


class DecisionRecords:
    """The records in a store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def all(self) -> tuple[HeldReceipt, ...]:
        """Return all of them."""
        return tuple(
            _held(item.record_id, item.payload, item.version) for item in self._records.list(KIND)
        )

    def get(self, entry_id: str) -> HeldReceipt:
        """Return the record of a log entry. Raises `NoDecisionReceipt`."""
        try:
            record = self._records.get(KIND, entry_id)
        except RecordUnknown:
            raise NoDecisionReceipt("no receipt was offered for this presentation") from None
        return _held(entry_id, record.payload, record.version)

    def put(self, held: HeldReceipt) -> HeldReceipt:
        """Store a record and return it as stored. Raises what the store raises."""
        self._records.write(Put(KIND, held.entry_id, to_json(_to_json(held)), None))
        return self.get(held.entry_id)


_PLAIN: Final = (
    "key", "endpoint", "state", "told", "agency_key", "countersignature", "delivered", "proof",
    "withdrawal", "deletion",
)  # fmt: skip


def _to_json(held: HeldReceipt) -> JsonObject:
    expected = held.expected
    return {
        **{name: getattr(held, name) for name in _PLAIN},
        "awaited": held.awaited,
        "issuer": expected.issuer,
        "holder": expected.holder,
        "nonce": expected.nonce,
        "sent_at": expected.sent_at,
        "shown": {
            name: [base64url.encode(item.credential), base64url.encode(item.presentation)]
            for name, item in expected.shown.items()
        },
    }


def _held(entry_id: str, payload: bytes, version: int) -> HeldReceipt:
    try:
        value: Mapping[str, Any] = parse_json_object(payload)
        shown = {
            name: Shown(base64url.decode(pair[0]), base64url.decode(pair[1]))
            for name, pair in value["shown"].items()
        }
        expected = ExpectedReceipt(
            value["issuer"], value["holder"], value["nonce"], shown, value["sent_at"]
        )
        plain = {name: value[name] for name in _PLAIN}
        awaited = value.get("awaited", False)
        return HeldReceipt(entry_id, expected, **plain, awaited=awaited, version=version)
    except (KeyError, IndexError, TypeError, AttributeError, MalformedError) as error:
        raise StoreDamaged("a stored receipt cannot be read") from error
