"""`once` in programme files: what is refused, and what it comes to on the benefit key's facts."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from tests.support.programmes import changed, programme
from wallet.eligibility.catalogue import build_catalogue
from wallet.eligibility.clauses import Window
from wallet.eligibility.decision import evaluate
from wallet.eligibility.document import ProgrammeInvalid
from wallet.eligibility.nullifier import ExclusionGroup, Once
from wallet.eligibility.programme import parse_programme_document
from wallet.encoding.json import JsonObject

FARE = programme("youth-fare@2026")
ALLOWANCE = programme("youth-allowance@2026")
ON = date(2026, 6, 15)
KEY = {"birth_date": "2004-01-01", "seoul_resident": True, "valid_until": "2026-06-30"}
PERSON = ("query", "credentials", 0)


def problem_of(document: JsonObject) -> str:
    with pytest.raises(ProgrammeInvalid) as refused:
        parse_programme_document(document, "file")
    return str(refused.value)


def without(document: JsonObject, *path: Any) -> JsonObject:
    found = copy.deepcopy(document)
    place: Any = found
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return found


def test_says_what_is_counted_by_what_and_for_how_long() -> None:
    group = ExclusionGroup(
        "youth-benefits", Window(calendar_year=True), "receives_another_benefit"
    )
    assert FARE.once == Once(
        "person", "benefits-1", Window(calendar_year=True), "received_this_year", group
    )
    assert ALLOWANCE.once == Once("person", "benefits-1", Window(), "received_before", group)
    assert programme("youth-fare@2022").once is None


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (changed(FARE.document, ("once", "of"), "somebody"), "the query's one benefit key"),
        (changed(ALLOWANCE.document, ("once", "of"), "work"), "the query's one benefit key"),
        (changed(FARE.document, ("once", "within"), "cycle"), "the programme has no cycle"),
        (changed(FARE.document, ("once", "reason"), "nowhere"), "unknown reason code nowhere"),
        (
            changed(FARE.document, ("once", "group", "reason"), "nowhere"),
            "unknown reason code nowhere",
        ),
        (without(FARE.document, "once"), "nothing is counted by it"),
        (without(FARE.document, *PERSON, "claims", 2), "is asked for valid_until"),
        (without(FARE.document, *PERSON, "meta", "pseudonym"), "asked for its pseudonym"),
        (
            changed(FARE.document, (*PERSON, "format"), "dc+sd-jwt"),
            "no kind of evidence has this type and format",
        ),
        (
            changed(ALLOWANCE.document, ("query", "credentials", 1, "format"), "seoul-bbs-nym"),
            "no kind of evidence has this type and format",
        ),
        (without(ALLOWANCE.document, *PERSON, "claims", 3), "each is asked for"),
        (
            changed(ALLOWANCE.document, (*PERSON, "claims", 3, "path"), ["sector_id_family"]),
            "each is asked for",
        ),
        (
            changed(FARE.document, ("rule", "all", 0, "id"), "one-per-person"),
            "that of a built-in clause",
        ),
    ],
)
def test_refuses_what_would_count_nobody(document: JsonObject, problem: str) -> None:
    assert problem in problem_of(document)


def test_refuses_a_group_that_counts_in_two_periods() -> None:
    other = parse_programme_document(
        changed(ALLOWANCE.document, ("once", "group", "within"), "lifetime"), "other"
    )
    with pytest.raises(ProgrammeInvalid) as refused:
        build_catalogue([("fare.yaml", FARE), ("other.yaml", other)])
    assert "another period than in fare.yaml" in str(refused.value)
    build_catalogue([("fare.yaml", FARE), ("allowance.yaml", ALLOWANCE)])


def test_without_a_benefit_key_it_is_unknown_and_the_key_is_what_is_missing() -> None:
    found = evaluate(FARE, {}, ON)
    assert (found.outcome.value, [item.evidence for item in found.missing]) == (
        "unknown",
        ["person"],
    )
    assert found.missing[0].document.en == "Seoul benefit key"


@pytest.mark.parametrize(
    ("until", "outcome"), [("2026-06-15", "eligible"), ("2026-06-14", "unknown")]
)
def test_a_key_counts_until_its_last_day(until: str, outcome: str) -> None:
    found = evaluate(FARE, {"person": {**KEY, "valid_until": until}}, ON)
    assert found.outcome.value == outcome
    assert {reason.code for reason in found.reasons} <= {"facts_too_old"}


def test_who_is_not_entitled_is_refused_by_the_rule_and_not_by_the_count() -> None:
    found = evaluate(FARE, {"person": {**KEY, "seoul_resident": False}}, ON)
    assert [reason.clause for reason in found.reasons] == ["seoul"]
