"""From totals to funded projects: order, thresholds, districts, categories, ties and reasons."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.support.voting import Body, manifest, manifest_json, project, texts
from wallet.voting.outcome import Outcome, TotalsMalformed, decide_outcome
from wallet.voting.tally import GroupTally
from wallet.voting.tie_break import TieBreak

TIES = TieBreak(bytes(32), ())


def group(
    totals: tuple[int, ...],
    counted: int = 100,
    weight: str = "1",
    batch: tuple[int, ...] | None = None,
    batch_ballots: int = 0,
) -> GroupTally:
    nothing = (0,) * len(totals)
    return GroupTally(("all",), Fraction(weight), counted, totals, batch_ballots, batch or nothing)


def rules(**changes: Any) -> Body:
    return {**manifest_json()["outcome"], **changes}


def outcome(
    projects: list[Body], totals: tuple[int, ...], *, ties: TieBreak = TIES, **changes: Any
) -> Outcome:
    found = manifest(projects=projects, **changes)
    return decide_outcome(found, bytes(32), [group(totals)], ties)


def reasons(found: Outcome) -> dict[str, tuple[str, int | None]]:
    return {item.id: (item.status, item.short) for item in found.projects}


PROJECTS = [project("a", 600), project("b", 500), project("c", 300), project("d", 100)]


def test_greedy_by_votes_skips_what_does_not_fit_and_says_what_is_missing() -> None:
    found = outcome(PROJECTS, (50, 40, 30, 20))
    assert reasons(found) == {
        "a": ("funded", None),
        "b": ("short_budget", 100),
        "c": ("funded", None),
        "d": ("funded", None),
    }
    assert found.spent == 1000
    assert [item.id for item in found.projects] == ["a", "b", "c", "d"]


def test_greedy_that_stops_funds_nothing_after_the_first_that_does_not_fit() -> None:
    found = outcome(PROJECTS, (50, 40, 30, 20), outcome=rules(on_overrun="stop"))
    assert reasons(found) == {
        "a": ("funded", None),
        "b": ("short_budget", 100),
        "c": ("stopped", None),
        "d": ("stopped", None),
    }


def test_votes_per_cost_prefers_the_cheap() -> None:
    found = outcome(PROJECTS, (50, 45, 30, 20), outcome=rules(rule="votes_per_cost"))
    assert [item.id for item in found.projects] == ["d", "c", "b", "a"]
    assert found.funded == ("d", "c", "b")
    assert reasons(found)["a"] == ("short_budget", 500)


def test_thresholds_and_projects_without_votes() -> None:
    found = outcome(PROJECTS, (50, 9, 10, 0), outcome=rules(min_votes=10))
    assert [item[0] for item in reasons(found).values()] == [
        "funded",
        "funded",
        "below_threshold",
        "below_threshold",
    ]
    by_share = outcome(PROJECTS, (50, 20, 19, 0), outcome=rules(min_score="1/5"))
    assert reasons(by_share)["c"] == ("below_threshold", None)
    assert reasons(by_share)["b"] == ("short_budget", 100)


def test_a_category_cap_holds_and_does_not_stop_the_phase() -> None:
    categories = [{"id": "green", "name": texts("green"), "cap": 700}]
    projects = [
        project("a", 600, "green"),
        project("b", 200, "green"),
        project("c", 300),
        project("d", 100, "green"),
    ]
    found = outcome(
        projects, (50, 40, 30, 20), categories=categories, outcome=rules(on_overrun="stop")
    )
    assert reasons(found) == {
        "a": ("funded", None),
        "b": ("short_category", 100),
        "c": ("funded", None),
        "d": ("funded", None),
    }


DISTRICTS = [
    {"id": "north", "name": texts("north"), "budget": 300},
    {"id": "south", "name": texts("south"), "budget": 200},
    {"id": "east", "name": texts("east"), "budget": None},
]
LOCAL = [
    project("n1", 250, None, "north"),
    project("n2", 100, None, "north"),
    project("s1", 250, None, "south"),
    project("e1", 100, None, "east"),
    project("all", 600),
]


def test_districts_spend_their_own_money_first_and_the_city_the_rest() -> None:
    found = outcome(
        LOCAL,
        (10, 9, 50, 8, 40),
        districts=DISTRICTS,
        outcome=rules(phases=["districts", "city"]),
    )
    results = {item.id: (item.status, item.phase, item.short) for item in found.projects}
    assert results == {
        "s1": ("funded", "city", None),
        "all": ("short_budget", "city", 100),
        "n1": ("funded", "districts", None),
        "n2": ("funded", "city", None),
        "e1": ("funded", "city", None),
    }
    assert found.spent == 700


def test_districts_alone_leave_the_others_unconsidered() -> None:
    found = outcome(
        LOCAL, (10, 9, 50, 8, 40), districts=DISTRICTS, outcome=rules(phases=["districts"])
    )
    results = {item.id: (item.status, item.phase, item.short) for item in found.projects}
    assert results == {
        "s1": ("short_district", "districts", 50),
        "all": ("not_considered", None, None),
        "n1": ("funded", "districts", None),
        "n2": ("short_district", "districts", 50),
        "e1": ("not_considered", None, None),
    }


def test_strata_weigh_exactly_what_the_manifest_says() -> None:
    """45/45/10 of 2015: 20 committee members outweigh many citizens, to the last fraction."""
    groups = [
        group((300, 100, 0, 0), 900, "9/20"),
        group((0, 20, 7, 0), 21, "9/20"),
        group((0, 0, 0, 0), 0, "1/10", (30, 0, 0, 60), 90),
    ]
    found = decide_outcome(manifest(projects=PROJECTS), bytes(32), groups, TIES)
    scores = {item.id: item.score for item in found.projects}
    assert scores == {
        "a": Fraction(9, 20) * Fraction(1, 3) + Fraction(1, 10) * Fraction(1, 3),
        "b": Fraction(9, 20) * Fraction(1, 9) + Fraction(9, 20) * Fraction(20, 21),
        "c": Fraction(9, 20) * Fraction(1, 3),
        "d": Fraction(1, 10) * Fraction(2, 3),
    }
    assert {item.id: item.votes for item in found.projects}["a"] == 330
    assert [item.id for item in found.projects] == ["b", "a", "c", "d"]


def test_a_group_without_any_ballot_adds_nothing() -> None:
    groups = [group((10, 0, 0, 0), 20, "1/2"), group((0, 0, 0, 0), 0, "1/2")]
    found = decide_outcome(manifest(projects=PROJECTS), bytes(32), groups, TIES)
    assert found.projects[0].score == Fraction(1, 4)


def test_equal_scores_are_decided_by_cost_and_then_by_the_seed() -> None:
    projects = [project(name, cost) for name, cost in (("x", 600), ("y", 600), ("z", 500))]
    orders = set()
    for seed in range(8):
        ties = TieBreak(bytes([seed]) * 32, ())
        found = outcome(projects, (10, 10, 10), ties=ties)
        order = [item.id for item in found.projects]
        assert order[0] == "z"
        assert order[1:] == sorted(["x", "y"], key=ties.place)
        orders.add(tuple(order))
    assert len(orders) == 2


def test_totals_of_another_length_are_refused() -> None:
    with pytest.raises(TotalsMalformed):
        outcome(PROJECTS, (1, 2, 3))


def test_the_outcome_is_written_with_reasons() -> None:
    data = outcome(PROJECTS, (50, 40, 30, 20), ties=TieBreak(bytes(32), (2,))).octets
    assert b'"status":"short_budget","votes":40' in data
    assert b'"withheld":[2]' in data
    assert b'"score":"1/2"' in data
