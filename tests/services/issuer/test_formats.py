"""The same card as SD-JWT VC, JWT VC, Data Integrity VC, and with a pseudonym secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer.ports import NymKeyTaken, NymRegistration
from issuer.storage.approvals import SqlNymRegistrations
from tests.support.issuing import FAMILY, HOLDER, NOW, IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import CARD, TestWallet, error_of
from wallet.credentials.bbs_nym import nym_messages
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.jose import parse_compact_jws, verify_jws
from wallet.credentials.jsonld.seoul import seoul_json_ld
from wallet.crypto.bbs.nym_issuance import new_prover_nym, verify_finalize_with_nym
from wallet.crypto.bbs.registered_nym import commit_with_registered_nym
from wallet.crypto.bbs.types import BbsPublicKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.document import parse_did_document
from wallet.did.syntax import parse_did
from wallet.protocols.oid4vci.nym_proof import (
    NymProof,
    parse_nym_credential,
)

ISSUER = "did:web:issuer.example"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = issuer_world(tmp_path, config_changes={"nym_epoch": "2027"})
    yield built
    built.close()


def token_for(world: IssuerWorld, configuration: str, holder: str = HOLDER) -> str:
    made = world.operate(
        "/credential-offers",
        {
            "configuration_id": configuration,
            "subject_id": FAMILY,
            "holder_id": holder,
            "tx_code": False,
        },
    )
    assert made.status_code == 201, made.text
    answer = world.exchange(world.code_behind(made.get_json()["link"]))
    token: str = answer.get_json()["access_token"]
    return token


def issued(world: IssuerWorld, configuration: str) -> Any:
    wallet = TestWallet(world)
    token = token_for(world, configuration)
    answer = wallet.credential(token, key_of("holder"), configuration=configuration)
    assert answer.status_code == 200, answer.text
    return answer.get_json()["credentials"][0]["credential"]


def test_the_metadata_lists_every_format(world: IssuerWorld) -> None:
    document = world.client.get("/.well-known/openid-credential-issuer").get_json()
    listed = document["credential_configurations_supported"]
    formats = {name: item["format"] for name, item in listed.items() if name.startswith(CARD)}
    assert formats == {
        CARD: "dc+sd-jwt",
        f"{CARD}-jwt": "jwt_vc_json",
        f"{CARD}-ldp": "ldp_vc",
        f"{CARD}-ldp-sd": "ldp_vc",
        f"{CARD}-bbs": "seoul-bbs-nym",
    }
    for item in listed.values():
        locales = [label["locale"] for label in item["credential_metadata"]["display"]]
        assert locales == ["ko-KR", "en-US"]
    assert listed[f"{CARD}-ldp"]["credential_definition"] == {
        "@context": ["https://www.w3.org/ns/credentials/v2", "urn:seoul-wallet:context:1"],
        "type": ["VerifiableCredential", "MultiChildFamilyCard"],
    }


def test_a_jwt_vc_is_the_card_for_the_holders_did(world: IssuerWorld) -> None:
    jws = parse_compact_jws(issued(world, f"{CARD}-jwt"), typ="jwt")
    verify_jws(jws, key_of("issuer").public_key)
    claims = jws.peek_claims()
    holder = did_jwk_from_public_key(key_of("holder").public_key)
    assert (claims["iss"], claims["sub"]) == (ISSUER, holder)
    assert claims["vc"]["type"] == ["VerifiableCredential", "MultiChildFamilyCard"]
    assert claims["vc"]["credentialSubject"]["child_count"] == 2
    assert claims["vc"]["credentialSubject"]["id"] == holder


def test_a_data_integrity_credential_verifies_and_its_status_is_served(
    world: IssuerWorld,
) -> None:
    secured = issued(world, f"{CARD}-ldp")
    did = parse_did(ISSUER)
    document = parse_did_document(world.client.get("/.well-known/did.json").get_json(), did)
    verified = verify_credential(secured, {ISSUER: document}, now=NOW, json_ld=seoul_json_ld())
    assert verified.credential.issuer == ISSUER
    revocation, suspension = secured["credentialStatus"]
    assert (revocation["statusPurpose"], suspension["statusPurpose"]) == (
        "revocation",
        "suspension",
    )
    for entry in (revocation, suspension):
        where = entry["statusListCredential"].removeprefix(world.base_url)
        served = world.client.get(where)
        assert (served.status_code, served.content_type) == (200, "application/vc")
        status_list = verify_credential(served.get_json(force=True), {ISSUER: document}, now=NOW)
        assert status_list.credential.issuer == ISSUER
    assert world.client.get("/status-lists/99/revocation").status_code == 404
    assert world.client.get("/status-lists/1/message").status_code == 404


def commitment(
    world: IssuerWorld, prover_nym: int, nonce: str, bound_to: str | None = None
) -> tuple[str, Any]:
    nyms = world.application.service.keys.nym
    assert nyms is not None
    made, secrets = commit_with_registered_nym(
        prover_nym, public_key=nyms.key.public_key, nonce=(bound_to or nonce).encode()
    )
    return NymProof(nonce, made).to_text(), secrets


def ask(world: IssuerWorld, proof: str, token: str | None = None) -> Any:
    body = {"credential_configuration_id": f"{CARD}-bbs", "proofs": {"bbs_nym": [proof]}}
    token = token or token_for(world, f"{CARD}-bbs")
    return TestWallet(world).post_resource("/credential", token, body)


def test_a_resident_has_one_pseudonym_secret_in_an_epoch(world: IssuerWorld) -> None:
    nym = new_prover_nym()
    secrets_of_both = []
    for _ in range(2):
        proof, secrets = commitment(world, nym, world.nonce())
        answer = ask(world, proof)
        assert answer.status_code == 200, answer.text
        (item,) = answer.get_json()["credentials"]
        assert "anchor" not in item
        message = parse_nym_credential(item["credential"])
        credential = verify_finalize_with_nym(
            BbsPublicKey(message.public_key.octets),
            message.signature,
            secrets,
            message.signer_nym_entropy,
            nym_messages(message.vct, message.epoch, message.claims),
        )
        assert message.epoch == "2027"
        assert message.claims["child_count"] == 2
        secrets_of_both.append(credential.nym_secrets)
    assert secrets_of_both[0] == secrets_of_both[1]
    other, _ = commitment(world, new_prover_nym(), world.nonce())
    assert error_of(ask(world, other)) == (400, "nym_key_registered")


def test_a_commitment_is_bound_to_its_nonce(world: IssuerWorld) -> None:
    nonce = world.nonce()
    proof, _ = commitment(world, new_prover_nym(), nonce, bound_to=world.nonce())
    assert error_of(ask(world, proof)) == (400, "invalid_proof")
    proof, _ = commitment(world, new_prover_nym(), nonce)
    assert ask(world, proof).status_code == 200
    assert error_of(ask(world, proof)) == (400, "invalid_nonce")


@pytest.mark.parametrize("proof", ["", "x", "a.b", "n.", ".AAAA", "a.b.c", "n." + "A" * 300])
def test_names_what_is_no_commitment(world: IssuerWorld, proof: str) -> None:
    answer = ask(world, proof)
    assert error_of(answer)[1] in ("invalid_proof", "invalid_credential_request")


def test_a_card_is_asked_for_with_the_proof_of_its_format(world: IssuerWorld) -> None:
    proof, _ = commitment(world, new_prover_nym(), world.nonce())
    body = {"credential_configuration_id": CARD, "proofs": {"bbs_nym": [proof]}}
    wallet = TestWallet(world)
    answer = wallet.post_resource("/credential", token_for(world, CARD), body)
    assert error_of(answer) == (400, "invalid_proof")
    keys = wallet.credential(token_for(world, f"{CARD}-bbs"), configuration=f"{CARD}-bbs")
    assert error_of(keys) == (400, "invalid_proof")


def test_two_residents_cannot_share_a_nym_key(world: IssuerWorld) -> None:
    records = SqlNymRegistrations(world.issuer_engine)
    first = NymRegistration(b"k" * 48, 7)
    assert records.register("one", "2027", first, now=NOW) == first
    assert records.register("one", "2027", NymRegistration(b"k" * 48, 8), now=NOW) == first
    with pytest.raises(NymKeyTaken):
        records.register("two", "2027", first, now=NOW)
    assert records.register("two", "2028", first, now=NOW) == first
