"""How sites authenticate, what their settings may say, and codes that many try at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import SettableClock
from tests.support.relying_party import (
    CLINIC,
    CLINIC_KEY,
    LIBRARY,
    LIBRARY_URI,
    NOW,
    SECRET,
    relying_parties,
)
from verifier.config import ConfigurationError, VerifierConfig
from verifier.oidc.clients import (
    ASSERTION_TYPE,
    MAX_ASSERTION_S,
    ClientAuthentication,
    RelyingPartyNotAuthenticated,
)
from verifier.oidc.logins import Login, LoginCode, LoginCodeInvalid, Logins
from verifier.oidc.provider import OpenIdProvider
from verifier.oidc.request import (
    AuthenticationRefused,
    AuthenticationRequest,
    RelyingPartyUnknown,
    find_client,
    read_request,
)
from verifier.oidc.settings import OidcConfigurationError, parse_oidc_settings
from verifier.oidc.tokens import IdTokens, pairwise_subject
from verifier.queries import DEFAULT_QUERIES
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.credentials.jose import sign_jws
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.authorization import code_challenge

ISSUER = "https://verifier.example"
TOKEN = f"{ISSUER}/oidc/token"
_NUMBERS = count()


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[[], SqlSessionStore]:
    """Return stores of several processes over one database."""

    def open_one() -> SqlSessionStore:
        engine = open_engine(sqlite_url(tmp_path / "sessions.db"))
        migrate(engine, "sessions")
        return SqlSessionStore(engine)

    return open_one


@pytest.fixture
def clients(open_store: Callable[[], SqlSessionStore]) -> ClientAuthentication:
    return ClientAuthentication(
        relying_parties().clients, open_store(), frozenset((ISSUER, TOKEN))
    )


def assertion(key: Es256SigningKey = CLINIC_KEY, **changes: Any) -> dict[str, str]:
    claims = {
        "iss": CLINIC,
        "sub": CLINIC,
        "aud": TOKEN,
        "jti": f"jti-{next(_NUMBERS)}",
        "iat": NOW,
        "exp": NOW + 300,
        **changes,
    }
    given = {name: value for name, value in claims.items() if value is not None}
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign_jws(key, {}, given),
    }


def basic(text: str) -> str:
    # HTTP Basic is in padded base64, not base64url.
    encoded = base64url.encode(text.encode()).replace("-", "+").replace("_", "/")
    return "Basic " + encoded + "=" * (-len(encoded) % 4)


def test_each_client_comes_in_by_its_own_way(clients: ClientAuthentication) -> None:
    assert clients.authenticate(basic(f"{LIBRARY}:{SECRET}"), {}, now=NOW).client_id == LIBRARY
    for audience in (TOKEN, ISSUER, [ISSUER]):
        found = clients.authenticate(None, assertion(aud=audience), now=NOW)
        assert found.client_id == CLINIC


@pytest.mark.parametrize(
    "changes",
    [
        {"key": Es256SigningKey.generate()},
        {"iss": LIBRARY},
        {"sub": LIBRARY},
        {"aud": "https://another.example/oidc/token"},
        {"aud": [TOKEN, "https://another.example"]},
        {"aud": None},
        {"aud": [{}]},
        {"aud": {}},
        {"exp": NOW - 31},
        {"exp": NOW + MAX_ASSERTION_S + 1},
        {"exp": None},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
        {"jti": None},
        {"jti": "x" * 257},
    ],
)
def test_refuses_an_assertion_of_or_for_another_or_another_time(
    clients: ClientAuthentication, changes: JsonObject
) -> None:
    with pytest.raises(RelyingPartyNotAuthenticated):
        clients.authenticate(None, assertion(**changes), now=NOW)


def test_an_assertion_works_once(clients: ClientAuthentication) -> None:
    fields = assertion()
    assert clients.authenticate(None, fields, now=NOW).client_id == CLINIC
    with pytest.raises(RelyingPartyNotAuthenticated):
        clients.authenticate(None, fields, now=NOW)


@pytest.mark.parametrize(
    ("authorization", "fields"),
    [
        (None, {}),
        (None, {"client_id": LIBRARY, "client_secret": SECRET}),
        (basic(f"{LIBRARY}:wrong"), {}),
        (basic(f"{LIBRARY}:"), {}),
        (basic(f"unknown:{SECRET}"), {}),
        (basic(f"{CLINIC}:{SECRET}"), {}),
        (basic(f"{LIBRARY}:{SECRET}"), {"client_id": CLINIC}),
        (basic(f"{LIBRARY}:{SECRET}"), assertion()),
        (None, {**assertion(), "client_assertion_type": "urn:other"}),
        (None, {"client_assertion": "x", "client_assertion_type": ASSERTION_TYPE}),
        ("Basic ???", {}),
        ("Bearer " + SECRET, {}),
        ("Basic " + "A" * 2000, {}),
        ("Basic /w==", {}),
    ],
)
def test_refuses_a_client_that_does_not_prove_itself_in_its_way(
    clients: ClientAuthentication, authorization: str | None, fields: dict[str, str]
) -> None:
    with pytest.raises(RelyingPartyNotAuthenticated):
        clients.authenticate(authorization, fields, now=NOW)


def test_of_sixteen_that_spend_a_code_over_two_processes_one_succeeds(
    open_store: Callable[[], SqlSessionStore],
) -> None:
    processes = [Logins(open_store()), Logins(open_store())]
    code = LoginCode(
        client_id=LIBRARY,
        redirect_uri=LIBRARY_URI,
        code_challenge="c" * 43,
        nonce=None,
        sub="sub",
        auth_time=NOW,
        claims={},
    )
    name = processes[0].new_code(code, now=NOW)

    def spend(at: int) -> bool:
        try:
            return processes[at % 2].spend(name, f"token-{at}", now=NOW) == code
        except LoginCodeInvalid:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(16))) == 1


def test_a_subject_is_of_its_key_sector_and_account() -> None:
    made = {
        pairwise_subject(key, sector, account)
        for key in (b"k" * 32, b"l" * 32)
        for sector in ("library.example", "clinic.example")
        for account in ("a" * 43, "b" * 43)
    }
    assert len(made) == 8


SETTINGS = {
    "pairwise_key": base64url.encode(b"k" * 32),
    "clients": {
        "site": {
            "name": "합성 사이트",
            "redirect_uris": ["https://site.example/back"],
            "client_secret_digest": sha256(b"secret").hex(),
        }
    },
}


def with_client(**changes: Any) -> JsonObject:
    site = {**SETTINGS["clients"]["site"], **changes}  # type: ignore[index]
    given = {name: value for name, value in site.items() if value is not None}
    return {**SETTINGS, "clients": {"site": given}}


def test_the_sector_is_the_host_or_what_is_configured() -> None:
    assert parse_oidc_settings(SETTINGS).clients["site"].sector_identifier == "site.example"
    several = with_client(
        redirect_uris=["https://a.example/", "https://b.example/"],
        sector_identifier="sector.example",
    )
    assert parse_oidc_settings(several).clients["site"].sector_identifier == "sector.example"


@pytest.mark.parametrize(
    "item",
    [
        {},
        {**SETTINGS, "clients": {}},
        {**SETTINGS, "pairwise_key": base64url.encode(b"short")},
        {"clients": SETTINGS["clients"]},
        {**SETTINGS, "clients": {"not an id": {}}},
        with_client(redirect_uris=[]),
        with_client(redirect_uris=["http://site.example/back"]),
        with_client(redirect_uris=["https://a.example/", "https://b.example/"]),
        with_client(redirect_uris=["javascript:alert(1)"]),
        with_client(scopes=["everything"]),
        with_client(client_secret_digest=None),
        with_client(client_secret_digest="00"),
        with_client(jwks={"keys": [CLINIC_KEY.public_key.jwk]}),
        with_client(client_secret_digest=None, jwks={"keys": [{"kty": "oct", "k": "AA"}]}),
        with_client(name=""),
        with_client(name=None),
        with_client(surprise=1),
    ],
)
def test_refuses_settings_that_make_no_sense(item: JsonObject) -> None:
    with pytest.raises(OidcConfigurationError):
        parse_oidc_settings(item)


def test_no_configured_query_passes_for_a_login(tmp_path: Path) -> None:
    (name,) = tuple(DEFAULT_QUERIES)[:1]
    with pytest.raises(ConfigurationError):
        VerifierConfig(
            base_url=ISSUER,
            database_url="sqlite://",
            signing_key_file=tmp_path / "key",
            agency_token_digests={},
            queries={"login:library": DEFAULT_QUERIES[name]},
        )


NAMES = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt",
         "max_age", "code_challenge", "code_challenge_method", "id_token_hint")  # fmt: skip
GOOD = {
    "client_id": LIBRARY,
    "redirect_uri": LIBRARY_URI,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": "c" * 43,
    "code_challenge_method": "S256",
}


@given(changes=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60)))
def test_whatever_is_asked_is_read_or_refused(changes: dict[str, str]) -> None:
    clients = relying_parties().clients
    fields = {**GOOD, **changes}
    try:
        request = read_request(find_client(list(fields.items()), clients))
    except (RelyingPartyUnknown, AuthenticationRefused):
        assert changes
        return
    assert request.redirect_uri in clients[request.client_id].redirect_uris
    assert AuthenticationRequest.from_json(request.to_json()) == replace(
        request, id_token_hint=None
    )


def test_a_parameter_that_occurs_twice_is_refused() -> None:
    with pytest.raises(RelyingPartyUnknown):
        find_client([*GOOD.items(), ("state", "1"), ("state", "2")], relying_parties().clients)


def test_what_the_wallet_kept_to_itself_is_not_told(
    open_store: Callable[[], SqlSessionStore],
) -> None:
    tokens = IdTokens(ISSUER, Es256SigningKey.generate())
    provider = OpenIdProvider(relying_parties(), tokens, open_store(), SettableClock(NOW))
    shown = {"account_id": "a" * 43, "birth_date": "1990-01-01"}
    verifier = "v" * 43
    told = []
    for names in (("account_id", "birth_date"), ("account_id",)):
        asked = AuthenticationRequest(
            client_id=LIBRARY,
            redirect_uri=LIBRARY_URI,
            scopes=("birthdate",),
            code_challenge=code_challenge(verifier),
        )
        claims = {name: shown[name] for name in names}
        result = {
            "outcome": "accepted",
            "checked_at": NOW,
            "credentials": {"account": [{"claims": claims}]},
        }
        url = provider.finish(Login(asked=asked), result)
        fields = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(url).query)["code"][0],
            "redirect_uri": LIBRARY_URI,
            "code_verifier": verifier,
        }
        given = provider.exchange(basic(f"{LIBRARY}:{SECRET}"), fields)
        told.append(provider.userinfo(given["access_token"]))
    assert told[0] == {**told[1], "birthdate": "1990-01-01"}
    assert told[1].keys() == {"sub"}
