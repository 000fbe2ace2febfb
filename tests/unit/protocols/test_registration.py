"""What a verifier may ask by its registration, and what a wallet makes of a request beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject
from wallet.protocols.dcql import DcqlQuery, parse_dcql
from wallet.protocols.registration import (
    OutsideRegistration,
    Registration,
    RegistrationMalformed,
    Standing,
    check_registration,
    claims_digest,
    parse_registration,
    registration_info,
)
from wallet.trust.verifiers import RegisteredService, verifier_id

NOW = 1_800_000_000
WHO = verifier_id("did:web:agency.example")
WORDS = Registration("urn:card", "확인", (("child_count",), ("address",)))


def query(*paths: list[str], vct: str = "urn:card") -> DcqlQuery:
    item: JsonObject = {"id": "c", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}}
    if paths:
        item["claims"] = [{"path": path} for path in paths]
    return parse_dcql({"credentials": [item]})


def scope(words: Registration = WORDS, **changes: int) -> RegisteredService:
    base = RegisteredService(WHO, words.service_id, NOW - 10, NOW + 10)
    return replace(base, **changes)


def standing(
    asked: DcqlQuery, *services: RegisteredService, told: bool = True, purpose: str = "확인"
) -> Standing:
    info = registration_info((WORDS,), asked, "확인") if told else ()
    whole = [{"format": "urn:seoul-wallet:verifier-registration:1", "data": WORDS.to_json()}]
    return check_registration(asked, purpose, info or (whole if told else ()), services,
                              now=NOW).standing  # fmt: skip


def test_claims_within_the_registration_are_covered_also_parts_of_them() -> None:
    assert standing(query(["child_count"]), scope()) is Standing.REGISTERED
    assert standing(query(["address", "district"]), scope()) is Standing.REGISTERED
    assert standing(query(), scope()) is Standing.REGISTERED


@pytest.mark.parametrize(
    ("asked", "purpose"),
    [
        (query(["name"]), "확인"),
        (query(["child_count"], ["name"]), "확인"),
        (query(["child_count"], vct="urn:letter"), "확인"),
        (query(["child_count"]), "광고"),
    ],
)
def test_anything_else_is_outside(asked: DcqlQuery, purpose: str) -> None:
    assert standing(asked, scope(), purpose=purpose) is Standing.OUTSIDE


def test_a_registration_counts_only_while_it_is_in_force() -> None:
    asked = query(["child_count"])
    assert standing(asked) is Standing.UNREGISTERED
    for over in ({"valid_until": NOW}, {"valid_from": NOW + 1}, {"revoked_at": NOW}):
        assert standing(asked, scope(**over)) is Standing.OUTSIDE
    assert standing(asked, scope(revoked_at=NOW + 1)) is Standing.REGISTERED


def test_words_that_do_not_hash_to_a_registration_are_worth_nothing() -> None:
    wider = replace(WORDS, claims=(*WORDS.claims, ("name",)))
    asked = query(["name"])
    info = registration_info((wider,), asked, "확인")
    assert info != ()
    report = check_registration(asked, "확인", info, [scope()], now=NOW)
    assert report.standing is Standing.OUTSIDE
    assert "no registration" in report.reason
    with pytest.raises(OutsideRegistration):
        report.raise_for_refusal()


def test_without_words_a_request_must_be_what_is_registered_to_the_letter() -> None:
    exact = query(["child_count"], ["address"])
    assert standing(exact, scope(), told=False) is Standing.REGISTERED
    assert standing(query(["child_count"]), scope(), told=False) is Standing.OUTSIDE


def test_the_reason_names_the_claims_that_are_beyond() -> None:
    asked = query(["child_count"], ["name"])
    info = [{"format": "urn:seoul-wallet:verifier-registration:1", "data": WORDS.to_json()}]
    report = check_registration(asked, "확인", info, [scope()], now=NOW)
    assert report.outside == {"c": (("name",),)}
    assert "name" in report.reason


def test_the_digest_of_claims_does_not_depend_on_their_order() -> None:
    one, two = ("a",), ("b", None, 0)
    assert claims_digest([one, two]) == claims_digest([two, one, two])
    assert claims_digest([one]) == sha256(b'[["a"]]')
    assert claims_digest([two, one]) == sha256(b'[["a"],["b",null,0]]')


@pytest.mark.parametrize(
    "changes",
    [{"purpose": ""}, {"credential_type": 1}, {"claims": "a"}, {"claims": [["a"]] * 101}],
)
def test_words_of_another_form_are_refused_and_strange_ones_ignored(changes: JsonObject) -> None:
    strange = {**WORDS.to_json(), **changes}
    with pytest.raises(RegistrationMalformed):
        parse_registration(strange)
    info = [
        {"format": "urn:seoul-wallet:verifier-registration:1", "data": strange},
        {"format": "jwt", "data": "ey"},
        {"format": "urn:seoul-wallet:verifier-registration:1", "data": {}, "credential_ids": 1},
    ]
    report = check_registration(query(["child_count"]), "확인", info, [scope()], now=NOW)
    assert report.standing is Standing.OUTSIDE
