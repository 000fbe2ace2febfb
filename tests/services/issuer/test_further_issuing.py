"""Copies, renewal, deferral, encryption, signed metadata, departments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer.config import ConfigurationInvalid
from issuer.profile import Department
from tests.support.issuing import (
    ALICE,
    APPOINTMENT,
    BOB,
    FAMILY,
    HOLDER,
    NOW,
    IssuerWorld,
    issuer_world,
    key_of,
)
from tests.support.oid4vci_wallet import CARD, TestWallet, error_of
from wallet.adapters.sql.engine import sqlite_url
from wallet.credentials.jwe import DecryptionKey, decrypt_jwe, encrypt_jwe, parse_jwe
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.did.document import parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import parse_json_object, to_json
from wallet.protocols.oid4vci.metadata import parse_issuer_metadata, verify_signed_metadata
from wallet.protocols.oid4vci.offer import CredentialOfferReference, parse_offer_link
from wallet.protocols.oid4vci.token import TokenRequest

LETTERS = "https://issuer.example/letters"


@pytest.fixture
def wallet(world: IssuerWorld) -> TestWallet:
    return TestWallet(world)


@pytest.fixture
def bound(world: IssuerWorld) -> TestWallet:
    return TestWallet(world, key_of("dpop"))


def hold(world: IssuerWorld) -> str:
    """Return the access token of an issuance that alice holds."""
    made = world.operate(
        "/credential-offers",
        {
            "configuration_id": CARD,
            "subject_id": FAMILY,
            "holder_id": HOLDER,
            "tx_code": False,
            "hold": True,
        },
    )
    assert made.status_code == 201, made.text
    answer = world.exchange(world.code_behind(made.get_json()["link"]))
    token: str = answer.get_json()["access_token"]
    return token


def waiting(world: IssuerWorld) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {ALICE}"}
    (found,) = world.client.get("/operator/approvals", headers=headers).get_json()["approvals"]
    listed: dict[str, Any] = found
    return listed


def test_copies_differ_in_key_salt_and_status_index(
    world: IssuerWorld, wallet: TestWallet
) -> None:
    keys = [Es256SigningKey.generate() for _ in range(4)]
    answer = wallet.credential(world.token(), *keys).get_json()
    parsed = [parse_sd_jwt(item["credential"]) for item in answer["credentials"]]
    signed = [item.jws.peek_claims() for item in parsed]
    assert [claims["cnf"]["jwk"] for claims in signed] == [key.public_key.jwk for key in keys]
    assert len({claims["status"]["status_list"]["idx"] for claims in signed}) == 4
    assert len({digest for claims in signed for digest in claims["_sd"]}) == 4 * 7
    assert len({item["anchor"]["salt"] for item in answer["credentials"]}) == 4
    said = [item.process(item.jws.peek_claims()).claims["name"] for item in parsed]
    assert len(set(said)) == 1


def test_a_refresh_token_renews_on_new_keys_once(world: IssuerWorld, bound: TestWallet) -> None:
    first = bound.pre_authorized()
    assert bound.credential(first["access_token"]).status_code == 200
    bound.client_id = ""
    refresh = bound.post_oauth(
        "/token",
        f"grant_type=refresh_token&refresh_token={first['refresh_token']}".encode(),
    )
    assert refresh.status_code == 200, refresh.text
    second = refresh.get_json()
    key = Es256SigningKey.generate()
    renewed = bound.credential(second["access_token"], key)
    assert renewed.status_code == 200
    assert error_of(bound.credential(first["access_token"])) == (401, "invalid_token")
    assert error_of(bound.credential(second["access_token"])) == (401, "invalid_token")
    # Used again, it takes the whole grant with it.
    again = bound.post_oauth(
        "/token",
        f"grant_type=refresh_token&refresh_token={first['refresh_token']}".encode(),
    )
    assert error_of(again) == (400, "invalid_grant")
    third = bound.post_oauth(
        "/token",
        f"grant_type=refresh_token&refresh_token={second['refresh_token']}".encode(),
    )
    assert error_of(third) == (400, "invalid_grant")


def test_a_refresh_token_is_bound_to_its_key(world: IssuerWorld, bound: TestWallet) -> None:
    tokens = bound.pre_authorized()
    body = f"grant_type=refresh_token&refresh_token={tokens['refresh_token']}".encode()
    thief = TestWallet(world, key_of("thief"))
    assert error_of(thief.post_oauth("/token", body)) == (400, "invalid_grant")
    assert error_of(TestWallet(world).post_oauth("/token", body)) == (400, "invalid_grant")
    assert bound.post_oauth("/token", body).status_code == 200


def test_a_bearer_gets_no_refresh_token(wallet: TestWallet) -> None:
    assert "refresh_token" not in wallet.pre_authorized()


def test_a_held_issuance_waits_for_another_operator(
    world: IssuerWorld, wallet: TestWallet
) -> None:
    token = hold(world)
    asked = wallet.credential(token)
    assert asked.status_code == 202
    told = asked.get_json()
    assert told.keys() == {"transaction_id", "interval"}
    body = {"transaction_id": told["transaction_id"]}
    again = wallet.post_resource("/deferred-credential", token, body)
    assert (again.status_code, again.get_json()) == (202, told)
    approval = waiting(world)
    path = f"/approvals/{approval['approval_id']}/approve"
    refused = world.operate(path, {})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "same_operator")
    assert world.operate(path, {}, token=BOB).get_json()["decided_by"] == "bob"
    assert world.operate(path, {}, token=BOB).status_code == 409
    world.clock.set(NOW + 13 * 24 * 3600)
    issued = wallet.post_resource("/deferred-credential", token, body)
    assert issued.status_code == 200, issued.text
    assert issued.get_json()["notification_id"]
    spent = wallet.post_resource("/deferred-credential", token, body)
    assert error_of(spent) == (400, "invalid_transaction_id")


def test_a_refused_issuance_says_so_and_nothing_more(
    world: IssuerWorld, wallet: TestWallet
) -> None:
    token = hold(world)
    body = {"transaction_id": wallet.credential(token).get_json()["transaction_id"]}
    world.operate(f"/approvals/{waiting(world)['approval_id']}/refuse", {}, token=BOB)
    answer = wallet.post_resource("/deferred-credential", token, body)
    assert error_of(answer) == (400, "credential_request_denied")


@pytest.mark.parametrize("body", [{}, {"transaction_id": ""}, {"transaction_id": 5}])
def test_a_deferred_request_names_its_transaction(
    world: IssuerWorld, wallet: TestWallet, body: dict[str, Any]
) -> None:
    answer = wallet.post_resource("/deferred-credential", world.token(), body)
    assert error_of(answer) == (400, "invalid_credential_request")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_notification_request"),
        ({"notification_id": "x"}, "invalid_notification_request"),
        ({"notification_id": "x", "event": "lost"}, "invalid_notification_request"),
        ({"notification_id": "x", "event": "credential_failure"}, "invalid_notification_id"),
    ],
)
def test_names_what_is_wrong_with_a_notification(
    world: IssuerWorld, wallet: TestWallet, body: dict[str, Any], error: str
) -> None:
    answer = wallet.post_resource("/notification", world.token(), body)
    assert error_of(answer) == (400, error)


def test_a_notification_is_taken_also_twice(world: IssuerWorld, wallet: TestWallet) -> None:
    token = world.token()
    notification_id = wallet.credential(token).get_json()["notification_id"]
    for event in ("credential_accepted", "credential_accepted", "credential_deleted"):
        body = {"notification_id": notification_id, "event": event, "event_description": "x"}
        assert wallet.post_resource("/notification", token, body).status_code == 204


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_requests_and_responses_are_encrypted_on_demand(
    world: IssuerWorld, wallet: TestWallet, enc: str
) -> None:
    metadata = parse_issuer_metadata(
        world.client.get("/.well-known/openid-credential-issuer").get_json(),
        credential_issuer=world.base_url,
    )
    assert metadata.request_encryption is not None
    assert metadata.response_encryption is not None
    own = DecryptionKey.generate("mine")
    request = {
        "credential_configuration_id": CARD,
        "proofs": {"jwt": [wallet.proof()]},
        "credential_response_encryption": {"jwk": own.public.jwk, "enc": enc},
    }
    token = world.token()
    clear = wallet.post_resource("/credential", token, request)
    assert error_of(clear) == (400, "invalid_encryption_parameters")
    sealed = encrypt_jwe(to_json(request), metadata.request_encryption.keys[0], enc=enc)
    answer = wallet.post_resource("/credential", token, sealed.encode())
    assert (answer.status_code, answer.content_type) == (200, "application/jwt")
    opened = parse_json_object(decrypt_jwe(parse_jwe(answer.data, encryptions=(enc,)), own))
    assert len(opened["credentials"]) == 1


@pytest.mark.parametrize(
    "encryption",
    [
        {},
        {"jwk": {}, "enc": "A256GCM"},
        {"jwk": DecryptionKey.generate().public.jwk},
        {"jwk": DecryptionKey.generate().public.jwk, "enc": "A128CBC-HS256"},
        {"jwk": DecryptionKey.generate().public.jwk, "enc": "A256GCM", "zip": "DEF"},
        {"jwk": {**DecryptionKey.generate().public.jwk, "alg": "RSA-OAEP"}, "enc": "A256GCM"},
        [],
    ],
)
def test_names_what_is_wrong_with_the_encryption(
    world: IssuerWorld, wallet: TestWallet, encryption: Any
) -> None:
    body = {
        "credential_configuration_id": CARD,
        "proofs": {"jwt": ["x"]},
        "credential_response_encryption": encryption,
    }
    answer = wallet.post_resource("/credential", world.token(), body)
    assert error_of(answer) == (400, "invalid_encryption_parameters")
    garbage = wallet.post_resource("/credential", world.token(), b"not a jwe")
    assert error_of(garbage) == (400, "invalid_encryption_parameters")


def test_the_metadata_is_signed_for_who_asks(world: IssuerWorld) -> None:
    where = "/.well-known/openid-credential-issuer"
    plain = world.client.get(where)
    signed = world.client.get(where, headers={"Accept": "application/jwt"})
    assert (plain.content_type, signed.content_type) == ("application/json", "application/jwt")
    did = parse_did("did:web:issuer.example")
    document = parse_did_document(world.client.get("/.well-known/did.json").get_json(), did)
    found = verify_signed_metadata(
        signed.data, document, credential_issuer=world.base_url, now=NOW
    )
    assert found == plain.get_json()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[IssuerWorld]:
    departments = (
        Department(
            path="letters",
            signing_key=key_of("letters"),
            database_url=sqlite_url(tmp_path / "letters.db"),
            configurations=frozenset(("appointment-letter",)),
        ),
    )
    built = issuer_world(tmp_path, config_changes={"departments": departments})
    yield built
    built.close()


def test_departments_share_a_server_and_nothing_else(city: IssuerWorld) -> None:
    document = city.client.get("/.well-known/openid-credential-issuer/letters").get_json()
    assert document["credential_issuer"] == LETTERS
    assert document["credential_endpoint"] == f"{LETTERS}/credential"
    names = set(document["credential_configurations_supported"])
    assert {name.partition("-jwt")[0].partition("-ldp")[0] for name in names} == {
        "appointment-letter"
    }
    server = city.client.get("/.well-known/oauth-authorization-server/letters").get_json()
    assert server["issuer"] == LETTERS
    did = parse_did("did:web:issuer.example:letters")
    published = parse_did_document(city.client.get("/letters/did.json").get_json(), did)
    assert published.key_for(None, "assertionMethod").jwk == key_of("letters").public_key.jwk
    assert city.client.get("/.well-known/openid-credential-issuer/other").status_code == 404
    # A code of one department means nothing to the other.
    code = TokenRequest(city.offer()[0])
    other = TestWallet(city, base=LETTERS)
    assert error_of(other.exchange(code)) == (400, "invalid_grant")
    assert city.exchange(code.pre_authorized_code).status_code == 200


def test_a_department_issues_under_its_own_name(city: IssuerWorld) -> None:
    headers = {"Authorization": f"Bearer {ALICE}"}
    made = city.client.post(
        "/letters/operator/credential-offers",
        json={
            "configuration_id": "appointment-letter",
            "subject_id": APPOINTMENT,
            "holder_id": APPOINTMENT,
            "tx_code": False,
        },
        headers=headers,
    )
    assert made.status_code == 201, made.text
    reference = parse_offer_link(made.get_json()["link"])
    assert isinstance(reference, CredentialOfferReference)
    offer = city.client.get(reference.uri.removeprefix(city.base_url)).get_json()
    grant = offer["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"]
    wallet = TestWallet(city, base=LETTERS)
    token = wallet.exchange(TokenRequest(grant["pre-authorized_code"])).get_json()["access_token"]
    held = wallet.credential(token, configuration="appointment-letter")
    assert held.status_code == 202
    listed = city.client.get("/letters/operator/approvals", headers=headers).get_json()
    approval = listed["approvals"][0]["approval_id"]
    bob = {"Authorization": f"Bearer {BOB}"}
    path = f"/letters/operator/approvals/{approval}/approve"
    assert city.client.post(path, json={}, headers=bob).status_code == 200
    issued = wallet.post_resource("/deferred-credential", token, held.get_json())
    signed = parse_sd_jwt(issued.get_json()["credentials"][0]["credential"]).jws.peek_claims()
    assert signed["iss"] == "did:web:issuer.example:letters"
    assert signed["status"]["status_list"]["uri"].startswith(f"{LETTERS}/status-lists/")


@pytest.mark.parametrize("path", ["", "operator", "offers", "Letters", "a/b", "..", "x" * 50])
def test_a_department_has_a_path_of_its_own(tmp_path: Path, path: str) -> None:
    department = Department(
        path=path,
        signing_key=key_of("letters"),
        database_url=sqlite_url(tmp_path / "letters.db"),
        configurations=None,
    )
    with pytest.raises(ConfigurationInvalid):
        issuer_world(tmp_path, config_changes={"departments": (department,)})
