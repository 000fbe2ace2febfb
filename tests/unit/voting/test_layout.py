"""Ballot rules as sums of bits: every legal vote fits, and nothing else does."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from tests.support.voting import manifest, manifest_json
from wallet.voting.layout import (
    BallotRulesInvalid,
    ChoicesInvalid,
    Limit,
    VoteBit,
    build_layout,
    cover,
    fill_cover,
    fill_slack,
)
from wallet.voting.manifest import Manifest

Body = dict[str, object]


@pytest.mark.parametrize("bound", [0, 1, 2, 3, 4, 5, 6, 7, 8, 31, 32, 100, 255, 500, 511])
def test_a_cover_sums_up_to_exactly_its_range(bound: int) -> None:
    weights = cover(bound)
    reachable = {0}
    for weight in weights:
        reachable |= {value + weight for value in reachable}
    assert reachable == set(range(bound + 1))
    for amount in range(bound + 1):
        bits, rest = fill_cover(weights, amount)
        assert rest == 0
        assert sum(weight for weight, bit in zip(weights, bits, strict=True) if bit) == amount


def test_the_covers_of_the_specification() -> None:
    assert cover(5) == (1, 2, 2)
    assert cover(500) == (1, 2, 4, 8, 16, 32, 64, 128, 245)


def with_ballot(ballot: Body) -> Manifest:
    return manifest(ballot=ballot)


def legal_bits(found: Manifest) -> set[tuple[int, ...]]:
    """All bit vectors that satisfy the equalities, reduced to the vote bits: by brute force."""
    layout = found.layout
    votes = len(layout.votes)
    return {
        bits[:votes]
        for bits in product((0, 1), repeat=layout.bits)
        if all(
            sum(weight * bits[bit] for bit, weight in rule.weights) == rule.total
            for rule in layout.rules
        )
    }


COSTS = [500, 300, 200, 400, 100, 600]
GREEN, SAFE = (0, 1), (2, 3)


def at_most(count: int) -> set[tuple[int, ...]]:
    return {
        tuple(int(project in chosen) for project in range(6))
        for size in range(count + 1)
        for chosen in combinations(range(6), size)
    }


def test_at_most_three_approvals() -> None:
    found = with_ballot({"kind": "approval", "limits": [{"limit": "count", "min": 0, "max": 3}]})
    assert legal_bits(found) == at_most(3)


def test_exactly_one_in_a_category_and_at_least_two_in_all() -> None:
    limits = [
        {"limit": "category", "category": "green", "min": 1, "max": 1},
        {"limit": "count", "min": 2, "max": 4},
    ]
    found = with_ballot({"kind": "approval", "limits": limits})
    assert legal_bits(found) == {
        bits for bits in at_most(4) if sum(bits[at] for at in GREEN) == 1 and sum(bits) >= 2
    }


def test_a_knapsack_ballot_costs_no_more_than_its_limit() -> None:
    found = with_ballot({"kind": "approval", "limits": [{"limit": "cost", "max": 1050}]})
    (rule,) = found.layout.rules
    assert rule.total == 10  # in units of the costs' common divisor
    assert legal_bits(found) == {
        bits
        for bits in at_most(6)
        if sum(cost for cost, bit in zip(COSTS, bits, strict=True) if bit) <= 1050
    }


def values_of(found: Manifest, bits: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        sum(value for bit, value in pairs if bits[bit]) for pairs in found.layout.project_bits
    )


def small(**changes: object) -> Manifest:
    """Three projects, so that brute force stays small."""
    projects = manifest_json()["projects"][:3]
    return manifest(projects=projects, categories=manifest_json()["categories"], **changes)


def test_points_sum_up_to_no_more_than_the_limit() -> None:
    ballot = {
        "kind": "points",
        "per_project": 3,
        "limits": [{"limit": "count", "min": 0, "max": 4}],
    }
    found = small(ballot=ballot)
    values = {values_of(found, bits) for bits in legal_bits(found)}
    assert values == {v for v in product(range(4), repeat=3) if sum(v) <= 4}
    assert found.layout.max_value == 3


def test_a_ranking_gives_a_place_once_and_a_project_one_place() -> None:
    found = small(ballot={"kind": "ranking", "scores": [5, 3], "limits": []})
    values = {values_of(found, bits) for bits in legal_bits(found)}
    expected = {(0, 0, 0)}
    for first, second in product((None, 0, 1, 2), repeat=2):
        if first is None or first != second:
            points = [0, 0, 0]
            if first is not None:
                points[first] = 5
            if second is not None:
                points[second] = 3
            expected.add(tuple(points))
    assert values == expected
    assert found.layout.max_value == 5


def test_a_limit_that_nothing_can_break_needs_no_proof() -> None:
    found = with_ballot({"kind": "approval", "limits": [{"limit": "count", "min": 0, "max": 6}]})
    assert found.layout.rules == ()
    assert found.layout.bits == 6


@pytest.mark.parametrize(
    "limit",
    [
        {"limit": "count", "min": 7, "max": 9},
        {"limit": "category", "category": "nowhere", "min": 0, "max": 1},
        {"limit": "district", "district": "green", "min": 0, "max": 1},
    ],
    ids=["no vote can meet it", "unknown category", "unknown district"],
)
def test_rejects_limits_that_make_no_sense(limit: Body) -> None:
    with pytest.raises(BallotRulesInvalid):
        with_ballot({"kind": "approval", "limits": [limit]})


def test_rejects_a_limit_on_nothing() -> None:
    with pytest.raises(BallotRulesInvalid):
        build_layout([VoteBit(0, 1)], [Limit({}, 1, 1)], 1)
    assert build_layout([VoteBit(0, 1)], [Limit({}, 0, 1)], 1).rules == ()


def test_rejects_ballots_of_too_many_bits_and_weights_too_large_to_prove() -> None:
    with pytest.raises(BallotRulesInvalid):
        build_layout([VoteBit(0, 1)] * 1025, [], 1)
    with pytest.raises(BallotRulesInvalid):
        build_layout([], [], 1)
    with pytest.raises(BallotRulesInvalid):
        build_layout([VoteBit(0, 1)] * 3, [Limit({0: 2**61, 1: 2**61, 2: 1}, 0, 1)], 1)
    with pytest.raises(BallotRulesInvalid):
        build_layout([VoteBit(0, 1)] * 4, [Limit({0: 1, 1: 1}, 0, 1)] * 300, 1)


def test_rejects_choices_that_break_a_rule() -> None:
    found = with_ballot({"kind": "approval", "limits": [{"limit": "count", "min": 1, "max": 2}]})
    layout = found.layout
    assert fill_slack(layout, (1, 1, 0, 0, 0, 0))[:6] == (1, 1, 0, 0, 0, 0)
    for votes in ((1, 1, 1, 0, 0, 0), (0,) * 6, (2, 0, 0, 0, 0, 0), (1, 0, 0, 0, 0), (-1, 1) * 3):
        with pytest.raises(ChoicesInvalid):
            fill_slack(layout, votes)


@pytest.mark.parametrize("value", [-1, 2, True, 1.0, float("nan"), "1", None])
def test_rejects_values_that_a_project_cannot_get(value: object) -> None:
    with pytest.raises(ChoicesInvalid):
        manifest().ballot.vote_bits([value, 0, 0, 0, 0, 0])  # type: ignore[list-item]
