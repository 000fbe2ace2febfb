"""A receipt says what was decided; whatever is changed in it, the right check finds it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.attacks import forge
from tests.support.credentials import NOW
from tests.support.receipt_tokens import (
    AGENCY,
    AGENCY_KEY,
    EXPECTED,
    HOLDER,
    HOLDER_KEY,
    METHOD,
    NONCE,
    SALTS,
    SHOWN,
    a_decision,
    a_receipt,
    check_receipt,
)
from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.document import KeyNotAuthorized, build_did_document, parse_did_document
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.eligibility.receipts.entry import (
    AgencyEntryInvalid,
    DecidedAfterWithdrawal,
    EntryKind,
    check_not_withdrawn,
    issue_agency_entry,
    verify_agency_entry,
)
from wallet.eligibility.receipts.holder import (
    Act,
    HolderStatementInvalid,
    sign_holder_statement,
    verify_holder_statement,
)
from wallet.eligibility.receipts.members import DecisionReceiptMalformed
from wallet.eligibility.receipts.own import (
    CommitmentMismatch,
    ReceiptHolderMismatch,
    ReceiptNonceMismatch,
    ReceiptTimeMismatch,
    check_commitments,
    check_own_receipt,
)
from wallet.eligibility.receipts.signed import ReceiptIssuerMismatch
from wallet.eligibility.receipts.statement import (
    DecisionReceipt,
    commitment,
    shown_in,
    verify_decision_receipt,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError


def parts(token: str) -> tuple[JsonObject, JsonObject]:
    head, payload, _ = token.split(".")
    return json.loads(base64url.decode(head)), json.loads(base64url.decode(payload))


HEADER, CLAIMS = parts(a_receipt())
OTHER = base64url.encode(sha256(b"other"))


def changed(path: tuple[str | int, ...], value: Any) -> JsonObject:
    claims: JsonObject = copy.deepcopy(CLAIMS)
    place: Any = claims
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return claims


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return where every member and every item is."""
    found = [path] if path else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places(inner, (*path, name))
    if isinstance(value, list):
        for at, inner in enumerate(value):
            found += places(inner, (*path, at))
    return found


def test_a_receipt_says_what_was_decided() -> None:
    receipt, decision = check_receipt(a_receipt()), a_decision()
    assert isinstance(receipt, DecisionReceipt)
    assert receipt.outcome is decision.evaluation.outcome
    assert receipt.programme_digest == decision.evaluation.programme.digest
    assert (receipt.decided_at, receipt.facts_age_s) == (NOW, 60)
    assert [item.id for item in receipt.evidence] == ["resident"]
    assert receipt.signing_input == a_receipt().rpartition(".")[0].encode()


@pytest.mark.parametrize("path", places(CLAIMS), ids=str)
def test_a_field_that_somebody_else_changed_breaks_the_signature(path: tuple[Any, ...]) -> None:
    head, _, signature = a_receipt().split(".")
    payload = base64url.encode(to_json(changed(path, {"another": "form"})))
    with pytest.raises(SignatureInvalid):
        check_receipt(f"{head}.{payload}.{signature}")


@pytest.mark.parametrize("path", places(CLAIMS), ids=str)
def test_a_field_of_another_form_is_no_receipt_though_the_agency_signs(
    path: tuple[Any, ...],
) -> None:
    wrong = ReceiptIssuerMismatch if path == ("iss",) else DecisionReceiptMalformed
    with pytest.raises(wrong):
        check_receipt(forge(AGENCY_KEY, HEADER, changed(path, {"another": "form"})))


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (("iss",), "did:web:other.example", ReceiptIssuerMismatch),
        (("sub",), OTHER, ReceiptHolderMismatch),
        (("sub",), None, ReceiptHolderMismatch),
        (("nonce",), "another-nonce", ReceiptNonceMismatch),
        (("iat",), NOW - 400, ReceiptTimeMismatch),
        (("iat",), NOW + 301, ReceiptTimeMismatch),
        (("evidence",), [], CommitmentMismatch),
        (("evidence", 0, "id"), "income", CommitmentMismatch),
        (("evidence", 0, "commitment"), OTHER, CommitmentMismatch),
        (("evidence", 0, "commitment"), "AAAA", DecisionReceiptMalformed),
        (("evidence",), CLAIMS["evidence"] * 2, DecisionReceiptMalformed),
        (("evidence",), CLAIMS["evidence"] * 13, DecisionReceiptMalformed),
        (("outcome",), "perhaps", DecisionReceiptMalformed),
        (("on",), "2025-13-01", DecisionReceiptMalformed),
        (("log_index",), -1, DecisionReceiptMalformed),
        (("iat",), True, DecisionReceiptMalformed),
        (("added",), 1, DecisionReceiptMalformed),
        (("programme", "added"), 1, DecisionReceiptMalformed),
        (("guardian",), None, DecisionReceiptMalformed),
        (("guardian",), "short", DecisionReceiptMalformed),
    ],
)
def test_a_receipt_about_something_else_is_refused_for_what_differs(
    path: tuple[Any, ...], value: Any, error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        check_receipt(forge(AGENCY_KEY, HEADER, changed(path, value)))


@pytest.mark.parametrize(("at", "ok"), [(NOW - 305, True), (NOW - 306, False), (NOW, True)])
def test_the_time_of_a_decision_is_between_sending_and_now(at: int, ok: bool) -> None:
    token = forge(AGENCY_KEY, HEADER, changed(("iat",), at))
    receipt = verify_decision_receipt(token, issuer=AGENCY, keys=AGENCY_KEY.public_key)
    if ok:
        check_own_receipt(receipt, EXPECTED, SALTS, now=NOW)
        return
    with pytest.raises(ReceiptTimeMismatch):
        check_own_receipt(receipt, EXPECTED, SALTS, now=NOW)


def test_a_commitment_opens_to_what_was_shown_and_to_nothing_else() -> None:
    receipt = verify_decision_receipt(a_receipt(), issuer=AGENCY, keys=AGENCY_KEY.public_key)
    check_commitments(receipt, SHOWN, SALTS)
    shown = SHOWN["resident"]
    for other in (
        replace(shown, credential=bytes(32)),
        replace(shown, presentation=bytes(32)),
        replace(shown, credential=shown.presentation, presentation=shown.credential),
    ):
        with pytest.raises(CommitmentMismatch):
            check_commitments(receipt, {"resident": other}, SALTS)
    for salts in ({}, {"resident": bytes(32)}, {**SALTS, "income": bytes(32)}):
        with pytest.raises(CommitmentMismatch):
            check_commitments(receipt, SHOWN, salts)


def test_a_guardian_who_took_part_knows_the_guardianship_and_no_other_commitment() -> None:
    token = a_receipt(guardian=OTHER)
    receipt = verify_decision_receipt(token, issuer=AGENCY, keys=AGENCY_KEY.public_key)
    assert (receipt.holder, receipt.guardian) == (HOLDER, OTHER)
    check_commitments(receipt, SHOWN, SALTS, holder=HOLDER)
    with pytest.raises(CommitmentMismatch):
        check_commitments(receipt, SHOWN, SALTS, holder=OTHER)
    of_right = replace(receipt.evidence[0], type=GUARDIANSHIP_TYPE)
    theirs = replace(receipt, evidence=(of_right,))
    check_commitments(theirs, SHOWN, SALTS, holder=OTHER)
    with pytest.raises(CommitmentMismatch):
        check_commitments(theirs, {}, SALTS, holder=OTHER)
    expected = replace(EXPECTED, holder=OTHER)
    check_own_receipt(theirs, expected, SALTS, now=NOW)
    with pytest.raises(ReceiptHolderMismatch):
        check_own_receipt(replace(theirs, guardian=None), expected, SALTS, now=NOW)


def test_without_its_salt_a_commitment_is_not_recognised() -> None:
    shown = SHOWN["resident"]
    one, other = (commitment(bytes([number]) * 32, shown) for number in (1, 2))
    assert one != other
    assert sha256(shown.credential + shown.presentation) not in (one, other)
    with pytest.raises(DecisionReceiptMalformed):
        commitment(b"short", shown)


def test_a_receipt_is_signed_by_an_assertion_key_of_the_agency() -> None:
    did = parse_did(AGENCY)
    document = parse_did_document(
        build_did_document(AGENCY, {"key-1": AGENCY_KEY.public_key}), did
    )
    assert verify_decision_receipt(a_receipt(), issuer=AGENCY, keys=document).issuer == AGENCY
    other = {"key-2": Es256SigningKey.generate().public_key}
    renewed = parse_did_document(build_did_document(AGENCY, other), did)
    with pytest.raises(KeyNotAuthorized):
        verify_decision_receipt(a_receipt(), issuer=AGENCY, keys=renewed)
    stranger = resolve_self_contained(parse_did(did_jwk_from_public_key(AGENCY_KEY.public_key)))
    with pytest.raises(ReceiptIssuerMismatch):
        verify_decision_receipt(a_receipt(), issuer=AGENCY, keys=stranger)


def statement(**changes: Any) -> str:
    given: dict[str, Any] = {"audience": AGENCY, "about": NONCE, "now": NOW, **changes}
    key, act = given.pop("key", HOLDER_KEY), given.pop("act", Act.WITHDRAW)
    return sign_holder_statement(key, act, **given)


def check_statement(token: str) -> object:
    return verify_holder_statement(
        token, Act.WITHDRAW, audience=AGENCY, about=NONCE, holder=HOLDER, now=NOW
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"act": Act.DELETE},
        {"audience": "did:web:other.example"},
        {"about": "another-nonce"},
        {"key": Es256SigningKey.generate()},
        {"now": NOW - 301},
        {"now": NOW + 301},
    ],
)
def test_a_holders_statement_of_something_else_is_refused(changes: dict[str, Any]) -> None:
    assert check_statement(statement()) is not None
    with pytest.raises(HolderStatementInvalid):
        check_statement(statement(**changes))


def withdrawal(index: int, **changes: Any) -> str:
    given: dict[str, Any] = {
        "issuer": AGENCY,
        "verification_method": METHOD,
        "holder": HOLDER,
        "about": NONCE,
        "log_index": index,
        "now": NOW,
        **changes,
    }
    return issue_agency_entry(AGENCY_KEY, given.pop("kind", EntryKind.WITHDRAWAL), **given)


def check_withdrawal(token: str) -> Any:
    return verify_agency_entry(
        token,
        EntryKind.WITHDRAWAL,
        issuer=AGENCY,
        keys=AGENCY_KEY.public_key,
        holder=HOLDER,
        about=NONCE,
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": EntryKind.DELETION}, AgencyEntryInvalid),
        ({"holder": OTHER}, AgencyEntryInvalid),
        ({"about": "another-nonce"}, AgencyEntryInvalid),
        ({"issuer": "did:web:other.example"}, ReceiptIssuerMismatch),
    ],
)
def test_an_entry_for_somebody_or_something_else_is_refused(
    changes: dict[str, Any], error: type[SeoulWalletError]
) -> None:
    assert check_withdrawal(withdrawal(1)).log_index == 1
    with pytest.raises(error):
        check_withdrawal(withdrawal(1, **changes))


def test_a_decision_after_its_withdrawal_is_proof_against_the_agency() -> None:
    receipt = verify_decision_receipt(a_receipt(), issuer=AGENCY, keys=AGENCY_KEY.public_key)
    with pytest.raises(DecidedAfterWithdrawal):
        check_not_withdrawn(receipt, check_withdrawal(withdrawal(receipt.log_index - 1)))
    check_not_withdrawn(receipt, check_withdrawal(withdrawal(receipt.log_index + 1)))
    other = replace(check_withdrawal(withdrawal(0)), holder=OTHER)
    check_not_withdrawn(receipt, other)


def test_nothing_of_the_evidence_is_in_a_receipt() -> None:
    text = json.dumps(CLAIMS)
    assert "1999-05-05" not in text
    for digest in (shown_in(item) for item in a_decision().evidence):
        assert base64url.encode(digest.credential) not in text
        assert base64url.encode(digest.presentation) not in text
