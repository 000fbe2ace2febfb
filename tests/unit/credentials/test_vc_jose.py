"""vc+jwt and vp+jwt, envelopes, and presentations of either kind of credential."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from tests.support.w3c import (
    CHALLENGE,
    DOMAIN,
    NOW,
    Signer,
    card,
    documents,
    ed25519,
    json_ld,
    p256,
    p384,
    presentation,
)
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.issue import issue_credential, present_credentials
from wallet.credentials.data_integrity.verify import (
    ChallengeMismatch,
    DidDocumentMissing,
    DomainMismatch,
    ProofNotByIssuer,
    ProofOutsideItsTime,
)
from wallet.credentials.jose import JwsMalformed, sign_jws
from wallet.credentials.vc_jose import (
    envelop_credential,
    envelop_presentation,
    issue_credential_jwt,
    open_presentation_envelope,
    present_credentials_jwt,
    verify_credential_jwt,
)
from wallet.credentials.vc_presentation import (
    HolderNotSubject,
    PresentationPolicy,
    ProofNotByHolder,
    verify_presentation,
    verify_presentation_jwt,
)
from wallet.credentials.vcdm.credential import ValidityPeriodEnded
from wallet.credentials.vcdm.fields import CredentialMalformed
from wallet.crypto.keys import SignatureInvalid
from wallet.did.document import DidDocument, KeyNotAuthorized
from wallet.did.syntax import DidMalformed
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

ISSUER, HOLDER = p256(1), ed25519(2)
KEYS = documents(ISSUER, HOLDER)
POLICY = PresentationPolicy(CHALLENGE, DOMAIN, json_ld=json_ld())


def issue(signer: Signer = ISSUER, **changes: Any) -> str:
    document = {**card(signer.did, HOLDER.did), **changes}
    return issue_credential_jwt(document, signer.key, verification_method=signer.method).compact


def signed(claims: JsonObject, header: JsonObject | None = None, signer: Signer = ISSUER) -> str:
    whole = {"typ": "vc+jwt", "kid": signer.method, **(header or {})}
    return sign_jws(signer.key, whole, claims)


@pytest.mark.parametrize("signer", [p256(1), p384(1), ed25519(1)], ids=["P-256", "P-384", "Ed"])
def test_a_credential_that_we_sign_verifies(signer: Signer) -> None:
    token = issue(signer)
    verified = verify_credential_jwt(token, documents(signer), now=NOW)
    assert verified.credential.issuer == signer.did
    assert verified.signed_input == token.rpartition(".")[0].encode()
    changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BA")
    with pytest.raises(SeoulWalletError):
        verify_credential_jwt(changed, documents(signer), now=NOW)


def test_a_credential_that_is_not_by_its_issuer_is_refused() -> None:
    with pytest.raises(ProofNotByIssuer):
        verify_credential_jwt(signed(card(HOLDER.did)), KEYS, now=NOW)
    with pytest.raises(ProofNotByIssuer):
        verify_credential_jwt(signed({**card(ISSUER.did), "iss": HOLDER.did}), KEYS, now=NOW)
    with pytest.raises(SignatureInvalid):
        verify_credential_jwt(
            signed(card(ISSUER.did), {"kid": ISSUER.method}, signer=p256(9)), KEYS, now=NOW
        )
    with pytest.raises(DidDocumentMissing):
        verify_credential_jwt(issue(), documents(HOLDER), now=NOW)


@pytest.mark.parametrize(
    ("claims", "header", "error"),
    [
        ({"vc": {}}, {}, JwsMalformed),
        ({"vp": {}}, {}, JwsMalformed),
        ({"proof": {}}, {}, JwsMalformed),
        ({}, {"typ": "jwt"}, JwsMalformed),
        ({}, {"typ": "vp+jwt"}, JwsMalformed),
        ({}, {"cty": "vp"}, JwsMalformed),
        ({}, {"cty": "application/vp"}, JwsMalformed),
        ({}, {"cty": "vc+ld+json"}, JwsMalformed),
        ({}, {"cty": ["vc"]}, JwsMalformed),
        ({}, {"iss": "did:example:other"}, ProofNotByIssuer),
        ({"iss": "did:example:other"}, {}, ProofNotByIssuer),
        ({"iss": None}, {}, JwsMalformed),
        ({}, {"iss": [ISSUER.did]}, JwsMalformed),
        ({}, {"kid": "#0"}, DidMalformed),
        ({}, {"kid": None}, DidMalformed),
        ({"exp": NOW - 61}, {}, ProofOutsideItsTime),
        ({"nbf": NOW + 61}, {}, ProofOutsideItsTime),
        ({"exp": "soon"}, {}, JwsMalformed),
        ({"validUntil": "2026-12-01T00:00:00Z"}, {}, ValidityPeriodEnded),
        ({"type": "VerifiablePresentation"}, {}, CredentialMalformed),
        ({"issuer": "somebody"}, {}, CredentialMalformed),
    ],
)
def test_a_credential_of_another_form_is_refused(
    claims: JsonObject, header: JsonObject, error: type[SeoulWalletError]
) -> None:
    token = signed({**card(ISSUER.did), **claims}, header)
    with pytest.raises(error):
        verify_credential_jwt(token, KEYS, now=NOW)


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({}, {}),
        ({"iss": ISSUER.did}, {}),
        ({}, {"iss": ISSUER.did}),
        ({}, {"cty": "vc"}),
        ({}, {"cty": "application/vc"}),
        ({}, {"cty": "VC"}),
        ({}, {"typ": "application/vc+jwt"}),
        ({"issuer": {"id": ISSUER.did, "name": "Synthetic"}, "iss": ISSUER.did}, {}),
        # Not understood, and so ignored.
        ({"unknown": {"a": 1}}, {"unknown": 1}),
        ({"exp": NOW + 1, "nbf": NOW, "iat": NOW, "jti": "x", "sub": "y"}, {}),
    ],
)
def test_other_spellings_of_a_credential_are_accepted(
    claims: JsonObject, header: JsonObject
) -> None:
    token = signed({**card(ISSUER.did), **claims}, header)
    assert verify_credential_jwt(token, KEYS, now=NOW).credential.issuer == ISSUER.did


def present(*credentials: JsonObject, **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "verification_method": HOLDER.method,
        "audience": DOMAIN,
        "nonce": CHALLENGE,
        "issued_at": NOW,
        **changes,
    }
    return present_credentials_jwt(presentation(HOLDER.did, *credentials), HOLDER.key, **arguments)


def secured(holder: str = HOLDER.did) -> JsonObject:
    issuer = ed25519(3)
    return issue_credential(
        card(issuer.did, holder),
        issuer.key,
        issuer.options(),
        EDDSA_RDFC_2022,
        json_ld=json_ld(),
    ).document


ALL_KEYS = documents(ISSUER, HOLDER, ed25519(3))


def test_a_presentation_holds_credentials_secured_in_both_ways() -> None:
    inside = (envelop_credential(issue()), secured())
    by_jwt = verify_presentation_jwt(present(*inside), ALL_KEYS, POLICY, now=NOW)
    proved = present_credentials(
        presentation(HOLDER.did, *inside),
        HOLDER.key,
        HOLDER.options(),
        EDDSA_RDFC_2022,
        challenge=CHALLENGE,
        domain=DOMAIN,
        json_ld=json_ld(),
    ).document
    by_proof = verify_presentation(proved, ALL_KEYS, POLICY, now=NOW)
    for verified in (by_jwt, by_proof):
        assert str(verified.holder) == HOLDER.did
        assert verified.holder_key.jwk == HOLDER.key.public_key.jwk
        assert [len(each.proofs) for each in verified.credentials] == [0, 1]


def test_an_enveloped_presentation_is_opened() -> None:
    token = present(envelop_credential(issue()))
    opened = open_presentation_envelope(envelop_presentation(token))
    assert opened == token
    verify_presentation_jwt(opened, KEYS, POLICY, now=NOW)
    with pytest.raises(CredentialMalformed):
        open_presentation_envelope(envelop_credential(token))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": "https://other.example"}, DomainMismatch),
        ({"audience": [DOMAIN]}, DomainMismatch),
        ({"nonce": "other"}, ChallengeMismatch),
        ({"nonce": ""}, JwsMalformed),
        ({"issued_at": NOW - 361}, ProofOutsideItsTime),
        ({"issued_at": NOW + 61}, ProofOutsideItsTime),
        ({"issued_at": "now"}, JwsMalformed),
        ({"verification_method": ISSUER.method}, SignatureInvalid),
        ({"verification_method": f"{HOLDER.did}#other"}, KeyNotAuthorized),
    ],
)
def test_a_presentation_for_another_request_is_refused(
    changes: dict[str, Any], error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        verify_presentation_jwt(
            present(envelop_credential(issue()), **changes), KEYS, POLICY, now=NOW
        )


def test_a_presentation_by_another_than_its_holder_is_refused() -> None:
    other = ed25519(7)
    claims = {
        **presentation(HOLDER.did, envelop_credential(issue())),
        "aud": DOMAIN,
        "nonce": CHALLENGE,
        "iat": NOW,
    }
    token = sign_jws(other.key, {"typ": "vp+jwt", "kid": other.method}, claims)
    with pytest.raises(ProofNotByHolder):
        verify_presentation_jwt(token, documents(ISSUER, other), POLICY, now=NOW)


def test_a_presentation_in_the_name_of_another_is_refused() -> None:
    claims = {**presentation(HOLDER.did, envelop_credential(issue())), "aud": DOMAIN}
    claims |= {"nonce": CHALLENGE, "iat": NOW}
    header = {"typ": "vp+jwt", "kid": HOLDER.method}
    for name, error in ((HOLDER.did, None), (ISSUER.did, ProofNotByIssuer)):
        for more in (({"iss": name}, {}), ({}, {"iss": name})):
            token = sign_jws(HOLDER.key, {**header, **more[0]}, {**claims, **more[1]})
            with pytest.raises(error) if error else contextlib.nullcontext():
                verify_presentation_jwt(token, KEYS, POLICY, now=NOW)


def test_a_credential_about_someone_else_is_refused_unless_it_is_of_a_bearer_type() -> None:
    inside = (
        envelop_credential(issue(credentialSubject={"id": "did:example:other", "givenName": "x"})),
        secured("did:example:other"),
        envelop_credential(issue(credentialSubject={"givenName": "x"})),
    )
    bearer = PresentationPolicy(
        CHALLENGE, DOMAIN, frozenset(("FamilyCardCredential",)), json_ld=json_ld()
    )
    for credential in inside:
        token = present(credential)
        with pytest.raises(HolderNotSubject):
            verify_presentation_jwt(token, ALL_KEYS, POLICY, now=NOW)
        verify_presentation_jwt(token, ALL_KEYS, bearer, now=NOW)


def test_a_presentation_with_one_bad_credential_or_none_is_refused() -> None:
    good = envelop_credential(issue())
    unsigned = card(ISSUER.did, HOLDER.did)
    tampered = {**secured(), "cardNumber": "SYNTHETIC-0002"}
    for bad in (unsigned, tampered, envelop_credential("e30.e30.e30"), {"id": "urn:x"}):
        with pytest.raises(SeoulWalletError):
            verify_presentation_jwt(present(good, bad), ALL_KEYS, POLICY, now=NOW)
    empty = presentation(HOLDER.did)
    del empty["verifiableCredential"]
    claims = {**empty, "aud": DOMAIN, "nonce": CHALLENGE, "iat": NOW}
    token = sign_jws(HOLDER.key, {"typ": "vp+jwt", "kid": HOLDER.method}, claims)
    with pytest.raises(CredentialMalformed):
        verify_presentation_jwt(token, KEYS, POLICY, now=NOW)


def test_a_key_that_may_not_authenticate_cannot_present() -> None:
    reduced = DidDocument(
        HOLDER.document.did,
        HOLDER.document.methods,
        {"assertionMethod": frozenset((HOLDER.method,))},
    )
    token = present(envelop_credential(issue()))
    with pytest.raises(KeyNotAuthorized):
        verify_presentation_jwt(token, {**KEYS, HOLDER.did: reduced}, POLICY, now=NOW)


def test_a_policy_without_challenge_or_domain_is_a_mistake_of_the_caller() -> None:
    for challenge, domain in (("", DOMAIN), (CHALLENGE, "")):
        with pytest.raises(ValueError, match="challenge"):
            PresentationPolicy(challenge, domain)
