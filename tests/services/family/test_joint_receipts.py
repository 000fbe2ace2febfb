"""A child of 14 to 18 and its guardian apply together: each has the receipt, which names both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.support.family_town import (
    FATHER,
    KIM,
    TEEN,
    WELFARE,
    FamilyTown,
)
from wallet.crypto.keys import Es256SigningKey
from wallet.eligibility.receipts.file import (
    ReceiptFile,
    check_receipt_file,
    file_root,
    parse_receipt_file,
)
from wallet.eligibility.receipts.holder import Act, HolderStatementInvalid, sign_holder_statement
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA, DecisionReceipt
from wallet.encoding.json import JsonObject, to_json
from wallet.holder.consent import ConsentRequest
from wallet.holder.decision_records import HeldReceipt, NoDecisionReceipt
from wallet.holder.decisions import COLLECT_FOR_S
from wallet.holder.log import LogOutcome, entry_id
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable
from wallet.trust.facts import AnchorFacts
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.acting import Right

AGENCY = "did:web:agency.example"
PROGRAMME = "seoul-learn-child"


@dataclass
class Pair:
    """A child of 18, its father, and their town."""

    town: FamilyTown
    child: Wallet
    father: Wallet

    def answered(self) -> tuple[ConsentRequest, str]:
        """Return the answer of both, ready to be sent, and the id that both logs give it."""
        question = self.child.joint.ask(self.child.review(self.town.ask(PROGRAMME)["link"]))
        joint = self.father.joint.review(question.text)
        part = self.father.joint.contribute(joint)
        consent = question.answered(part)
        return consent, entry_id(consent.verifier, consent.request.nonce)

    def apply(self) -> tuple[HeldReceipt, HeldReceipt]:
        """Apply together; return what each wallet knows of the decision by then."""
        consent, entry = self.answered()
        self.child.present(consent)
        return self.child.decisions.of(entry), self.father.decisions.of(entry)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, JsonObject]:
        answer = self.town.agency.open(f"/v1/receipts{path}", method=method, json=body)
        return answer.status_code, answer.get_json(silent=True) or {}

    def facts(self, file: ReceiptFile) -> AnchorFacts:
        ids = issuer_id(file.issuer), schema_id(RECEIPT_SCHEMA)
        return self.town.replica.anchor_facts(*ids, file_root(file), None).value


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    town = FamilyTown.build(tmp_path_factory.mktemp("pair"), rows=WELFARE)
    child, father = town.open_wallet("child"), town.open_wallet("father")
    for kind in ("residence", "welfare"):
        town.give(child, kind, TEEN, TEEN)
    town.give_guardianship(father, KIM, FATHER, TEEN)
    town.settle()
    yield Pair(town, child, father)
    town.close()


def receipt(wallet: Wallet, held: HeldReceipt) -> DecisionReceipt:
    return wallet.decisions.receipt(held.entry_id)


def outcome_in_log(wallet: Wallet, held: HeldReceipt) -> LogOutcome:
    (entry,) = [item for item in wallet.log() if item.id == held.entry_id]
    return entry.outcome


def test_both_have_the_receipt_which_names_both_and_both_countersign(pair: Pair) -> None:
    childs, fathers = pair.apply()
    assert childs.delivered
    assert (fathers.told, fathers.awaited) == (None, True)
    assert outcome_in_log(pair.father, fathers) is LogOutcome.UNANSWERED
    with pytest.raises(NoDecisionReceipt):
        receipt(pair.father, fathers)
    assert {item.error for item in pair.father.decisions.update()} == {None}
    fathers = pair.father.decisions.of(fathers.entry_id)
    found = receipt(pair.child, childs)
    assert receipt(pair.father, fathers).token == found.token
    assert (found.holder, found.guardian) == (childs.expected.holder, fathers.expected.holder)
    assert found.holder != found.guardian
    acted = found.acted_for
    assert acted is not None
    assert (acted.right, acted.relation, acted.jointly) == (Right.GUARDIANSHIP, "parent", True)
    # Each log says that it arrived, and shows the receipt beside the consent.
    for wallet, held in ((pair.child, childs), (pair.father, fathers)):
        assert outcome_in_log(wallet, held) is LogOutcome.ACCEPTED
        assert wallet.decisions.follow_up(held.entry_id).receipt == found.token
    _, kept = pair.call("GET", f"/{found.id}")
    assert kept["countersignature"] == childs.countersignature
    assert kept["guardian_countersignature"] == fathers.countersignature


def test_each_exports_a_file_that_stands_alone(pair: Pair) -> None:
    held = pair.apply()
    pair.town.clock.set(pair.town.clock.now() + 3600)
    pair.town.settle()
    for wallet, mine in zip((pair.child, pair.father), held, strict=True):
        assert {item.error for item in wallet.decisions.update()} == {None}
        exported = to_json(wallet.decisions.export(mine.entry_id).to_json())
        file = parse_receipt_file(exported)
        report = check_receipt_file(file, facts=pair.facts(file), shown=mine.expected.shown)
        assert report.failure is None, report.failure
        assert report.receipt is not None
        assert report.receipt.acted_for is not None
        # The other's file opens for the other alone.
        other = held[1] if mine is held[0] else held[0]
        wrong = check_receipt_file(file, facts=pair.facts(file), shown=other.expected.shown)
        assert wrong.failure is not None
        assert wrong.failure.code == "commitment_mismatch"


def test_before_the_child_has_sent_it_there_is_nothing_to_collect(pair: Pair) -> None:
    consent, entry = pair.answered()
    held = pair.father.decisions.of(entry)
    assert {item.error for item in pair.father.decisions.update()} == {None}
    assert pair.father.decisions.of(entry) == held
    pair.child.present(consent)
    pair.father.decisions.update()
    assert pair.father.decisions.of(entry).is_verified


def test_an_agency_is_not_asked_for_ever(pair: Pair) -> None:
    _, entry = pair.answered()
    before = pair.town.clock.now()
    for later_s, asked in ((COLLECT_FOR_S, True), (COLLECT_FOR_S + 1, False)):
        pair.town.clock.set(before + later_s)
        told = pair.father.decisions.update()
        assert asked is (entry in [item.receipt.entry_id for item in told if item.receipt])
    pair.town.clock.set(before)


def test_who_knows_the_nonce_alone_collects_nothing(pair: Pair) -> None:
    childs, _ = pair.apply()
    stranger = Es256SigningKey.generate()
    now = pair.town.clock.now()
    asked = {"audience": AGENCY, "about": childs.expected.nonce, "now": now}
    statement = sign_holder_statement(stranger, Act.COLLECT, **asked)
    status, told = pair.call("POST", "/collections", {"statement": statement})
    assert (status, told["code"]) == (404, "decision_receipt_unknown")


@pytest.mark.parametrize(
    ("act", "age_s", "code"),
    [
        (Act.WITHDRAW, 0, "holder_statement_invalid"),
        (Act.COLLECT, 301, "holder_statement_invalid"),
    ],
)
def test_a_receipt_is_collected_by_a_fresh_statement_of_that_act(
    pair: Pair, act: Act, age_s: int, code: str
) -> None:
    childs, _ = pair.apply()
    now = pair.town.clock.now() - age_s
    statement = sign_holder_statement(
        Es256SigningKey.generate(), act, audience=AGENCY, about=childs.expected.nonce, now=now
    )
    status, told = pair.call("POST", "/collections", {"statement": statement})
    assert (status, told["code"]) == (422, code)


def test_a_receipt_without_the_guardians_key_is_not_the_guardians(pair: Pair) -> None:
    childs, fathers = pair.apply()
    pair.father.decisions.update()
    mine = pair.father.decisions.of(fathers.entry_id)
    found = receipt(pair.father, mine)
    assert found.shown_by(mine.expected.holder) == {"guardian"}
    assert found.shown_by(childs.expected.holder) == {"resident", "welfare", "guardian"}
    assert replace(found, guardian=None).shown_by(mine.expected.holder) == frozenset()


def test_both_may_have_the_agency_delete_and_each_gets_its_answer(pair: Pair) -> None:
    childs, fathers = pair.apply()
    pair.father.decisions.update()
    answers = [
        wallet.decisions.request_deletion(held.entry_id)
        for wallet, held in ((pair.father, fathers), (pair.child, childs), (pair.father, fathers))
    ]
    assert answers[0].token == answers[2].token
    assert answers[0].token != answers[1].token
    assert {item.deleted for item in answers} == {("commitment_salts",)}


def test_a_third_person_has_nothing_deleted_and_countersigns_nothing(pair: Pair) -> None:
    childs, _ = pair.apply()
    found = receipt(pair.child, childs)
    stranger, now = Es256SigningKey.generate(), pair.town.clock.now()
    for path, act, about in (
        ("deletion", Act.DELETE, found.id),
        ("countersignature", Act.COUNTERSIGN, "x"),
    ):
        statement = sign_holder_statement(stranger, act, audience=AGENCY, about=about, now=now)
        status, told = pair.call("POST", f"/{found.id}/{path}", {"statement": statement})
        assert (status, told["code"]) == (422, HolderStatementInvalid.code)


def test_an_answer_that_was_lost_on_its_way_back_is_collected(pair: Pair) -> None:
    consent, entry = pair.answered()
    pair.town.network.lost.add("agency.example")
    try:
        with pytest.raises(PeerUnreachable):
            pair.child.present(consent)
    finally:
        pair.town.network.lost.clear()
    held = pair.child.decisions.of(entry)
    assert outcome_in_log(pair.child, held) is LogOutcome.UNANSWERED
    pair.child.decisions.update()
    assert outcome_in_log(pair.child, held) is LogOutcome.ACCEPTED
    assert pair.child.decisions.of(entry).delivered


def test_a_guardian_with_a_wallet_that_names_no_key_leaves_the_child_its_receipt(
    pair: Pair,
) -> None:
    opened = pair.town.ask(PROGRAMME)
    consent = pair.child.review(opened["link"])
    question = pair.child.joint.ask(consent)
    joint = pair.father.joint.review(question.text)
    request = joint.consent.request
    metadata = dict(request.client_metadata or {})
    del metadata["decision_receipt_endpoint"]
    silent = replace(joint.consent, request=replace(request, client_metadata=metadata))
    part = pair.father.joint.contribute(replace(joint, consent=silent))
    presented = pair.child.present(question.answered(part))
    assert presented.receipt is not None
    found = receipt(pair.child, presented.receipt)
    assert found.guardian is None
    assert found.acted_for is not None
    assert found.acted_for.jointly
