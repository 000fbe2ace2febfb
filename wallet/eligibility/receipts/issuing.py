"""An agency's side of a receipt: what it says is made first, and signed with its place in the log.

The place is known in one transaction alone, and everything else before it, wherever that is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

from wallet.credentials.jose import sign_jws_payload
from wallet.crypto.keys import SigningKey
from wallet.eligibility.decision import Decision
from wallet.eligibility.receipts.statement import (
    RECEIPT_TYPE,
    CommittedEvidence,
    commitment,
    shown_in,
)
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.trust.receipt import SALT_BYTES

ID_BYTES: Final = 16


def new_salts(decision: Decision) -> dict[str, bytes]:
    """Return a fresh salt for every piece of evidence that was looked at, by its id."""
    return {item.evidence: secrets.token_bytes(SALT_BYTES) for item in decision.evidence}


def new_receipt_id() -> str:
    """Return a fresh id that nobody can guess."""
    return base64url.encode(secrets.token_bytes(ID_BYTES))


def receipt_claims(
    decision: Decision,
    *,
    issuer: str,
    holder: str | None,
    receipt_id: str,
    nonce: str,
    salts: Mapping[str, bytes],
    guardian: str | None = None,
) -> bytes:
    """Return what a receipt says, as JSON: all but its place in the log, which its signer adds.

    `salts` has one for every piece of evidence, by its id. `holder` and `guardian` are
    thumbprints: see `DecisionReceipt`.
    """
    found = decision.evaluation
    evidence = [
        CommittedEvidence(
            item.evidence,
            item.vct,
            item.accepted,
            item.code,
            item.facts_as_of,
            commitment(salts[item.evidence], shown_in(item)),
        )
        for item in decision.evidence
    ]
    return to_json(
        {
            "iss": issuer,
            "sub": holder,
            "jti": receipt_id,
            "iat": decision.decided_at,
            "nonce": nonce,
            "programme": {
                "id": found.programme.id,
                "version": found.programme.version,
                "digest": base64url.encode(found.programme.digest),
            },
            "on": found.on.isoformat(),
            "outcome": found.outcome.value,
            "reasons": list(dict.fromkeys(reason.code for reason in found.reasons)),
            "decided_by": list(found.decided_by),
            "missing": [document.evidence for document in found.missing],
            "facts_as_of": decision.facts_as_of,
            "evidence": [item.to_json() for item in evidence],
            **({} if decision.acted_for is None else {"acted_for": decision.acted_for.to_json()}),
            **({} if guardian is None else {"guardian": guardian}),
        }
    )


def sign_receipt_claims(
    claims: bytes, key: SigningKey, *, verification_method: str, log_index: int
) -> str:
    """Return the receipt that says `claims` (of `receipt_claims`) as entry `log_index`."""
    # The last member of an object that is never empty: not parsed for the sake of one number.
    placed = b'%s,"log_index":%d}' % (claims.removesuffix(b"}"), log_index)
    return sign_jws_payload(key, {"typ": RECEIPT_TYPE, "kid": verification_method}, placed)
