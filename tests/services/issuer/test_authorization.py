"""The authorization code flow: pushed request, login, consent, code, tokens, credential."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from tests.support.issuing import (
    ALICE,
    APPOINTMENT,
    BOB,
    FAMILY,
    HOLDER,
    SMALL_FAMILY,
    SMALL_HOLDER,
    IssuerWorld,
    issuer_world,
    key_of,
)
from tests.support.oid4vci_wallet import (
    CARD,
    CLIENT_ID,
    PROVIDER,
    REDIRECT_URI,
    TestWallet,
    csrf_of,
    error_of,
)
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.protocols.oid4vci.client_attestation import TrustedProviders

CLIENTS = (Client(CLIENT_ID, (REDIRECT_URI,), "합성 지갑"),)
PROVIDERS = TrustedProviders({PROVIDER: key_of("wallet provider").public_key})
HAIP = ClientPolicy(
    clients=CLIENTS, providers=PROVIDERS, attestation_required=True, dpop_required=True
)


def world_with(folder: Path, policy: ClientPolicy) -> IssuerWorld:
    return issuer_world(folder, settings=ServiceSettings(clients=policy))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = world_with(tmp_path, ClientPolicy(clients=CLIENTS, providers=PROVIDERS))
    yield built
    built.close()


@pytest.fixture
def haip(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = world_with(tmp_path, HAIP)
    yield built
    built.close()


@pytest.mark.parametrize("dpop", [False, True])
def test_issues_by_authorization_code(world: IssuerWorld, dpop: bool) -> None:
    wallet = TestWallet(world, key_of("dpop") if dpop else None)
    answer = wallet.authorize()
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("state-1", world.base_url)
    tokens = wallet.exchange(wallet.code_request(answer["code"])).get_json()
    assert tokens["token_type"] == ("DPoP" if dpop else "Bearer")
    assert ("refresh_token" in tokens) is dpop
    assert "authorization_details" not in tokens
    key = Es256SigningKey.generate()
    issued = wallet.credential(tokens["access_token"], key)
    assert issued.status_code == 200, issued.text
    signed = parse_sd_jwt(issued.get_json()["credentials"][0]["credential"]).jws.peek_claims()
    assert signed["cnf"] == {"jwk": key.public_key.jwk}


def test_the_high_assurance_profile_from_end_to_end(haip: IssuerWorld) -> None:
    wallet = TestWallet(haip, key_of("dpop"), attested=True)
    assert wallet.credential(wallet.tokens()["access_token"]).status_code == 200
    server = haip.client.get("/.well-known/oauth-authorization-server").get_json()
    assert server["token_endpoint_auth_methods_supported"] == ["attest_jwt_client_auth"]
    assert server["require_pushed_authorization_requests"] is True
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["dpop_signing_alg_values_supported"] == ["ES256"]
    assert CARD in server["scopes_supported"]


def test_the_high_assurance_profile_asks_for_attestation_and_dpop(haip: IssuerWorld) -> None:
    bare = TestWallet(haip, key_of("dpop"))
    assert error_of(bare.post_oauth("/par", bare.request().to_form())) == (401, "invalid_client")
    bearer = TestWallet(haip, attested=True)
    code = bearer.authorize()["code"]
    assert error_of(bearer.exchange(bearer.code_request(code))) == (400, "invalid_dpop_proof")
    # The anonymous pre-authorized code is outside that profile.
    assert TestWallet(haip).pre_authorized()["token_type"] == "Bearer"


def test_details_are_answered_with_an_identifier_that_the_request_must_name(
    world: IssuerWorld,
) -> None:
    wallet = TestWallet(world)
    tokens = wallet.tokens(scope=None, configuration_ids=(CARD,))
    (detail,) = tokens["authorization_details"]
    assert (detail["type"], detail["credential_configuration_id"]) == ("openid_credential", CARD)
    (identifier,) = detail["credential_identifiers"]
    by_configuration = wallet.credential(tokens["access_token"])
    assert error_of(by_configuration) == (400, "unknown_credential_identifier")
    issued = wallet.credential(
        tokens["access_token"],
        credential_identifier=identifier,
        **{"credential_configuration_id": None},
    )
    assert issued.status_code == 200, issued.text


def test_the_holder_may_refuse(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    browser, page = wallet.open(wallet.push())
    done = wallet.consent(browser, wallet.log_in(browser, page), "deny")
    location = done.headers["Location"]
    assert "error=access_denied" in location
    assert "iss=https" in location
    assert "code=" not in location


@pytest.mark.parametrize(
    ("subject", "holder"), [(SMALL_FAMILY, SMALL_HOLDER), (FAMILY, SMALL_HOLDER), ("NO", "NO")]
)
def test_nobody_who_is_not_entitled_gets_a_code(
    world: IssuerWorld, subject: str, holder: str
) -> None:
    answer = TestWallet(world).authorize(subject, holder)
    assert answer == {"error": "access_denied", "state": "state-1", "iss": world.base_url}


def test_the_pages_speak_korean_and_english_and_run_no_script(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    browser, page = wallet.open(wallet.push())
    consent = wallet.log_in(browser, page)
    for shown in (page, consent):
        policy = shown.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "<script" not in shown.text
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "본인 확인" in page.text
    assert "다둥이 행복카드" in consent.text
    assert "Multi-child Family Card" in consent.text
    assert "합성 지갑" in consent.text
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie
    assert HOLDER not in page.text


def test_a_form_without_its_token_or_cookie_changes_nothing(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    browser, page = wallet.open(wallet.push())
    fields = {"subject_id": FAMILY, "holder_id": HOLDER}
    for csrf in ("", "wrong"):
        refused = browser.post("/authorize/login", data={"csrf": csrf, **fields})
        assert refused.status_code == 409
    stranger, other_page = wallet.open(wallet.push())
    assert wallet.log_in(stranger, page).status_code == 409
    assert wallet.log_in(stranger, other_page).status_code == 200
    foreign = browser.post(
        "/authorize/login",
        data={"csrf": csrf_of(page), **fields},
        headers={"Origin": "https://evil.example"},
    )
    assert foreign.status_code == 403
    assert wallet.log_in(browser, page).status_code == 200


def test_a_script_in_a_form_field_comes_back_escaped(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    browser, page = wallet.open(wallet.push())
    script = "<script>alert(1)</script>" * 4
    refused = browser.post(
        "/authorize/login", data={"csrf": csrf_of(page), "subject_id": script, "holder_id": "x"}
    )
    assert refused.status_code == 403
    assert "<script" not in refused.text


def test_login_attempts_are_counted(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    browser, page = wallet.open(wallet.push())
    for _ in range(5):
        assert wallet.log_in(browser, page, "", "").status_code == 403
    assert wallet.log_in(browser, page).status_code == 409


def test_a_request_uri_opens_one_browser_and_expires(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    uri = wallet.push()
    assert wallet.open(uri, client_id="other")[1].status_code == 409
    uri = wallet.push()
    assert wallet.open(uri)[1].status_code == 200
    assert wallet.open(uri)[1].status_code == 409
    late = wallet.push()
    world.clock.set(world.clock.now() + 90)
    assert wallet.open(late)[1].status_code == 409


def test_what_was_not_pushed_is_not_opened(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "response_type": "code"}
    answer = world.client.get("/authorize", query_string=query)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert wallet.open("urn:ietf:params:oauth:request_uri:unknown")[1].status_code == 409


def test_an_invitation_is_for_its_person_and_taken_once(world: IssuerWorld) -> None:
    made = world.operate(
        "/credential-offers",
        {
            "configuration_id": CARD,
            "subject_id": FAMILY,
            "holder_id": HOLDER,
            "by_authorization": True,
        },
    ).get_json()
    assert made["tx_code"] is None
    uri = parse_qs(urlsplit(made["link"]).query)["credential_offer_uri"][0]
    offer = world.client.get(urlsplit(uri).path).get_json()
    assert offer["grants"].keys() == {"authorization_code"}
    state = offer["grants"]["authorization_code"]["issuer_state"]
    wallet = TestWallet(world)
    other = wallet.authorize(SMALL_FAMILY, SMALL_HOLDER, issuer_state=state)
    assert other["error"] == "access_denied"
    assert "code" in wallet.authorize(issuer_state=state)
    assert wallet.authorize(issuer_state=state)["error"] == "access_denied"
    assert world.client.get(urlsplit(uri).path).status_code == 404


def test_a_letter_is_held_whoever_asks_for_it(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    tokens = wallet.tokens(subject=APPOINTMENT, holder=APPOINTMENT, scope="appointment-letter")
    held = wallet.credential(tokens["access_token"], configuration="appointment-letter")
    assert held.status_code == 202
    headers = {"Authorization": f"Bearer {ALICE}"}
    (waiting,) = world.client.get("/operator/approvals", headers=headers).get_json()["approvals"]
    assert waiting["held_by"] == "(holder)"
    decided = world.operate(f"/approvals/{waiting['approval_id']}/approve", {}, token=BOB)
    assert decided.status_code == 200
    transaction = {"transaction_id": held.get_json()["transaction_id"]}
    issued = wallet.post_resource("/deferred-credential", tokens["access_token"], transaction)
    assert issued.status_code == 200, issued.text


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "unknown"},
        {"scope": f"{CARD} appointment-letter"},
        {"scope": None},
    ],
)
def test_one_known_credential_is_asked_for_at_a_time(
    world: IssuerWorld, changes: dict[str, Any]
) -> None:
    wallet = TestWallet(world)
    answer = wallet.post_oauth("/par", wallet.request(**changes).to_form())
    assert error_of(answer) == (400, "invalid_scope")
