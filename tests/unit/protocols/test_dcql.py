"""DCQL: queries parse or fail typed, credentials match, answers are held against the query."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cost import refused
from tests.support.credentials import VCT
from tests.support.vectors import vector_folder
from wallet.encoding.json import JsonObject, parse_json
from wallet.errors import SeoulWalletError
from wallet.protocols.claims_path import (
    ClaimsPathMalformed,
    parse_claims_path,
    pick_claims,
    select_claims,
)
from wallet.protocols.dcql import DcqlMalformed, DcqlQuery, UnsupportedFormat, parse_dcql
from wallet.protocols.dcql_match import (
    Candidate,
    Match,
    NothingMatches,
    matching_claims,
    sd_jwt_candidate,
    select,
)

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


def bound(claims: JsonObject) -> Candidate:
    """A credential with these claims whose holder has its key."""
    return replace(sd_jwt_candidate(claims), bound=True)


def matched(item: JsonObject, claims: JsonObject = PERSON) -> tuple[object, ...] | None:
    """What a credential would disclose for one credential query."""
    return matching_claims(parsed(item).credentials[item["id"]], bound(claims))


@pytest.mark.parametrize(
    ("path", "places"),
    [
        (["name"], [("name",)]),
        (["address", "street"], [("address", "street")]),
        (["children", 1, "born"], [("children", 1, "born")]),
        (["children", None, "name"], [("children", 0, "name"), ("children", 1, "name")]),
        (["children"], [("children",)]),
        (["nothing"], []),
        (["children", 2], []),
        (["children", "born"], []),
        (["address", 0], []),
        (["address", None], []),
        (["name", "first"], []),
    ],
)
def test_a_path_selects_the_claims_it_points_at(
    path: list[Any], places: list[tuple[object, ...]]
) -> None:
    found = select_claims(PERSON, parse_claims_path(path))
    assert [place for place, _ in found] == places


@pytest.mark.parametrize(
    "path", [[], ["a", -1], ["a", 1.0], ["a", True], [None], [0], "a", ["a"] * 33]
)
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(ClaimsPathMalformed):
        parse_claims_path(path)


def test_picking_claims_leaves_everything_else_out() -> None:
    places = [("address", "street"), ("children", 1, "born"), ("count",)]
    assert pick_claims(PERSON, places) == {
        "address": {"street": "합성로 1"},
        "children": [{"born": 2019}],
        "count": 1,
    }


def test_picking_a_claim_and_a_part_of_it_keeps_the_whole() -> None:
    places = [("address", "street"), ("address",)]
    assert pick_claims(PERSON, places) == {"address": PERSON["address"]}


def test_a_credential_of_another_type_does_not_match() -> None:
    assert matched(query({"path": ["name"]})) == (("name",),)
    assert matched(query({"path": ["name"]}), {**PERSON, "vct": "other"}) is None


def test_a_query_without_claims_is_answered_by_disclosing_nothing() -> None:
    assert matched(query()) == ()


@pytest.mark.parametrize(
    ("values", "matches"),
    [([1], True), ([2, 1], True), ([True], False), (["1"], False), ([2], False)],
)
def test_a_value_matches_by_type_and_value(values: list[Any], matches: bool) -> None:
    assert (matched(query({"path": ["count"], "values": values})) is not None) is matches


def test_values_select_among_the_elements_of_a_list() -> None:
    item = query({"path": ["children", None, "born"], "values": [2019]})
    assert matched(item) == (("children", 1, "born"),)


def test_the_first_claim_set_that_can_be_delivered_counts() -> None:
    claims = ({"id": "a", "path": ["email"]}, {"id": "b", "path": ["name"]},
              {"id": "c", "path": ["count"]})  # fmt: skip
    assert matched(query(*claims, claim_sets=[["a"], ["b", "c"], ["c"]])) == (
        ("name",),
        ("count",),
    )
    assert matched(query(*claims, claim_sets=[["c"], ["b"]])) == (("count",),)
    assert matched(query(*claims, claim_sets=[["a"], ["a", "b"]])) is None


def test_a_query_for_another_format_is_not_matched() -> None:
    assert matched(query(format="mso_mdoc")) is None
    w3c = query(format="jwt_vc_json", meta={"type_values": [["a"]]})
    assert matched(w3c) is None


def test_an_authority_matches_by_the_key_id_in_the_chain() -> None:
    asked = query(trusted_authorities=[{"type": "aki", "values": ["YWJj", "ZGVm"]}])
    item = parsed(asked).credentials["c"]
    vouched = replace(bound(PERSON), authority_keys=frozenset((b"def",)))
    assert matching_claims(item, vouched) == ()
    assert matching_claims(item, replace(vouched, authority_keys=frozenset((b"ghi",)))) is None
    assert matching_claims(item, bound(PERSON)) is None
    other = query(trusted_authorities=[{"type": "etsi_tl", "values": ["https://lotl.example"]}])
    assert matching_claims(parsed(other).credentials["c"], vouched) is None


def test_a_credential_that_is_bound_to_nobody_answers_only_where_no_binding_is_asked() -> None:
    unbound = replace(bound(PERSON), bound=False)
    assert matching_claims(parsed(query()).credentials["c"], unbound) is None
    free = parsed(query(require_cryptographic_holder_binding=False)).credentials["c"]
    assert matching_claims(free, unbound) == ()


def test_types_of_w3c_credentials_match_as_sets() -> None:
    asked = query(format="ldp_vc", meta={"type_values": [["A", "B"], ["C"]]})
    item = parsed(asked).credentials["c"]
    for types, answers in ((["A", "B", "X"], True), (["C"], True), (["A"], False), ([], False)):
        found = matching_claims(item, Candidate("ldp_vc", frozenset(types), {"type": types}))
        assert (found is not None) is answers


def test_select_takes_the_first_option_of_each_set_that_can_be_answered() -> None:
    asked = parsed(
        query(id="a", meta={"vct_values": ["none"]}),
        query(id="b"),
        query(id="c", meta={"vct_values": ["other"]}),
        credential_sets=[
            {"options": [["a"], ["b"]]},
            {"options": [["c"]], "required": False},
        ],
    )
    found = select(asked, [bound(PERSON)])
    assert (found.required, found.optional) == (("b",), ())
    assert found.matches == {"a": (), "b": (Match(0, ()),), "c": ()}
    assert select(asked, [bound(PERSON), bound({"vct": "other"})]).optional == ("c",)


def test_select_names_what_is_missing() -> None:
    asked = parsed(query(id="a"), query(id="b", meta={"vct_values": ["other"]}))
    with pytest.raises(NothingMatches) as caught:
        select(asked, [bound(PERSON)])
    assert caught.value.missing == ("b",)


HOSTILE = {
    "null": None,
    "no credentials": {"credentials": []},
    "no meta": {"credentials": [{"id": "a", "format": "dc+sd-jwt"}]},
    "no vct_values": {"credentials": [query(meta={})]},
    "an id with a space": {"credentials": [query(id="a b")]},
    "an id of a thousand": {"credentials": [query(id="a" * 1000)]},
    "duplicate ids": {"credentials": [query(), query()]},
    "empty claims": {"credentials": [query(claims=[])]},
    "duplicate claim ids": {
        "credentials": [query({"id": "a", "path": ["a"]}, {"id": "a", "path": ["b"]})]
    },
    "claim sets without ids": {"credentials": [query({"path": ["a"]}, claim_sets=[["a"]])]},
    "a claim set without claims": {"credentials": [query(claim_sets=[["a"]])]},
    "an empty claim set": {"credentials": [query({"id": "a", "path": ["a"]}, claim_sets=[[]])]},
    "values of objects": {"credentials": [query({"path": ["a"], "values": [{}]})]},
    "values of floats": {"credentials": [query({"path": ["a"], "values": [1.5]})]},
    "empty values": {"credentials": [query({"path": ["a"], "values": []})]},
    "multiple as a text": {"credentials": [query(multiple="true")]},
    "a set with a missing id": {
        "credentials": [query()],
        "credential_sets": [{"options": [["x"]]}],
    },
    "ten thousand options": {
        "credentials": [query()],
        "credential_sets": [{"options": [["c"]] * 10_000}],
    },
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_query_is_refused_in_no_time(name: str) -> None:
    refused(DcqlMalformed, lambda: parse_dcql(HOSTILE[name]))


def test_an_unknown_format_is_unsupported_and_unknown_members_are_ignored() -> None:
    with pytest.raises(UnsupportedFormat):
        parsed(query(format="anoncreds"))
    assert parsed(query(future=1), future=2) == parsed(query())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b"]) | JSON,
        "format": st.sampled_from(["dc+sd-jwt", "mso_mdoc"]) | JSON,
        "meta": st.just({"vct_values": ["v"]}) | JSON,
        "claims": st.lists(
            st.fixed_dictionaries(
                {"path": st.lists(st.none() | st.text(max_size=3) | st.integers()) | JSON},
                optional={"id": st.sampled_from(["a", "b"]) | JSON, "values": JSON},
            )
        )
        | JSON,
        "claim_sets": st.lists(st.lists(st.sampled_from(["a", "b"]))) | JSON,
        "multiple": JSON,
        "trusted_authorities": JSON,
    },
)


@given(JSON | st.fixed_dictionaries({"credentials": st.lists(NEARLY | JSON) | JSON}), JSON)
def test_any_json_is_a_query_or_a_typed_error(value: object, claims: object) -> None:
    with contextlib.suppress(SeoulWalletError):
        found = parse_dcql(value)
        assert parse_dcql(found.to_json()) == found
        if isinstance(claims, dict):
            select(found, [bound({**claims, "vct": "v"})])


@pytest.mark.vectors
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_every_published_query_parses_and_survives_a_round_trip(version: str) -> None:
    folder = vector_folder("openid4vp") / version / "examples"
    files = [*folder.glob("query_lang/*.json"), *folder.glob("request/dcql_*.json")]
    assert len(files) >= 9
    for file in files:
        value = parse_json(file.read_bytes())
        found = parse_dcql(value)
        assert parse_dcql(found.to_json()) == found
        assert list(found.credentials) == [item["id"] for item in value["credentials"]]


@pytest.mark.vectors
def test_the_published_queries_match_the_credentials_that_they_describe() -> None:
    folder = vector_folder("openid4vp") / "1.0" / "examples" / "query_lang"
    pid = "https://credentials.example.com/identity_credential"
    doe = {"family_name": "Doe", "given_name": "J", "address": {"street_address": "1"}}

    def read(name: str) -> DcqlQuery:
        return parse_dcql(parse_json((folder / name).read_bytes()))

    by_value = read("value_matching_simple.json").credentials["my_credential"]
    good = {"vct": pid, **doe, "postal_code": "90210"}
    assert matching_claims(by_value, bound(good)) is not None
    assert matching_claims(by_value, bound({**good, "postal_code": "10000"})) is None
    sets = read("claims_alternatives.json").credentials["pid"]
    second = {"vct": pid, "family_name": "D", "postal_code": "1", "date_of_birth": "2"}
    assert matching_claims(sets, bound(second)) == (
        ("family_name",),
        ("postal_code",),
        ("date_of_birth",),
    )
    options = read("credentials_alternatives.json")
    reduced = [
        {"vct": "https://credentials.example.com/reduced_identity_credential", **doe},
        {"vct": "https://cred.example/residence_credential", "postal_code": "1",
         "locality": "l", "region": "r"},
    ]  # fmt: skip
    assert select(options, [bound(one) for one in reduced]).required == (
        "pid_reduced_cred_1",
        "pid_reduced_cred_2",
    )
    assert select(options, [bound(one) for one in (*reduced, {"vct": pid, **doe})]).required == (
        "pid",
    )
