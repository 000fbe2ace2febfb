"""Nonces, key proofs and the credential endpoint (OpenID4VCI §7, §8)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from issuer.calendar import end_of, seoul_day, start_of
from issuer.parts import ServiceSettings
from tests.support.issuing import (
    BASE_URL,
    FAMILY,
    HOLDER_NAME,
    NOW,
    IssuerWorld,
    issuer_world,
    key_of,
)
from wallet.credentials.jose import sign_jws, verify_jws
from wallet.credentials.sd_jwt import NEVER_DISCLOSABLE, parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.protocols.oid4vci.credential import parse_credential_response
from wallet.trust.receipt import batch_leaf


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]


def issued_count(world: IssuerWorld) -> int:
    found = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()
    return len(found["issuances"])


def crafted(world: IssuerWorld, header: dict[str, Any], **claims: Any) -> str:
    """Return a key proof signed by its own key, with any header and claims."""
    key = key_of("holder")
    honest = {"typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk}
    merged = {name: value for name, value in {**honest, **header}.items() if value is not None}
    body = {"aud": BASE_URL, "iat": NOW, "nonce": world.nonce(), **claims}
    return sign_jws(key, merged, {name: v for name, v in body.items() if v is not None})


def test_issues_a_card_bound_to_the_proven_key(world: IssuerWorld) -> None:
    key = Es256SigningKey.generate()
    (item,) = parse_credential_response({"credentials": [world.issue(key)]}).credentials
    assert item.credential.endswith("~")
    sd_jwt = parse_sd_jwt(item.credential)
    verify_jws(sd_jwt.jws, key_of("issuer").public_key)
    signed = sd_jwt.jws.peek_claims()
    claims = sd_jwt.process(signed).claims
    assert sd_jwt.jws.header == {
        "alg": "ES256",
        "typ": "dc+sd-jwt",
        "kid": "did:web:issuer.example#key-1",
    }
    assert claims["cnf"] == {"jwk": key.public_key.jwk}
    assert claims["name"] == HOLDER_NAME
    assert claims["child_count"] == 2
    assert claims["iat"] == start_of(seoul_day(NOW))
    assert signed.keys() == {"iss", "vct", "exp", "cnf", "status", "_sd", "_sd_alg"}
    assert signed.keys() - {"_sd"} <= NEVER_DISCLOSABLE


def test_the_receipt_uri_holds_the_leaf_of_the_signed_bytes(world: IssuerWorld) -> None:
    (item,) = parse_credential_response({"credentials": [world.issue()]}).credentials
    assert item.anchor is not None
    leaf = batch_leaf(item.anchor.salt, parse_sd_jwt(item.credential).jws.signing_input)
    assert item.anchor.receipt_uri == f"{BASE_URL}/receipts/{base64url.encode(leaf)}"


def test_a_card_expires_on_the_common_renewal_day(world: IssuerWorld) -> None:
    signed = parse_sd_jwt(world.issue()["credential"]).jws.peek_claims()
    assert signed["exp"] == end_of(date(2030, 12, 31))


def test_a_card_never_outlives_the_right_to_it(tmp_path: Any) -> None:
    world = issuer_world(tmp_path, settings=ServiceSettings(renewal_years=50))
    signed = parse_sd_jwt(world.issue()["credential"]).jws.peek_claims()
    assert signed["exp"] == end_of(date(2035, 3, 3))  # the eve of the youngest's 19th birthday
    world.close()


def test_a_day_in_seoul_ends_at_fifteen_hours_utc() -> None:
    assert end_of(date(2027, 1, 15)) == 1_800_025_200
    assert seoul_day(1_800_025_199) == date(2027, 1, 15)
    assert seoul_day(1_800_025_200) == date(2027, 1, 16)


def test_an_access_token_serves_once(world: IssuerWorld) -> None:
    token = world.token()
    assert world.request_credential(token, world.proof()).status_code == 200
    answer = world.request_credential(token, world.proof())
    assert error_of(answer) == (401, "invalid_token")
    assert issued_count(world) == 1


def test_refuses_an_access_token_from_the_second_of_its_expiry(world: IssuerWorld) -> None:
    token = world.token()
    world.clock.set(NOW + 600)
    assert error_of(world.request_credential(token, world.proof())) == (401, "invalid_token")


def test_accepts_an_access_token_in_the_second_before_its_expiry(world: IssuerWorld) -> None:
    token = world.token()
    world.clock.set(NOW + 599)
    assert world.request_credential(token, world.proof()).status_code == 200


@pytest.mark.parametrize("header", ["", "Basic YWxhZGRpbjo=", "Bearer", "DPoP abc"])
def test_asks_for_a_bearer_token_when_there_is_none(world: IssuerWorld, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = world.client.post("/credential", json={}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_refuses_a_proof_with_a_foreign_nonce_and_leaves_no_row(world: IssuerWorld) -> None:
    token = world.token()
    answer = world.request_credential(token, world.proof(nonce="of-another-issuer"))
    assert error_of(answer) == (400, "invalid_nonce")
    assert issued_count(world) == 0
    assert world.request_credential(token, world.proof()).status_code == 200


def test_refuses_a_proof_with_a_stale_nonce_and_leaves_no_row(world: IssuerWorld) -> None:
    token, nonce = world.token(), world.nonce()
    world.clock.set(NOW + 300)
    answer = world.request_credential(token, world.proof(nonce=nonce))
    assert error_of(answer) == (400, "invalid_nonce")
    assert issued_count(world) == 0


def test_refuses_a_proof_with_a_nonce_that_was_used(world: IssuerWorld) -> None:
    nonce = world.nonce()
    assert world.request_credential(world.token(), world.proof(nonce=nonce)).status_code == 200
    answer = world.request_credential(world.token(), world.proof(nonce=nonce))
    assert error_of(answer) == (400, "invalid_nonce")
    assert issued_count(world) == 1


def test_refuses_a_proof_without_a_nonce_and_leaves_no_row(world: IssuerWorld) -> None:
    answer = world.request_credential(world.token(), crafted(world, {}, nonce=None))
    assert error_of(answer) == (400, "invalid_proof")
    assert issued_count(world) == 0


@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example",
        [BASE_URL, "https://other.example"],
        f"{BASE_URL}/token",
        f"{BASE_URL}/",
        [],
        {"aud": BASE_URL},
        None,
    ],
)
def test_refuses_a_proof_for_another_audience(world: IssuerWorld, audience: Any) -> None:
    answer = world.request_credential(world.token(), crafted(world, {}, aud=audience))
    assert error_of(answer) == (400, "invalid_proof")
    assert issued_count(world) == 0


def test_accepts_a_proof_whose_audience_is_an_array_of_this_issuer_alone(
    world: IssuerWorld,
) -> None:
    answer = world.request_credential(world.token(), crafted(world, {}, aud=[BASE_URL]))
    assert answer.status_code == 200


@pytest.mark.parametrize("issued_at", [NOW - 301, NOW + 61, "now", True, -1, None])
def test_refuses_a_proof_from_another_time(world: IssuerWorld, issued_at: Any) -> None:
    answer = world.request_credential(world.token(), crafted(world, {}, iat=issued_at))
    assert error_of(answer) == (400, "invalid_proof")


@pytest.mark.parametrize("issued_at", [NOW - 300, NOW + 60, float(NOW)])
def test_accepts_a_proof_at_the_edge_of_its_time(world: IssuerWorld, issued_at: Any) -> None:
    answer = world.request_credential(world.token(), crafted(world, {}, iat=issued_at))
    assert answer.status_code == 200


_JWK = key_of("holder").public_key.jwk
_DID_KEY_ID = did_jwk_from_public_key(key_of("holder").public_key) + "#0"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "jwt"},
        {"typ": None},
        {"typ": "kb+jwt"},
        {"kid": _DID_KEY_ID},
        {"x5c": ["MIIB"]},
        {"jwk": None},
        {"jwk": None, "x5c": ["MIIB"]},
        {"jwk": {**_JWK, "d": "AAAA"}},
        {"jwk": Es256SigningKey.generate().public_key.jwk},
        {"jwk": {**_JWK, "crv": "secp256k1"}},
        {"jwk": {**_JWK, "x": "AAAA"}},
        {"jwk": "key"},
        {"jwk": None, "kid": "https://attacker.example/key.json"},
        {"jwk": None, "kid": "did:web:attacker.example#key-1"},
        {"jwk": None, "kid": _DID_KEY_ID.replace("#0", "#1")},
        {"jwk": None, "kid": 5},
        {"crit": ["exp"], "exp": NOW},
    ],
)
def test_refuses_a_proof_with_a_header_that_is_not_allowed(
    world: IssuerWorld, header: dict[str, Any]
) -> None:
    # Sockets are banned in these tests: a key that had to be fetched would raise, not answer.
    answer = world.request_credential(world.token(), crafted(world, header))
    assert error_of(answer) == (400, "invalid_proof")
    assert issued_count(world) == 0


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "EdDSA", "", None, 5])
def test_refuses_a_proof_with_another_algorithm(world: IssuerWorld, alg: Any) -> None:
    _, payload, signature = crafted(world, {}).split(".")
    header = {"typ": "openid4vci-proof+jwt", "alg": alg, "jwk": _JWK}
    proof = f"{base64url.encode(to_json(header))}.{payload}.{'' if alg == 'none' else signature}"
    answer = world.request_credential(world.token(), proof)
    assert error_of(answer) == (400, "invalid_proof")


def test_accepts_a_proof_whose_key_is_a_did_jwk_and_binds_the_key_itself(
    world: IssuerWorld,
) -> None:
    proof = crafted(world, {"jwk": None, "kid": _DID_KEY_ID})
    answer = world.request_credential(world.token(), proof)
    (item,) = answer.get_json()["credentials"]
    assert parse_sd_jwt(item["credential"]).jws.peek_claims()["cnf"] == {"jwk": _JWK}


def test_issues_one_credential_per_proof_in_their_order(world: IssuerWorld) -> None:
    keys = [Es256SigningKey.generate() for _ in range(4)]
    nonce = world.nonce()
    proofs = [world.proof(key, nonce=nonce) for key in keys]
    answer = world.request_credential(world.token(), *proofs)
    signed = [
        parse_sd_jwt(item["credential"]).jws.peek_claims()
        for item in answer.get_json()["credentials"]
    ]
    assert [claims["cnf"]["jwk"] for claims in signed] == [key.public_key.jwk for key in keys]
    assert len({claims["status"]["status_list"]["idx"] for claims in signed}) == 4


def test_refuses_two_proofs_of_one_key(world: IssuerWorld) -> None:
    key = Es256SigningKey.generate()
    answer = world.request_credential(world.token(), world.proof(key), world.proof(key))
    assert error_of(answer) == (400, "invalid_proof")
    assert issued_count(world) == 0


def test_refuses_more_proofs_than_the_batch_size(world: IssuerWorld) -> None:
    proofs = [world.proof() for _ in range(5)]
    answer = world.request_credential(world.token(), *proofs)
    assert error_of(answer) == (400, "invalid_credential_request")
    assert issued_count(world) == 0


def test_refuses_all_when_one_of_several_proofs_is_bad(world: IssuerWorld) -> None:
    bad = world.proof(audience="https://other.example")
    answer = world.request_credential(world.token(), world.proof(), bad)
    assert error_of(answer) == (400, "invalid_proof")
    assert issued_count(world) == 0


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_credential_request"),
        ({"credential_configuration_id": 5}, "invalid_credential_request"),
        ({"credential_configuration_id": "x", "proofs": {}}, "invalid_proof"),
        ({"credential_configuration_id": "x", "proofs": {"jwt": []}}, "invalid_proof"),
        ({"credential_configuration_id": "x", "proofs": {"di_vp": []}}, "invalid_proof"),
        ({"credential_configuration_id": "x"}, "invalid_proof"),
        ({"credential_configuration_id": "x", "proof": {"jwt": "a"}}, "invalid_proof"),
        (
            {"credential_configuration_id": "x", "proofs": {"jwt": ["a"], "di_vp": []}},
            "invalid_credential_request",
        ),
        (
            {"credential_configuration_id": "x", "proofs": {"jwt": [5]}},
            "invalid_credential_request",
        ),
        (
            {"credential_configuration_id": "x", "proofs": {"jwt": ["a"]}},
            "unknown_credential_configuration",
        ),
        (
            {"credential_configuration_id": "appointment-letter", "proofs": {"jwt": ["a"]}},
            "credential_request_denied",
        ),
        (
            {"credential_configuration_id": "multi-child-family-card", "proofs": {"jwt": ["a"]}},
            "invalid_proof",
        ),
        (
            {"credential_identifier": "x", "proofs": {"jwt": ["a"]}},
            "unknown_credential_identifier",
        ),
        (
            {
                "credential_configuration_id": "x",
                "credential_response_encryption": {"jwk": {}, "enc": "A128GCM"},
            },
            "invalid_encryption_parameters",
        ),
    ],
)
def test_names_what_is_wrong_with_a_credential_request(
    world: IssuerWorld, body: dict[str, Any], error: str
) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    answer = world.client.post("/credential", json=body, headers=headers)
    assert error_of(answer) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"


def test_applies_the_rule_again_when_the_credential_is_issued(world: IssuerWorld) -> None:
    token = world.token()
    # The youngest turns 19 before the holder comes: the offer was right, the card would not be.
    register = world.folder / "families.csv"
    register.write_text(
        register.read_text()
        .replace("2016-03-04", "2008-01-02")
        .replace("2015-03-04", "2007-01-02")
    )
    world.families.load()
    answer = world.request_credential(token, world.proof())
    assert error_of(answer) == (400, "credential_request_denied")
    assert answer.get_json()["error_description"] == "not granted"
    assert issued_count(world) == 0


def test_says_try_again_when_the_database_cannot_be_asked(world: IssuerWorld) -> None:
    token, proof = world.token(), world.proof()
    world.break_database()
    answer = world.request_credential(token, proof)
    assert error_of(answer) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert world.client.get("/healthz").status_code == 503


def test_nothing_that_names_the_holder_is_in_the_database(world: IssuerWorld) -> None:
    credential = world.issue()["credential"]
    world.close()
    stored = b"".join(path.read_bytes() for path in world.folder.glob("issuer.db*"))
    assert FAMILY.encode() in stored
    assert HOLDER_NAME.encode() not in stored
    assert credential.split("~")[0].split(".")[2].encode() not in stored
    assert b"2016-03" not in stored
