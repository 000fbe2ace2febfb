"""VP-16: hostile bodies get a 4xx problem, never a 5xx."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.desk import AGENCY, BASE_URL, Desk
from wallet.encoding.json import to_json

GOOD = {"presentation": "a~", "audience": "b", "nonce": "c"}
TYPE = "application/json"
VERIFY_BODIES = {
    "10 MB": (b'{"presentation":"' + b"a" * 10_000_000 + b'"}', TYPE, 413, "request_entity"),
    "wrong content type": (to_json(GOOD), "text/plain", 415, "unsupported_media_type"),
    "no content type": (to_json(GOOD), "", 415, "unsupported_media_type"),
    "a list": (b"[]", TYPE, 400, "json_malformed"),
    "a name twice": (b'{"nonce":"a","nonce":"b"}', TYPE, 400, "json_malformed"),
    "NaN": (b'{"nonce":NaN}', TYPE, 400, "json_malformed"),
    "a lone surrogate": (b'{"nonce":"\\ud800"}', TYPE, 400, "json_malformed"),
    "not UTF-8": (b'{"nonce":"\xff"}', TYPE, 400, "json_malformed"),
    "nothing": (b"", TYPE, 400, "json_malformed"),
    "deep nesting": (b"[" * 50_000, TYPE, 400, "json_malformed"),
    "an unknown member": (to_json({**GOOD, "more": 1}), TYPE, 400, "request_malformed"),
    "a member of a wrong type": (to_json({**GOOD, "nonce": 1}), TYPE, 400, "request_malformed"),
    "a missing member": (to_json({"nonce": "c"}), TYPE, 400, "request_malformed"),
    "an unknown query": (to_json({**GOOD, "query": "no"}), TYPE, 400, "query_unknown"),
}


@pytest.mark.parametrize("name", sorted(VERIFY_BODIES))
def test_vp_16_a_hostile_body_is_a_problem(desk: Desk, name: str) -> None:
    body, content_type, status, code = VERIFY_BODIES[name]
    response = desk.client.post(
        "/v1/verify", data=body, content_type=content_type or None, headers=AGENCY
    )
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.get_json()["code"].startswith(code)


def test_vp_16_a_compressed_body_is_refused(desk: Desk) -> None:
    response = desk.client.post(
        "/v1/verify",
        data=gzip.compress(to_json(GOOD)),
        content_type=TYPE,
        headers={**AGENCY, "Content-Encoding": "gzip"},
    )
    assert (response.status_code, response.get_json()["code"]) == (415, "unsupported_media_type")


def test_a_good_presentation_in_hand_is_accepted(desk: Desk) -> None:
    response = desk.verify(desk.world.present(desk.world.issue()))
    told = response.get_json()
    assert (response.status_code, told["outcome"], told["code"]) == (200, "accepted", None)
    assert told["credential"]["claims"]["child_count"] == 2
    assert "cnf" not in told["credential"]["claims"]
    assert told["steps"][0]["name"] == "format"


def test_a_presentation_in_hand_is_held_against_a_query(desk: Desk) -> None:
    card = desk.world.issue()
    good = desk.verify(desk.world.present(card), query="family-card").get_json()
    assert good["outcome"] == "accepted"
    assert set(good["credential"]["claims"]) == {"child_count", "seoul_resident", "valid_until"}
    short = desk.world.present(card, disclose=(("child_count",),))
    told = desk.verify(short, query="family-card").get_json()
    assert (told["outcome"], told["code"]) == ("rejected", "answer_incomplete")
    assert told["credential"] is None


def test_a_presentation_that_cannot_be_parsed_is_rejected_at_its_first_step(desk: Desk) -> None:
    response = desk.verify("not an sd-jwt")
    told = response.get_json()
    assert (response.status_code, told["outcome"]) == (200, "rejected")
    assert told["steps"][0]["outcome"] == "rejected"
    assert told["credential"] is None


def test_a_stale_replica_answers_200_unavailable(desk: Desk) -> None:
    presented = desk.world.present(desk.world.issue())
    desk.replica._head = None
    response = desk.verify(presented)
    assert (response.status_code, response.get_json()["outcome"]) == (200, "unavailable")
    assert response.get_json()["code"] == "replica_empty"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
def test_no_bytes_make_the_verify_endpoint_fail(desk: Desk, body: bytes) -> None:
    response = desk.client.post("/v1/verify", data=body, content_type=TYPE, headers=AGENCY)
    assert 400 <= response.status_code < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(presentation=st.text(min_size=1, max_size=200))
def test_no_presentation_makes_the_verify_endpoint_fail(desk: Desk, presentation: str) -> None:
    response = desk.verify(presentation)
    assert (response.status_code, response.get_json()["outcome"]) == (200, "rejected")


FORMS = {
    "a field twice": b"state=a&state=b&vp_token={}",
    "no state": b"vp_token=%7B%22a%22%3A%5B%22b%22%5D%7D",
    "no vp_token": b"state=a",
    "vp_token not JSON": b"state=a&vp_token=x",
    "vp_token a list": b"state=a&vp_token=[]",
    "vp_token with a bare string": b"state=a&vp_token=%7B%22a%22%3A%22b%22%7D",
    "vp_token empty": b"state=a&vp_token={}",
    "vp_token with a name twice": b"state=a&vp_token=%7B%22a%22%3A[]%2C%22a%22%3A[]%7D",
    "error and vp_token": b"state=a&error=x&vp_token={}",
    "not UTF-8": b"state=%ff",
    "a state with a line break": b"state=a%0ab&error=x",
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_hostile_response_form_is_a_problem_and_uses_up_no_state(
    open_desk: Callable[..., Desk], name: str
) -> None:
    desk = open_desk()
    opened = desk.ask()
    request = desk.fetch(opened)
    form = FORMS[name].replace(b"state=a", f"state={request.state}".encode(), 1)
    response = desk.client.post(
        "/responses", data=form, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert response.get_json()["error"] == "invalid_request"
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert told["outcome"] == "accepted"


def test_a_response_in_json_is_refused(desk: Desk) -> None:
    response = desk.client.post("/responses", json={"state": "a"})
    assert (response.status_code, response.get_json()["error"]) == (415, "invalid_request")


def test_a_response_that_nothing_waits_for_is_told_by_the_protocols_name(desk: Desk) -> None:
    unknown = desk.client.post("/responses", data={"state": "a", "error": "access_denied"})
    told = unknown.get_json()
    assert (unknown.status_code, told["error"]) == (400, "invalid_request")
    assert told["code"] == "invalid_request"


def test_what_an_agency_did_wrong_has_no_name_in_the_wallets_protocol(desk: Desk) -> None:
    assert "error" not in desk.verify("x", format="none").get_json()


def test_an_unknown_page_and_a_wrong_method_are_problems(desk: Desk) -> None:
    for response in (desk.client.get("/nothing"), desk.client.get("/responses")):
        assert response.status_code in (404, 405)
        assert response.content_type == "application/problem+json"


def test_a_spoofed_host_does_not_change_what_the_verifier_says_of_itself(desk: Desk) -> None:
    spoofed = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", **AGENCY}
    opened = desk.client.post("/v1/requests", json={"query": "family-card"}, headers=spoofed)
    assert opened.get_json()["request_uri"].startswith(BASE_URL + "/")
    document = desk.client.get("/.well-known/did.json", headers={"Host": "evil.example"})
    assert document.get_json()["id"] == "did:web:verifier.example"
