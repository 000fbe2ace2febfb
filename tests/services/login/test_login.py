"""Login by wallet at relying parties that use Authlib, over HTTP, with every negative twin."""

from __future__ import annotations

import secrets
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from authlib.common.errors import AuthlibBaseError

from issuer.status import StatusReason
from tests.support.login_town import OTHER, WORKER, LoginTown, callback_of
from tests.support.relying_party import CLINIC, CLINIC_URI, LIBRARY_URI, Browser, Site
from verifier.oidc.logins import CODE_TTL_S, TOKEN_TTL_S
from verifier.oidc.tokens import ACR
from verifier.queries import use_of
from wallet.credentials.account import ACCOUNT_ID, ACCOUNT_TYPE
from wallet.credentials.delegation import DelegationScope, NotDelegable, issue_delegation
from wallet.crypto.keys import Es256SigningKey
from wallet.holder.cards import Card
from wallet.holder.reissue import Outcome
from wallet.holder.wallet import Wallet
from wallet.verification.acting import Use

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(120)]

Holder = tuple[Wallet, Card]


def query_of(url: str) -> dict[str, str]:
    return {name: one for name, (one,) in parse_qs(urlsplit(url).query).items()}


def refusal(town: LoginTown, url: str) -> dict[str, str]:
    return query_of(callback_of(Browser(town.provider).open(url)))


def post_code(site: Site, callback: str, **changes: str) -> requests.Response:
    """Exchange a code with a request of its own making."""
    form = {
        "grant_type": "authorization_code",
        "code": query_of(callback)["code"],
        "redirect_uri": site.redirect_uri,
        "code_verifier": site.verifier,
        **changes,
    }
    session = site.session
    answer: requests.Response = session.request(
        "POST",
        site.metadata["token_endpoint"],
        data=form,
        auth=session.client_auth(site.session.token_endpoint_auth_method),
        withhold_token=True,
        timeout=10,
    )
    return answer


def test_a_site_logs_a_person_in_and_learns_nothing_but_who(
    town: LoginTown, worker: Holder
) -> None:
    site = Site(town.provider)
    token = site.exchange(town.answer(site, worker[0]))
    claims = site.claims(token, now=town.city.clock.now())
    assert claims["acr"] == ACR
    assert claims["auth_time"] == town.city.clock.now()
    assert claims.keys() == {
        "iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "acr", "amr", "at_hash",
    }  # fmt: skip
    assert site.userinfo(token).json() == {"sub": claims["sub"]}
    assert "1990-01-01" not in str(token)


def test_scopes_that_the_person_shows_are_told_at_userinfo_alone(
    town: LoginTown, worker: Holder
) -> None:
    site = Site(town.provider, scope="openid birthdate seoul_resident email")
    token = site.exchange(town.answer(site, worker[0]))
    claims = site.claims(token, now=town.city.clock.now())
    assert "birthdate" not in claims
    assert site.userinfo(token).json() == {
        "sub": claims["sub"],
        "birthdate": "1990-01-01",
        "seoul_resident": True,
    }


def test_a_site_gets_no_scope_that_it_is_not_registered_for(
    town: LoginTown, worker: Holder
) -> None:
    site = Site(town.provider, CLINIC, CLINIC_URI, scope="openid birthdate")
    token = site.exchange(town.answer(site, worker[0]))
    assert site.userinfo(token).json().keys() == {"sub"}


def test_two_sites_know_a_person_by_names_that_stay_through_reissue(
    town: LoginTown, worker: Holder, employer: Holder
) -> None:
    def sub_at(site: Site, wallet: Wallet) -> str:
        return str(town.log_in(site, wallet)["sub"])

    library, clinic = Site(town.provider), Site(town.provider, CLINIC, CLINIC_URI)
    before = sub_at(library, worker[0]), sub_at(clinic, worker[0])
    assert before[0] != before[1]
    assert sub_at(Site(town.provider), employer[0]) not in before
    # The same wallet after its card was issued anew, and another one of the same person.
    assert worker[0].devices.reissue(worker[1].id, again=True).outcome is Outcome.REISSUED
    town.city.settle()
    other, _ = town.wallet_of(WORKER, f"another-{secrets.token_hex(4)}")
    for wallet in (worker[0], other):
        after = (
            sub_at(Site(town.provider), wallet),
            sub_at(Site(town.provider, CLINIC, CLINIC_URI), wallet),
        )
        assert after == before


def test_neither_the_account_nor_the_register_id_is_in_what_sites_get(
    town: LoginTown, worker: Holder
) -> None:
    site = Site(town.provider)
    callback = town.answer(site, worker[0])
    token = site.exchange(callback)
    account = worker[0].card(worker[1].id).claims["account_id"]
    said = f"{callback} {token} {site.claims(token, now=town.city.clock.now())}"
    assert account not in said
    assert WORKER not in said


def test_a_code_works_once_and_its_second_use_ends_the_token(
    town: LoginTown, worker: Holder
) -> None:
    site = Site(town.provider)
    callback = town.answer(site, worker[0])
    first = post_code(site, callback)
    assert first.status_code == 200
    assert site.userinfo(first.json()).status_code == 200
    # Another process over the same database knows it too.
    town.restart()
    again = post_code(site, callback)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert site.userinfo(first.json()).status_code == 401


def test_a_login_goes_on_after_the_verifier_was_restarted(town: LoginTown, worker: Holder) -> None:
    site, browser = Site(town.provider), Browser(town.provider)
    page = browser.open(site.start())
    town.restart()
    browser.agree(page)
    presented = worker[0].present(worker[0].review(browser.wallet_link()))
    town.restart()
    callback = callback_of(browser.open(presented.redirect_uri or ""))
    town.restart()
    assert site.claims(site.exchange(callback), now=town.city.clock.now())["sub"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"redirect_uri": f"{LIBRARY_URI}?from=app"},
        {"redirect_uri": LIBRARY_URI + "/"},
    ],
)
def test_a_code_needs_its_verifier_and_its_redirect_uri(
    town: LoginTown, worker: Holder, changes: dict[str, str]
) -> None:
    site = Site(town.provider)
    callback = town.answer(site, worker[0])
    refused = post_code(site, callback, **changes)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
    # One try is all there is.
    assert post_code(site, callback).json() == {"error": "invalid_grant"}


def test_a_code_of_one_site_is_nothing_to_another(town: LoginTown, worker: Holder) -> None:
    library = Site(town.provider)
    callback = town.answer(library, worker[0])
    clinic = Site(town.provider, CLINIC, CLINIC_URI, verifier=library.verifier)
    refused = post_code(clinic, callback, redirect_uri=LIBRARY_URI)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})


def test_a_code_expires(town: LoginTown, worker: Holder) -> None:
    site = Site(town.provider)
    callback = town.answer(site, worker[0])
    now = town.city.clock.now()
    try:
        town.city.clock.set(now + CODE_TTL_S + 1)
        assert post_code(site, callback).json() == {"error": "invalid_grant"}
    finally:
        town.city.clock.set(now)


def test_an_access_token_expires(town: LoginTown, worker: Holder) -> None:
    site = Site(town.provider)
    token = site.exchange(town.answer(site, worker[0]))
    now = town.city.clock.now()
    try:
        town.city.clock.set(now + TOKEN_TTL_S + 1)
        assert site.userinfo(token).status_code == 401
    finally:
        town.city.clock.set(now)


def test_a_wrong_secret_and_a_replayed_assertion_get_no_token(
    town: LoginTown, worker: Holder
) -> None:
    site = Site(town.provider)
    callback = town.answer(site, worker[0])
    site.session.client_secret = "another-secret"
    refused = post_code(site, callback)
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    clinic = Site(town.provider, CLINIC, CLINIC_URI)
    first = post_code(clinic, town.answer(clinic, worker[0]))
    assert first.status_code == 200
    body = first.request.body
    form = body.decode() if isinstance(body, bytes) else str(body)
    replayed = requests.post(
        clinic.metadata["token_endpoint"],
        data=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    assert (replayed.status_code, replayed.json()) == (401, {"error": "invalid_client"})


def test_a_site_refuses_an_answer_to_another_state_or_of_another_nonce(
    town: LoginTown, worker: Holder
) -> None:
    site, other = Site(town.provider), Site(town.provider)
    other.start()
    callback = town.answer(site, worker[0])
    # Replayed into another login of the same site: Authlib compares the state.
    with pytest.raises(AuthlibBaseError):
        other.exchange(callback)
    token = site.exchange(callback)
    replace_nonce = replace(site, nonce="another-nonce")
    with pytest.raises(Exception, match="nonce"):
        replace_nonce.claims(token, now=town.city.clock.now())


def test_a_site_refuses_an_answer_of_another_issuer(town: LoginTown, worker: Holder) -> None:
    site = Site(town.provider)
    callback = town.answer(site, worker[0])
    fields = {**query_of(callback), "iss": "https://attacker.example"}
    with pytest.raises(AssertionError):
        site.exchange(f"{LIBRARY_URI}?{urlencode(fields)}")
    assert query_of(callback)["iss"] == site.metadata["issuer"] == town.provider


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://attacker.example/callback"},
        {"redirect_uri": LIBRARY_URI + "/"},
        {"redirect_uri": CLINIC_URI},
        {"client_id": "unknown"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    town: LoginTown, changes: dict[str, str]
) -> None:
    asked = {**query_of(Site(town.provider).start()), **changes}
    answer = Browser(town.provider).open(f"{town.provider}/oidc/authorize?{urlencode(asked)}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "relying_party_unknown"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://library.example/r"}, "request_uri_not_supported"),
        ({"id_token_hint": "not-a-token"}, "invalid_request"),
    ],
)
def test_what_cannot_be_met_is_told_to_the_site(
    town: LoginTown, changes: dict[str, str], error: str
) -> None:
    asked = {**query_of(Site(town.provider).start()), **changes}
    told = refusal(town, f"{town.provider}/oidc/authorize?{urlencode(asked)}")
    assert told == {"error": error, "state": asked["state"], "iss": town.provider}


@pytest.mark.parametrize("more", [{"prompt": "login"}, {"max_age": "0"}, {"acr_values": ACR}])
def test_prompt_and_max_age_are_met_by_a_login_of_just_now(
    town: LoginTown, worker: Holder, more: dict[str, str]
) -> None:
    claims = town.log_in(Site(town.provider), worker[0], **more)
    assert (claims["auth_time"], claims["acr"]) == (town.city.clock.now(), ACR)


def test_a_hint_lets_its_own_person_in_and_nobody_else(
    town: LoginTown, worker: Holder, employer: Holder
) -> None:
    site = Site(town.provider)
    hint = site.exchange(town.answer(site, worker[0]))["id_token"]
    again = Site(town.provider)
    assert town.log_in(again, worker[0], id_token_hint=hint)["sub"]
    refused = town.answer(Site(town.provider), employer[0], id_token_hint=hint)
    assert query_of(refused)["error"] == "login_required"
    clinic = Site(town.provider, CLINIC, CLINIC_URI)
    assert refusal(town, clinic.start(id_token_hint=hint))["error"] == "invalid_request"


def test_a_form_that_the_authorization_endpoint_is_sent_does_as_well(town: LoginTown) -> None:
    asked = query_of(Site(town.provider).start())
    answer = requests.post(f"{town.provider}/oidc/authorize", data=asked, timeout=10)
    assert "합성 도서관" in answer.text


def test_a_revoked_account_logs_nobody_in(town: LoginTown) -> None:
    wallet, _ = town.wallet_of(OTHER, "revoked")
    assert "code" in query_of(town.answer(Site(town.provider), wallet))
    statuses = town.city.issuer.service.statuses
    for issuance in statuses.issuances_of(OTHER):
        statuses.revoke(issuance.issuance_id, StatusReason.HOLDER_REQUEST)
    now = town.city.clock.now()
    try:
        town.city.settle()
        # Lists are asked for anew after a while; other wallets' cards stay good.
        town.city.clock.set(now + 3600)
        town.city.settle()
        told = query_of(town.answer(Site(town.provider), wallet))
        assert told["error"] == "access_denied"
    finally:
        town.city.clock.set(now)


def test_the_browser_that_started_alone_goes_on(town: LoginTown, worker: Holder) -> None:
    site = Site(town.provider)
    victim, attacker = Browser(town.provider), Browser(town.provider)
    attacker.agree(attacker.open(site.start()))
    link = attacker.wallet_link()
    presented = worker[0].present(worker[0].review(link))
    # The victim's browser comes back with the code and has no session.
    assert victim.open(presented.redirect_uri or "").status_code == 200
    # The attacker's has the session and never sees the code.
    finished = attacker.open(f"{town.provider}/oidc/finish")
    assert finished.status_code == 200
    assert "code=" not in finished.headers.get("Location", "")


def test_an_outcome_is_taken_to_the_site_once(town: LoginTown, worker: Holder) -> None:
    site, browser = Site(town.provider), Browser(town.provider)
    browser.agree(browser.open(site.start()))
    presented = worker[0].present(worker[0].review(browser.wallet_link()))
    callback_of(browser.open(presented.redirect_uri or ""))
    assert browser.open(f"{town.provider}/oidc/finish").status_code == 200


def test_who_declines_in_the_wallet_is_not_logged_in(town: LoginTown, worker: Holder) -> None:
    site, browser = Site(town.provider), Browser(town.provider)
    browser.agree(browser.open(site.start()))
    back = worker[0].decline(worker[0].review(browser.wallet_link()))
    told = query_of(callback_of(browser.open(back or "")))
    assert told == {"error": "access_denied", "state": site.state, "iss": town.provider}


def test_login_is_never_for_another(town: LoginTown) -> None:
    scope = DelegationScope((ACCOUNT_TYPE,), ((ACCOUNT_ID,),))
    key, delegate = Es256SigningKey.generate(), Es256SigningKey.generate().public_key
    now = town.city.clock.now()
    for refused in (scope, replace(scope, types=("urn:x",), programmes=("login:library",))):
        with pytest.raises(NotDelegable):
            issue_delegation(refused, key, delegate=delegate, not_before=now, expires_at=now + 60)
    allowed = replace(scope, types=("urn:x",))
    assert issue_delegation(allowed, key, delegate=delegate, not_before=now, expires_at=now + 60)
    # And whatever comes along with an answer, a login is judged as one.
    assert use_of("login:library") is Use.LOGIN
    assert use_of("family-card") is use_of(None) is Use.PRESENTATION
