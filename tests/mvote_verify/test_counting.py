"""Groups, shares, ties and outcomes beside the whole election."""

import json
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from mvote_verify import curve
from mvote_verify.manifest import Manifest, parse_manifest
from mvote_verify.outcome import outcome_of
from mvote_verify.plan import Status
from mvote_verify.tally import Group, TalliedGroup, lagrange, merge_groups
from mvote_verify.tie import Tie
from tests.mvote_verify.conftest import Verify
from tests.support.mvote.elections import Election, project
from tests.support.mvote.primitives import canonical, d_hash, sign
from tests.support.mvote.records import (
    BLOCK,
    Counting,
    Files,
    listed,
    publish,
)
from tests.support.mvote.records import (
    outcome_of as expected_outcome,
)


@pytest.fixture(scope="module")
def manifest(election: Election) -> Manifest:
    return parse_manifest(election.manifest_bytes)


@pytest.mark.parametrize(
    ("counted", "groups"),
    [
        ((20, 20, 20), [["s1"], ["s2"], ["s3"], ["s4"]]),
        ((20, 20, 0), [["s1", "s3"], ["s2"], ["s4"]]),
        ((30, 5, 5), [["s1", "s2", "s3"], ["s4"]]),
        ((30, 10, 10), [["s1"], ["s2", "s3"], ["s4"]]),
        ((12, 5, 6), [["s1", "s3", "s2"], ["s4"]]),
        ((7, 7, 6), [["s1", "s3", "s2"], ["s4"]]),
    ],
)
def test_small_groups_are_joined(
    counted: tuple[int, int, int], groups: list[list[str]], manifest: Manifest
) -> None:
    values = dict(zip(("citizen", "committee", "school"), counted, strict=True))
    found = merge_groups(manifest, values)
    assert found is not None
    assert sum(group.weight for group in found) == 1
    assert [group.strata for group in found] == groups


def test_nothing_is_decrypted_for_fewer_than_twenty(manifest: Manifest) -> None:
    assert merge_groups(manifest, Counter(citizen=12, committee=7)) is None


def test_too_few_ballots_is_the_verdict_on_totals(
    election: Election, honest: Files, verify: Verify
) -> None:
    ballots = election.ballots[10:29]
    files = publish(election, entries=election.entries(ballots), ballots=election.ballots)
    results = verify(files).results
    assert results[15].code == "too_few_ballots"
    assert results[14].status is results[17].status is Status.NOT_REACHED


def test_lagrange_coefficients_give_the_constant_term() -> None:
    def f(x: int) -> int:
        return (5 + 7 * x + 11 * x * x) % curve.ORDER

    trustees = [2, 5, 9]
    weights = lagrange(trustees)
    found = sum(w * f(i) for w, i in zip(weights, trustees, strict=True))
    assert found % curve.ORDER == 5


def _with_shares(election: Election, shares: list[Any], ignored: dict[int, str]) -> Files:
    def replace(value: list[Any]) -> None:
        value[:] = shares

    def name(tally: dict[str, Any]) -> None:
        valid = [i for i in (1, 2, 3) if i not in ignored]
        tally["trustees"] = valid[:2]
        tally["ignored"] = [{"trustee": i, "code": c} for i, c in sorted(ignored.items())]

    return publish(election, edits={"shares.json": replace, "tally.json": name})


def test_bad_and_missing_shares_are_ignored_by_their_codes(
    election: Election, verify: Verify
) -> None:
    counting = Counting(election, election.entries())
    good = [counting.share(i) for i in (1, 2, 3)]
    unsigned = {**good[0], "signature": "11" * 64}
    other = counting.share(1, aggregate="11" * 32)
    malformed = counting.share(1, shares=["00"])
    for bad, code in (
        ([], "share_missing"),
        ([unsigned], "share_signature"),
        ([other], "share_aggregate_differs"),
        ([malformed], "share_malformed"),
        ([counting.share(1, wrong=True)], "share_proof_invalid"),
        ([other, unsigned], "share_signature"),
    ):
        results = verify(_with_shares(election, [*bad, *good[1:]], {1: code})).results
        assert results[14].notes == (f"trustee 1 is ignored: {code}",)
        assert results[15].status is Status.PASSED


def test_the_first_valid_of_several_shares_is_taken(election: Election, verify: Verify) -> None:
    counting = Counting(election, election.entries())
    good = [counting.share(i) for i in (1, 2, 3)]
    of_one_who_is_out = sign({**good[0]["body"], "trustee": 4}, election.trustees[3].signing)
    shares = [counting.share(1, wrong=True), *good, of_one_who_is_out]
    results = verify(_with_shares(election, shares, {})).results
    assert (results[14].notes, results[15].status) == ((), Status.PASSED)


def test_a_nonce_that_was_not_committed_to_counts_as_withheld(
    election: Election, verify: Verify
) -> None:
    missing = {2, 3}
    values = [
        election.keys.ties[i - 1] if i in missing else trustee.nonce
        for i, trustee in enumerate(election.trustees, 1)
    ]
    seed = d_hash("tie-seed", election.hash, bytes.fromhex(BLOCK["hash"]), *values)

    def another_nonce(tie: dict[str, Any]) -> None:
        body = {**tie["nonces"][1]["body"], "nonce": "11" * 32}
        tie["nonces"][1] = sign(body, election.trustees[1].signing)

    files = publish(election, edits={"tie.json": another_nonce})
    outcome = expected_outcome(election, json.loads(files["tally.json"]), seed, missing)
    files = listed(election, {**files, "outcome.json": canonical(outcome)})
    results = verify(files).results
    assert results[17].status is Status.PASSED


def _outcome(manifest: Manifest, votes: list[int], **rules: Any) -> list[tuple[Any, ...]]:
    """Statuses for one group of a hundred ballots."""
    fields = {
        **manifest.fields,
        "projects": [
            project("a", 300, "11110", "park"),
            project("b", 200, "11110", "park"),
            project("c", 450, "11140", "road"),
            project("d", 500, None, None),
            project("e", 100, None, None),
        ],
        "outcome": {
            "rule": "votes",
            "on_overrun": "skip",
            "min_votes": 0,
            "min_score": Fraction(0),
            "phases": ["city"],
            **rules,
        },
    }
    small = Manifest(fields, manifest.hash, manifest.layout, manifest.strata, manifest.trustees)
    group = Group(["s1"], {"citizen"}, Fraction(1), 100, batch_totals=[0] * 5)
    tie = Tie(bytes(32), [], {})
    outcome = outcome_of(small, [TalliedGroup(group, votes)], tie)
    return [(p["id"], p["status"], p["phase"], p["short"]) for p in outcome["projects"]]


def test_the_city_alone_and_skipping(manifest: Manifest) -> None:
    assert _outcome(manifest, [50, 40, 30, 20, 10]) == [
        ("a", "funded", "city", None),
        ("b", "short_category", "city", 100),
        ("c", "funded", "city", None),
        ("d", "short_budget", "city", 250),
        ("e", "funded", "city", None),
    ]


def test_a_full_category_never_stops_but_short_money_does(manifest: Manifest) -> None:
    assert _outcome(manifest, [50, 40, 30, 20, 10], on_overrun="stop") == [
        ("a", "funded", "city", None),
        ("b", "short_category", "city", 100),
        ("c", "funded", "city", None),
        ("d", "short_budget", "city", 250),
        ("e", "stopped", "city", None),
    ]


def test_only_districts_with_a_budget_are_considered(manifest: Manifest) -> None:
    assert _outcome(manifest, [20, 40, 30, 50, 10], phases=["districts"]) == [
        ("d", "not_considered", None, None),
        ("b", "funded", "districts", None),
        ("c", "not_considered", None, None),
        ("a", "short_district", "districts", 200),
        ("e", "not_considered", None, None),
    ]


def test_thresholds_and_projects_without_votes(manifest: Manifest) -> None:
    assert _outcome(manifest, [0, 9, 10, 20, 11], min_votes=10, min_score=Fraction(11, 100)) == [
        ("d", "funded", "city", None),
        ("e", "funded", "city", None),
        ("c", "below_threshold", None, None),
        ("b", "below_threshold", None, None),
        ("a", "below_threshold", None, None),
    ]


def test_votes_per_cost_puts_the_cheaper_first(manifest: Manifest) -> None:
    rows = _outcome(manifest, [30, 20, 45, 50, 10], rule="votes_per_cost")
    # All have one vote for ten won: then the higher score, then the lower cost.
    assert [name for name, *_ in rows] == ["d", "c", "a", "b", "e"]
