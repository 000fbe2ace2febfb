"""A guardian applies for a child: from the catalogue to a receipt that names both."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from issuer.status import StatusReason
from tests.services.family.test_guardianship import move_to
from tests.support.city import AGENCY_URL, REGISTER_URL
from tests.support.family_town import (
    ADOPTED,
    ADOPTER,
    BORN,
    ELDER,
    FATHER,
    GRANDCHILD,
    GRANDMOTHER,
    KIM,
    LEE,
    MOTHER,
    PARK,
    SECTOR,
    TEEN,
    YOUNG,
    FamilyTown,
    answer,
)
from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.eligibility.decision import Outcome
from wallet.eligibility.document import ProgrammeInvalid
from wallet.eligibility.guardian import GUARDIAN_CLAUSE
from wallet.eligibility.programme import parse_programme
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card
from wallet.holder.delegations import DelegationTerms
from wallet.holder.discovery import Applied, CannotApply
from wallet.holder.findings import Finding
from wallet.holder.wallet import Wallet
from wallet.verification.acting import Right

PROGRAMME = """
format: 1
id: reading-gift
version: "2026"
effective: {from: 2026-01-01}
title: {ko: 책 꾸러미, en: Gift of books}
summary: {ko: 어린이에게 책을 드립니다., en: Books for children.}
office: {ko: 예시, en: Example}
legal_basis: {ko: 예시, en: Example}
source: {kind: assumption, citation: Invented for a test, as_of: 2026-01-01}
sector: welfare
query:
  credentials:
    - id: resident
      format: dc+sd-jwt
      meta: {vct_values: ["urn:seoul-wallet:residence:1"]}
      claims:
        - path: [birth_date]
        - path: [seoul_resident]
        - path: [sector_id, welfare]
    - id: guardian
      format: dc+sd-jwt
      meta: {vct_values: ["urn:seoul-wallet:guardianship:1"]}
      claims:
        - path: [relation]
        - path: [ward, welfare]
  credential_sets:
    - options: [[resident], [resident, guardian]]
evidence:
  resident: {max_status_age_s: 86400, max_replica_age_s: 86400}
  guardian: {max_status_age_s: 86400, max_replica_age_s: 86400}
once: {of: resident, within: {every: calendar_year}, reason: given_this_year}
rule:
  all:
    - id: age
      age: {of: resident.birth_date, from: 3, to: 18}
      reason: age_out_of_range
    - id: seoul
      is: {of: resident.seoul_resident, value: true}
      reason: not_in_seoul
reasons:
  age_out_of_range: {ko: 나이가 맞지 않습니다., en: Not of the age.}
  not_in_seoul: {ko: 서울에 살지 않습니다., en: Not in Seoul.}
  given_this_year: {ko: 올해 받았습니다., en: Given this year.}
"""
NEEDS_GUARDIAN = PROGRAMME.replace("[[resident], [resident, guardian]]", "[[resident, guardian]]")
DRAWN = ("not_eligible", ["given_this_year"])


def town_with(tmp_path: Path, programme: str) -> FamilyTown:
    folder = tmp_path / "programmes"
    folder.mkdir()
    (folder / "gift.yaml").write_text(programme, "utf-8")
    return FamilyTown.build(tmp_path, programmes_folder=folder)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[FamilyTown]:
    built = town_with(tmp_path, PROGRAMME)
    yield built
    built.close()


def found(wallet: Wallet) -> dict[str | None, Finding]:
    wallet.discovery.refresh(AGENCY_URL)
    return {item.child: item for item in wallet.discovery.findings()}


def apply(wallet: Wallet, child: str | None) -> Applied:
    (applied,) = wallet.discovery.apply(wallet.discovery.plan([found(wallet)[child]]))
    return applied


def told(applied: Applied) -> tuple[str, list[str]]:
    assert applied.decision is not None, applied.code
    return applied.decision["outcome"], [item["code"] for item in applied.decision["reasons"]]


@pytest.mark.parametrize(
    ("family", "guardian", "child", "name", "relation"),
    [
        pytest.param(KIM, MOTHER, YOUNG, "김어린", "parent", id="foreign-registration"),
        pytest.param(PARK, ADOPTER, ADOPTED, "박아이", "adoptive_parent", id="adoption"),
    ],
)
def test_a_guardian_applies_for_a_child_and_the_receipt_names_both(
    town: FamilyTown, family: str, guardian: str, child: str, name: str, relation: str
) -> None:
    wallet = town.guardian("guardian", family, guardian, child)
    finding = found(wallet)[name]
    assert finding.outcome is Outcome.ELIGIBLE
    assert set(finding.choices) == {"resident", "guardian"}
    assert finding.counted is not None
    assert "identifier in the sector" in finding.counted.lines("en")[1]
    applied = apply(wallet, name)
    assert told(applied) == ("eligible", [])
    assert applied.presented is not None
    assert applied.presented.receipt_error is None
    held = applied.presented.receipt
    assert held is not None
    acted = wallet.decisions.receipt(held.entry_id).acted_for
    assert acted is not None
    assert (acted.right, acted.relation, acted.jointly) == (Right.GUARDIANSHIP, relation, False)
    assert acted.person != acted.actor
    assert applied.decision is not None
    assert applied.decision["acted_for"] == acted.to_json()
    kept = town.stored_at(AGENCY_URL)
    for secret in (child, guardian, name):
        assert secret.encode() not in kept


def test_a_child_counts_once_whichever_guardian_applies(town: FamilyTown) -> None:
    mother = town.guardian("mother", KIM, MOTHER, YOUNG)
    father = town.guardian("father", KIM, FATHER, YOUNG)
    assert told(apply(mother, "김어린")) == ("eligible", [])
    for wallet in (mother, father):
        assert told(apply(wallet, "김어린")) == DRAWN


def test_a_brother_or_sister_counts_for_themselves(town: FamilyTown) -> None:
    mother, teen = town.guardian("mother", KIM, MOTHER, YOUNG), town.open_wallet("teen")
    town.residence_for(teen, TEEN)
    town.settle()
    assert told(apply(mother, "김어린")) == ("eligible", [])
    assert told(apply(teen, None)) == ("eligible", [])
    assert told(apply(teen, None)) == DRAWN


def test_the_register_of_claims_does_not_hold_the_childs_identifier(town: FamilyTown) -> None:
    mother = town.guardian("mother", KIM, MOTHER, YOUNG)
    apply(mother, "김어린")
    (card,) = [card for card in mother.credentials() if card.is_for_ward]
    identifier: str = card.claims["sector_id"]["welfare"]
    with closing(sqlite3.connect(town.folder / "agency.example.db")) as database:
        ((pseudonym,),) = database.execute("SELECT pseudonym FROM benefit_claims").fetchall()
    assert len(pseudonym) == 48
    assert identifier.encode() not in town.stored_at(AGENCY_URL)
    assert not any(url.startswith(f"{REGISTER_URL}/v1") for _, url, _ in town.network.sent)


def test_a_guardian_does_not_apply_with_the_cards_of_another_child(town: FamilyTown) -> None:
    wallet = town.open_wallet("mixed")
    town.residence_for(wallet, GRANDCHILD, family_id=LEE, guardian_id=GRANDMOTHER)
    town.give_guardianship(wallet, KIM, MOTHER, YOUNG)
    town.settle()
    # The wallet offers nothing, and what a tampered one sends is refused as a whole.
    findings = found(wallet)
    assert set(findings) == {None}
    assert findings[None].outcome is Outcome.UNKNOWN
    told_agency = forced(town, wallet, *wallet.credentials())
    assert (told_agency["outcome"], told_agency["code"]) == ("rejected", "ward_mismatch")


def test_a_childs_card_alone_is_refused_as_a_whole(town: FamilyTown) -> None:
    wallet = town.guardian("mother", KIM, MOTHER, YOUNG)
    (child,) = [card for card in wallet.credentials() if card.is_for_ward]
    refused = forced(town, wallet, child)
    assert (refused["outcome"], refused["code"]) == ("rejected", "ward_mismatch")


ASKED = {
    "resident": (("birth_date",), ("seoul_resident",), ("sector_id", SECTOR)),
    "guardian": (("relation",), ("ward", SECTOR)),
}


def forced(town: FamilyTown, wallet: Wallet, *cards: Card) -> JsonObject:
    """Let a wallet that was tampered with answer the programme with these cards."""
    opened = town.ask("reading-gift")
    names = ["guardian" if card.vct == GUARDIANSHIP_TYPE else "resident" for card in cards]
    answers = [answer(name, card, *ASKED[name]) for name, card in zip(names, cards, strict=True)]
    consent = wallet.review(opened["link"])
    wallet.present(replace(consent, answers=tuple(answers), optional=(), missing=()))
    return town.decision(opened)


def test_on_the_eve_of_14_a_guardian_still_applies_and_on_the_day_not(town: FamilyTown) -> None:
    wallet = town.guardian("mother", KIM, MOTHER, YOUNG)
    cards = wallet.credentials()
    birthday = BORN[YOUNG].replace(year=BORN[YOUNG].year + 14)
    move_to(town, birthday - timedelta(days=1), 23)
    assert found(wallet)["김어린"].outcome is Outcome.ELIGIBLE
    move_to(town, birthday, 1)
    assert set(found(wallet)) == {None}
    refused = forced(town, wallet, *cards)["decision"]
    assert refused["outcome"] == "unknown"
    assert {item["code"] for item in refused["evidence"]} == {"credential_expired"}


def test_who_was_delegated_to_applies_for_nobody(town: FamilyTown) -> None:
    elder, carer = town.open_wallet("elder"), town.open_wallet("carer")
    card = town.residence_for(elder, ELDER)
    town.settle()
    terms = DelegationTerms(claims=ASKED["resident"], ttl_s=86400)
    _, package = elder.delegate(card.id, carer.delegating.invite(), terms)
    lent = carer.delegating.accept(package)
    assert found(carer)[None].choices == {}
    refused = forced(town, carer, lent)["decision"]
    assert (refused["outcome"], refused["evidence"][0]["accepted"]) == ("unknown", False)
    assert refused["evidence"][0]["code"] == "signature_invalid"


def test_what_is_shown_by_a_right_that_was_revoked_does_not_count(town: FamilyTown) -> None:
    wallet = town.guardian("mother", KIM, MOTHER, YOUNG)
    for issuance in town.issuer.service.statuses.issuances_of(KIM):
        town.issuer.service.statuses.revoke(issuance.issuance_id, StatusReason.NO_LONGER_ENTITLED)
    town.clock.set(town.clock.now() + 3600)
    town.settle()
    applied = apply(wallet, "김어린")
    assert told(applied)[0] == "unknown"
    assert applied.decision is not None
    assert [(item["id"], item["code"]) for item in applied.decision["evidence"]] == [
        ("resident", "credential_revoked"),
        ("guardian", "credential_revoked"),
    ]
    assert "acted_for" not in applied.decision


def test_an_outage_leaves_the_childs_application_open_and_not_refused(town: FamilyTown) -> None:
    wallet = town.guardian("mother", KIM, MOTHER, YOUNG)
    town.network.down.add("issuer.example")
    applied = apply(wallet, "김어린")
    assert told(applied)[0] == "unknown"
    assert applied.decision is not None
    assert not any(item["accepted"] for item in applied.decision["evidence"])
    town.network.down.clear()
    assert told(apply(wallet, "김어린")) == ("eligible", [])


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[FamilyTown]:
    """A town whose programme nobody applies for without a guardian."""
    built = town_with(tmp_path, NEEDS_GUARDIAN)
    yield built
    built.close()


def test_without_the_guardian_that_a_programme_needs_it_is_open_what_is_missing(
    strict: FamilyTown,
) -> None:
    teen = strict.open_wallet("teen")
    strict.residence_for(teen, TEEN)
    strict.settle()
    alone = found(teen)[None]
    assert alone.outcome is Outcome.UNKNOWN
    assert [item.document.ko for item in alone.evaluation.missing] == ["법정대리인 확인서"]
    assert alone.evaluation.decided_by == (GUARDIAN_CLAUSE,)
    with pytest.raises(CannotApply):
        teen.discovery.plan([alone])
    (card,) = teen.credentials()
    decision = forced(strict, teen, card)["decision"]
    assert (decision["outcome"], decision["decided_by"]) == ("unknown", [GUARDIAN_CLAUSE])


def test_from_14_to_19_child_and_guardian_apply_together(strict: FamilyTown) -> None:
    teen, father = strict.open_wallet("teen"), strict.open_wallet("father")
    strict.residence_for(teen, TEEN)
    strict.give_guardianship(father, KIM, FATHER, TEEN)
    strict.settle()
    opened = strict.ask("reading-gift")
    question = teen.joint.ask(teen.review(opened["link"]))
    part = father.joint.contribute(father.joint.review(question.text))
    teen.present(question.answered(part))
    decision = strict.decision(opened)["decision"]
    assert decision["outcome"] == "eligible"
    assert decision["acted_for"]["jointly"] is True
    # The father alone has nothing to apply with.
    assert found(father)[None].choices == {}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("        - path: [ward, welfare]\n", "", "each is asked for ['ward', 'welfare']"),
        ("[ward, welfare]", "[ward, youth]", "each is asked for ['ward', 'welfare']"),
        ("[relation]", "[child_name]", "guardianship has no claim child_name"),
        ("once: {of: resident,", "once: {of: guardian,", "evidence about the person"),
        ("[[resident], [resident, guardian]]", "[[guardian], [resident, guardian]]", "always"),
        ("once: {of: resident,", "once: {of: resident, epoch: benefits-1,", "epoch belongs"),
        ("id: age\n", "id: acting-guardian\n", "is that of a built-in clause"),
    ],
)
def test_refuses_a_programme_for_children_that_cannot_be_meant(
    old: str, new: str, problem: str
) -> None:
    assert old in PROGRAMME
    with pytest.raises(ProgrammeInvalid, match=re.escape(problem)):
        parse_programme(PROGRAMME.replace(old, new).encode(), "gift.yaml")


def test_refuses_a_benefit_key_beside_a_guardianship() -> None:
    key = """    - id: person
      format: seoul-bbs-nym
      meta: {vct_values: ["urn:seoul-wallet:benefit-key:1"], pseudonym: true}
      claims:
        - path: [valid_until]
        - path: [sector_id_welfare]
"""
    text = PROGRAMME.replace("  credential_sets:", key + "  credential_sets:")
    ages = "{max_status_age_s: 86400, max_replica_age_s: 86400}"
    text = text.replace("[[resident], ", "[[resident, person], ")
    text = text.replace("evidence:\n", f"evidence:\n  person: {ages}\n")
    with pytest.raises(ProgrammeInvalid, match="counts who holds it, and no child"):
        parse_programme(text.encode(), "gift.yaml")
