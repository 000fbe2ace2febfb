"""Well-known documents, the DID document, and what a spoofed host changes: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.issuing import BASE_URL, FAMILY, HOLDER, IssuerWorld, issuer_world, key_of
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.did.did_web import did_web_document_url
from wallet.did.document import parse_did_document
from wallet.did.syntax import parse_did
from wallet.protocols.oid4vci.credential import CredentialRequest
from wallet.protocols.oid4vci.metadata import (
    issuer_metadata_url,
    parse_issuer_metadata,
)
from wallet.protocols.oid4vci.server_metadata import (
    authorization_server_metadata_url,
    parse_authorization_server_metadata,
)

SPOOFED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "Forwarded": "host=evil.example",
}


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


@pytest.mark.parametrize("base_url", [BASE_URL, "https://issuer.example/city/cards"])
def test_the_metadata_is_where_the_base_url_says(tmp_path: Path, base_url: str) -> None:
    world = issuer_world(tmp_path, base_url=base_url)
    answer = world.client.get(path_of(issuer_metadata_url(base_url)))
    assert answer.content_type == "application/json"
    metadata = parse_issuer_metadata(answer.get_json(), credential_issuer=base_url)
    assert metadata.nonce_endpoint == f"{base_url}/nonce"
    answer = world.client.get(path_of(authorization_server_metadata_url(base_url)))
    server = parse_authorization_server_metadata(answer.get_json(), issuer=base_url)
    assert server.token_endpoint == f"{base_url}/token"
    assert server.anonymous
    for suffix in ("openid-credential-issuer", "oauth-authorization-server"):
        appended = world.client.get(path_of(f"{base_url}/.well-known/{suffix}"))
        assert appended.status_code == 200
    if base_url != BASE_URL:
        assert world.client.get("/.well-known/openid-credential-issuer").status_code == 404
        assert world.client.post("/token").status_code == 404
        assert world.client.post(path_of(server.token_endpoint)).status_code == 400
        assert world.client.post(f"{path_of(base_url)}/operator/offers").status_code == 401
    world.close()


@pytest.mark.parametrize(
    ("base_url", "did"),
    [
        (BASE_URL, "did:web:issuer.example"),
        ("https://issuer.example:8443", "did:web:issuer.example%3A8443"),
        ("https://issuer.example/city/cards", "did:web:issuer.example:city:cards"),
    ],
)
def test_the_did_document_is_where_the_did_says_and_holds_the_signing_key(
    tmp_path: Path, base_url: str, did: str
) -> None:
    world = issuer_world(tmp_path, base_url=base_url)
    parsed = parse_did(did)
    answer = world.client.get(path_of(did_web_document_url(parsed)))
    document = parse_did_document(answer.get_json(), parsed)
    key = document.key_for(f"{did}#key-1", "assertionMethod")
    assert key.jwk == key_of("issuer").public_key.jwk
    world.close()


def test_every_configuration_is_described_in_korean_and_english(world: IssuerWorld) -> None:
    document = world.client.get("/.well-known/openid-credential-issuer").get_json()
    for configuration in document["credential_configurations_supported"].values():
        assert configuration["format"] in ("dc+sd-jwt", "jwt_vc_json", "ldp_vc")
        assert "jwk" in configuration["cryptographic_binding_methods_supported"]
        assert configuration["proof_types_supported"] == {
            "jwt": {"proof_signing_alg_values_supported": ["ES256"]}
        }
        assert "display" not in configuration
        assert "claims" not in configuration
        described = configuration["credential_metadata"]
        for labels in [described["display"], *(claim["display"] for claim in described["claims"])]:
            assert [label["locale"] for label in labels] == ["ko-KR", "en-US"]
            assert all(label["name"] for label in labels)


def test_the_claims_described_are_the_claims_issued(world: IssuerWorld) -> None:
    document = world.client.get("/.well-known/openid-credential-issuer").get_json()
    card = document["credential_configurations_supported"]["multi-child-family-card"]
    described = {claim["path"][0] for claim in card["credential_metadata"]["claims"]}
    sd_jwt = parse_sd_jwt(world.issue()["credential"])
    assert {disclosure.name for disclosure in sd_jwt.disclosures} == described | {"iat"}


def test_a_spoofed_host_changes_nothing_that_is_signed_or_linked(world: IssuerWorld) -> None:
    client = world.client
    metadata = client.get("/.well-known/openid-credential-issuer", headers=SPOOFED)
    honest = client.get("/.well-known/openid-credential-issuer")
    assert metadata.data == honest.data
    offered = client.post(
        "/operator/offers",
        json={"family_id": FAMILY, "holder_id": HOLDER, "tx_code": False},
        headers={**SPOOFED, "Authorization": "Bearer alice-token-for-tests"},
    )
    assert "evil" not in offered.text
    token = world.exchange(world.code_behind(offered.get_json()["link"])).get_json()
    answer = client.post(
        "/credential",
        json=CredentialRequest("multi-child-family-card", (world.proof(),)).to_json(),
        headers={**SPOOFED, "Authorization": f"Bearer {token['access_token']}"},
    )
    (item,) = answer.get_json()["credentials"]
    claims = parse_sd_jwt(item["credential"]).jws.peek_claims()
    assert claims["iss"] == "did:web:issuer.example"
    assert claims["status"]["status_list"]["uri"].startswith(BASE_URL)
    assert item["anchor"]["receipt_uri"].startswith(BASE_URL)


def test_metrics_count_credentials_and_answers_but_name_nobody(world: IssuerWorld) -> None:
    world.issue()
    text = world.client.get("/metrics").text
    assert 'issuer_credentials_issued_total{configuration="multi-child-family-card"} 1.0' in text
    assert 'issuer_http_answers_total{endpoint="token.token",status="200"} 1.0' in text
    assert "issuer_leaves_waiting 1.0" in text
    assert FAMILY not in text
    assert HOLDER not in text


def test_health_is_ok_while_the_database_answers(world: IssuerWorld) -> None:
    assert world.client.get("/healthz").get_json() == {"status": "ok"}
