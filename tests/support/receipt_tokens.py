"""One good token of each kind that goes with a decision, with what verifies it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tests.support.credentials import NOW
from tests.support.oauth_tokens import Token
from tests.support.programmes import programme
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey, thumbprint
from wallet.eligibility.decision import Decision, EvidenceSeen, evaluate
from wallet.eligibility.evidence_types import Text
from wallet.eligibility.receipts.entry import (
    EntryKind,
    Kept,
    issue_agency_entry,
    verify_agency_entry,
)
from wallet.eligibility.receipts.holder import (
    Act,
    sign_holder_statement,
    verify_holder_statement,
)
from wallet.eligibility.receipts.issuing import receipt_claims, sign_receipt_claims
from wallet.eligibility.receipts.log import issue_log_head, verify_log_head
from wallet.eligibility.receipts.own import (
    ExpectedReceipt,
    ReceiptHolderMismatch,
    check_own_receipt,
)
from wallet.eligibility.receipts.statement import (
    Shown,
    shown_in,
    verify_decision_receipt,
)
from wallet.verification.acting import ActedFor, Right, pairwise_id

AGENCY = "did:web:agency.example"
METHOD = f"{AGENCY}#key-1"
NONCE = "n-0S6_WzA2Mj0123456789"
SALTS = {"resident": bytes([7]) * 32}
AGENCY_KEY, HOLDER_KEY = Es256SigningKey.generate(), Es256SigningKey.generate()
HOLDER = thumbprint(HOLDER_KEY.public_key)


ACTED_FOR = ActedFor(
    Right.GUARDIANSHIP,
    person=pairwise_id(AGENCY, "ward:synthetic"),
    actor=pairwise_id(AGENCY, "key:synthetic"),
    relation="parent",
    jointly=True,
)


def a_decision(acted_for: ActedFor | None = None) -> Decision:
    """Return a decision on one piece of a synthetic person's evidence."""
    found = programme("climate-card-youth@2025")
    on = date(2025, 6, 1)
    evaluation = evaluate(found, {"resident": {"birth_date": "1999-05-05"}}, on)
    seen = EvidenceSeen(
        evidence="resident",
        vct=found.evidence["resident"].type.vct,
        issuer="did:web:issuer.example",
        digest=sha256(b"credential"),
        presentation_digest=sha256(b"presentation"),
        accepted=True,
        code=None,
        facts_as_of=NOW - 60,
    )
    return Decision(evaluation, NOW, (seen,), acted_for)


SHOWN: Mapping[str, Shown] = {item.evidence: shown_in(item) for item in a_decision().evidence}
EXPECTED = ExpectedReceipt(AGENCY, HOLDER, NONCE, SHOWN, NOW - 5)


GUARDIAN = thumbprint(Es256SigningKey.generate().public_key)


def a_receipt(decision: Decision | None = None, guardian: str | None = None) -> str:
    """Return a receipt of the agency for the holder, and for a guardian who took part."""
    claims = receipt_claims(
        decision or a_decision(),
        issuer=AGENCY,
        holder=HOLDER,
        receipt_id="AAAAAAAAAAAAAAAAAAAAAA",
        nonce=NONCE,
        salts=SALTS,
        guardian=guardian,
    )
    return sign_receipt_claims(claims, AGENCY_KEY, verification_method=METHOD, log_index=4)


def check_receipt(token: str) -> object:
    """Return the receipt if it is what the holder expects."""
    receipt = verify_decision_receipt(token, issuer=AGENCY, keys=AGENCY_KEY.public_key)
    check_own_receipt(receipt, EXPECTED, SALTS, now=NOW)
    return receipt


def check_receipt_for_child(token: str) -> object:
    """Return the receipt if it names guardian and child besides."""
    receipt = verify_decision_receipt(token, issuer=AGENCY, keys=AGENCY_KEY.public_key)
    check_own_receipt(receipt, EXPECTED, SALTS, now=NOW)
    if receipt.acted_for != ACTED_FOR or receipt.guardian != GUARDIAN:
        raise ReceiptHolderMismatch("somebody else acted, or nobody")
    return receipt


def receipt_tokens() -> Mapping[str, Token]:
    """Return a token of each kind, good at `NOW`."""
    statement = sign_holder_statement(
        HOLDER_KEY, Act.WITHDRAW, audience=AGENCY, about=NONCE, now=NOW, state="session.secret"
    )
    entry = issue_agency_entry(
        AGENCY_KEY,
        EntryKind.DELETION,
        issuer=AGENCY,
        verification_method=METHOD,
        holder=HOLDER,
        about="AAAAAAAAAAAAAAAAAAAAAA",
        log_index=5,
        now=NOW,
        deleted=("commitment_salts",),
        kept=(Kept("receipt", Text("예시", "an example"), NOW + 60),),
    )
    head = issue_log_head(
        AGENCY_KEY, issuer=AGENCY, verification_method=METHOD, size=6, root=bytes(32), now=NOW
    )
    return {
        # With what only some have.
        "decision receipt": Token(
            a_receipt(a_decision(ACTED_FOR), GUARDIAN),
            AGENCY_KEY,
            check_receipt_for_child,
            (
                "iss",
                "sub",
                "jti",
                "iat",
                "nonce",
                "programme",
                "on",
                "outcome",
                "evidence",
                "acted_for",
                "guardian",
            ),
        ),
        "holder's statement": Token(
            statement,
            HOLDER_KEY,
            lambda token: verify_holder_statement(
                token, Act.WITHDRAW, audience=AGENCY, about=NONCE, holder=HOLDER, now=NOW
            ),
            ("act", "aud", "iat", "about"),
        ),
        "agency's entry": Token(
            entry,
            AGENCY_KEY,
            lambda token: verify_agency_entry(
                token,
                EntryKind.DELETION,
                issuer=AGENCY,
                keys=AGENCY_KEY.public_key,
                holder=HOLDER,
            ),
            ("iss", "sub", "iat", "kind", "about", "log_index", "deleted", "kept"),
        ),
        "agency's log head": Token(
            head,
            AGENCY_KEY,
            lambda token: verify_log_head(token, issuer=AGENCY, keys=AGENCY_KEY.public_key),
            ("iss", "iat", "size", "root"),
        ),
    }
