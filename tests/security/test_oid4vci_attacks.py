"""Attacks on an issuer that speaks OpenID4VCI: each is answered with the protocol's own error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from issuer.sessions import MAX_TX_CODE_ATTEMPTS
from tests.support.issuing import FAMILY, FORM, IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import (
    CARD,
    CLIENT_ID,
    PROVIDER,
    REDIRECT_URI,
    TestWallet,
    error_of,
)
from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.protocols.oid4vci.client_attestation import TrustedProviders
from wallet.protocols.oid4vci.token import TokenRequest

OTHER = "https://other.example"
POLICY = ClientPolicy(
    clients=(Client(CLIENT_ID, (REDIRECT_URI,)),),
    providers=TrustedProviders({PROVIDER: key_of("wallet provider").public_key}),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = issuer_world(tmp_path, settings=ServiceSettings(clients=POLICY))
    yield built
    built.close()


@pytest.fixture
def wallet(world: IssuerWorld) -> TestWallet:
    return TestWallet(world)


@pytest.fixture
def bound(world: IssuerWorld) -> TestWallet:
    return TestWallet(world, key_of("dpop"))


def rows(world: IssuerWorld) -> int:
    found = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()
    return len(found["issuances"])


def crafted(world: IssuerWorld, header: dict[str, Any], **claims: Any) -> str:
    """Return a key proof signed by its own key, with any header and claims."""
    key = key_of("holder")
    merged = {"typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk, **header}
    body = {"aud": world.base_url, "iat": world.clock.now(), "nonce": world.nonce(), **claims}
    kept = [{k: v for k, v in part.items() if v is not None} for part in (merged, body)]
    return sign_jws(key, kept[0], kept[1])


def test_vci_1_a_code_works_once_and_its_second_use_revokes_the_token(
    world: IssuerWorld, wallet: TestWallet
) -> None:
    code, _ = world.offer()
    token = world.exchange(code).get_json()["access_token"]
    assert error_of(world.exchange(code)) == (400, "invalid_grant")
    assert error_of(wallet.credential(token)) == (401, "invalid_token")
    assert rows(world) == 0


def test_vci_2_wrong_transaction_codes_kill_the_code_also_over_a_restart(
    world: IssuerWorld,
) -> None:
    code, tx_code = world.offer(tx_code=True)
    wrong = "000000" if tx_code != "000000" else "000001"
    for _ in range(MAX_TX_CODE_ATTEMPTS + 1):
        assert error_of(world.exchange(code, wrong)) == (400, "invalid_grant")
    again = issuer_world(world.folder, settings=ServiceSettings(clients=POLICY))
    assert error_of(again.exchange(code, tx_code)) == (400, "invalid_grant")
    again.close()


def test_vci_3_a_transaction_code_is_sent_when_and_only_when_it_is_asked_for(
    world: IssuerWorld,
) -> None:
    assert error_of(world.exchange(world.offer()[0], "123456")) == (400, "invalid_request")
    assert error_of(world.exchange(world.offer(tx_code=True)[0])) == (400, "invalid_request")


def test_vci_4_a_code_ends_with_its_second(world: IssuerWorld) -> None:
    last, late = world.offer()[0], world.offer()[0]
    world.clock.set(world.clock.now() + 24 * 3600 - 1)
    assert world.exchange(last).status_code == 200
    world.clock.set(world.clock.now() + 1)
    assert error_of(world.exchange(late)) == (400, "invalid_grant")


def test_vci_5_a_stale_foreign_reused_or_missing_nonce_gives_nothing(world: IssuerWorld) -> None:
    reused = world.nonce()
    assert world.request_credential(world.token(), world.proof(nonce=reused)).status_code == 200
    stale = world.nonce()
    before = rows(world)
    world.clock.set(world.clock.now() + 300)
    token = world.token()
    for nonce in (stale, "of-another-issuer-0123456789", reused):
        answer = world.request_credential(token, world.proof(nonce=nonce))
        assert error_of(answer) == (400, "invalid_nonce")
    without = crafted(world, {}, nonce=None)
    assert error_of(world.request_credential(token, without)) == (400, "invalid_proof")
    assert rows(world) == before


@pytest.mark.parametrize(
    "audience",
    [OTHER, "https://issuer.example/token", "https://issuer.example/", None, 7, [],
     ["https://issuer.example", OTHER]],
)  # fmt: skip
def test_vci_6_8_a_key_proof_for_someone_else_is_refused(
    world: IssuerWorld, audience: object
) -> None:
    proof = crafted(world, {}, aud=audience)
    answer = world.request_credential(world.token(), proof)
    assert error_of(answer) == (400, "invalid_proof")
    assert rows(world) == 0


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "dpop+jwt"},
        {"kid": "did:jwk:e30#0"},
        {"jwk": {**key_of("holder").public_key.jwk, "d": base64url.encode(bytes(32))}},
        {"jwk": None, "kid": "https://evil.example/key.json"},
        {"jwk": None, "kid": "did:web:evil.example#key-1"},
        {"jwk": None, "x5c": ["MAA="]},
        {"jwk": None},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": key_of("another").public_key.jwk},
        {"jku": "https://evil.example", "jwk": None},
    ],
)
def test_vci_7_a_key_proof_names_its_key_in_one_way_and_nothing_is_fetched(
    world: IssuerWorld, header: dict[str, Any]
) -> None:
    # Sockets are forbidden in tests: a fetch would fail this one.
    answer = world.request_credential(world.token(), crafted(world, header))
    assert error_of(answer) == (400, "invalid_proof")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES512"])
def test_vci_7_a_key_proof_has_a_known_algorithm(world: IssuerWorld, algorithm: str) -> None:
    head, body, signature = crafted(world, {}).split(".")
    header = {
        "alg": algorithm,
        "typ": "openid4vci-proof+jwt",
        "jwk": key_of("holder").public_key.jwk,
    }
    proof = f"{base64url.encode(to_json(header))}.{body}.{signature if head else ''}"
    answer = world.request_credential(world.token(), proof)
    assert error_of(answer) == (400, "invalid_proof")


def test_vci_8_a_bound_token_is_refused_at_another_department(tmp_path: Path) -> None:
    first = issuer_world(tmp_path, settings=ServiceSettings(clients=POLICY))
    (tmp_path / "second").mkdir()
    second = issuer_world(
        tmp_path / "second", settings=ServiceSettings(clients=POLICY), base_url=OTHER
    )
    token = TestWallet(first, key_of("dpop")).pre_authorized()["access_token"]
    elsewhere = TestWallet(second, key_of("dpop"))
    assert error_of(elsewhere.credential(token)) == (401, "invalid_token")
    # A proof that was made for the first is no proof for the second.
    honest = TestWallet(second, key_of("dpop"))
    mine = honest.pre_authorized()["access_token"]
    foreign = honest.dpop_header("/credential", mine, url="https://issuer.example/credential")
    answer = honest.post_resource("/credential", mine, {}, **foreign)
    assert error_of(answer) == (401, "invalid_dpop_proof")
    first.close()
    second.close()


def test_vci_9_one_proof_per_key_and_no_more_than_a_batch(
    world: IssuerWorld, wallet: TestWallet
) -> None:
    key = key_of("holder")
    token = world.token()
    assert error_of(wallet.credential(token, key, key)) == (400, "invalid_proof")
    many = [Es256SigningKey.generate() for _ in range(5)]
    assert error_of(wallet.credential(token, *many)) == (400, "invalid_credential_request")
    assert rows(world) == 0
    assert wallet.credential(token, *many[:4]).status_code == 200


def test_vci_10_the_identifier_of_another_token_is_unknown(wallet: TestWallet) -> None:
    def identifier(tokens: dict[str, Any]) -> str:
        found: str = tokens["authorization_details"][0]["credential_identifiers"][0]
        return found

    changes = {"scope": None, "configuration_ids": (CARD,)}
    alices, bobs = wallet.tokens(**changes), wallet.tokens(**changes)
    assert identifier(alices) != identifier(bobs)
    for asked in (identifier(bobs), "x"):
        answer = wallet.credential(
            alices["access_token"],
            credential_identifier=asked,
            **{"credential_configuration_id": None},
        )
        assert error_of(answer) == (400, "unknown_credential_identifier")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "GET"},
        {"url": "https://issuer.example/token"},
        {"url": "https://evil.example/credential"},
        {"url": "http://issuer.example/credential"},
        {"age": 601},
        {"age": -601},
        {"access_token": "another"},
        {"access_token": None},
    ],
)
def test_vci_11_a_dpop_proof_is_for_this_request_now(
    bound: TestWallet, changes: dict[str, Any]
) -> None:
    token = bound.pre_authorized()["access_token"]
    made = dict(changes)
    if "age" in made:
        made["issued_at"] = bound.world.clock.now() - made.pop("age")
    header = bound.dpop_header("/credential", token, **made)
    answer = bound.post_resource("/credential", token, {}, **header)
    assert error_of(answer) == (401, "invalid_dpop_proof")
    assert answer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_vci_11_a_dpop_proof_works_once_with_a_nonce_of_this_server(bound: TestWallet) -> None:
    token = bound.pre_authorized()["access_token"]
    once = bound.dpop_header("/notification", token)
    body = {"notification_id": "x", "event": "credential_accepted"}
    first = bound.post_resource("/notification", token, body, **once)
    assert error_of(first) == (400, "invalid_notification_id")
    again = bound.post_resource("/notification", token, body, **once)
    assert error_of(again) == (401, "invalid_dpop_proof")
    for nonce in (None, "made-up"):
        stale = bound.dpop_header("/notification", token, nonce=nonce)
        answer = bound.post_resource("/notification", token, body, **stale)
        assert error_of(answer) == (401, "use_dpop_nonce")
        assert answer.headers["DPoP-Nonce"]


def test_vci_11_a_bound_token_needs_its_key_and_a_bearer_token_takes_none(
    world: IssuerWorld, bound: TestWallet, wallet: TestWallet
) -> None:
    token = bound.pre_authorized()["access_token"]
    other = bound.dpop_header("/credential", token, key=key_of("thief"))
    answer = bound.post_resource("/credential", token, {}, **other)
    assert error_of(answer) == (401, "invalid_token")
    assert error_of(wallet.credential(token)) == (401, "invalid_token")
    bearer = wallet.pre_authorized()["access_token"]
    assert error_of(bound.credential(bearer)) == (401, "invalid_token")


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": "https://issuer.example/token"},
        {"audience": "https://issuer.example/par"},
        {"audience": ["https://issuer.example"]},
        {"audience": ["https://issuer.example", OTHER]},
        {"audience": OTHER},
        {"audience": "https://issuer.example/"},
        {"issued_at": 0},
        {"expires_at": 0},
        {"provider": key_of("somebody")},
        {"instance": key_of("somebody")},
    ],
)
def test_vci_12_a_client_is_authenticated_for_exactly_this_server(
    wallet: TestWallet, changes: dict[str, Any]
) -> None:
    headers = wallet.attestation_headers(**changes)
    answer = wallet.post_oauth("/par", wallet.request().to_form(), **headers)
    assert error_of(answer) == (401, "invalid_client")
    request = TokenRequest(wallet.world.offer()[0])
    refused = wallet.post_oauth("/token", request.to_form(), **headers)
    assert error_of(refused) == (401, "invalid_client")


def test_vci_12_a_proof_of_possession_works_once(wallet: TestWallet) -> None:
    headers = wallet.attestation_headers()
    form = wallet.request().to_form()
    assert wallet.post_oauth("/par", form, **headers).status_code == 201
    assert error_of(wallet.post_oauth("/par", form, **headers)) == (401, "invalid_client")


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": ""},
    ],
)
def test_vci_13_pkce_with_s256_cannot_be_left_out(
    wallet: TestWallet, changes: dict[str, str | None]
) -> None:
    form = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": CARD,
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
        **changes,
    }
    body = urlencode({name: value for name, value in form.items() if value is not None})
    answer = wallet.post_oauth("/par", body.encode())
    assert error_of(answer) == (400, "invalid_request")


def test_vci_13_the_verifier_is_that_of_the_challenge(wallet: TestWallet) -> None:
    for verifier in ("B" * 43, "short", "B" * 129):
        code = wallet.authorize()["code"]
        refused = wallet.exchange(wallet.code_request(code, code_verifier=verifier))
        assert error_of(refused)[0] == 400
        if len(verifier) <= 128:
            # Whoever came with the code alone has burnt it.
            again = wallet.exchange(wallet.code_request(code))
            assert error_of(again) == (400, "invalid_grant")
    code = wallet.authorize()["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    missing = wallet.world.client.post("/token", data=form, content_type=FORM)
    assert error_of(missing) == (400, "invalid_request")


@pytest.mark.parametrize(
    "uri",
    [
        "https://wallet.example@evil.example/authorized",
        "https://wallet.example.evil.example/authorized",
        "https://wallet.example/authorized/../evil",
        "https://wallet.example/authorized/x",
        "https://wallet.example:8443/authorized",
        "https://wallet.example/authorized/",
        "https://wallet.example/authorized?x=1",
        "https://wallet.example/authorized#x",
        "https://WALLET.example/authorized",
        "http://wallet.example/authorized",
        "javascript:alert(1)",
        "//wallet.example/authorized",
        "",
    ],
)
def test_vci_14_only_a_registered_redirect_uri_is_used(wallet: TestWallet, uri: str) -> None:
    answer = wallet.post_oauth("/par", wallet.request(redirect_uri=uri).to_form())
    assert error_of(answer) == (400, "invalid_request")
    assert "Location" not in answer.headers
    code = wallet.authorize()["code"]
    refused = wallet.exchange(wallet.code_request(code, redirect_uri=uri))
    assert error_of(refused)[1] in ("invalid_grant", "invalid_request")


def test_vci_19_ids_of_another_person_are_unknown(world: IssuerWorld, wallet: TestWallet) -> None:
    issued = wallet.credential(world.token()).get_json()
    other = world.token()
    body = {"notification_id": issued["notification_id"], "event": "credential_deleted"}
    answer = wallet.post_resource("/notification", other, body)
    assert error_of(answer) == (400, "invalid_notification_id")
    held = world.operate(
        "/credential-offers",
        {
            "configuration_id": CARD,
            "subject_id": FAMILY,
            "holder_id": "SYN-P-1",
            "tx_code": False,
            "hold": True,
        },
    ).get_json()
    mine = world.exchange(world.code_behind(held["link"])).get_json()["access_token"]
    waiting = wallet.credential(mine)
    assert waiting.status_code == 202
    stolen = {"transaction_id": waiting.get_json()["transaction_id"]}
    answer = wallet.post_resource("/deferred-credential", other, stolen)
    assert error_of(answer) == (400, "invalid_transaction_id")
    assert wallet.post_resource("/deferred-credential", mine, stolen).status_code == 202


def test_vci_20_a_spoofed_host_changes_nothing(world: IssuerWorld, bound: TestWallet) -> None:
    spoofed = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    document = world.client.get("/.well-known/openid-credential-issuer", headers=spoofed)
    assert document.get_json()["credential_issuer"] == world.base_url
    bound.pre_authorized()
    code = world.offer()[0]
    for url in ("https://evil.example/token", "http://evil.example/token"):
        proof = bound.dpop_header("/token", url=url)
        answer = bound.post_oauth("/token", TokenRequest(code).to_form(), **proof, **spoofed)
        assert error_of(answer) == (400, "invalid_dpop_proof")
    tokens = bound.post_oauth("/token", TokenRequest(code).to_form(), **spoofed).get_json()
    issued = replace(bound).credential(tokens["access_token"])
    signed = parse_sd_jwt(issued.get_json()["credentials"][0]["credential"]).jws.peek_claims()
    assert signed["iss"] == "did:web:issuer.example"
