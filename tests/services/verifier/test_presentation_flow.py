"""A presentation from the request to the agency's decision."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.support.credentials import DISCLOSED, ISSUER, STATUS_URI, VCT, World
from tests.support.desk import AGENCY, Desk
from wallet.adapters.sql.engine import open_engine, read
from wallet.protocols.oid4vp_response import build_error_response, build_response
from wallet.status.token_status_list import INVALID
from wallet.trust.events import IssuerRevoked
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.policy import TrustPolicy

ASKED = {"child_count": 2, "seoul_resident": True, "valid_until": "2034-02-28"}


def test_a_card_that_answers_is_accepted_with_exactly_the_claims_asked_for(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert (told["state"], told["outcome"], told["code"]) == ("answered", "accepted", None)
    assert told["credentials"] == {"card": [{"issuer": ISSUER, "vct": VCT, "claims": ASKED}]}
    steps = told["presentations"][0]["steps"]
    assert [step["step"] for step in steps] == list(range(1, 11))
    assert told["facts_age_s"] == 60
    assert told["facts_as_of"] == desk.clock.now() - 60


def test_a_card_with_a_final_receipt_is_accepted_where_receipts_are_required(
    open_desk: Callable[..., Desk],
) -> None:
    desk = open_desk(trust=TrustPolicy(require_receipt=True))
    opened = desk.ask()
    request = desk.fetch(opened)
    issued = desk.world.issue()
    receipt, root = desk.world.receipt(issued)
    desk.anchor(root, receipt.size)
    presented = desk.world.present(
        issued,
        audience=str(request.client_id),
        nonce=request.nonce,
        receipt=receipt,
    )
    assert desk.decide(opened, request, {"card": [presented]})["outcome"] == "accepted"


def test_a_card_without_a_receipt_is_rejected_where_receipts_are_required(
    open_desk: Callable[..., Desk],
) -> None:
    desk = open_desk(trust=TrustPolicy(require_receipt=True))
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert (told["outcome"], told["code"]) == ("rejected", "receipt_missing")
    assert told["credentials"] is None


def test_a_revoked_card_is_rejected_and_nothing_of_it_is_told(desk: Desk) -> None:
    desk.world.statuses[7] = INVALID
    desk.status_lists.publish(STATUS_URI, desk.world.status_token())
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert (told["outcome"], told["code"]) == ("rejected", "credential_revoked")
    assert told["credentials"] is None
    assert "2034-02-28" not in str(told)


def test_a_revoked_issuer_is_rejected_as_soon_as_the_replica_knows(desk: Desk) -> None:
    desk.follow(IssuerRevoked(issuer_id(ISSUER), schema_id(VCT), 0, desk.clock.now() - 100))
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert (told["outcome"], told["code"]) == ("rejected", "issuer_not_accredited")


def test_a_stale_replica_makes_the_outcome_unavailable_never_a_verdict(desk: Desk) -> None:
    desk.clock.set(desk.clock.now() + 4_000)
    desk.dids.publish_again(ISSUER)
    desk.world.status_issued_at = desk.clock.now() - 60
    desk.status_lists.publish(STATUS_URI, desk.world.status_token())
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert (told["outcome"], told["code"]) == ("unavailable", "facts_too_old")
    assert told["facts_age_s"] == 4_030
    assert told["credentials"] is None


def test_an_unreachable_status_list_makes_the_outcome_unavailable(desk: Desk) -> None:
    desk.status_lists.withdraw(STATUS_URI)
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    assert (told["outcome"], told["code"]) == ("unavailable", "status_list_unavailable")


def test_the_claims_are_told_once_and_then_forgotten(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request)]})
    again = desk.result(opened).get_json()
    assert told["credentials"] is not None
    assert (again["outcome"], again["credentials"]) == ("accepted", None)


def test_a_result_is_kept_no_longer_than_configured(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(result_ttl_s=30)
    opened = desk.ask()
    request = desk.fetch(opened)
    assert desk.post(request, {"card": [desk.card(request)]}).status_code == 200
    desk.clock.set(desk.clock.now() + 30)
    assert desk.result(opened).status_code == 404


def test_a_result_with_another_token_is_as_unknown_as_no_request(desk: Desk) -> None:
    opened, other = desk.ask(), desk.ask()
    wrong = desk.result(opened, token=other["result_token"])
    nothing = desk.client.get(
        "/v1/requests/nothing/result", headers={"Authorization": "Bearer anything"}
    )
    assert wrong.status_code == nothing.status_code == 404
    for answer in (wrong.get_json(), nothing.get_json()):
        answer.pop("request_id")
        assert answer["code"] == "session_unknown"
    assert desk.result(opened).status_code == 202


def test_a_request_tells_how_far_it_came(desk: Desk) -> None:
    opened = desk.ask()
    assert desk.result(opened).get_json()["state"] == "requested"
    desk.fetch(opened)
    assert desk.result(opened).get_json()["state"] == "fetched"


def test_a_holder_who_declines_gets_200_and_the_agency_is_told(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    fields = build_error_response("access_denied", request.state)
    response = desk.client.post("/responses", data=fields)
    assert (response.status_code, response.get_json()) == (200, {})
    told = desk.result(opened).get_json()
    assert (told["outcome"], told["code"]) == ("rejected", "access_denied")


def test_a_wallets_own_error_word_does_not_reach_the_agency(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    fields = build_error_response("<script>", request.state)
    assert desk.client.post("/responses", data=fields).status_code == 200
    assert desk.result(opened).get_json()["code"] == "wallet_error"


def test_a_query_of_the_agencys_own_is_asked_and_answered(desk: Desk) -> None:
    dcql = {
        "credentials": [
            {
                "id": "c",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [VCT]},
                "claims": [{"path": ["seoul_resident"], "values": [True]}],
            }
        ]
    }
    opened = desk.ask(None, dcql_query=dcql, purpose="거주 확인")
    request = desk.fetch(opened)
    assert request.purpose == "거주 확인"
    told = desk.decide(
        opened, request, {"c": [desk.card(request, disclose=(("seoul_resident",),))]}
    )
    assert told["credentials"]["c"][0]["claims"] == {"seoul_resident": True}


TWO_COPIES = {
    "credentials": [
        {
            "id": "c",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": [VCT]},
            "claims": [{"path": ["seoul_resident"]}],
            "multiple": True,
        }
    ]
}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"one_holder": False}, ("accepted", None)),
        ({"one_holder": True}, ("rejected", "holders_differ")),
        ({}, ("rejected", "holders_differ")),
    ],
)
def test_vp_11_a_query_of_the_agencys_own_says_whether_keys_may_differ(
    desk: Desk, asked: dict[str, bool], expected: tuple[str, str | None]
) -> None:
    opened = desk.ask(None, dcql_query=TWO_COPIES, purpose="synthetic", **asked)
    request = desk.fetch(opened)
    other = World(issuer_key=desk.world.issuer_key)
    shown = {
        "disclose": (("seoul_resident",),),
        "audience": str(request.client_id),
        "nonce": request.nonce,
        "issued_at": desk.clock.now(),
    }
    copies = [world.present(world.issue(), **shown) for world in (desk.world, other)]
    told = desk.decide(opened, request, {"c": copies})
    assert (told["outcome"], told["code"]) == expected


def test_a_configured_query_says_itself_whether_keys_may_differ(desk: Desk) -> None:
    asked = {"query": "family-card", "one_holder": False}
    answer = desk.client.post("/v1/requests", json=asked, headers=AGENCY)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "unsupported_query")


def test_sixteen_posts_of_one_response_at_once_give_exactly_one_decision(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    fields = build_response({"card": [desk.card(request)]}, request.state)
    together = threading.Barrier(16)

    def post(_: int) -> int:
        client = desk.verifier.app.test_client()
        together.wait()
        return client.post("/responses", data=fields).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(post, range(16)))
    assert statuses == [200] + [400] * 15
    assert desk.result(opened).get_json()["outcome"] == "accepted"
    metrics = desk.client.get("/metrics").get_data(as_text=True)
    assert 'seoul_verifier_decisions_total{code="none",outcome="accepted"} 1.0' in metrics


def test_sixteen_collections_of_one_result_at_once_give_the_claims_once(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    desk.post(request, {"card": [desk.card(request)]})
    uri = opened["result_uri"].removeprefix("https://verifier.example")
    bearer = {"Authorization": "Bearer " + opened["result_token"]}
    together = threading.Barrier(16)

    def collect(_: int) -> bool:
        client = desk.verifier.app.test_client()
        together.wait()
        return client.get(uri, headers=bearer).get_json()["credentials"] is not None

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(collect, range(16))) == 1


def test_collected_claims_and_codes_are_not_left_in_the_database(desk: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    desk.decide(opened, request, {"card": [desk.card(request, disclose=DISCLOSED)]})
    engine = open_engine(desk.config.database_url)
    with read(engine) as connection:
        stored = b"".join(row.state for row in connection.execute(text("SELECT * FROM sessions")))
    engine.dispose()
    for secret in ("2034-02-28", request.nonce, request.state or "-", opened["result_token"]):
        assert secret.encode() not in stored
    assert b'"answered"' in stored


def test_health_tells_the_age_of_the_replica(desk: Desk) -> None:
    fresh = desk.client.get("/healthz")
    assert fresh.status_code == 200
    assert fresh.get_json()["replica"] == {"block": 100, "age_s": 30, "max_age_s": 3600}
    desk.clock.set(desk.clock.now() + 4_000)
    stale = desk.client.get("/healthz")
    assert (stale.status_code, stale.get_json()["code"]) == (503, "facts_too_old")


def test_only_agencies_may_ask(desk: Desk) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        refused = desk.client.post("/v1/requests", json={"query": "family-card"}, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].lower().startswith("bearer")
        assert refused.content_type == "application/problem+json"


def test_without_configured_agencies_nobody_may_ask(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(agency_token_digests={})
    refused = desk.client.post(
        "/v1/requests",
        json={"query": "family-card"},
        headers={"Authorization": "Bearer synthetic-agency-token"},
    )
    assert refused.status_code == 401
