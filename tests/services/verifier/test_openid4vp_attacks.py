"""The attacks on an OpenID4VP verifier, VP-1 to VP-11: each input with its required outcome."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cost import MAX_REFUSAL_S, takes_at_most
from tests.support.credentials import VCT
from tests.support.desk import AGENCY, BASE_URL, Desk
from wallet.credentials.sd_jwt import bind_to_key
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vp import AuthorizationRequest
from wallet.protocols.oid4vp_response import build_response


def answered(desk: Desk, *, query: str = "family-card", **changes: object) -> JsonObject:
    """Ask, answer with a card that was changed, and return what the agency is told."""
    opened = desk.ask(query)
    request = desk.fetch(opened)
    return desk.decide(opened, request, {"card": [desk.card(request, **changes)]})


def test_vp_1_a_replayed_response_is_an_invalid_request(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    response = {"card": [desk.card(request)]}
    assert desk.post(request, response).status_code == 200
    again = desk.post(request, response)
    assert (again.status_code, again.get_json()["code"]) == (400, "invalid_request")


def test_vp_1_an_answer_to_one_request_does_not_answer_another(desk: Desk) -> None:
    first, second = desk.ask(), desk.ask()
    request, other = desk.fetch(first), desk.fetch(second)
    told = desk.decide(second, other, {"card": [desk.card(request)]})
    assert (told["outcome"], told["code"]) == ("rejected", "nonce_mismatch")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nonce": "another-nonce-of-another-request"}, "nonce_mismatch"),
        ({"audience": BASE_URL}, "audience_mismatch"),
        ({"audience": "decentralized_identifier:did:web:evil.example"}, "audience_mismatch"),
        ({"issued_at": 0}, "holder_binding_invalid"),
    ],
)
def test_vp_2_a_key_binding_for_something_else_is_rejected(
    desk: Desk, changes: dict[str, object], code: str
) -> None:
    told = answered(desk, **changes)
    assert (told["outcome"], told["code"], told["credentials"]) == ("rejected", code, None)


def test_vp_2_an_audience_list_is_rejected_even_if_it_holds_this_verifier(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    listed = [str(request.client_id)]
    presented = desk.card(request).rpartition("~")[0] + "~"
    bound = bind_to_key(
        presented,
        desk.world.holder_key,
        audience=listed,  # type: ignore[arg-type]
        nonce=request.nonce,
        issued_at=desk.clock.now(),
    )
    told = desk.decide(opened, request, {"card": [bound]})
    assert (told["outcome"], told["code"]) == ("rejected", "audience_mismatch")


def test_vp_2_a_key_binding_by_a_stranger_is_rejected(desk: Desk) -> None:
    told = answered(desk, key=Es256SigningKey.generate())
    assert (told["outcome"], told["code"]) == ("rejected", "signature_invalid")


def test_vp_3_a_stripped_key_binding_is_rejected(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    stripped = desk.card(request).rpartition("~")[0] + "~"
    told = desk.decide(opened, request, {"card": [stripped]})
    assert (told["outcome"], told["code"]) == ("rejected", "holder_binding_missing")


def test_vp_3_without_binding_in_the_query_a_bare_credential_is_accepted(desk: Desk) -> None:
    item = {
        "id": "card",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [VCT]},
        "claims": [{"path": ["child_count"]}],
        "require_cryptographic_holder_binding": False,
    }
    opened = desk.ask(None, dcql_query={"credentials": [item]})
    request = desk.fetch(opened)
    bare = desk.card(request, disclose=(("child_count",),)).rpartition("~")[0] + "~"
    assert desk.decide(opened, request, {"card": [bare]})["outcome"] == "accepted"


def _unknown(_desk: Desk, request: AuthorizationRequest) -> str:
    return "state-that-was-never-made"


def _expired(desk: Desk, request: AuthorizationRequest) -> str:
    desk.clock.set(desk.clock.now() + 300)
    return request.state or ""


def _foreign(desk: Desk, request: AuthorizationRequest) -> str:
    return desk.ask()["request_id"]


def _used(desk: Desk, request: AuthorizationRequest) -> str:
    desk.post(request, {"card": ["x"]})
    return request.state or ""


def test_vp_5_every_bad_state_gets_the_same_answer(open_desk: Callable[..., Desk]) -> None:
    answers = []
    for make_state in (_unknown, _expired, _foreign, _used):
        desk = open_desk()
        request = desk.fetch(desk.ask())
        state = make_state(desk, request)
        response = desk.client.post(
            "/responses", data=build_response({"card": [desk.card(request)]}, state)
        )
        body = response.get_json()
        body.pop("request_id")
        answers.append((response.status_code, body))
    assert answers[0][0] == 400
    assert answers[0][1]["code"] == "invalid_request"
    assert all(answer == answers[0] for answer in answers)


def test_vp_8_the_wallets_nonce_is_repeated_in_the_request_object(desk: Desk) -> None:
    opened = desk.ask()
    uri = opened["request_uri"].removeprefix(BASE_URL)
    response = desk.client.post(uri, data={"wallet_nonce": "wallet-made-this-nonce"})
    assert response.status_code == 200
    claims = desk.peek(response.get_data())
    assert claims["wallet_nonce"] == "wallet-made-this-nonce"


def test_vp_8_a_post_without_a_body_is_served_too(desk: Desk) -> None:
    uri = desk.ask()["request_uri"].removeprefix(BASE_URL)
    response = desk.client.post(uri)
    assert response.status_code == 200
    assert "wallet_nonce" not in desk.peek(response.get_data())


def test_a_link_works_once(desk: Desk) -> None:
    opened = desk.ask()
    desk.fetch(opened)
    again = desk.client.get(opened["request_uri"].removeprefix(BASE_URL))
    assert (again.status_code, again.get_json()["code"]) == (409, "request_already_fetched")


def test_an_expired_link_is_gone(desk: Desk) -> None:
    opened = desk.ask()
    desk.clock.set(opened["expires_at"])
    assert desk.client.get(opened["request_uri"].removeprefix(BASE_URL)).status_code == 404


def _dcql(**changes: object) -> JsonObject:
    item = {"id": "c", "format": "dc+sd-jwt", "meta": {"vct_values": ["v"]}, **changes}
    return {"credentials": [item]}


VP_9 = {
    "unknown format": (_dcql(format="jwt_unknown"), "unsupported_format"),
    "a format that is not served": (_dcql(format="mso_mdoc"), "unsupported_query"),
    "duplicate ids": (
        {"credentials": _dcql()["credentials"] * 2},
        "dcql_malformed",
    ),
    "empty claims": (_dcql(claims=[]), "dcql_malformed"),
    "a thousand nulls": (_dcql(claims=[{"path": [None] * 1000}]), "claims_path_malformed"),
    "negative index": (_dcql(claims=[{"path": ["a", -1]}]), "claims_path_malformed"),
    "boolean index": (_dcql(claims=[{"path": ["a", True]}]), "claims_path_malformed"),
    "values of a wrong type": (
        _dcql(claims=[{"path": ["a"], "values": [{"b": 1}]}]),
        "dcql_malformed",
    ),
    "a set that names a missing id": (
        {**_dcql(), "credential_sets": [{"options": [["missing"]]}]},
        "dcql_malformed",
    ),
    "claim sets without ids": (
        _dcql(claims=[{"path": ["a"]}], claim_sets=[["a"]]),
        "dcql_malformed",
    ),
    "too many credentials": (
        {"credentials": [{**_dcql()["credentials"][0], "id": f"c{n}"} for n in range(5000)]},
        "dcql_malformed",
    ),
    "not an object": ([], "dcql_malformed"),
}


@pytest.mark.parametrize("name", sorted(VP_9))
def test_vp_9_a_hostile_query_is_a_problem_within_100_ms(desk: Desk, name: str) -> None:
    query, code = VP_9[name]
    desk.client.post("/v1/requests", json={"dcql_query": {}}, headers=AGENCY)

    def ask() -> None:
        response = desk.client.post("/v1/requests", json={"dcql_query": query}, headers=AGENCY)
        if response.status_code != 413:
            assert (response.status_code, response.get_json()["code"]) == (400, code)

    takes_at_most(MAX_REFUSAL_S, ask)


def test_vp_10_more_claims_than_asked_for_reject_the_answer_and_are_not_kept(desk: Desk) -> None:
    disclose = (("child_count",), ("seoul_resident",), ("valid_until",), ("name",))
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request, disclose=disclose)]})
    assert (told["outcome"], told["code"]) == ("rejected", "answer_excessive")
    assert told["credentials"] is None
    assert "김합성" not in str(told)
    assert "김합성".encode() not in desk.stored()


def test_vp_10_a_claim_that_was_asked_for_and_withheld_rejects_the_answer(desk: Desk) -> None:
    told = answered(desk, disclose=(("child_count",), ("seoul_resident",)))
    assert (told["outcome"], told["code"]) == ("rejected", "answer_incomplete")


@pytest.mark.parametrize("extra", ["letter", "no-such-id"])
def test_vp_10_a_credential_that_was_not_asked_for_rejects_the_answer(
    desk: Desk, extra: str
) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    answer = {"card": [desk.card(request)], extra: [desk.letter_for(request)]}
    told = desk.decide(opened, request, answer)
    assert (told["outcome"], told["code"]) == ("rejected", "answer_excessive")


def test_vp_11_credentials_of_two_holders_in_one_answer_are_rejected(desk: Desk) -> None:
    opened = desk.ask("both")
    request = desk.fetch(opened)
    desk.letter.holder_key = Es256SigningKey.generate()
    answer = {
        "card": [desk.card(request, disclose=(("child_count",),))],
        "letter": [desk.letter_for(request)],
    }
    told = desk.decide(opened, request, answer)
    assert (told["outcome"], told["code"]) == ("rejected", "holders_differ")


@pytest.mark.parametrize(("query", "same_holder"), [("both", True), ("any-holder", False)])
def test_vp_11_one_holder_is_accepted_and_two_where_the_query_allows(
    desk: Desk, query: str, same_holder: bool
) -> None:
    opened = desk.ask(query)
    request = desk.fetch(opened)
    if not same_holder:
        desk.letter.holder_key = Es256SigningKey.generate()
    answer = {
        "card": [desk.card(request, disclose=(("child_count",),))],
        "letter": [desk.letter_for(request)],
    }
    assert desk.decide(opened, request, answer)["outcome"] == "accepted"


def test_a_stranger_cannot_make_the_verifier_fetch_anything(desk: Desk) -> None:
    desk.world.claims = {**desk.world.claims, "iss": "did:web:attacker.example"}
    told = answered(desk)
    assert (told["outcome"], told["code"]) == ("rejected", "issuer_not_accredited")
    assert desk.dids.asked == []
