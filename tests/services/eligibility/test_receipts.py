"""Receipts on both sides: signed, checked, countersigned, logged, anchored, checked offline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from tests.support.city import AGENCY_URL
from tests.support.receipt_case import (
    AGENCY,
    BORN,
    CLAIMS,
    NOON,
    YOUTH,
    Case,
    open_case,
    with_everything,
)
from wallet.adapters.sql.engine import sqlite_url
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.crypto.merkle import InclusionProofInvalid
from wallet.eligibility.decision import Outcome
from wallet.eligibility.receipts.entry import EntryKind
from wallet.eligibility.receipts.file import (
    CountersignatureMissing,
    ReceiptFile,
    check_receipt_file,
    file_root,
)
from wallet.eligibility.receipts.holder import Act, HolderStatementInvalid, sign_holder_statement
from wallet.eligibility.receipts.log import verify_extension, verify_log_head
from wallet.eligibility.receipts.proof import ProofState
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.consent import ConsentRequest
from wallet.holder.decision_records import FollowUp
from wallet.holder.decisions import AlreadyDecidedThere
from wallet.holder.log import entry_id
from wallet.ports.holder import PeerUnreachable
from wallet.trust.facts import AnchorFacts, IssuerNotAccredited
from wallet.verification.manifest import BatchManifestInvalid
from wallet.verification.trust_steps import AnchorNotFinal


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """One city for all tests of this module: each asks for a decision of its own."""
    found = open_case(tmp_path_factory.mktemp("receipts"))
    yield found
    found.city.close()


@pytest.fixture(scope="module")
def anchored(case: Case) -> ReceiptFile:
    """The file of a receipt whose batch is final."""
    _, entry_id = case.present()
    case.settle()
    return case.file(entry_id)


def test_the_wallet_checks_and_countersigns_the_receipt_of_a_decision(case: Case) -> None:
    opened, entry_id = case.present()
    held, receipt = case.wallet.decisions.of(entry_id), case.wallet.decisions.receipt(entry_id)
    assert (receipt.outcome, receipt.programme) == (Outcome.ELIGIBLE, YOUTH.id)
    assert (receipt.version, receipt.programme_digest) == (YOUTH.version, YOUTH.digest)
    assert (receipt.issuer, receipt.holder) == (AGENCY, held.expected.holder)
    assert {item.id for item in receipt.evidence} == {"resident", "military"}
    assert held.delivered
    assert case.followed(entry_id) == FollowUp(receipt.token)
    # Whoever asked has the same receipt, and the agency keeps the countersignature.
    assert case.city.decision(opened)["decision_receipt"]["receipt"] == receipt.token
    _, kept = case.call("GET", f"/v1/receipts/{receipt.id}")
    assert kept["countersignature"] == held.countersignature


def test_every_decision_has_a_key_of_its_own(case: Case) -> None:
    holders = {case.wallet.decisions.receipt(case.present()[1]).holder for _ in range(2)}
    assert len(holders) == 2
    assert None not in holders


def test_a_file_is_checked_against_the_replica_alone(case: Case, anchored: ReceiptFile) -> None:
    report = check_receipt_file(anchored, facts=case.facts(anchored))
    assert report.failure is None
    assert {step.name: step.open for step in report.steps if step.open} == {
        "commitments": "not_shown"
    }
    assert report.anchored_at is not None
    assert anchored.proof is not None
    assert anchored.proof.state is ProofState.FINAL


def test_a_file_is_checked_against_a_root_and_says_what_that_cannot_tell(
    anchored: ReceiptFile,
) -> None:
    report = check_receipt_file(anchored, root=file_root(anchored))
    assert report.failure is None
    assert {step.name for step in report.steps if step.open} == {
        "commitments", "agency_key", "accreditation",
    }  # fmt: skip
    other = check_receipt_file(anchored, root=bytes(32))
    assert isinstance(other.failure, InclusionProofInvalid)
    nothing = check_receipt_file(anchored)
    assert isinstance(nothing.failure, AnchorNotFinal)


def _facts_of(change: Callable[[AnchorFacts], AnchorFacts]) -> Callable[[Case, ReceiptFile], Any]:
    return lambda case, file: (file, change(case.facts(file)))


def _batch(**changes: Any) -> Callable[[Case, ReceiptFile], Any]:
    def change(facts: AnchorFacts) -> AnchorFacts:
        assert facts.batch is not None
        return replace(facts, batch=replace(facts.batch, **changes))

    return _facts_of(change)


def _file(**changes: Any) -> Callable[[Case, ReceiptFile], Any]:
    return lambda case, file: (replace(file, **changes), case.facts(file))


@pytest.mark.parametrize(
    ("step", "change", "error"),
    [
        ("agency_signature", _file(key=Es256SigningKey.generate().public_key), SignatureInvalid),
        ("holder_signature", _file(countersignature=None), CountersignatureMissing),
        ("anchored", _facts_of(lambda facts: replace(facts, batch=None)), AnchorNotFinal),
        ("anchored", _batch(size=3), InclusionProofInvalid),
        ("anchored", _batch(schema_id=bytes(32)), InclusionProofInvalid),
        ("agency_key", _batch(manifest_digest=bytes(32)), BatchManifestInvalid),
        (
            "accreditation",
            _facts_of(lambda facts: replace(facts, issuer_scopes=())),
            IssuerNotAccredited,
        ),
        ("log", _file(anchor_salt=bytes(32)), InclusionProofInvalid),
    ],
)
def test_a_file_of_which_one_thing_is_not_right_fails_at_that_step(
    case: Case,
    anchored: ReceiptFile,
    step: str,
    change: Callable[[Case, ReceiptFile], Any],
    error: type[SeoulWalletError],
) -> None:
    file, facts = change(case, anchored)
    report = check_receipt_file(file, facts=facts)
    failed = {found.name: type(found.error) for found in report.steps if found.error}
    assert failed.get(step) is error


def test_the_log_has_the_receipt_and_only_grows(case: Case, anchored: ReceiptFile) -> None:
    assert anchored.proof is not None
    assert anchored.proof.log is not None
    old = verify_log_head(anchored.proof.log.head, issuer=AGENCY, keys=anchored.key)
    case.present()
    case.settle()
    status, told = case.call("GET", f"/v1/agency-log/extension?from={old.size}")
    assert status == 200
    new = verify_log_head(told["head"], issuer=AGENCY, keys=anchored.key)
    assert new.size > old.size
    verify_extension(old, new, [base64url.decode(node) for node in told["path"]])
    assert case.call("GET", "/v1/agency-log")[1]["head"] == told["head"]
    assert case.call("GET", "/v1/agency-log/extension?from=9999")[0] == 404


@pytest.fixture
def unanswered(case: Case) -> tuple[JsonObject, ConsentRequest, str]:
    """An application that was sent, and of which nobody knows whether it arrived."""
    opened = case.city.ask(YOUTH.id)
    consent = with_everything(case.wallet.review(opened["link"]))
    case.city.network.down.add("agency.example")
    with pytest.raises(PeerUnreachable):
        case.wallet.present(consent)
    case.city.network.down.clear()
    return opened, consent, entry_id(consent.verifier, consent.request.nonce)


def test_what_is_withdrawn_before_a_decision_is_in_the_log_and_never_decided(
    case: Case, unanswered: tuple[JsonObject, ConsentRequest, str]
) -> None:
    opened, consent, entry_id = unanswered
    entry = case.wallet.decisions.withdraw(entry_id)
    assert (entry.kind, entry.issuer, entry.about) == (
        EntryKind.WITHDRAWAL,
        AGENCY,
        consent.request.nonce,
    )
    assert case.wallet.decisions.withdraw(entry_id).token == entry.token
    assert case.wallet.decisions.of(entry_id).withdrawal == entry.token
    case.wallet.present(consent)
    told = case.city.decision(opened)
    assert (told["outcome"], told["code"]) == ("rejected", "application_withdrawn")
    assert told["decision"] is None
    assert "decision_receipt" not in told
    later = case.wallet.decisions.receipt(case.present()[1])
    assert later.log_index == entry.log_index + 1


def test_what_is_decided_cannot_be_withdrawn(case: Case) -> None:
    _, entry_id = case.present()
    with pytest.raises(AlreadyDecidedThere):
        case.wallet.decisions.withdraw(entry_id)
    assert case.wallet.decisions.of(entry_id).withdrawal is None


def _withdrawal(case: Case, **changes: Any) -> tuple[int, str]:
    opened = case.city.ask(YOUTH.id)
    request = case.wallet.review(opened["link"]).request
    given: dict[str, Any] = {
        "act": Act.WITHDRAW,
        "audience": AGENCY,
        "about": request.nonce,
        "state": request.state,
        "now": case.city.clock.now(),
        **changes,
    }
    statement = sign_holder_statement(Es256SigningKey.generate(), given.pop("act"), **given)
    status, told = case.call("POST", "/v1/receipts/withdrawals", {"statement": statement})
    return status, told.get("code", "")


def test_a_withdrawal_of_an_open_request_is_taken(case: Case) -> None:
    assert _withdrawal(case) == (200, "")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"about": "another-nonce"}, 409, "nothing_to_withdraw"),
        ({"state": "another.state"}, 409, "nothing_to_withdraw"),
        ({"state": None}, 409, "nothing_to_withdraw"),
        ({"act": Act.DELETE}, 422, HolderStatementInvalid.code),
        ({"audience": "did:web:other.example"}, 422, HolderStatementInvalid.code),
        ({"now": NOON - 301}, 422, HolderStatementInvalid.code),
    ],
)
def test_a_withdrawal_that_is_of_nothing_or_not_for_here_is_refused(
    case: Case, changes: dict[str, Any], status: int, code: str
) -> None:
    assert _withdrawal(case, **changes) == (status, code)


def test_a_holder_who_asks_for_deletion_gets_a_signed_answer(case: Case) -> None:
    _, entry_id = case.present()
    receipt = case.wallet.decisions.receipt(entry_id)
    answer = case.wallet.decisions.request_deletion(entry_id)
    assert (answer.kind, answer.about, answer.holder) == (
        EntryKind.DELETION,
        receipt.id,
        receipt.holder,
    )
    assert answer.deleted == ("commitment_salts",)
    kept = {item.what: item for item in answer.kept}
    assert set(kept) == {"receipt", "request_result", "log_leaf"}
    assert kept["receipt"].until == receipt.decided_at + 5 * 365 * 86400
    assert kept["log_leaf"].until is None
    assert kept["receipt"].ground.ko
    _, told = case.call("GET", f"/v1/receipts/{receipt.id}")
    assert told["decision_receipt"]["salts"] == {}
    assert case.wallet.decisions.request_deletion(entry_id).token == answer.token
    assert case.followed(entry_id) == FollowUp(receipt.token, None, answer.token)


def test_another_holder_can_neither_delete_nor_countersign(case: Case) -> None:
    _, entry_id = case.present()
    receipt = case.wallet.decisions.receipt(entry_id)
    stranger, now = Es256SigningKey.generate(), case.city.clock.now()
    for path, act, about in (
        ("deletion", Act.DELETE, receipt.id),
        ("countersignature", Act.COUNTERSIGN, base64url.encode(receipt.digest)),
    ):
        statement = sign_holder_statement(stranger, act, audience=AGENCY, about=about, now=now)
        status, told = case.call(
            "POST", f"/v1/receipts/{receipt.id}/{path}", {"statement": statement}
        )
        assert (status, told["code"]) == (422, "holder_statement_invalid")
    _, told = case.call("GET", f"/v1/receipts/{receipt.id}")
    assert set(told["decision_receipt"]["salts"]) == {"resident", "military"}


def test_a_wallet_that_was_cut_off_countersigns_later(case: Case) -> None:
    opened = case.city.ask(YOUTH.id)
    network = case.city.network

    def cut(method: str, url: str) -> None:
        if url.endswith("/countersignature"):
            network.down.add("agency.example")

    network.before = cut
    presented = case.wallet.present(opened["link"], ask=with_everything)
    network.before = lambda method, url: None
    network.down.clear()
    assert isinstance(presented.receipt_error, PeerUnreachable)
    assert not case.wallet.decisions.of(presented.entry.id).delivered
    case.wallet.decisions.update()
    assert case.wallet.decisions.of(presented.entry.id).delivered


def test_nothing_personal_is_in_receipts_or_in_what_is_kept(
    case: Case, anchored: ReceiptFile
) -> None:
    # The values are in what the wallet sent, so the search would find them.
    sent = b"".join(case.city.network.posted_to("agency.example"))
    said = [item for form in _posted(sent) for item in form]
    assert BORN in said
    kept = case.city.stored_at(AGENCY_URL)
    assert b"decision" in kept
    receipt = json.dumps([_claims(anchored.receipt), _claims(anchored.countersignature or "")])
    for value in (BORN, "SYN-P-1", *(text for text in said if text.startswith("SYN"))):
        assert value not in receipt
        assert value.encode() not in kept
        assert value.encode() not in to_json(anchored.to_json())
    assert {item["id"]: set(item) for item in _claims(anchored.receipt)["evidence"]} == {
        name: {"id", "type", "accepted", "code", "facts_as_of", "commitment"} for name in CLAIMS
    }


def _posted(bodies: bytes) -> Iterator[list[str]]:
    for segment in re.findall(rb"~?([A-Za-z0-9_-]{20,})", bodies):
        try:
            found = json.loads(base64url.decode(segment))
        except (ValueError, SeoulWalletError):
            continue
        if isinstance(found, list):
            yield [item for item in found if isinstance(item, str)]


def _claims(token: str) -> JsonObject:
    found: JsonObject = json.loads(base64url.decode(token.split(".")[1]))
    return found


def _run(case: Case, file: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["receipt", "verify", str(file), *options])


def test_the_command_checks_a_file_offline_and_says_what_it_did_not_check(
    case: Case, anchored: ReceiptFile, tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(to_json(anchored.to_json()))
    done = _run(case, path, "--replica", sqlite_url(case.city.folder / "replica.db"))
    assert done.exit_code == 0, done.output
    assert "대상입니다 · eligible" in done.output
    assert "확인하지 않음" in done.output
    root = file_root(anchored).hex()
    by_root = _run(case, path, "--root", root, "--json")
    assert by_root.exit_code == 0, by_root.output
    told = json.loads(by_root.output)
    assert told["valid"] is True
    assert {step["name"] for step in told["steps"] if step["outcome"] == "not_checked"} == {
        "commitments", "agency_key", "accreditation",
    }  # fmt: skip
    assert _run(case, path).exit_code == 5
    assert _run(case, path, "--root", "00" * 32).exit_code == 3
    assert _run(case, path, "--root", "nonsense").exit_code == 2
    path.write_bytes(path.read_bytes().replace(b'"format"', b'"formt"'))
    assert _run(case, path, "--root", root).exit_code == 2
