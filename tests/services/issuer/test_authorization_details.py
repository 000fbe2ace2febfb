"""`authorization_details` in pushed and token requests, and whose a key proof is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from tests.support.issuing import IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import CARD, CLIENT_ID, REDIRECT_URI, TestWallet, error_of
from wallet.credentials.jose import sign_jws
from wallet.crypto.keys import Es256SigningKey
from wallet.protocols.oid4vci.authorization_details import (
    MAX_AUTHORIZATION_DETAILS,
    AuthorizationDetailsInvalid,
    parse_authorization_details,
)
from wallet.protocols.oid4vci.proof import KEY_PROOF_TYPE
from wallet.protocols.oid4vci.token import RefreshTokenRequest, TokenRequest

LETTER = "appointment-letter"
OPENID = {"type": "openid_credential"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    policy = ClientPolicy(clients=(Client(CLIENT_ID, (REDIRECT_URI,), "합성 지갑"),))
    built = issuer_world(tmp_path, settings=ServiceSettings(clients=policy))
    yield built
    built.close()


def identifier_of(tokens: dict[str, Any]) -> str:
    (detail,) = tokens["authorization_details"]
    assert (detail["type"], detail["credential_configuration_id"]) == ("openid_credential", CARD)
    (identifier,) = detail["credential_identifiers"]
    assert isinstance(identifier, str)
    return identifier


def issue(wallet: TestWallet, tokens: dict[str, Any]) -> int:
    by_configuration = wallet.credential(tokens["access_token"])
    assert error_of(by_configuration) == (400, "unknown_credential_identifier")
    named = {
        "credential_configuration_id": None,
        "credential_identifier": identifier_of(tokens),
    }
    return wallet.credential(tokens["access_token"], **named).status_code


def test_a_token_request_with_details_is_answered_with_identifiers(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    asked = TokenRequest(world.offer()[0], configuration_ids=(CARD,))
    tokens = wallet.exchange(asked).get_json()
    assert issue(wallet, tokens) == 200
    plain = wallet.pre_authorized()
    assert "authorization_details" not in plain
    assert wallet.credential(plain["access_token"]).status_code == 200


def test_details_for_what_was_not_offered_are_refused_and_leave_the_code(
    world: IssuerWorld,
) -> None:
    wallet = TestWallet(world)
    code = world.offer()[0]
    for names in ((LETTER,), (CARD, LETTER), ("unknown",)):
        answer = wallet.exchange(TokenRequest(code, configuration_ids=names))
        assert error_of(answer) == (400, "invalid_authorization_details")
    assert wallet.exchange(TokenRequest(code, configuration_ids=(CARD,))).status_code == 200


def test_a_code_asked_for_by_scope_may_be_exchanged_by_details(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    code = wallet.authorize()["code"]
    other = wallet.code_request(code, configuration_ids=(LETTER,))
    assert error_of(wallet.exchange(other)) == (400, "invalid_authorization_details")
    asked = wallet.code_request(code, configuration_ids=(CARD,))
    assert issue(wallet, wallet.exchange(asked).get_json()) == 200


def test_a_refresh_by_details_gives_the_identifier_of_the_grant(world: IssuerWorld) -> None:
    wallet = TestWallet(world, key_of("dpop"))
    tokens = wallet.tokens()
    assert wallet.credential(tokens["access_token"]).status_code == 200

    def refresh(*names: str) -> Any:
        return wallet.exchange(
            RefreshTokenRequest(tokens["refresh_token"], CLIENT_ID, configuration_ids=names)
        )

    assert error_of(refresh(LETTER)) == (400, "invalid_authorization_details")
    assert issue(wallet, refresh(CARD).get_json()) == 200


BAD_DETAILS = [
    "x",
    "{}",
    "[]",
    "[1]",
    json.dumps([OPENID]),
    json.dumps([{"type": "payment_initiation"}]),
    json.dumps([{**OPENID, "credential_configuration_id": CARD}, {"type": "payment"}]),
    json.dumps([{**OPENID, "credential_configuration_id": 7}]),
    json.dumps([{**OPENID, "credential_configuration_id": CARD}] * 2),
    json.dumps([{**OPENID, "credential_configuration_id": "unknown"}]),
    json.dumps(
        [{**OPENID, "credential_configuration_id": name} for name in (CARD, LETTER)],
    ),
]


@pytest.mark.parametrize("details", BAD_DETAILS)
def test_bad_details_have_the_error_of_their_specification(
    world: IssuerWorld, details: str
) -> None:
    wallet = TestWallet(world)
    pushed = wallet.request(scope=None).to_form() + b"&"
    pushed += urlencode({"authorization_details": details}).encode()
    assert error_of(wallet.post_oauth("/par", pushed)) == (400, "invalid_authorization_details")
    code = world.offer()[0]
    form = TokenRequest(code).to_form() + b"&"
    form += urlencode({"authorization_details": details}).encode()
    assert error_of(wallet.post_oauth("/token", form)) == (400, "invalid_authorization_details")
    assert wallet.exchange(TokenRequest(code)).status_code == 200


def test_further_members_of_a_detail_are_ignored_and_too_many_details_are_refused() -> None:
    detail = {**OPENID, "credential_configuration_id": CARD, "claims": [{"path": ["name"]}]}
    assert parse_authorization_details(json.dumps([detail])) == (CARD,)
    many = [{**detail, "credential_configuration_id": str(n)} for n in range(9)]
    assert len(many) > MAX_AUTHORIZATION_DETAILS
    with pytest.raises(AuthorizationDetailsInvalid):
        parse_authorization_details(json.dumps(many))


def proof_as(wallet: TestWallet, client: str) -> str:
    key = Es256SigningKey.generate()
    claims = {
        "iss": client,
        "aud": wallet.base,
        "iat": wallet.world.clock.now(),
        "nonce": wallet.nonce(),
    }
    return sign_jws(key, {"typ": KEY_PROOF_TYPE, "jwk": key.public_key.jwk}, claims)


def test_a_key_proof_that_names_another_client_is_refused(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    token = wallet.tokens()["access_token"]
    for client, expected in (("https://other.example", 400), (CLIENT_ID, 200)):
        proof = proof_as(wallet, client)
        answer = wallet.credential(token, proofs={"jwt": [proof]})
        assert answer.status_code == expected
        if expected == 400:
            assert error_of(answer) == (400, "invalid_proof")


def test_an_anonymous_wallet_may_call_itself_what_it_will(world: IssuerWorld) -> None:
    wallet = TestWallet(world)
    token = wallet.pre_authorized()["access_token"]
    proofs = {"jwt": [proof_as(wallet, "whoever")]}
    assert wallet.credential(token, proofs=proofs).status_code == 200


@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        ("application/jwt", True),
        ("application/jwt, application/json;q=0.9", True),
        ("application/jwt;q=0.9, */*;q=0.1", True),
        ("application/json, application/jwt", False),
        ("application/json, application/jwt;q=0.5", False),
        ("application/jwt;q=0", False),
        ("*/*", False),
        ("text/html", False),
    ],
)
def test_the_metadata_comes_as_the_wallet_prefers_it(
    world: IssuerWorld, accept: str, signed: bool
) -> None:
    url = "/.well-known/openid-credential-issuer"
    answer = world.client.get(url, headers={"Accept": accept})
    assert answer.mimetype == ("application/jwt" if signed else "application/json")
