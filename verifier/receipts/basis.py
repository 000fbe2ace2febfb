"""What a receipt is made from: a decision, whose it is, and what may be looked at again later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from wallet.eligibility.decision import Decision
from wallet.eligibility.receipts.issuing import new_receipt_id, new_salts, receipt_claims


@dataclass(frozen=True, slots=True)
class WatchedEvidence:
    """Where the status of accepted evidence is, and when it expires: nothing of what it says.

    Without `status_uri` its status is not looked at, and without `expires_at` (unix seconds) its
    end is not. The programme accepts statuses up to `max_status_age_s` old.
    """

    programme: str
    issuer: str
    vct: str
    status_uri: str | None
    status_index: int | None
    max_status_age_s: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class DecidedAnswer:
    """A decision with the thumbprint of the key that its holder's wallet named for the receipt.

    `guardian` is that of a guardian who took part in a child's application with another wallet.
    `watched` is empty unless the programme wants its evidence looked at again.
    """

    decision: Decision
    holder: str | None
    watched: tuple[WatchedEvidence, ...] = ()
    guardian: str | None = None


class ReceiptDraft(NamedTuple):
    """A receipt that lacks its place in the log and the signature, and what is kept beside it.

    `claims` is JSON, `salts` open the commitments in it, `shown` has the two digests of what was
    shown by the id of the evidence: of the credential and of the presentation.
    """

    receipt_id: str
    holder: str | None
    decided_at: int
    claims: bytes
    salts: Mapping[str, bytes]
    shown: Mapping[str, tuple[bytes, bytes]]
    watched: tuple[WatchedEvidence, ...]


def draft_receipt(answer: DecidedAnswer, *, issuer: str, nonce: str) -> ReceiptDraft:
    """Return what the agency `issuer` says of a decision on an answer to a request's `nonce`.

    Takes no key and no log: it is done where the decision is.
    """
    decision = answer.decision
    receipt_id, salts = new_receipt_id(), new_salts(decision)
    claims = receipt_claims(
        decision,
        issuer=issuer,
        holder=answer.holder,
        receipt_id=receipt_id,
        nonce=nonce,
        salts=salts,
        guardian=answer.guardian,
    )
    return ReceiptDraft(
        receipt_id,
        answer.holder,
        decision.decided_at,
        claims,
        salts,
        {item.evidence: (item.digest, item.presentation_digest) for item in decision.evidence},
        answer.watched,
    )
