"""Every numeric and date limit of every programme file, on both sides."""

import copy
from datetime import date
from typing import Any

import pytest

from tests.support.programmes import (
    BoundaryCase,
    Side,
    boundary_cases,
    boundary_data,
    changed,
    example_catalogue,
    limits,
    programme,
)
from wallet.eligibility.days import parse_day
from wallet.eligibility.decision import ProgrammeNotInForce, evaluate
from wallet.eligibility.document import ProgrammeInvalid
from wallet.eligibility.programme import Programme, parse_programme_document

CASES = boundary_cases()
IDS = [f"{case.programme} {case.limit}" for case in CASES]


def _outcome(found: Programme, side: Side) -> tuple[str, list[str]]:
    try:
        evaluation = evaluate(found, side.claims, side.on)
    except ProgrammeNotInForce:
        return "not_in_force", []
    return evaluation.outcome.value, [reason.clause for reason in evaluation.reasons]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_inside_the_limit_is_eligible_and_outside_is_not(case: BoundaryCase) -> None:
    found = programme(case.programme)
    assert _outcome(found, case.inside) == ("eligible", [])
    outcome, clauses = _outcome(found, case.outside)
    assert outcome == case.outside.outcome
    if outcome != "not_in_force":
        assert case.outside.clause in clauses


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_two_sides_are_next_to_each_other(case: BoundaryCase) -> None:
    inside, outside = case.changes
    assert list(inside) == list(outside)
    if "income.percent_over" in inside:
        assert outside["income.percent_over"] == inside["income.percent_up_to"]
        return
    ((key, value),) = inside.items()
    assert _distance(value, outside[key]) == 1


def _distance(one: Any, other: Any) -> int:
    if isinstance(one, list):
        (one,), (other,) = one, other
    if isinstance(one, int):
        return abs(one - other)
    first, second = parse_day(one), parse_day(other)
    assert isinstance(first, date)
    assert isinstance(second, date)
    return abs((first - second).days)


@pytest.mark.parametrize("name", [item.name for item in example_catalogue().programmes()])
def test_every_limit_of_a_programme_file_has_a_case_on_both_sides(name: str) -> None:
    in_file = sorted(limit.label for limit in limits(programme(name).document))
    assert in_file == sorted(boundary_data()[name]["limits"])


def test_a_limit_without_a_case_is_noticed() -> None:
    document = copy.deepcopy(programme("mvoting-dongjak@2025").document)
    document["rule"]["all"][0]["age"]["to"] = 99
    labels = {limit.label for limit in limits(document)}
    assert labels - set(boundary_data()["mvoting-dongjak@2025"]["limits"]) == {"age.age.to"}


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_limit_that_moves_by_one_is_noticed(case: BoundaryCase) -> None:
    document = programme(case.programme).document
    (limit,) = [item for item in limits(document) if item.label == case.limit] or [None]
    assert limit is not None
    if limit.label == "cycle.every":
        moved = [changed(document, ("cycle",), {"months": 12})]
    else:
        moved = [changed(document, limit.path, value) for value in limit.neighbours()]
    for other in moved:
        try:
            found = parse_programme_document(other, "moved")
        except ProgrammeInvalid:
            continue  # a file that is refused decides nothing wrong
        outcomes = (_outcome(found, case.inside)[0], _outcome(found, case.outside)[0])
        assert outcomes != (case.inside.outcome, case.outside.outcome)
