"""The verifier's own pages: bound to a browser, safe to frame nowhere, nothing inline."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.citizen import Citizen
from tests.support.desk import BASE_URL, Desk

Opened = Callable[..., Desk]
COOKIE = "__Host-seoul-verifier"


@pytest.fixture
def desk(open_desk: Opened) -> Desk:
    return open_desk(page_queries=frozenset(("family-card",)))


def browser(desk: Desk) -> FlaskClient:
    """Return a browser of its own."""
    return desk.verifier.app.test_client()


def get(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path, base_url=BASE_URL)


def form_token(client: FlaskClient) -> str:
    page = get(client, "/present/family-card?lang=en").get_data(as_text=True)
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def start(client: FlaskClient, flow: str, **changes: str) -> TestResponse:
    token = changes.pop("csrf", None) or form_token(client)
    return client.post(
        "/present/family-card",
        data={"csrf": token, "flow": flow},
        base_url=BASE_URL,
        headers={"Origin": BASE_URL, **changes},
    )


def link_on(page: TestResponse) -> str:
    found = re.search(r'href="(openid4vp://[^"]+)"', page.get_data(as_text=True))
    assert found is not None
    return found[1].replace("&amp;", "&")


def link_of(desk: Desk, client: FlaskClient) -> str:
    """Return the link that this browser's QR code spells."""
    cookie = client.get_cookie(COOKIE, domain="verifier.example")
    assert cookie is not None
    return desk.verifier.browsers.result(cookie.value)[0]


def test_same_device_from_the_page_to_the_outcome_and_the_claims_once(
    desk: Desk, tmp_path: Path
) -> None:
    client = browser(desk)
    citizen = Citizen.at(desk, tmp_path)
    citizen.hold()
    assert start(client, "same_device").status_code == 303
    page = get(client, "/present/request?lang=en")
    presented = citizen.wallet.present(citizen.wallet.review(link_on(page)))
    assert presented.redirect_uri is not None
    back = presented.redirect_uri.removeprefix(BASE_URL)
    assert get(client, "/present/status").get_json() == {"state": "fetched"}
    assert get(client, back).status_code == 303
    outcome = get(client, "/present/request?lang=ko").get_data(as_text=True)
    assert "확인되었습니다" in outcome
    assert "2034-02-28" in outcome
    again = get(client, "/present/request?lang=ko").get_data(as_text=True)
    assert "2034-02-28" not in again


def test_cross_device_shows_a_code_once_and_then_the_outcome(desk: Desk, tmp_path: Path) -> None:
    client = browser(desk)
    citizen = Citizen.at(desk, tmp_path)
    citizen.hold()
    start(client, "cross_device")
    assert "<svg" in get(client, "/present/request").get_data(as_text=True)
    consent = citizen.wallet.review(link_of(desk, client))
    assert "<svg" not in get(client, "/present/request").get_data(as_text=True)
    citizen.wallet.present(consent)
    assert get(client, "/present/status").get_json() == {"state": "answered"}
    assert "Confirmed" in get(client, "/present/request?lang=en").get_data(as_text=True)


def test_vp_4_another_browser_gets_nothing_with_or_without_the_code(
    desk: Desk, tmp_path: Path
) -> None:
    attacker, victim = browser(desk), browser(desk)
    citizen = Citizen.at(desk, tmp_path)
    citizen.hold()
    start(attacker, "same_device")
    link = link_on(get(attacker, "/present/request"))
    presented = citizen.wallet.present(citizen.wallet.review(link))
    assert presented.redirect_uri is not None
    back = presented.redirect_uri.removeprefix(BASE_URL)
    # The victim's browser has the code and no session, the attacker's the session and no code.
    assert "2034-02-28" not in get(victim, back).get_data(as_text=True)
    for _ in range(3):
        assert get(attacker, "/present/status").get_json() == {"state": "fetched"}
        assert "2034-02-28" not in get(attacker, "/present/request").get_data(as_text=True)
    guessed = get(attacker, "/present/return?response_code=" + "A" * 43)
    assert guessed.status_code == 200
    assert get(attacker, "/present/status").get_json() == {"state": "fetched"}


@pytest.mark.parametrize(
    "changes",
    [
        {"csrf": "A" * 43},
        {"csrf": "-"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_web_1_a_form_from_elsewhere_is_refused_and_opens_nothing(
    desk: Desk, changes: dict[str, str]
) -> None:
    client = browser(desk)
    form_token(client)
    before = get(client, "/metrics").get_data(as_text=True)
    assert start(client, "cross_device", **changes).status_code == 403
    assert get(client, "/metrics").get_data(as_text=True) == before
    assert get(client, "/present/status").get_json() == {"state": "gone"}


def test_web_1_a_form_of_another_browser_or_without_a_cookie_is_refused(desk: Desk) -> None:
    token = form_token(browser(desk))
    assert start(browser(desk), "cross_device", csrf=token).status_code == 403


@pytest.mark.parametrize(
    "path", ["/present", "/present/family-card", "/present/request", "/present/return"]
)
def test_web_2_every_page_has_the_headers_that_keep_it_safe(desk: Desk, path: str) -> None:
    answer = get(browser(desk), path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.get_data(as_text=True)
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]* src=)|<style| on[a-z]+=", page)


def test_web_2_the_cookie_is_bound_to_host_and_browser(desk: Desk) -> None:
    client = browser(desk)
    (cookie,) = get(client, "/present/family-card").headers.getlist("Set-Cookie")
    name, _, rest = cookie.partition("=")
    assert name == COOKIE
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in rest
    assert "Domain" not in rest
    before = client.get_cookie(COOKIE, domain="verifier.example")
    start(client, "cross_device")
    after = client.get_cookie(COOKIE, domain="verifier.example")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_pages_that_were_not_opened_are_not_there(desk: Desk, open_desk: Opened) -> None:
    client = browser(desk)
    for path in ("/present/appointment-letter", "/present/../etc", "/assets/..%2fpages.py"):
        assert get(client, path).status_code == 404
    assert get(browser(open_desk()), "/present").status_code == 404


def test_vp_14_an_expired_or_used_code_is_dead(desk: Desk, tmp_path: Path) -> None:
    client = browser(desk)
    start(client, "cross_device")
    link = link_of(desk, client)
    path = re.sub(r".*request_uri=[^&]*verifier.example", "", link).replace("%2F", "/")
    desk.clock.set(desk.clock.now() + 60)
    assert desk.client.get(path).status_code == 404
    start(client, "cross_device")
    citizen = Citizen.at(desk, tmp_path)
    citizen.hold()
    link = link_of(desk, client)
    consent = citizen.wallet.review(link)
    assert (consent.verifier_name, consent.answers_to) == (
        "Seoul Wallet verifier",
        "verifier.example",
    )
    path = re.sub(r".*request_uri=[^&]*verifier.example", "", link).replace("%2F", "/")
    assert desk.client.get(path).status_code == 409
