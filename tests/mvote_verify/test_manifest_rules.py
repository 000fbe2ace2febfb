"""Manifests that are not valid or not of the form; layouts of every kind of ballot."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mvote_verify import curve
from mvote_verify.encodings import canonical_json
from mvote_verify.failures import Refused
from mvote_verify.layout import Layout, layout_of
from mvote_verify.manifest import Manifest, parse_manifest
from mvote_verify.suite import bad_proofs, open_body
from tests.support.mvote.bodies import Sheet, make_body
from tests.support.mvote.elections import Election
from tests.support.mvote.primitives import mul

Edit = Callable[[dict[str, Any]], None]


INVALID: dict[str, Edit] = {
    "two projects of one id": lambda m: m["projects"][0].update(id="p2"),
    "two strata of one id": lambda m: m["strata"][0].update(id="s2"),
    "a project in no district": lambda m: m["projects"][0].update(district="x"),
    "a project in no category": lambda m: m["projects"][0].update(category="x"),
    "a limit on no category": lambda m: m["ballot"]["limits"][1].update(category="x"),
    "costs of 2^53": lambda m: m["projects"][0].update(cost=2**53 - 1),
    "districts above the budget": lambda m: m["districts"][0].update(budget=1001),
    "nothing affordable": lambda m: m.update(budget=40, districts=m["districts"][1:]),
    "weights above one": lambda m: m["strata"][0].update(weight="1"),
    "a weight of zero": lambda m: m["strata"][3].update(weight="0"),
    "a value in two strata": lambda m: m["strata"][0].update(members=["citizen", "school"]),
    "a census of others": lambda m: m["census"]["people"].update(nobody=20),
    "a small stratum": lambda m: m["census"]["people"].update(school=19),
    "batches of two": lambda m: m["strata"][3].update(members=["survey", "more"]),
    "batches without officer": lambda m: m.update(batch_officers=[]),
    "no stratum of ballots": lambda m: [s.update(channel="batches") for s in m["strata"]],
    "a census after the opening": lambda m: m["census"].update(taken_at=m["opens"] + 1),
    "closing at the opening": lambda m: m.update(closes=m["opens"]),
    "open for too long": lambda m: m.update(opens=m["opens"] - 92 * 86400),
    "a tie before the end": lambda m: m["tie_break"].update(block_time=m["closes"] + 600),
    "a key twice": lambda m: m["board"].update(signing_key=m["trustees"][1]["encryption_key"]),
    "an issuer twice": lambda m: m["eligibility"]["issuer_keys"].append(
        m["eligibility"]["issuer_keys"][0]
    ),
    "one of four trustees": lambda m: m.update(threshold=1),
    "a district twice": lambda m: m["eligibility"].update(districts=["11110", "11110"]),
    "a minimum that cannot be": lambda m: m["ballot"]["limits"][0].update(min=7, max=9),
    "a grace below a checkpoint's period": lambda m: m.update(grace_s=59),
    "more checkpoints than a million": lambda m: [
        m["board"].update(checkpoint_every_s=1),
        m.update(opens=m["opens"] - 12 * 86_400),
        m["census"].update(taken_at=0),
    ],
    "too many bits": lambda m: m["ballot"].update(
        kind="points", per_project=2**50, limits=[{"limit": "count", "min": 0, "max": 2**52}] * 99
    ),
}

MALFORMED: dict[str, Edit] = {
    "another version": lambda m: m.update(version="SW-MVOTE-V2"),
    "a member too many": lambda m: m.update(more=1),
    "a member missing": lambda m: m.pop("budget") and None,
    "an id with a blank": lambda m: m.update(id="a b"),
    "a title in one language": lambda m: m["title"].pop("en") and None,
    "a budget of zero": lambda m: m.update(budget=0),
    "true as a number": lambda m: m.update(grace_s=True),
    "a fraction not in lowest terms": lambda m: m["strata"][0].update(weight="2/4"),
    "a fraction of one": lambda m: m["strata"][0].update(weight="1/1"),
    "a negative fraction": lambda m: m["strata"][0].update(weight="-1/2"),
    "hex in capitals": lambda m: m["board"].update(signing_key=m["board"]["signing_key"].upper()),
    "a key off the curve": lambda m: m["board"].update(signing_key="02" + "ff" * 32),
    "an uncompressed key": lambda m: m["board"].update(signing_key="04" + "11" * 64),
    "an issuer key too short": lambda m: m["eligibility"].update(issuer_keys=["11" * 95]),
    "an issuer key off the curve or its subgroup": lambda m: m["eligibility"].update(
        issuer_keys=["80" + "00" * 94 + "05"]
    ),
    "129 limits": lambda m: m["ballot"].update(
        limits=[{"limit": "count", "min": 0, "max": 1}] * 129
    ),
    "a score above 10000": lambda m: m.update(
        ballot={"kind": "ranking", "scores": [10_001], "limits": []}
    ),
    "33 places": lambda m: m.update(
        ballot={"kind": "ranking", "scores": list(range(33, 0, -1)), "limits": []}
    ),
    "101 districts": lambda m: m.update(
        districts=[
            {"id": f"d{i}", "name": {"ko": "d", "en": "d"}, "budget": None} for i in range(101)
        ]
    ),
    "a threshold of 31 digits": lambda m: m["outcome"].update(min_score="1/" + "3" * 31),
    "no district may vote": lambda m: m["eligibility"].update(districts=[]),
    "no issuer": lambda m: m["eligibility"].update(issuer_keys=[]),
    "an age of 18": lambda m: m["eligibility"].update(min_age=18),
    "no project": lambda m: m.update(projects=[]),
    "costs in a points ballot": lambda m: m["ballot"].update(kind="points", per_project=3),
    "a threshold above the trustees": lambda m: m.update(threshold=5),
    "phases the other way": lambda m: m["outcome"].update(phases=["city", "districts"]),
    "a limit of min above max": lambda m: m["ballot"]["limits"][0].update(min=4),
    "a cost limit with min": lambda m: m["ballot"]["limits"][2].update(min=0),
    "scores that ascend": lambda m: m.update(
        ballot={"kind": "ranking", "scores": [1, 2], "limits": []}
    ),
    "one point": lambda m: m.update(ballot={"kind": "points", "per_project": 1, "limits": []}),
    "another suite": lambda m: m.update(suite="bitvec-1"),
    "a currency in small letters": lambda m: m.update(currency="krw"),
}


def _edited(election: Election, edit: Edit) -> bytes:
    manifest = copy.deepcopy(election.manifest)
    edit(manifest)
    return canonical_json(manifest)


@pytest.mark.parametrize("name", INVALID)
def test_refuses_a_manifest_that_cannot_be_counted_or_proven(
    name: str, election: Election
) -> None:
    with pytest.raises(Refused) as refused:
        parse_manifest(_edited(election, INVALID[name]))
    assert refused.value.code == "manifest_invalid"


@pytest.mark.parametrize("name", MALFORMED)
def test_refuses_a_manifest_of_another_form(name: str, election: Election) -> None:
    with pytest.raises(Refused) as refused:
        parse_manifest(_edited(election, MALFORMED[name]))
    assert refused.value.code == "manifest_malformed"


def test_reads_the_manifest_of_the_election(election: Election) -> None:
    manifest = parse_manifest(election.manifest_bytes)
    assert isinstance(manifest, Manifest)
    assert manifest.threshold == 2


BALLOTS: dict[str, tuple[dict[str, Any], dict[int, int], dict[int, int]]] = {
    "approval without limits": ({"kind": "approval", "limits": []}, {0: 1, 1: 1}, {}),
    "points": (
        {
            "kind": "points",
            "per_project": 5,
            "limits": [
                {"limit": "count", "min": 10, "max": 10},
                {"limit": "district", "district": "11110", "min": 0, "max": 4},
            ],
        },
        {0: 4, 3: 5, 5: 1},
        {0: 5, 3: 5},
    ),
    "ranking": (
        {
            "kind": "ranking",
            "scores": [5, 3, 1],
            "limits": [{"limit": "count", "min": 1, "max": 2}],
        },
        {2: 5, 4: 1},
        {2: 5, 4: 5},
    ),
    "one of each category": (
        {
            "kind": "approval",
            "limits": [
                {"limit": "category", "category": "park", "min": 1, "max": 1},
                {"limit": "category", "category": "road", "min": 1, "max": 1},
            ],
        },
        {1: 1, 2: 1},
        {0: 1, 1: 1},
    ),
}


def _rules(layout: Layout) -> list[tuple[list[int], int]]:
    found = []
    for rule in layout.rules:
        weights = [0] * layout.bits
        for bit, weight in rule.terms:
            weights[bit] = weight
        found.append((weights, rule.maximum))
    return found


@pytest.mark.parametrize("name", BALLOTS)
def test_ballots_of_every_kind_are_proven_within_their_rules_only(
    name: str, election: Election
) -> None:
    ballot, legal, illegal = BALLOTS[name]
    manifest = {**election.manifest, "ballot": ballot}
    sheet, layout = Sheet.of(manifest), layout_of(ballot, election.manifest["projects"])
    assert (sheet.bits, sheet.rules) == (layout.bits, _rules(layout))
    assert sheet.votes == [(bit.project, bit.value) for bit in layout.votes]
    secret, context = 77, b"\x01" * 32
    key = mul(secret)
    bodies = []
    for number, choices in enumerate((legal, illegal)):
        bits, seed = sheet.fill(choices), bytes([number]) * 32
        body = make_body(sheet, key, context, bits, seed)
        bodies.append((number, open_body(body, context, key, layout)))
    wrong = [1] if layout.rules else []
    assert bad_proofs(bodies, curve.decode(key), layout) == wrong
