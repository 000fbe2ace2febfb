"""What other people's suites ask of VC-API, each with what must still be refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from issuer.api.vc_api import CREDENTIAL_MEDIA_TYPES
from seoul_wallet.contexts import development_json_ld
from tests.services.vc_api.test_round_trips import refusal
from tests.support.vc_api import CHALLENGE, DOMAIN, VcApi, credential, present
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.issue import ProofOptions, issue_credential
from wallet.credentials.jsonld.pinned import CREDENTIALS_V1, CREDENTIALS_V2
from wallet.crypto.keys import Ed25519SigningKey
from wallet.did.did_key import did_key_from_public_key
from wallet.encoding.json import JsonObject

PLAIN = ("eddsa-rdfc-2022", "ed25519")
INLINE: JsonObject = {"shoeSize": "https://shop.example/#size"}


def of_model_1_1() -> JsonObject:
    return {
        "@context": [CREDENTIALS_V1],
        "type": ["VerifiableCredential"],
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:synthetic-subject"},
    }


def signed_for(issuer: str, api: VcApi, **changes: Any) -> JsonObject:
    """Return a credential in the name of `issuer`, by a key of nobody in particular."""
    key = Ed25519SigningKey.from_secret(b"\5" * 32)
    did = did_key_from_public_key(key.public_key)
    options = ProofOptions(f"{did}#{did.removeprefix('did:key:')}", created=api.clock.now())
    return issue_credential(
        credential(issuer=issuer, **changes), key, options, EDDSA_RDFC_2022,
        json_ld=development_json_ld(),
    ).document  # fmt: skip


def test_a_credential_of_data_model_1_1_gets_a_status_only_when_asked(api: VcApi) -> None:
    assert "credentialStatus" not in api.issued(*PLAIN, of_model_1_1())
    for answer in (
        api.issue("bitstring", "ed25519", of_model_1_1()),
        api.issue(*PLAIN, of_model_1_1(), statusPurpose="suspension"),
    ):
        issued = answer.get_json()["verifiableCredential"]
        assert issued["credentialStatus"]["type"] == "BitstringStatusListEntry"
        assert api.verify(issued).status_code == 200
        assert api.revoke(issued).status_code == 200
        assert refusal(api.verify(issued)) == (422, "status_set")


def test_a_credential_gets_no_status_if_none_is_wanted(api: VcApi) -> None:
    for suite, key in (PLAIN, ("bbs-2023", "bls"), ("bitstring", "p256")):
        answer = api.issue(suite, key, credential(), statusPurpose=None)
        assert "credentialStatus" not in answer.get_json()["verifiableCredential"]
        assert "credentialStatus" in api.issued(suite, key)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/vc"),
        ("*/*", "application/vc"),
        ("application/vc, application/json", "application/vc"),
        ("application/ld+json, application/json", "application/ld+json"),
        ("application/json", "application/json"),
        ("text/html", "application/vc"),
    ],
)
def test_a_status_list_is_served_as_what_the_client_takes(
    api: VcApi, accept: str | None, media_type: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    for path in ("/credentials/status/p256", "/credentials/status/p256/suspension"):
        answer = api.issuer.get(path, headers=headers)
        assert answer.content_type == media_type
        assert media_type in CREDENTIAL_MEDIA_TYPES
        assert answer.headers["Vary"] == "Accept"


def test_a_presentation_without_credentials_shows_who_has_a_key(api: VcApi) -> None:
    presented = present(now=api.clock.now())
    assert "verifiableCredential" not in presented
    answer = api.verify_presentation(presented, challenge=CHALLENGE, domain=DOMAIN)
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["holder"] == presented["holder"]
    answer = api.verify_presentation(presented, challenge="another", domain=DOMAIN)
    assert refusal(answer) == (422, "challenge_mismatch")
    presented["holder"] = api.development_issuer.dids["ed25519"]
    answer = api.verify_presentation(presented, challenge=CHALLENGE, domain=DOMAIN)
    assert refusal(answer)[0] == 422


def test_an_issuer_without_keys_is_not_named_as_verified(api: VcApi) -> None:
    signed = signed_for("https://vc.example/issuers/5678", api)
    told = api.verify(signed).get_json()
    assert told["verified"] is True
    assert "issuer" not in told
    assert any("issuer" in warning for warning in told["warnings"])
    changed = {**signed, "issuer": "https://vc.example/issuers/1"}
    assert refusal(api.verify(changed)) == (422, "signature_invalid")
    ended = signed_for("https://vc.example/1", api, validUntil="2026-01-02T00:00:00Z")
    assert refusal(api.verify(ended)) == (422, "validity_period_ended")
    presented = present(signed, now=api.clock.now())
    answer = api.verify_presentation(presented, challenge=CHALLENGE, domain=DOMAIN)
    assert refusal(answer) == (422, "proof_not_by_issuer")


@pytest.mark.parametrize("issuer", ["did:web:issuer.example", "did:key:z6Mk", "did:example:1"])
def test_an_issuer_that_is_a_did_must_have_signed(api: VcApi, issuer: str) -> None:
    assert refusal(api.verify(signed_for(issuer, api))) == (422, "proof_not_by_issuer")


def test_what_an_issuer_without_keys_says_of_its_status_is_checked(api: VcApi) -> None:
    status = api.issued(*PLAIN)["credentialStatus"]
    signed = signed_for("https://vc.example/issuers/5678", api, credentialStatus=status)
    assert refusal(api.verify(signed)) == (422, "status_list_not_of_issuer")


def test_a_context_given_inline_is_signed_and_pointed_out(api: VcApi) -> None:
    body = credential(**{"@context": [CREDENTIALS_V2, INLINE], "type": "VerifiableCredential"})
    body["credentialSubject"] = {"id": "did:example:synthetic-subject", "shoeSize": "260"}
    issued = api.issued(*PLAIN, body)
    told = api.verify(issued).get_json()
    assert told["verified"] is True
    assert any("inline" in warning for warning in told["warnings"])
    presented = present(issued, now=api.clock.now())
    told = api.verify_presentation(presented, challenge=CHALLENGE, domain=DOMAIN).get_json()
    assert any("inline" in warning for warning in told["warnings"])
    changed = copy.deepcopy(issued)
    changed["@context"][1]["shoeSize"] = "https://shop.example/#price"
    assert refusal(api.verify(changed)) == (422, "signature_invalid")
    assert api.verify(api.issued(*PLAIN)).get_json()["warnings"] == []


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_an_issuer_is_described_in_text_alone(api: VcApi, suite: str) -> None:
    did = api.development_issuer.dids["ed25519"]
    text: JsonObject = {"@value": "합성 발급자", "@language": "ko"}
    good = credential(issuer={"id": did, "name": text})
    assert api.issue(suite, "ed25519", good).status_code == 201
    for name in (
        {**text, "href": "https://x.example"}, {**text, "@direction": "up"}, {"@language": "ko"},
        {**text, "@language": 5}, 5, None, [text, 5],
    ):  # fmt: skip
        answer = api.issue(suite, "ed25519", credential(issuer={"id": did, "name": name}))
        assert refusal(answer) == (400, "credential_malformed")


def test_a_related_context_has_the_digest_that_is_claimed(api: VcApi) -> None:
    related = {
        "id": CREDENTIALS_V2,
        "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA",
    }
    assert api.verify(api.issued(*PLAIN, credential(relatedResource=related))).status_code == 200
    other = {**related, "digestMultibase": "uEiAkoYyQ6YVtUmER8pN24wLZcLK9EBguM5WZlbAgfXBDuQ"}
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022", "jwt"):
        answer = api.issue(suite, "ed25519", credential(relatedResource=other))
        assert refusal(answer) == (422, "related_resource_mismatch")


@pytest.mark.parametrize(
    "changes",
    [
        {"previousProof": "urn:uuid:0"},
        {"proofPurpose": "authentication"},
        {"type": "Ed25519Signature2020"},
        {"cryptosuite": "unknown"},
        {"proofValue": ""},
    ],
)
def test_what_is_wrong_with_a_proof_has_the_type_of_the_specification(
    api: VcApi, changes: JsonObject
) -> None:
    issued = api.issued(*PLAIN)
    issued["proof"] = {**issued["proof"], **changes}
    answer = api.verify(issued)
    assert answer.status_code in (400, 422)
    assert answer.get_json()["type"] == "https://w3id.org/security#PROOF_VERIFICATION_ERROR"
