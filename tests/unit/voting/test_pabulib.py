"""Real `.pb` files in and out, without their voters, and our outcome against the official one."""

from __future__ import annotations

import os
import re
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import Any

import pabutools.election as peer
import pytest
from pabutools import rules
from pabutools.election import pabulib

from tests.support.vectors import vector_folder
from tests.support.voting import manifest, manifest_json
from wallet.voting.ballot_rules import RANKING
from wallet.voting.layout import fill_slack
from wallet.voting.manifest import Manifest
from wallet.voting.outcome import Outcome, decide_outcome
from wallet.voting.pabulib import (
    PabulibMalformed,
    PabulibUnsupported,
    PbElection,
    choices,
    manifest_members,
    outcome_pabulib,
    parse_pabulib,
    write_pabulib,
)
from wallet.voting.tally import GroupTally
from wallet.voting.tie_break import TieBreak

GREEDY = ("poland_warszawa_2024_mokotow.pb", "poland_warszawa_2024_bemowo.pb")
FILES = (
    *GREEDY,
    "poland_swiecie_2023_.pb",
    "poland_wieliczka_2023_green-budget.pb",
    "pabulib_files__Netherlands_Assen_2024.pb",
)
# pabutools needs seconds for a large file.
PEER_FILES = FILES[-int(os.environ.get("SOAK_PABULIB_FILES", "3")) :]
TIES = TieBreak(bytes(32), ())


@cache
def read(name: str) -> PbElection:
    return parse_pabulib((vector_folder("pabulib") / name).read_bytes())


def manifest_of_file(found: PbElection, **changes: Any) -> Manifest:
    outcome = {**manifest_json()["outcome"], **changes}
    return manifest(**manifest_members(found), outcome=outcome)


def totals(found: PbElection) -> tuple[int, ...]:
    counted = Counter(project for vote in found.votes for project in vote.projects)
    return tuple(counted[project.id] for project in found.projects)


def decide(found: PbElection, rules: Manifest) -> Outcome:
    nothing = (0,) * len(found.projects)
    group = GroupTally(("all",), Fraction(1), len(found.votes), totals(found), 0, nothing)
    return decide_outcome(rules, bytes(32), [group], TIES)


@pytest.mark.vectors
@pytest.mark.parametrize("name", FILES)
def test_real_files_are_read_and_their_votes_are_what_they_say(name: str) -> None:
    found = read(name)
    assert [project.votes for project in found.projects] == list(totals(found))
    assert len(found.votes) == int(found.meta["num_votes"])
    rules = manifest_of_file(found)
    for vote in found.votes[:200]:
        bits = fill_slack(rules.layout, rules.ballot.vote_bits(choices(found, vote)))
        assert sum(bits[: len(found.projects)]) == len(vote.projects)


@pytest.mark.vectors
@pytest.mark.parametrize("name", GREEDY)
def test_greedy_by_votes_gives_the_official_selection(name: str) -> None:
    found = read(name)
    outcome = decide(found, manifest_of_file(found))
    official = {project.id for project in found.projects if project.selected}
    assert set(outcome.funded) == official
    assert official


@pytest.mark.vectors
@pytest.mark.soak
@pytest.mark.parametrize("name", PEER_FILES)
@pytest.mark.parametrize("rule", ["votes", "votes_per_cost"])
def test_greedy_gives_what_pabutools_gives(name: str, rule: str) -> None:
    """The reference implementation (GPL-3.0) decides on the ballots; we decide on totals."""
    instance, profile = pabulib.parse_pabulib(str(vector_folder("pabulib") / name))
    satisfaction = peer.Cost_Sat if rule == "votes" else peer.Cardinality_Sat
    theirs = rules.greedy_utilitarian_welfare(
        instance, profile.as_multiprofile(), sat_class=satisfaction
    )
    found = read(name)
    ours = decide(found, manifest_of_file(found, rule=rule))
    assert set(ours.funded) == {project.name for project in theirs}


@pytest.mark.vectors
@pytest.mark.parametrize("name", FILES)
def test_nothing_of_a_voter_is_written_again(name: str) -> None:
    found = read(name)
    written = write_pabulib(found)
    again = parse_pabulib(written)
    assert (again.projects, again.votes) == (found.projects, found.votes)
    lines = written.decode().splitlines()
    assert lines[lines.index("VOTES") + 1] == "voter_id;vote"
    source = (vector_folder("pabulib") / name).read_text("utf-8").splitlines()
    header = source[source.index("VOTES") + 1].split(";")
    rows = [line.split(";") for line in lines[lines.index("VOTES") + 2 :]]
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert all(len(row) == 2 for row in rows)
    assert {"voter_id", "vote"} <= set(header)


@pytest.mark.vectors
def test_a_verified_outcome_is_exported_with_totals_and_selection() -> None:
    found = read(GREEDY[0])
    rules = manifest_of_file(found)
    outcome = decide(found, rules)
    exported = outcome_pabulib(rules, outcome, len(found.votes))
    again = parse_pabulib(write_pabulib(exported))
    assert again.votes == ()
    assert {project.id for project in again.projects if project.selected} == set(outcome.funded)
    assert [project.votes for project in again.projects] == list(totals(found))
    assert again.meta["num_votes"] == "9442"


def pb(
    vote_type: str = "approval", meta: str = "", cost: str = "100", votes: str = "1;a,b;30;F"
) -> bytes:
    return (
        f"META\nkey;value\nbudget;1000\nvote_type;{vote_type}\n{meta}PROJECTS\n"
        f"project_id;cost;name;category\na;{cost};first;x\nb;200;second;x,y\nc;300;third;\n"
        f"VOTES\nvoter_id;vote;age;sex;points\n{votes}\n"
    ).encode()


def test_knapsack_cumulative_ordinal_and_choose_one_ballots() -> None:
    knapsack = parse_pabulib(pb(meta="max_sum_cost;350\nmin_length;1\n"))
    assert manifest_members(knapsack)["ballot"]["limits"] == [
        {"limit": "count", "min": 1, "max": 3},
        {"limit": "cost", "max": 350},
    ]
    points = parse_pabulib(
        pb("cumulative", "max_sum_points;10\nmax_points;6\n", votes="1;b,a;30;F;6,4")
    )
    assert choices(points, points.votes[0]) == (4, 6, 0)
    assert manifest_of_file(points).layout.max_value == 6
    ranking = parse_pabulib(pb("ordinal", "max_length;2\n", votes="1;c,a;30;F;"))
    assert choices(ranking, ranking.votes[0]) == (2, 0, 1)
    assert manifest_of_file(ranking).ballot.kind == RANKING
    single = parse_pabulib(pb("choose-1", votes="1;c;30;F"))
    assert manifest_members(single)["ballot"]["limits"][0]["max"] == 1
    assert [item["category"] for item in manifest_members(single)["projects"]] == ["x", None, None]


def test_ages_and_sexes_are_dropped_on_reading() -> None:
    found = parse_pabulib(pb(votes="77777;a;99;F"))
    assert not re.search(r"77777|99|F", repr(found.votes))


def test_project_ids_that_are_no_identifiers_are_numbered() -> None:
    data = pb().replace(b"\na;100", b"\nBO.1/24;100").replace(b"1;a,b;", b"1;BO.1/24,b;")
    members = manifest_members(parse_pabulib(data))
    assert [item["id"] for item in members["projects"]] == ["p1", "p2", "p3"]


MALFORMED = {
    "nothing": b"",
    "not UTF-8": b"META\n\xff\xfe",
    "no votes section": pb().split(b"VOTES")[0],
    "a section twice": pb() + b"VOTES\nvoter_id;vote\n",
    "a line before the sections": b"hello\n" + pb(),
    "a negative cost": pb(cost="-5"),
    "a cost that is no number": pb(cost="NaN"),
    "a project twice": pb().replace(b"\nb;200", b"\na;200").replace(b"a,b", b"a"),
    "a vote for nobody": pb(votes="1;z;30;F"),
    "a vote twice for one": pb(votes="1;a,a;30;F"),
    "points for another number": pb("cumulative", votes="1;a,b;30;F;1"),
    "no cost column": pb().replace(b"project_id;cost", b"project_id;price"),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_rejects_what_is_no_file_of_this_format(data: bytes) -> None:
    with pytest.raises(PabulibMalformed):
        parse_pabulib(data)


def test_says_what_it_does_not_support() -> None:
    with pytest.raises(PabulibUnsupported):
        parse_pabulib(pb(cost="99.50"))
    with pytest.raises(PabulibUnsupported):
        manifest_members(parse_pabulib(pb("quadratic")))
    with pytest.raises(PabulibMalformed):
        manifest_members(parse_pabulib(pb().replace(b"budget;1000", b"budget;")))
