"""A manifest is immutable, canonical, and refused unless it can be counted and proven."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.support.voting import (
    CLOSES,
    OPENS,
    manifest,
    manifest_json,
    project,
    public_hex,
    stratum,
    texts,
)
from wallet.encoding import jcs
from wallet.voting.layout import BallotRulesInvalid
from wallet.voting.manifest import ManifestMalformed, manifest_of, parse_manifest
from wallet.voting.manifest_rules import ManifestInvalid
from wallet.voting.strata import merge_small_strata

Body = dict[str, Any]


def test_a_manifest_is_read_from_its_canonical_form() -> None:
    found = manifest()
    assert parse_manifest(found.octets).digest == found.digest
    assert [item.id for item in found.projects] == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert manifest(budget=1001).digest != found.digest


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data.replace(b'"budget":1000', b'"budget":1e3'),
        lambda data: data.replace(b'"budget":1000', b'"budget":1000.0'),
        lambda data: data.replace(b'"budget":1000', b'"budget":1000,"budget":1000'),
        lambda data: data.replace(b'"budget":1000', b'"budget":NaN'),
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: b"[]",
        lambda data: b"\xff",
    ],
)
def test_rejects_a_manifest_that_is_not_its_own_canonical_form(
    spoil: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(ManifestMalformed):
        parse_manifest(spoil(manifest().octets))


MALFORMED: dict[str, Body] = {
    "another version": {"version": "SW-MVOTE-V2"},
    "another suite": {"suite": "bitvector-1"},
    "another mode": {"mode": "profile"},
    "a member more": {"extra": 1},
    "a negative cost": {"projects": [project("p1", -5)]},
    "no cost": {"projects": [project("p1", 0)]},
    "a cost in fractions": {"projects": [{**project("p1", 1), "cost": 1.5}]},
    "a cost that is true": {"projects": [{**project("p1", 1), "cost": True}]},
    "a cost that is text": {"projects": [{**project("p1", 1), "cost": "100"}]},
    "no project": {"projects": []},
    "a budget of nothing": {"budget": 0},
    "an identifier with a slash": {"id": "a/b"},
    "a fraction not in lowest terms": {"strata": [stratum("citizen", "2/2")]},
    "a decimal weight": {"strata": [stratum("citizen", "0.5")]},
    "a negative weight": {"strata": [stratum("citizen", "-1")]},
    "a title in one language": {"title": {"ko": "투표"}},
    "an empty title": {"title": texts("")},
    "a currency in small letters": {"currency": "krw"},
    "an issuer key that is no point": {
        "eligibility": {**manifest_json()["eligibility"], "issuer_keys": ["00" * 96]}
    },
    "an issuer key off the curve or its subgroup": {
        "eligibility": {
            **manifest_json()["eligibility"],
            "issuer_keys": ["80" + "00" * 94 + "05"],
        }
    },
    "129 limits": {
        "ballot": {
            "kind": "approval",
            "limits": [{"limit": "count", "min": 0, "max": 1}] * 129,
        }
    },
    "a score above 10000": {"ballot": {"kind": "ranking", "scores": [10_001], "limits": []}},
    "33 places": {"ballot": {"kind": "ranking", "scores": list(range(33, 0, -1)), "limits": []}},
    "101 districts": {
        "districts": [
            {"id": f"d{number}", "name": texts("d"), "budget": None} for number in range(101)
        ]
    },
    "a threshold of 31 digits": {
        "outcome": {**manifest_json()["outcome"], "min_score": "1/" + "3" * 31}
    },
    "an age that no credential shows": {
        "eligibility": {**manifest_json()["eligibility"], "min_age": 19}
    },
    "a trustee key that is no point": {
        "board": {"signing_key": "00" * 33, "checkpoint_every_s": 600}
    },
    "hex in capitals": {"chain": {**manifest_json()["chain"], "contract": "AB" * 20}},
    "a census that is no object": {
        "census": {**manifest_json()["census"], "people": [["citizen", 1000]]}
    },
    "a ballot of another kind": {"ballot": {"kind": "quadratic", "limits": []}},
    "a limit of another kind": {"ballot": {"kind": "approval", "limits": [{"limit": "age"}]}},
    "min above max": {
        "ballot": {"kind": "approval", "limits": [{"limit": "count", "min": 3, "max": 2}]}
    },
    "a cost limit on points": {
        "ballot": {
            "kind": "points",
            "per_project": 5,
            "limits": [{"limit": "cost", "max": 100}],
        }
    },
    "a threshold above the trustees": {"threshold": 6},
    "scores that ascend": {"ballot": {"kind": "ranking", "scores": [1, 2], "limits": []}},
    "phases in another order": {
        "outcome": {**manifest_json()["outcome"], "phases": ["city", "districts"]}
    },
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED.keys())
def test_rejects_malformed_members(changes: Body) -> None:
    with pytest.raises(ManifestMalformed):
        manifest_of(manifest_json(**changes))


def test_rejects_a_manifest_without_a_member() -> None:
    for name in manifest_json():
        value = manifest_json()
        del value[name]
        with pytest.raises(ManifestMalformed):
            manifest_of(value)


def census(**people: int) -> Body:
    return {**manifest_json()["census"], "people": people}


ALL_VOTING = stratum("citizen", "1/2", "citizen", "committee")
INVALID: dict[str, Body] = {
    "a project twice": {"projects": [project("p1", 5), project("p1", 6)]},
    "an unknown category": {"projects": [project("p1", 5, "blue")]},
    "an unknown district": {"projects": [project("p1", 5, None, "nowhere")]},
    "no project fits the budget": {"projects": [project("p1", 1001)]},
    "costs beyond what JSON can say": {
        "projects": [project("p1", 2**53 - 1), project("p2", 2**53 - 1), project("p3", 5)]
    },
    "districts with more than the budget": {
        "districts": [{"id": "d1", "name": texts("d"), "budget": 1001}]
    },
    "weights below 1": {"strata": [stratum("citizen", "1/2"), stratum("committee", "1/4")]},
    "a stratum without weight": {"strata": [stratum("citizen", "1"), stratum("committee", "0")]},
    "a stratum value twice": {
        "strata": [stratum("citizen", "1/2", "citizen", "committee"), stratum("committee", "1/2")]
    },
    "a stratum that was not counted": {
        "strata": [stratum("citizen", "1/2"), stratum("budget_school", "1/2")]
    },
    "a stratum of 19 people": {"census": census(citizen=1000, committee=19)},
    "a survey of two values": {
        "strata": [ALL_VOTING, stratum("survey", "1/2", "a", "b", channel="batches")]
    },
    "a survey without an officer": {
        "strata": [ALL_VOTING, stratum("survey", "1/2", channel="batches")],
        "batch_officers": [],
    },
    "only surveys": {"strata": [stratum("citizen", "1", channel="batches")]},
    "closing before opening": {"opens": CLOSES, "closes": OPENS},
    "open for a hundred days": {
        "closes": OPENS + 100 * 86400,
        "tie_break": {"block_time": OPENS + 101 * 86400},
    },
    "a census after the opening": {
        "census": {**census(citizen=100, committee=50), "taken_at": OPENS + 1}
    },
    "a tie-break before the end of the grace": {"tie_break": {"block_time": CLOSES + 3600}},
    "a grace shorter than the time between checkpoints": {"grace_s": 599},
    "more checkpoints than a million": {
        "board": {"signing_key": public_hex("board"), "checkpoint_every_s": 1}
    },
    "one trustee who can decrypt alone": {"threshold": 1},
    "a key twice": {"batch_officers": [{"name": texts("x"), "signing_key": public_hex("board")}]},
    "an issuer key twice": {
        "eligibility": {
            **manifest_json()["eligibility"],
            "issuer_keys": manifest_json()["eligibility"]["issuer_keys"] * 2,
        }
    },
    "an eligible district twice": {
        "eligibility": {**manifest_json()["eligibility"], "districts": ["a", "a"]}
    },
}


@pytest.mark.parametrize("changes", INVALID.values(), ids=INVALID.keys())
def test_rejects_what_cannot_be_counted(changes: Body) -> None:
    with pytest.raises(ManifestInvalid):
        manifest_of(manifest_json(**changes))


def test_rejects_what_cannot_be_proven() -> None:
    with pytest.raises(BallotRulesInvalid):
        manifest(ballot={"kind": "points", "per_project": 2**53 - 1, "limits": []}, projects=[
            project(f"p{number}", 5) for number in range(20)
        ])  # fmt: skip


def test_rejects_a_manifest_that_has_no_canonical_form() -> None:
    with pytest.raises(ManifestMalformed):
        manifest_of(manifest_json(budget=2**60))


@pytest.mark.parametrize(
    "strata",
    [
        [
            stratum("citizen", "9/20"),
            stratum("committee", "9/20"),
            stratum("survey", "1/10", channel="batches"),
        ],
        [stratum("citizen", "1/2"), stratum("committee", "1/2")],
    ],
    ids=["45/45/10 of 2015", "50/50"],
)
def test_takes_weighted_strata(strata: list[Body]) -> None:
    assert sum(item.weight for item in manifest(strata=strata).strata) == 1


def test_takes_50_40_10_of_2017() -> None:
    strata = [stratum("citizen", "1/2"), stratum("committee", "2/5"), stratum("school", "1/10")]
    found = manifest(strata=strata, census=census(citizen=1000, committee=50, school=200))
    assert len(found.ballot_strata) == 3


def test_takes_seven_metropolitan_and_three_cooperative_projects_of_2020() -> None:
    categories = [{"id": name, "name": texts(name), "cap": None} for name in ("metro", "coop")]
    projects = [project(f"m{n}", 10, "metro") for n in range(12)]
    projects += [project(f"c{n}", 10, "coop") for n in range(8)]
    limits = [
        {"limit": "category", "category": "metro", "min": 7, "max": 7},
        {"limit": "category", "category": "coop", "min": 3, "max": 3},
    ]
    found = manifest(
        categories=categories, projects=projects, ballot={"kind": "approval", "limits": limits}
    )
    assert [rule.total for rule in found.layout.rules] == [7, 3]
    assert found.layout.bits == 20


def test_small_strata_are_merged_before_the_opening() -> None:
    value = manifest_json()
    value["strata"] = [
        stratum("citizen", "9/20"),
        stratum("committee", "9/20"),
        stratum("school", "1/10"),
    ]
    people = {"citizen": 1000, "committee": 50, "school": 12}
    value["census"] = census(**people)
    with pytest.raises(ManifestInvalid):
        manifest_of(value)
    whole = manifest_of({**value, "census": census(citizen=1000, committee=50, school=20)})
    merged = merge_small_strata(whole.strata, people)
    value["strata"] = [item.to_json() for item in merged]
    assert [(item.id, item.members, str(item.weight)) for item in manifest_of(value).strata] == [
        ("citizen", ("citizen",), "9/20"),
        ("committee", ("committee", "school"), "11/20"),
    ]


def test_strata_are_merged_until_none_is_small_and_not_beyond_one() -> None:
    strata = manifest(
        strata=[stratum(name, "1/4") for name in "abcd"],
        census=census(a=20, b=20, c=20, d=20),
    ).strata
    merged = merge_small_strata(strata, {"a": 5, "b": 5, "c": 5, "d": 100})
    assert [item.members for item in merged] == [("d", "a", "c", "b")]
    with pytest.raises(ManifestInvalid):
        merge_small_strata(strata, {"a": 1, "b": 1, "c": 1, "d": 1})
    with pytest.raises(ManifestInvalid):
        merge_small_strata(strata, {"a": 1})


def test_the_digest_is_that_of_the_specification() -> None:
    found = manifest()
    data = found.octets
    assert jcs.canonicalize(manifest_json()) == data
    framed = b"SW-MVOTE-V1/manifest\x00" + len(data).to_bytes(8, "big") + data
    assert found.digest == sha256(framed).digest()
