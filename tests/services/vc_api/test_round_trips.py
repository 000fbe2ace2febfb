"""VC-API end to end: issue, derive, present, verify, revoke."""

from __future__ import annotations

import json
from typing import Any

import pytest

from issuer.config import ConfigurationInvalid, IssuerConfig
from tests.support.issuing import key_of
from tests.support.vc_api import (
    CHALLENGE,
    DOMAIN,
    EVERY_DERIVABLE,
    EVERY_WHOLE,
    PAIRS_IN_ORDER,
    VcApi,
    credential,
    present,
)
from verifier.config import ConfigurationError, VerifierConfig
from wallet.credentials.jose import parse_compact_jws
from wallet.credentials.vc_jose import open_credential_envelope
from wallet.encoding.json import JsonObject

every_pair = pytest.mark.parametrize(("suite", "key"), PAIRS_IN_ORDER)


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    told = answer.get_json()
    assert told["errors"] == [
        {"type": told["type"], "code": told["code"], "detail": told["detail"]}
    ]
    return answer.status_code, told["code"]


@every_pair
def test_what_is_issued_is_by_the_did_of_the_key_and_verifies(
    api: VcApi, suite: str, key: str
) -> None:
    shown = api.shown(suite, key)
    if suite != "jwt":
        did = api.development_issuer.dids[key]
        assert shown["issuer"] == did
        method = shown["proof"]["verificationMethod"]
        assert method == f"{did}#{did.removeprefix('did:key:')}"
        assert shown["credentialStatus"]["type"] == "BitstringStatusListEntry"
    answer = api.verify(shown)
    assert (answer.status_code, answer.get_json()["verified"]) == (200, True), answer.text


@every_pair
def test_a_credential_of_data_model_1_1_gets_the_contexts_it_needs(
    api: VcApi, suite: str, key: str
) -> None:
    body: JsonObject = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:example:someone"},
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:synthetic-subject"},
    }
    issued = api.issued(suite, key, body)
    if (suite, key) in EVERY_DERIVABLE:
        assert refusal(api.derive(issued, [])) == (400, "credential_malformed")
        derived = api.derive(issued, ["/credentialSubject/id"])
        issued = derived.get_json()["verifiableCredential"]
    assert api.verify(issued).status_code == 200


@pytest.mark.parametrize(("suite", "key"), [p for p in EVERY_WHOLE if p[0] != "jwt"])
def test_one_changed_value_is_refused(api: VcApi, suite: str, key: str) -> None:
    issued = api.issued(suite, key)
    issued["credentialSubject"]["degree"]["name"] = "다른 전공"
    assert refusal(api.verify(issued)) == (422, "signature_invalid")


@pytest.mark.parametrize(("suite", "key"), EVERY_DERIVABLE)
def test_a_derived_credential_shows_what_was_asked_and_no_more(
    api: VcApi, suite: str, key: str
) -> None:
    issued = api.issued(suite, key)
    derived = api.derive(issued, ["/credentialSubject/alumniOf"]).get_json()[
        "verifiableCredential"
    ]
    assert derived["credentialSubject"]["alumniOf"] == {"name": "Synthetic University"}
    assert "degree" not in derived["credentialSubject"]
    assert api.verify(derived).status_code == 200
    derived["credentialSubject"]["alumniOf"]["name"] = "Another University"
    code = "bbs_proof_invalid" if key == "bls" else "signature_invalid"
    assert refusal(api.verify(derived)) == (422, code)
    assert refusal(api.verify(issued)) == (400, "proof_malformed")


def test_what_the_issuer_made_mandatory_is_always_shown(api: VcApi) -> None:
    for suite, key in (("ecdsa-sd-2023", "p256"), ("bbs-2023", "bls")):
        answer = api.issue(
            suite, key, credential(), mandatoryPointers=["/credentialSubject/degree"]
        )
        derived = api.derive(answer.get_json()["verifiableCredential"], []).get_json()
        shown = derived["verifiableCredential"]
        assert shown["credentialSubject"]["degree"]["name"] == "합성학"
        assert {"issuer", "validFrom", "credentialStatus"} <= shown.keys()
        assert "alumniOf" not in shown["credentialSubject"]
        answer = api.issue(suite, key, credential(), mandatoryPointers=["/nowhere"])
        assert refusal(answer) == (400, "pointer_malformed")


def test_nothing_is_derived_from_a_proof_of_a_whole_document_or_a_bad_base_proof(
    api: VcApi,
) -> None:
    assert refusal(api.derive(api.issued("eddsa-rdfc-2022", "ed25519"), [])) == (
        400, "unsupported_cryptosuite",
    )  # fmt: skip
    for suite, key, code in (
        ("ecdsa-sd-2023", "p256", "signature_invalid"),
        ("bbs-2023", "bls", "bbs_proof_invalid"),
    ):
        issued = api.issued(suite, key)
        assert refusal(api.derive(issued, ["/nothing"])) == (400, "pointer_malformed")
        issued["validFrom"] = "2025-01-01T00:00:00Z"
        pointers = ["/credentialSubject/degree"]
        assert refusal(api.derive(issued, pointers)) == (422, code)


@every_pair
def test_a_revoked_credential_is_refused_until_it_is_reinstated(
    api: VcApi, suite: str, key: str
) -> None:
    shown = entry = api.shown(suite, key)
    if suite == "jwt":
        entry = parse_compact_jws(open_credential_envelope(shown), typ="vc+jwt").peek_claims()
    assert api.verify(shown).status_code == 200
    assert api.revoke(entry).status_code == 200
    answer = api.verify(shown)
    assert refusal(answer) == (422, "status_set")
    presented = present(shown, now=api.clock.now())
    answer = api.verify_presentation(presented, challenge=CHALLENGE, domain=DOMAIN)
    assert refusal(answer) == (422, "status_set")
    assert api.revoke(entry, False).status_code == 200
    assert api.verify(shown).status_code == 200


@every_pair
def test_a_suspended_credential_is_refused_until_the_suspension_ends(
    api: VcApi, suite: str, key: str
) -> None:
    answer = api.issue(suite, key, credential(), statusPurpose="suspension")
    shown = entry = answer.get_json()["verifiableCredential"]
    if suite == "jwt":
        entry = parse_compact_jws(open_credential_envelope(shown), typ="vc+jwt").peek_claims()
    status = entry["credentialStatus"]
    assert status["statusPurpose"] == "suspension"
    assert status["statusListCredential"] == api.development_issuer.list_uri(key, "suspension")
    if (suite, key) in EVERY_DERIVABLE:
        shown = api.derive(shown, ["/credentialSubject/degree"]).get_json()["verifiableCredential"]
    assert api.verify(shown).status_code == 200
    assert api.revoke(entry).status_code == 200
    assert refusal(api.verify(shown)) == (422, "status_set")
    assert api.revoke(entry, False).status_code == 200
    assert api.verify(shown).status_code == 200
    # The same place under the other purpose is another list.
    other = {**status, "statusPurpose": "revocation"}
    assert refusal(api.revoke({"credentialStatus": other})) == (400, "credential_malformed")


def test_a_purpose_that_is_not_kept_is_refused(api: VcApi) -> None:
    for purpose in ("message", "", "default", 1, ["revocation"]):
        answer = api.issue("eddsa-rdfc-2022", "ed25519", credential(), statusPurpose=purpose)
        assert refusal(answer) == (400, "request_malformed")


def test_the_status_list_is_a_credential_that_verifies(api: VcApi) -> None:
    for key, did in api.development_issuer.dids.items():
        for path in (f"/credentials/status/{key}", f"/credentials/status/{key}/suspension"):
            answer = api.issuer.get(path)
            assert answer.content_type == "application/vc"
            listed = json.loads(answer.data)
            assert listed["issuer"] == did
            assert listed["id"].endswith(path)
            assert "BitstringStatusListCredential" in listed["type"]
            assert api.verify(listed).status_code == 200
    assert refusal(api.issuer.get("/credentials/status/rsa")) == (
        404, "development_issuer_unknown",
    )  # fmt: skip


def test_statuses_of_others_are_refused(api: VcApi) -> None:
    issued = api.issued("eddsa-rdfc-2022", "ed25519")
    entry = issued["credentialStatus"]
    free = next(str(n) for n in range(10) if str(n) != entry["statusListIndex"])
    for changed in ({"statusListIndex": free}, {"statusListCredential": "https://x.example/1"}):
        answer = api.revoke({"credentialStatus": {**entry, **changed}})
        assert refusal(answer) == (400, "credential_malformed")
    # A credential that names the list of another issuer, or one that cannot be had.
    for uri, code in (
        (api.development_issuer.list_uri("p384"), "status_list_not_of_issuer"),
        ("https://nowhere.example/list", "status_list_unavailable"),
    ):
        other = {**entry, "statusListCredential": uri, "id": f"{uri}#7", "statusListIndex": "7"}
        twice = api.issued("ecdsa-jcs-2019", "p256", credential(credentialStatus=other))
        assert refusal(api.verify(twice)) == (422, code)
    unknown = credential(credentialStatus={"id": "https://x.example/1", "type": "Other"})
    answer = api.verify(api.issued("eddsa-jcs-2022", "ed25519", unknown))
    assert refusal(answer) == (400, "unsupported_status_type")


@every_pair
def test_a_presentation_verifies_with_what_is_inside(api: VcApi, suite: str, key: str) -> None:
    presented = present(api.shown(suite, key), now=api.clock.now())
    for options in ({"challenge": CHALLENGE, "domain": DOMAIN}, {"challenge": CHALLENGE}):
        answer = api.verify_presentation(presented, **options)
        assert answer.status_code == 200, answer.text


def test_a_presentation_answers_one_challenge_and_one_domain(api: VcApi) -> None:
    presented = present(api.shown("eddsa-rdfc-2022", "ed25519"), now=api.clock.now())
    for challenge, domain, code, kind in (
        ("another", DOMAIN, "challenge_mismatch", "INVALID_CHALLENGE_ERROR"),
        (CHALLENGE, "https://x.example", "domain_mismatch", "INVALID_DOMAIN_ERROR"),
    ):
        answer = api.verify_presentation(presented, challenge=challenge, domain=domain)
        assert refusal(answer) == (422, code)
        assert answer.get_json()["type"] == f"https://w3id.org/security#{kind}"
    assert refusal(api.verify_presentation(presented)) == (400, "request_malformed")


def test_one_bad_credential_spoils_a_presentation(api: VcApi) -> None:
    good = api.shown("eddsa-rdfc-2022", "ed25519")
    bad = api.shown("ecdsa-rdfc-2019", "p256")
    bad["credentialSubject"]["id"] = "did:example:somebody-else"
    presented = present(good, bad, now=api.clock.now())
    answer = api.verify_presentation(presented, challenge=CHALLENGE, domain=DOMAIN)
    assert refusal(answer) == (422, "signature_invalid")


@pytest.mark.parametrize(
    ("suite", "key"),
    [("eddsa-rdfc-2022", "p256"), ("bbs-2023", "p256"), ("jwt", "bls"), ("rsa", "rsa")],
)
def test_there_is_no_issuer_for_a_pair_that_does_not_fit(api: VcApi, suite: str, key: str) -> None:
    answer = api.issue(suite, key, credential())
    assert refusal(answer) == (404, "development_issuer_unknown")


def test_the_keys_are_not_accredited_and_no_endpoint_of_production_signs(api: VcApi) -> None:
    metadata = api.issuer.get("/.well-known/did.json").get_json()
    methods = str(metadata)
    assert all(did not in methods for did in api.development_issuer.dids.values())


def test_a_production_issuer_with_vc_api_does_not_start() -> None:
    settings: dict[str, Any] = {
        "base_url": "https://issuer.example",
        "signing_key": key_of("issuer"),
        "database_url": "sqlite:///unused.db",
        "operators": (),
    }
    IssuerConfig(**settings, vc_api=True, development=True)
    with pytest.raises(ConfigurationInvalid, match="vc_api"):
        IssuerConfig(**settings, vc_api=True)


def test_a_production_verifier_with_vc_api_does_not_start(tmp_path: Any) -> None:
    settings: dict[str, Any] = {
        "base_url": "https://verifier.example",
        "database_url": "sqlite:///unused.db",
        "signing_key_file": tmp_path / "key",
        "agency_token_digests": {},
    }
    VerifierConfig(**settings, vc_api=True, development=True)
    with pytest.raises(ConfigurationError, match="vc_api"):
        VerifierConfig(**settings, vc_api=True)
