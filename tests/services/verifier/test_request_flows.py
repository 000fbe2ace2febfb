"""Every prefix, response mode and flow between our own wallet and our own verifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.certified_desk import certified
from tests.support.citizen import Citizen
from tests.support.desk import AGENCY, BASE_URL, Desk
from wallet.encoding import base64url
from wallet.encoding.form import parse_form
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.holder.consent import ConsentRequest
from wallet.holder.copies import copy_puts
from wallet.holder.log import AlreadyPresented
from wallet.holder.requests import RequestRefused
from wallet.protocols.oid4vp import RequestMalformed
from wallet.protocols.oid4vp_dc_api import OriginMismatch, check_page_origin

ORIGIN = "https://shop.example"
AGREEMENT = {
    "type": "urn:seoul-wallet:agreement:1",
    "credential_ids": ["card"],
    "transaction_data_hashes_alg": ["sha-256"],
    "text": "I enrol my child in the swimming class.",
    "text#ko": "자녀의 수영 교실 등록에 동의합니다.",
}


@pytest.fixture
def place(open_desk: Callable[..., Desk], tmp_path: Path) -> tuple[Desk, Citizen]:
    """A desk with every client identifier, and a citizen who trusts its CA and holds a card."""
    desk, anchors = certified(open_desk, tmp_path)
    citizen = Citizen.at(desk, tmp_path, anchors=anchors)
    citizen.hold()
    return desk, citizen


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize(
    ("prefix", "method"),
    [
        ("decentralized_identifier", "get"),
        ("decentralized_identifier", "post"),
        ("x509_san_dns", "get"),
        ("x509_san_dns", "post"),
        ("x509_hash", "post"),
        ("redirect_uri", "get"),
    ],
)
def test_every_client_identifier_asks_and_is_answered(
    place: tuple[Desk, Citizen], prefix: str, method: str, mode: str
) -> None:
    desk, citizen = place
    opened = desk.ask(client_id_prefix=prefix, response_mode=mode, request_uri_method=method)
    consent = citizen.wallet.review(opened["link"])
    assert consent.verifier.startswith(prefix + ":")
    assert consent.authenticated is (prefix != "redirect_uri")
    assert (consent.certificate is not None) is prefix.startswith("x509_")
    assert consent.answers_to == "verifier.example"
    citizen.wallet.present(consent)
    told = desk.result(opened).get_json()
    assert told["outcome"] == "accepted"
    assert told["credentials"]["card"][0]["claims"] == {
        "child_count": 2,
        "seoul_resident": True,
        "valid_until": "2034-02-28",
    }
    with pytest.raises(AlreadyPresented):
        citizen.wallet.present(consent)
    assert citizen.hosts() == {"verifier.example"}


def test_an_encrypted_answer_shows_nothing_to_whoever_carries_it(
    place: tuple[Desk, Citizen],
) -> None:
    desk, citizen = place
    opened = desk.ask(response_mode="direct_post.jwt")
    citizen.wallet.present(citizen.wallet.review(opened["link"]))
    body = citizen.transport.sent[-1][2]
    assert body.startswith(b"response=ey")
    assert b"vp_token" not in body
    assert b"state" not in body


def test_keys_of_answers_are_made_for_one_request(place: tuple[Desk, Citizen]) -> None:
    desk, citizen = place
    keys = set()
    for _ in range(2):
        opened = desk.ask(response_mode="direct_post.jwt")
        metadata = citizen.wallet.review(opened["link"]).request.client_metadata or {}
        (jwk,) = metadata["jwks"]["keys"]
        assert (jwk["crv"], jwk["alg"], jwk["use"]) == ("P-256", "ECDH-ES", "enc")
        assert metadata["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
        keys.add((jwk["x"], jwk["kid"]))
    assert len(keys) == 2


def test_same_device_tells_nothing_before_the_code_comes_back(
    place: tuple[Desk, Citizen],
) -> None:
    desk, citizen = place
    opened = desk.ask(flow="same_device", return_uri="https://agency.example/done?a=1")
    presented = citizen.wallet.present(citizen.wallet.review(opened["link"]))
    assert presented.redirect_uri is not None
    assert presented.redirect_uri.startswith("https://agency.example/done?a=1&response_code=")
    code = presented.redirect_uri.rpartition("=")[2]
    assert len(base64url.decode(code)) >= 16
    waiting = desk.result(opened)
    assert (waiting.status_code, waiting.get_json()["state"]) == (202, "fetched")
    told = redeem(desk, opened, code)
    assert (told.status_code, told.get_json()["outcome"]) == (200, "accepted")
    assert told.get_json()["credentials"] is not None
    assert redeem(desk, opened, code).status_code == 409


def redeem(desk: Desk, opened: JsonObject, code: str) -> Any:
    return desk.client.post(
        opened["result_uri"].removeprefix(BASE_URL),
        json={"response_code": code},
        headers={"Authorization": f"Bearer {opened['result_token']}"},
    )


def test_a_transaction_is_shown_and_bound_to_the_card_that_was_asked_for(
    place: tuple[Desk, Citizen],
) -> None:
    desk, citizen = place
    opened = desk.ask(transaction_data=[AGREEMENT])
    consent = citizen.wallet.review(opened["link"], language="ko")
    assert consent.transactions == ("자녀의 수영 교실 등록에 동의합니다.",)
    citizen.wallet.present(consent)
    assert desk.result(opened).get_json()["outcome"] == "accepted"


@pytest.mark.parametrize("mode", ["dc_api", "dc_api.jwt"])
@pytest.mark.parametrize("prefix", ["x509_san_dns", "x509_hash", "redirect_uri"])
def test_a_page_asks_through_the_browser(
    place: tuple[Desk, Citizen], prefix: str, mode: str
) -> None:
    desk, citizen = place
    opened = desk.ask(
        flow="dc_api", response_mode=mode, client_id_prefix=prefix, expected_origins=[ORIGIN]
    )
    consent = review_from_page(citizen, opened["dc_request"])
    assert consent.answers_to == ORIGIN
    assert consent.authenticated is (prefix != "redirect_uri")
    data = citizen.wallet.answer_page(consent)
    assert set(data) == ({"response"} if mode == "dc_api.jwt" else {"vp_token"})
    assert answer_page(desk, opened, data).status_code == 200
    assert desk.result(opened).get_json()["outcome"] == "accepted"
    assert answer_page(desk, opened, data).status_code == 409
    assert citizen.hosts() <= {"verifier.example"}


def review_from_page(
    citizen: Citizen, request: JsonObject, origin: str = ORIGIN
) -> ConsentRequest:
    return citizen.wallet.review_from_page(request["protocol"], request["data"], origin=origin)


def answer_page(desk: Desk, opened: JsonObject, data: JsonObject, **changes: Any) -> Any:
    return desk.client.post(
        f"/v1/requests/{opened['request_id']}/response",
        json={"data": data, **changes},
        headers={"Authorization": f"Bearer {opened['result_token']}"},
    )


def test_a_signed_request_is_refused_on_a_page_that_it_was_not_made_for(
    place: tuple[Desk, Citizen],
) -> None:
    desk, citizen = place
    opened = desk.ask(flow="dc_api", client_id_prefix="x509_hash", expected_origins=[ORIGIN])
    for origin in ("https://evil.example", ORIGIN + "/", ORIGIN + ":443", "null", ""):
        with pytest.raises(OriginMismatch):
            review_from_page(citizen, opened["dc_request"], origin)


def test_an_answer_to_another_page_is_rejected(place: tuple[Desk, Citizen]) -> None:
    desk, citizen = place
    opened = desk.ask(flow="dc_api", client_id_prefix="redirect_uri", expected_origins=[ORIGIN])
    elsewhere = review_from_page(citizen, opened["dc_request"], "https://evil.example")
    data = citizen.wallet.answer_page(elsewhere)
    assert answer_page(desk, opened, data, origin="https://evil.example").status_code == 400
    assert answer_page(desk, opened, data, origin=ORIGIN).status_code == 200
    assert desk.result(opened).get_json()["code"] == "audience_mismatch"


@pytest.mark.parametrize(
    "origin",
    [
        "https://agency.example",
        "https://agency.example:8443",
        "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck",
    ],
)
def test_a_request_may_expect_pages_and_apps(desk: Desk, origin: str) -> None:
    opened = desk.ask(flow="dc_api", expected_origins=[origin])
    assert opened["dc_request"]["protocol"] == "openid4vp-v1-signed"


def test_a_page_over_http_is_expected_in_development_alone() -> None:
    for origin in ("http://localhost:3000", "http://localhost"):
        assert check_page_origin(origin, development=True) == origin
        with pytest.raises(RequestMalformed):
            check_page_origin(origin)


@pytest.mark.parametrize(
    "options",
    [
        {"flow": "dc_api"},
        *(
            {"flow": "dc_api", "expected_origins": [origin]}
            for origin in (
                "http://agency.example",
                "https://agency.example/",
                "https://agency.example:443",
                "HTTPS://agency.example",
                "https://Agency.example",
                "https://user@agency.example",
                "https://agency.example\n",
                "javascript:alert(1)",
                "ftp://agency.example",
                "wss://agency.example",
                "data:text/html,x",
                "android:apk-key-hash:",
                "null",
            )
        ),
        {"flow": "dc_api", "expected_origins": [ORIGIN], "response_mode": "direct_post"},
        {"response_mode": "dc_api"},
        {"flow": "same_device"},
        {"return_uri": "https://agency.example/"},
        {"flow": "same_device", "return_uri": "http://agency.example/"},
        {"flow": "same_device", "return_uri": "javascript:alert(1)"},
        {"client_id_prefix": "redirect_uri", "request_uri_method": "post"},
        {"transaction_data": [{**AGREEMENT, "credential_ids": ["letter"]}]},
        {"client_id_prefix": "verifier_attestation"},
        {"response_mode": "fragment"},
    ],
)
def test_options_that_do_not_fit_are_refused(desk: Desk, options: JsonObject) -> None:
    body = {"query": "family-card", **options}
    answer = desk.client.post("/v1/requests", json=body, headers=AGENCY)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_without_a_certificate_there_are_no_x509_names(desk: Desk) -> None:
    body = {"query": "family-card", "client_id_prefix": "x509_hash"}
    answer = desk.client.post("/v1/requests", json=body, headers=AGENCY)
    assert answer.get_json()["code"] == "prefix_not_configured"


def test_a_holder_who_declines_is_told_on_and_nothing_else(place: tuple[Desk, Citizen]) -> None:
    desk, citizen = place
    opened = desk.ask()
    assert citizen.wallet.decline(citizen.wallet.review(opened["link"])) is None
    told = desk.result(opened).get_json()
    assert (told["outcome"], told["code"]) == ("rejected", "access_denied")


def test_a_copy_is_shown_once_also_when_the_verifier_does_not_take_it(
    place: tuple[Desk, Citizen],
) -> None:
    desk, citizen = place
    (first,) = citizen.wallet.credentials()
    copies = [citizen.copy(first.id, n) for n in range(3)]
    citizen.store.write(*copy_puts(first.id, copies))
    seen = []
    for outcome in ("taken", "expired", "taken"):
        opened = desk.ask(client_id_prefix="decentralized_identifier")
        consent = citizen.wallet.review(opened["link"])
        if outcome == "expired":
            # The verifier forgets: the answer arrives, and is refused.
            desk.clock.set(desk.clock.now() + 299)
            citizen.transport.delay = lambda: desk.clock.set(desk.clock.now() + 10)
            with pytest.raises(RequestRefused):
                citizen.wallet.present(consent)
            citizen.transport.delay = lambda: None
        else:
            citizen.wallet.present(consent)
        body = dict(parse_form(citizen.transport.sent[-1][2]))
        (shown,) = parse_json_object(body["vp_token"].encode())["card"]
        seen.append(shown.partition("~")[0])
    assert len(set(seen)) == 3
    assert citizen.wallet.copies(first.id) == 0
