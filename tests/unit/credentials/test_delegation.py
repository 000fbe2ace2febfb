"""Delegations as they are signed: what nobody may delegate, and forms that are none."""

from __future__ import annotations

from typing import Any

import pytest

from wallet.credentials.delegation import (
    DELEGATION_TYPE,
    GUARDIANSHIP_TYPE,
    MAX_DELEGATION_S,
    PERSONAL_TYPES,
    DelegationMalformed,
    DelegationScope,
    NotDelegable,
    issue_delegation,
    parse_delegation_claims,
)
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

CARD = "urn:seoul-wallet:multi-child-family-card:1"
START = 1_800_000_000
GOOD: JsonObject = {
    "delegation_id": "A" * 22,
    "nbf": START,
    "exp": START + 86400,
    "types": [CARD],
    "claims": [["address", "district"], ["children", None]],
    "audiences": ["decentralized_identifier:did:web:agency.example"],
    "programmes": ["youth-rent"],
    "relation": "spouse",
}


def issue(scope: DelegationScope, **changes: Any) -> str:
    terms = {"not_before": START, "expires_at": START + 3600, **changes}
    key = Es256SigningKey.generate()
    return issue_delegation(scope, key, delegate=key.public_key, **terms)


def test_says_what_it_was_issued_with() -> None:
    scope = DelegationScope((CARD,), (("name",),), ("a",), ("b",))
    parsed = parse_sd_jwt(issue(scope, relation="spouse"))
    said = parse_delegation_claims(parsed.process(parsed.jws.peek_claims()).claims)
    assert (said.scope, said.relation) == (scope, "spouse")
    assert (said.not_before, said.expires_at) == (START, START + 3600)


def test_the_relation_is_for_the_holder_to_show() -> None:
    parsed = parse_sd_jwt(issue(DelegationScope((CARD,)), relation="spouse"))
    assert "relation" not in parsed.jws.peek_claims()
    assert [item.value for item in parsed.disclosures] == ["spouse"]


def test_two_delegations_never_have_the_same_id() -> None:
    ids = {
        parse_sd_jwt(issue(DelegationScope((CARD,)))).jws.peek_claims()["delegation_id"]
        for _ in range(50)
    }
    assert len(ids) == 50


@pytest.mark.parametrize("vct", sorted(PERSONAL_TYPES | {DELEGATION_TYPE, GUARDIANSHIP_TYPE}))
def test_voting_login_and_rights_themselves_are_never_delegated(vct: str) -> None:
    with pytest.raises(NotDelegable):
        issue(DelegationScope((CARD, vct)))
    with pytest.raises(NotDelegable):
        parse_delegation_claims({**GOOD, "types": [CARD, vct]})


@pytest.mark.parametrize("programme", ["voting", "voting:2027", "login", "login:portal"])
def test_no_programme_of_voting_or_login_is_delegated(programme: str) -> None:
    with pytest.raises(NotDelegable):
        issue(DelegationScope((CARD,), programmes=("youth-rent", programme)))
    assert issue(DelegationScope((CARD,), programmes=("youth-rent",)))


def test_a_good_one_parses() -> None:
    said = parse_delegation_claims(GOOD)
    assert said.scope.claims == (("address", "district"), ("children", None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delegation_id", None),
        ("delegation_id", "short"),
        ("delegation_id", "!" * 22),
        ("nbf", None),
        ("exp", None),
        ("exp", START),
        ("exp", START + MAX_DELEGATION_S + 1),
        ("nbf", "now"),
        ("types", None),
        ("types", []),
        ("types", CARD),
        ("types", [1]),
        ("types", ["x" * 513]),
        ("types", [CARD] * 51),
        ("claims", None),
        ("claims", [[]]),
        ("claims", [["a"] * 9]),
        ("claims", [[1]]),
        ("claims", [["a", {}]]),
        ("claims", "all"),
        ("audiences", []),
        ("audiences", [""]),
        ("audiences", {"a": 1}),
        ("programmes", []),
        ("relation", "friend"),
        ("relation", 1),
    ],
)
def test_a_form_that_is_none_is_refused(name: str, value: Any) -> None:
    changed = {**GOOD, name: value}
    if value is None:
        del changed[name]
    with pytest.raises(MalformedError):
        parse_delegation_claims(changed)


def test_an_unknown_relation_is_not_signed() -> None:
    with pytest.raises(DelegationMalformed):
        issue(DelegationScope((CARD,)), relation="friend")


class TestScope:
    SCOPE = DelegationScope((CARD,), (("address", "district"), ("children", None, "age")))

    def test_covers_what_is_listed_and_below(self) -> None:
        assert self.SCOPE.covers(("address", "district"), "마포구")
        assert self.SCOPE.covers(("address", "district", "code"), 1)
        assert self.SCOPE.covers(("children", 3, "age"), 4)

    def test_covers_the_way_there_only_if_nothing_else_is_on_it(self) -> None:
        assert self.SCOPE.covers(("address",), {"district": "마포구"})
        assert not self.SCOPE.covers(("address",), {"district": "마포구", "street": "x"})
        assert not self.SCOPE.covers(("address",), "마포구 합성로 1")
        assert self.SCOPE.covers(("children",), [{"age": 3}, {"age": 4}])
        assert not self.SCOPE.covers(("children",), [{"age": 3, "name": "x"}])

    def test_covers_nothing_else(self) -> None:
        assert not self.SCOPE.covers(("name",), "x")
        assert not DelegationScope((CARD,)).covers(("name",), "x")
