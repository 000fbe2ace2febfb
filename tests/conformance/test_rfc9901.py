"""Credentials that nobody here wrote: the signed examples of RFC 9901."""

import pytest

from tests.conformance import rfc9901
from wallet.credentials.jose import verify_jws
from wallet.credentials.sd_jwt import SdJwt, parse_sd_jwt
from wallet.crypto.keys import SignatureInvalid, parse_jwk
from wallet.errors import SeoulWalletError
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import verify_proof
from wallet.verification.policy import VerificationPolicy
from wallet.verification.proof_steps import CredentialExpired, NonceMismatch

ISSUER_KEY = parse_jwk(rfc9901.ISSUER_JWK)
EXAMPLE = frozenset(("example+sd-jwt",))
POLICY = VerificationPolicy(
    accepted_types=frozenset(("urn:eudi:pid:de:1",)),
    audience=rfc9901.AUDIENCE,
    nonce=rfc9901.NONCE,
    trust=None,
)
EVIDENCE = Evidence(Fact(ISSUER_KEY, 0))


def disclosed(sd_jwt: SdJwt) -> dict[str, object]:
    verify_jws(sd_jwt.jws, ISSUER_KEY)
    claims = sd_jwt.process(sd_jwt.jws.peek_claims()).claims
    return {name: value for name, value in claims.items() if name not in ("iat", "exp", "cnf")}


def test_accepts_the_presentation_of_appendix_a_3_and_finds_its_published_claims() -> None:
    proof = verify_proof(rfc9901.APPENDIX_A_3, EVIDENCE, POLICY, now=rfc9901.BOUND_AT)
    assert proof.issuer == "https://pid-issuer.bund.de.example"
    assert proof.claims["age_equal_or_over"] == {"18": True}
    assert proof.claims["nationalities"] == ["DE"]
    assert set(proof.claims) == {
        "iss", "iat", "exp", "vct", "cnf", "age_equal_or_over", "nationalities",
    }  # fmt: skip


def test_rejects_the_same_presentation_for_another_nonce_and_after_its_expiry() -> None:
    from dataclasses import replace

    other = replace(POLICY, nonce="1234567891")
    with pytest.raises(NonceMismatch):
        verify_proof(rfc9901.APPENDIX_A_3, EVIDENCE, other, now=rfc9901.BOUND_AT)
    with pytest.raises(CredentialExpired):
        verify_proof(rfc9901.APPENDIX_A_3, EVIDENCE, POLICY, now=1883000060)


def test_reads_the_presentation_of_section_5_2() -> None:
    sd_jwt = parse_sd_jwt(rfc9901.SECTION_5_2, typ=EXAMPLE)
    assert disclosed(sd_jwt) == {
        "iss": "https://issuer.example.com",
        "sub": "user_42",
        "family_name": "Doe",
        "given_name": "John",
        "nationalities": ["US"],
        "address": {
            "street_address": "123 Main St",
            "locality": "Anytown",
            "region": "Anystate",
            "country": "US",
        },
    }
    assert sd_jwt.key_binding is not None
    holder = parse_jwk(sd_jwt.jws.peek_claims()["cnf"]["jwk"])
    verify_jws(sd_jwt.key_binding, holder)
    assert sd_jwt.key_binding.peek_claims()["sd_hash"] == sd_jwt.digest("sha-256")


def test_reads_the_structured_claims_of_appendix_a_1() -> None:
    sd_jwt = parse_sd_jwt(rfc9901.APPENDIX_A_1, typ=EXAMPLE)
    assert disclosed(sd_jwt) == {
        "iss": "https://issuer.example.com",
        "address": {"region": "港区", "country": "JP"},
    }


def test_no_other_key_has_signed_the_examples() -> None:
    holder_jwk = parse_sd_jwt(rfc9901.SECTION_5_2, typ=EXAMPLE).jws.peek_claims()["cnf"]["jwk"]
    with pytest.raises(SignatureInvalid):
        verify_jws(parse_sd_jwt(rfc9901.APPENDIX_A_1, typ=EXAMPLE).jws, parse_jwk(holder_jwk))


def test_no_change_of_one_character_is_accepted_with_other_claims() -> None:
    honest = verify_proof(rfc9901.APPENDIX_A_3, EVIDENCE, POLICY, now=rfc9901.BOUND_AT).claims
    text = rfc9901.APPENDIX_A_3
    accepted = 0
    for position in range(0, len(text), 7):
        changed = "B" if text[position] == "A" else "A"
        mutant = text[:position] + changed + text[position + 1 :]
        try:
            claims = verify_proof(mutant, EVIDENCE, POLICY, now=rfc9901.BOUND_AT).claims
        except SeoulWalletError:
            continue
        assert claims == honest
        accepted += 1
    assert accepted == 0
