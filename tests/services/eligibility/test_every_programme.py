"""Every programme, from the registers to the decision: issue, hold, present, decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from issuer.guardianship import GUARDIANSHIP
from tests.support.city import AGENCY_URL, PERSON, City, claims_in
from tests.support.programmes import BoundaryCase, boundary_cases, boundary_data, programme
from tests.support.registers import FAMILY, GUARDIAN
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject, parse_json_object

OpenCity = Callable[..., City]
OUTSIDE = {
    f"{case.programme} {case.limit}": case
    for case in boundary_cases()
    if (case.programme, case.limit)
    in (
        ("multi-child-card@from-2023-07", "youngest.age.to"),
        ("mvoting-dongjak@2025", "age.age.from"),
        ("seoul-learn-child@2026", "age.age.from"),
        ("youth-fare@2022", "cycle.every"),
    )
}
# Where the query has alternatives: the evidence that this person has.
HELD = {
    "seoul-learn": ("residence", "income"),
    "seoul-learn-child": ("residence", "income", GUARDIANSHIP),
    "library-member": ("schooling",),
    "public-booking-discount": ("residence",),
}
VISIBLE = {"iss", "vct", "exp", "status", "cnf", "held_by", "acts"}


Entitled = Callable[[str], tuple[Programme, JsonObject, date]]


def decided(city: City, found: Programme) -> tuple[JsonObject, list[bytes]]:
    """Let a wallet take the evidence and answer; return the decision and the answer it sent.

    Where the programme asks for a guardianship, it is the wallet of the person's guardian.
    """
    wallet = city.open_wallet()
    kinds = HELD.get(found.id)
    ward = {} if found.guardianship is None else {"family_id": FAMILY, "guardian_id": GUARDIAN}
    for need in found.evidence.values():
        if kinds is not None and need.type.name not in kinds:
            continue
        if need.type.name == GUARDIANSHIP:
            city.give_guardianship(wallet, FAMILY, GUARDIAN, PERSON)
            continue
        subject = (FAMILY,) if need.type.name == "family-relation" else ()
        city.give(wallet, need.type.name, *subject, **ward)
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    opened = city.ask(found.id)
    request = wallet.review(opened["link"])
    for answer in request.optional:
        request = request.including(answer.query_id)
    wallet.present(request)
    answered, countersigned = city.network.posted_to("agency.example")
    assert set(parse_json_object(countersigned)) == {"statement"}
    return city.decision(opened), [answered]


@pytest.mark.parametrize("name", boundary_data())
def test_from_issuance_to_the_decision(name: str, open_city: OpenCity, entitled: Entitled) -> None:
    found, claims, on = entitled(name)
    city = open_city(found, claims, on)
    answer, (posted,) = decided(city, found)
    decision = answer["decision"]
    assert (answer["outcome"], decision["outcome"]) == ("accepted", "eligible")
    assert (decision["programme"], decision["version"]) == (found.id, found.version)
    assert decision["on"] == on.isoformat()
    assert decision["reasons"] == []
    assert decision["missing"] == []
    assert all(item["accepted"] for item in decision["evidence"])
    assert 0 <= decision["facts_age_s"] < 3600
    shown = claims_in(posted)
    assert len(shown) == len(decision["evidence"])
    asked = {
        query.vct_values[0]: {claim.path[0] for claim in query.claims}
        for query in found.query.credentials.values()
    }
    for seen in shown:
        assert set(seen) - VISIBLE == asked[seen["vct"]]
        assert len(seen.get("sector_id", {})) <= 1
        assert len(seen.get("ward", {})) <= 1


@pytest.mark.parametrize("case", OUTSIDE.values(), ids=list(OUTSIDE))
def test_outside_a_limit_the_decision_names_the_clause(
    case: BoundaryCase, open_city: OpenCity
) -> None:
    found = programme(case.programme)
    city = open_city(found, case.outside.claims, case.outside.on)
    answer, _ = decided(city, found)
    decision = answer["decision"]
    assert decision["outcome"] == "not_eligible"
    assert case.outside.clause in [reason["clause"] for reason in decision["reasons"]]
    assert all(reason["text"]["ko"] for reason in decision["reasons"])
    assert decision["missing"] == []


def test_the_agency_keeps_no_claim(open_city: OpenCity, entitled: Entitled) -> None:
    found, claims, on = entitled("youth-rent@2023")
    claims = {**claims, "lease": {**claims["lease"], "deposit_won": 12_345_678}}
    city = open_city(found, claims, on)
    _, (posted,) = decided(city, found)
    assert "12345678" in json.dumps(claims_in(posted))
    stored = city.stored_at(AGENCY_URL)
    assert b"12345678" not in stored
    assert b"1995-01-01" not in stored
    assert b"youth-rent" in stored
