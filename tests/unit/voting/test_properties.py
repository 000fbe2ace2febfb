"""Random rules, votes and totals: legality and outcome against the plainest statement of both."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.voting import Body, election, manifest, manifest_json, project
from wallet.voting.layout import BallotRulesInvalid, ChoicesInvalid, fill_slack
from wallet.voting.manifest import Manifest
from wallet.voting.outcome import FUNDED, SHORT_BUDGET, decide_outcome
from wallet.voting.suite import BallotClaim
from wallet.voting.tally import GroupTally
from wallet.voting.tie_break import TieBreak

COSTS = {item["id"]: item["cost"] for item in manifest_json()["projects"]}
CATEGORY = [item["category"] for item in manifest_json()["projects"]]


@st.composite
def limits(draw: st.DrawFn, highest: int, with_cost: bool) -> list[Body]:
    found: list[Body] = []
    for kind in draw(st.lists(st.sampled_from(["count", "green", "safe", "cost"]), max_size=3)):
        low = draw(st.integers(0, highest))
        high = low + draw(st.integers(0, highest))
        if kind == "count":
            found.append({"limit": "count", "min": low, "max": high})
        elif kind != "cost":
            found.append({"limit": "category", "category": kind, "min": low, "max": high})
        elif with_cost:
            found.append({"limit": "cost", "max": draw(st.integers(0, 2500))})
    return found


def is_legal(ballot: Body, values: list[int]) -> bool:
    """The rules as a person would check them."""
    given_places = [value for value in values if value]
    if ballot["kind"] == "ranking":
        if len(set(given_places)) != len(given_places):
            return False
        values = [int(value > 0) for value in values]
    for limit in ballot["limits"]:
        if limit["limit"] == "cost":
            spent = sum(cost for cost, value in zip(COSTS.values(), values, strict=True) if value)
            if spent > limit["max"]:
                return False
            continue
        wanted = limit.get("category")
        total = sum(
            value
            for value, category in zip(values, CATEGORY, strict=True)
            if wanted in (None, category)
        )
        if not limit["min"] <= total <= limit["max"]:
            return False
    return True


@st.composite
def ballots(draw: st.DrawFn) -> tuple[Body, list[int]]:
    kind = draw(st.sampled_from(["approval", "points", "ranking"]))
    highest = {"approval": 1, "points": 5, "ranking": 3}[kind]
    ballot: Body = {"kind": kind, "limits": draw(limits(highest + 1, kind == "approval"))}
    if kind == "points":
        ballot["per_project"] = highest
    if kind == "ranking":
        ballot["scores"] = [5, 3, 1]
    values = draw(st.lists(st.integers(0, highest), min_size=6, max_size=6))
    return ballot, values


@given(ballots())
@settings(max_examples=60, deadline=None)
def test_a_vote_can_be_cast_exactly_if_it_is_legal(case: tuple[Body, list[int]]) -> None:
    ballot, values = case
    try:
        vote = election(ballot=ballot)
    except BallotRulesInvalid:
        assert not is_legal(ballot, values)
        return
    found = vote.manifest
    try:
        bits = fill_slack(found.layout, found.ballot.vote_bits(values))
    except ChoicesInvalid:
        assert not is_legal(ballot, values)
        return
    assert is_legal(ballot, values)
    context = sha256(repr(case).encode()).digest()
    body = vote.suite.encrypt(context, bits, context)
    assert vote.suite.check([BallotClaim(context, body)]) == (None,)


def plain_greedy(found: Manifest, totals: list[int]) -> tuple[set[str], dict[str, int]]:
    """Look at projects by votes, then cost; take what fits. Ties on both do not occur here."""
    left, funded, short = found.budget, set(), {}
    pairs = sorted(zip(totals, found.projects, strict=True), key=lambda x: (-x[0], x[1].cost))
    for total, item in pairs:
        if not total:
            continue
        if item.cost <= left:
            left -= item.cost
            funded.add(item.id)
        else:
            short[item.id] = item.cost - left
    return funded, short


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=30, unique=True),
    st.integers(1, 10**10),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_the_outcome_is_that_of_the_plain_rule(costs: list[int], budget: int, data: Any) -> None:
    totals = data.draw(st.lists(st.integers(0, 50), min_size=len(costs), max_size=len(costs)))
    found = manifest(
        projects=[project(f"p{number}", cost) for number, cost in enumerate(costs)],
        budget=max(budget, min(costs)),
        ballot={"kind": "approval", "limits": []},
    )
    group = GroupTally(("all",), Fraction(1), 50, tuple(totals), 0, (0,) * len(costs))
    outcome = decide_outcome(found, bytes(32), [group], TieBreak(bytes(32), ()))
    funded, short = plain_greedy(found, totals)
    assert set(outcome.funded) == funded
    assert {
        item.id: item.short for item in outcome.projects if item.status == SHORT_BUDGET
    } == short
    spent = sum(
        item.cost
        for item in found.projects
        if item.id in {done.id for done in outcome.projects if done.status == FUNDED}
    )
    assert spent == outcome.spent <= found.budget
