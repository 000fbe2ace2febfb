"""Whether a receipt is of the decision on one's own presentation: what a wallet compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wallet.eligibility.receipts.holder import (
    Act,
    HolderStatement,
    HolderStatementInvalid,
    countersigned,
    verify_holder_statement,
)
from wallet.eligibility.receipts.signed import ReceiptIssuerMismatch
from wallet.eligibility.receipts.statement import DecisionReceipt, Shown, commitment
from wallet.errors import RejectedError


class ReceiptHolderMismatch(RejectedError):
    """The receipt names another holder's key than the one that was made for this request."""

    code = "receipt_holder_mismatch"


class ReceiptNonceMismatch(RejectedError):
    """The receipt answers another request."""

    code = "receipt_nonce_mismatch"


class ReceiptTimeMismatch(RejectedError):
    """The decision is dated before the presentation or in the future."""

    code = "receipt_time_mismatch"


class CommitmentMismatch(RejectedError):
    """A commitment of the receipt does not open to what was shown."""

    code = "commitment_mismatch"


@dataclass(frozen=True, slots=True)
class ExpectedReceipt:
    """What a wallet knows of the presentation whose receipt it waits for.

    `holder` is the thumbprint of the key it made for it; `sent_at` is unix seconds.
    """

    issuer: str
    holder: str
    nonce: str
    shown: Mapping[str, Shown]
    sent_at: int


def check_own_receipt(
    receipt: DecisionReceipt,
    expected: ExpectedReceipt,
    salts: Mapping[str, bytes],
    *,
    now: int,
    skew_s: int = 300,
) -> None:
    """Return if the receipt is of the decision on this very presentation.

    Every piece that was shown is committed to, and no other; of a guardian who took part in a
    child's application, every piece that is a guardian's to show. Raises `ReceiptIssuerMismatch`,
    `ReceiptHolderMismatch`, `ReceiptNonceMismatch`, `ReceiptTimeMismatch`, `CommitmentMismatch`,
    `DecisionReceiptMalformed`. Whether outcome and reasons are right is not checked: the agency
    decides, and `wallet.eligibility.decision.evaluate` tells what the holder's own cards say.
    """
    if receipt.issuer != expected.issuer:
        raise ReceiptIssuerMismatch("the receipt is of another agency")
    if expected.holder not in (receipt.holder, receipt.guardian):
        raise ReceiptHolderMismatch("the receipt names another key")
    if receipt.nonce != expected.nonce:
        raise ReceiptNonceMismatch("the receipt answers another request")
    if not expected.sent_at - skew_s <= receipt.decided_at <= now + skew_s:
        raise ReceiptTimeMismatch("the decision is not dated when it was made")
    check_commitments(receipt, expected.shown, salts, holder=expected.holder)


def check_commitments(
    receipt: DecisionReceipt,
    shown: Mapping[str, Shown],
    salts: Mapping[str, bytes],
    *,
    holder: str | None = None,
) -> None:
    """Return if the receipt commits to exactly this.

    With `holder`, to what the wallet with this key knows (`DecisionReceipt.shown_by`). There is
    a salt for every piece of the receipt in any case. Raises `CommitmentMismatch`,
    `DecisionReceiptMalformed`.
    """
    whole = {item.id for item in receipt.evidence}
    known = whole if holder is None else receipt.shown_by(holder)
    if known != set(shown) or salts.keys() != whole:
        raise CommitmentMismatch("the receipt is about other evidence than was shown")
    for item in receipt.evidence:
        if item.id in known and commitment(salts[item.id], shown[item.id]) != item.commitment:
            raise CommitmentMismatch(f"the commitment to {item.id} opens to something else")


def verify_countersignature(receipt: DecisionReceipt, statement: str) -> HolderStatement:
    """Return the countersignature of this receipt by a key that it names.

    That is the holder's, or of a guardian who took part. Raises as `verify_holder_statement`.
    """
    found = verify_holder_statement(
        statement,
        Act.COUNTERSIGN,
        audience=receipt.issuer,
        about=countersigned(receipt.digest),
    )
    if found.holder not in (receipt.holder, receipt.guardian):
        raise HolderStatementInvalid("another key signed than the receipt names")
    return found
