"""What counts as evidence, how old it may be, and what becomes of an answer that is not right."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.evidence_bench import STATUS_INDEX, EvidenceBench, noon
from tests.support.programmes import boundary_data, example_catalogue, programme
from verifier.decision import Verdict
from wallet.eligibility.benefit_key import BENEFIT_KEY
from wallet.encoding.json import JsonObject
from wallet.status.token_status_list import INVALID

RENT = programme("youth-rent@2023")
CLAIMS: JsonObject = boundary_data()["youth-rent@2023"]["claims"]
NOW = noon(date(2023, 10, 10))
# The bench signs SD-JWT VC; for the benefit key, which has no status, see test_one_benefit.py.
AGES = [
    (item.name, need.id, name)
    for item in example_catalogue().programmes()
    for need in item.evidence.values()
    for name in ("status", "replica")
    if need.type.name != BENEFIT_KEY
]


def eligibility(bench: EvidenceBench, vp_token: dict[str, list[str]]) -> JsonObject:
    decision = bench.decide(RENT, vp_token)
    assert decision.verdict is Verdict.ACCEPTED, decision.result
    assert decision.disclosed is None
    found: JsonObject = decision.result["eligibility"]
    return found


def test_complete_evidence_of_one_person_decides() -> None:
    bench = EvidenceBench(NOW)
    found = eligibility(bench, bench.answer(RENT, CLAIMS))
    assert found["outcome"] == "eligible"
    assert found["facts_age_s"] == 60
    assert [item["accepted"] for item in found["evidence"]] == [True] * 4


@pytest.mark.parametrize("name", CLAIMS)
def test_evidence_that_was_not_shown_is_unknown_and_its_document_is_named(name: str) -> None:
    bench = EvidenceBench(NOW)
    vp_token = bench.answer(RENT, CLAIMS)
    del vp_token[name]
    found = eligibility(bench, vp_token)
    assert found["outcome"] == "unknown"
    (missing,) = found["missing"]
    assert (missing["evidence"], missing["cause"]) == (name, "document_missing")
    assert missing["type"] == RENT.evidence[name].type.vct
    assert missing["document"]["ko"]
    assert missing["obtain_at"]["en"]


@pytest.mark.parametrize("name", CLAIMS)
def test_evidence_of_an_unaccredited_issuer_never_counts(name: str) -> None:
    kind = RENT.evidence[name].type.name
    bench = EvidenceBench(NOW, unaccredited=frozenset((kind,)))
    found = eligibility(bench, bench.answer(RENT, CLAIMS))
    assert found["outcome"] == "unknown"
    (refused,) = [item for item in found["evidence"] if not item["accepted"]]
    assert (refused["id"], refused["code"]) == (name, "issuer_not_accredited")
    assert [item["cause"] for item in found["missing"]] == ["evidence_not_accepted"]


def test_evidence_that_does_not_count_cannot_refuse_either() -> None:
    bench = EvidenceBench(NOW, unaccredited=frozenset(("residence",)))
    too_old = {**CLAIMS, "resident": {**CLAIMS["resident"], "birth_date": "1950-01-01"}}
    assert eligibility(bench, bench.answer(RENT, too_old))["outcome"] == "unknown"


def test_a_false_clause_decides_although_other_evidence_does_not_count() -> None:
    bench = EvidenceBench(NOW, unaccredited=frozenset(("lease",)))
    too_old = {**CLAIMS, "resident": {**CLAIMS["resident"], "birth_date": "1950-01-01"}}
    found = eligibility(bench, bench.answer(RENT, too_old))
    assert found["outcome"] == "not_eligible"
    assert [reason["clause"] for reason in found["reasons"]] == ["age"]


def test_revoked_evidence_does_not_count() -> None:
    bench = EvidenceBench(NOW, statuses={STATUS_INDEX: INVALID})
    found = eligibility(bench, bench.answer(RENT, CLAIMS))
    assert found["outcome"] == "unknown"
    assert {item["code"] for item in found["evidence"]} == {"credential_revoked"}
    assert {item["cause"] for item in found["missing"]} == {"evidence_not_accepted"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nonce": "another-nonce-0123456789"}, "nonce_mismatch"),
        ({"audience": "did:web:x.example"}, "audience_mismatch"),
    ],
)
def test_evidence_that_answers_another_request_does_not_count(
    change: dict[str, Any], code: str
) -> None:
    bench = EvidenceBench(NOW)
    vp_token = bench.answer(RENT, CLAIMS)
    vp_token["lease"] = [bench.present(RENT, "lease", CLAIMS["lease"], **change)]
    found = eligibility(bench, vp_token)
    assert found["outcome"] == "unknown"
    assert [item["code"] for item in found["evidence"] if not item["accepted"]] == [code]


@pytest.mark.parametrize("text", ["", "x", "a.b.c~", "é" * 10, "\ud800"])
def test_evidence_that_is_no_presentation_does_not_count(text: str) -> None:
    bench = EvidenceBench(NOW)
    vp_token = {**bench.answer(RENT, CLAIMS), "lease": [text]}
    found = eligibility(bench, vp_token)
    assert found["outcome"] == "unknown"
    assert [item["evidence"] for item in found["missing"]] == ["lease"]


def test_evidence_of_another_type_does_not_count() -> None:
    bench = EvidenceBench(NOW)
    vp_token = bench.answer(RENT, CLAIMS)
    vp_token["lease"] = vp_token["income"]
    found = eligibility(bench, vp_token)
    assert [item["code"] for item in found["evidence"] if not item["accepted"]] == [
        "type_not_accepted"
    ]


@pytest.mark.parametrize("name", CLAIMS)
def test_papers_of_two_people_make_no_applicant(name: str) -> None:
    bench = EvidenceBench(NOW)
    vp_token = bench.answer(RENT, CLAIMS)
    vp_token[name] = [bench.present(RENT, name, CLAIMS[name], person="person-2")]
    decision = bench.decide(RENT, vp_token)
    assert (decision.verdict, decision.code) == (Verdict.REJECTED, "evidence_of_several_people")
    assert "eligibility" not in decision.result


def test_an_answer_that_discloses_too_much_is_refused_as_a_whole() -> None:
    bench = EvidenceBench(NOW)
    more = bench.present(RENT, "lease", {**CLAIMS["lease"], "deal_won": 5}, more=[("deal_won",)])
    decision = bench.decide(RENT, {**bench.answer(RENT, CLAIMS), "lease": [more]})
    assert (decision.verdict, decision.code) == (Verdict.REJECTED, "answer_excessive")
    other_sector = [("sector_id", "family")]
    linked = bench.present(RENT, "lease", CLAIMS["lease"], more=other_sector)
    decision = bench.decide(RENT, {**bench.answer(RENT, CLAIMS), "lease": [linked]})
    assert (decision.verdict, decision.code) == (Verdict.REJECTED, "answer_excessive")


@pytest.mark.parametrize("extra", [{"surprise": ["x"]}, {"lease": ["x", "y"]}, {"lease": []}])
def test_an_answer_of_another_shape_is_refused_as_a_whole(extra: dict[str, list[str]]) -> None:
    bench = EvidenceBench(NOW)
    decision = bench.decide(RENT, {**bench.answer(RENT, CLAIMS), **extra})
    assert (decision.verdict, decision.code) == (Verdict.REJECTED, "answer_excessive")


@pytest.mark.parametrize(("name", "evidence", "fact"), AGES)
def test_facts_count_up_to_the_age_that_the_programme_accepts_and_no_longer(
    name: str, evidence: str, fact: str
) -> None:
    found, item = programme(name), boundary_data()[name]
    limit = getattr(found.evidence[evidence], f"max_{fact}_age_s")
    now = noon(date.fromisoformat(item["on"]))
    only = {evidence: item["claims"][evidence]}

    def looked_at(age_s: int) -> JsonObject:
        ages: dict[str, Any] = {f"{fact}_age_s": age_s}
        bench = EvidenceBench(now, **ages)
        (seen,) = bench.decide(found, bench.answer(found, only)).result["eligibility"]["evidence"]
        assert isinstance(seen, dict)
        return seen

    inside, outside = looked_at(limit), looked_at(limit + 1)
    assert (inside["accepted"], inside["facts_age_s"]) == (True, limit)
    assert (outside["accepted"], outside["code"]) == (False, "facts_too_old")


def test_facts_that_are_too_old_leave_the_outcome_open_and_say_so() -> None:
    bench = EvidenceBench(NOW, replica_age_s=86401)
    found = eligibility(bench, bench.answer(RENT, CLAIMS))
    assert found["outcome"] == "unknown"
    assert {reason["code"] for reason in found["reasons"]} == {"facts_too_old"}
    assert found["facts_age_s"] == 86401


def test_what_could_not_be_checked_is_no_verdict() -> None:
    bench = EvidenceBench(NOW)
    vp_token = bench.answer(RENT, CLAIMS)
    bench.status_lists.withdraw("https://issuer.example/status-lists/1")
    found = eligibility(bench, vp_token)
    assert found["outcome"] == "unknown"
    assert {reason["code"] for reason in found["reasons"]} == {"could_not_check"}
