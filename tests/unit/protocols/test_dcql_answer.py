"""The verifier's side of DCQL: is what was disclosed what was asked for?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.credentials import VCT, World, proof_policy
from wallet.encoding.json import JsonObject
from wallet.protocols.dcql import DcqlQuery, parse_dcql
from wallet.protocols.dcql_answer import (
    AnswerExcessive,
    AnswerIncomplete,
    HoldersDiffer,
    check_answer,
)
from wallet.verification.pipeline import VerifiedProof, verify_proof
from wallet.verification.proof_steps import HolderBindingMissing

PERSON: JsonObject = {
    "vct": VCT,
    "name": "김합성",
    "address": {"district": "중구", "street": "합성로 1"},
    "children": [{"born": 2015, "name": "가"}, {"born": 2019, "name": "나"}],
    "count": 1,
    "resident": True,
}


def query(*claims: JsonObject, **changes: Any) -> JsonObject:
    """One credential query with these claims."""
    item: JsonObject = {"id": "c", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}}
    if claims:
        item["claims"] = list(claims)
    return {**item, **changes}


def parsed(*items: JsonObject, **changes: Any) -> DcqlQuery:
    """A whole query."""
    return parse_dcql({"credentials": list(items), **changes})


WORLD = World(
    claims={"iss": "did:web:issuer.example", **PERSON},
    disclosable=(
        ("name",),
        ("address",),
        ("address", "street"),
        ("address", "district"),
        ("children", 0),
        ("children", 1),
        ("count",),
    ),
)
ISSUED = WORLD.issue()


def shown(*disclose: tuple[str | int | None, ...], world: World = WORLD) -> VerifiedProof:
    """A verified presentation that discloses these claims; `resident` is always visible."""
    issued = ISSUED if world is WORLD else world.issue()
    presented = world.present(issued, disclose=disclose)
    return verify_proof(presented, world.evidence(), proof_policy(), now=1_800_000_000)


def test_an_answer_with_what_was_asked_gives_exactly_those_claims() -> None:
    asked = parsed(query({"path": ["name"]}, {"path": ["address", "street"]}))
    answer = check_answer(asked, {"c": [shown(("name",), ("address", "street"))]})
    assert answer == {"c": ({"name": "김합성", "address": {"street": "합성로 1"}},)}


def test_a_claim_that_the_issuer_left_visible_is_dropped_not_held_against_the_holder() -> None:
    assert check_answer(parsed(query({"path": ["name"]})), {"c": [shown(("name",))]}) == {
        "c": ({"name": "김합성"},)
    }


@pytest.mark.parametrize("extra", [("count",), ("address", "district"), ("children", 0)])
def test_a_disclosed_claim_that_was_not_asked_for_is_excessive(
    extra: tuple[str | int, ...],
) -> None:
    asked = parsed(query({"path": ["name"]}, {"path": ["address", "street"]}))
    disclosed = shown(("name",), ("address", "street"), extra)
    with pytest.raises(AnswerExcessive):
        check_answer(asked, {"c": [disclosed]})


def test_a_claim_that_is_missing_or_has_another_value_makes_the_answer_incomplete() -> None:
    with pytest.raises(AnswerIncomplete):
        check_answer(parsed(query({"path": ["name"]})), {"c": [shown()]})
    asked = parsed(query({"path": ["count"], "values": [2]}))
    with pytest.raises(AnswerIncomplete):
        check_answer(asked, {"c": [shown(("count",))]})


def test_an_element_asked_for_by_index_is_found_where_the_withheld_ones_left_it() -> None:
    asked = parsed(query({"path": ["children", 1, "born"]}))
    answer = check_answer(asked, {"c": [shown(("children", 1))]})
    assert answer == {"c": ({"children": [{"born": 2019}]},)}


def test_any_claim_set_that_fits_without_excess_is_an_answer() -> None:
    claims = ({"id": "a", "path": ["name"]}, {"id": "b", "path": ["count"]})
    asked = parsed(query(*claims, claim_sets=[["a", "b"], ["b"]]))
    assert check_answer(asked, {"c": [shown(("count",))]}) == {"c": ({"count": 1},)}
    with pytest.raises(AnswerExcessive):
        check_answer(asked, {"c": [shown(("count",), ("children", 0))]})


def test_ids_and_counts_must_be_those_of_the_query() -> None:
    asked = parsed(query(id="a"), query(id="b"))
    one = shown()
    with pytest.raises(AnswerIncomplete):
        check_answer(asked, {"a": [one]})
    with pytest.raises(AnswerIncomplete):
        check_answer(asked, {"a": [one], "b": []})
    with pytest.raises(AnswerExcessive):
        check_answer(asked, {"a": [one], "b": [one], "x": [one]})
    with pytest.raises(AnswerExcessive):
        check_answer(asked, {"a": [one, one], "b": [one]})
    several = parsed(query(id="a", multiple=True))
    assert len(check_answer(several, {"a": [one, one]})["a"]) == 2


def test_one_option_of_every_required_set_is_enough_and_no_half_option_is_taken() -> None:
    asked = parsed(
        query(id="a"),
        query(id="b"),
        query(id="c"),
        credential_sets=[{"options": [["a"], ["b", "c"]]}],
    )
    one = shown()
    assert set(check_answer(asked, {"a": [one]})) == {"a"}
    assert set(check_answer(asked, {"b": [one], "c": [one]})) == {"b", "c"}
    with pytest.raises(AnswerIncomplete):
        check_answer(asked, {"b": [one]})
    with pytest.raises(AnswerExcessive):
        check_answer(asked, {"a": [one], "b": [one]})


def test_two_holders_in_one_answer_are_refused_unless_allowed() -> None:
    asked = parsed(query(id="a"), query(id="b"))
    mine, other = shown(), shown(world=World(claims=WORLD.claims, disclosable=(("name",),)))
    with pytest.raises(HoldersDiffer):
        check_answer(asked, {"a": [mine], "b": [other]})
    assert set(check_answer(asked, {"a": [mine], "b": [other]}, one_holder=False)) == {"a", "b"}
    assert set(check_answer(asked, {"a": [mine], "b": [mine]})) == {"a", "b"}


def test_an_unbound_presentation_answers_only_where_binding_is_not_asked_for() -> None:
    unbound = replace(shown(), holder_key=None)
    with pytest.raises(HolderBindingMissing):
        check_answer(parsed(query()), {"c": [unbound]})
    relaxed = parsed(query(require_cryptographic_holder_binding=False))
    assert check_answer(relaxed, {"c": [unbound]}) == {"c": ({},)}


def test_a_credential_of_a_type_not_asked_for_is_no_answer() -> None:
    asked = parsed(query(meta={"vct_values": ["other"]}))
    with pytest.raises(AnswerIncomplete):
        check_answer(asked, {"c": [shown()]})
