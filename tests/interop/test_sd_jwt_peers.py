"""SD-JWT VC with software that nobody here wrote: npm @sd-jwt/sd-jwt-vc and PyPI openvc-core."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from openvc.proof.errors import ProofError
from openvc.proof.sd_jwt import SdJwtVcProofSuite

from tests.support.credentials import (
    ACCREDITOR,
    AUDIENCE,
    DISCLOSED,
    NONCE,
    NOW,
    VCT,
    World,
    policy,
    proof_policy,
)
from tests.support.sd_jwt_js import sd_jwt_js
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid, parse_jwk
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.trust.facts import (
    AccreditorScope,
    AnchorFacts,
    BlockRef,
    IssuerNotAccredited,
    IssuerScope,
)
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import verify_presentation, verify_proof
from wallet.verification.proof_steps import NonceMismatch


@pytest.mark.node
def test_accepts_a_presentation_made_by_sd_jwt_js_and_refuses_it_when_changed() -> None:
    made = sd_jwt_js(
        {
            "do": "issue",
            "claims": {
                "iss": "https://issuer.example",
                "vct": VCT,
                "iat": NOW - 100,
                "exp": NOW + 1000,
                "name": "김합성",
                "child_count": 3,
                "seoul_resident": True,
            },
            "disclosable": ["name", "child_count"],
            "present": ["child_count"],
            "audience": AUDIENCE,
            "nonce": NONCE,
            "iat": NOW,
        }
    )
    evidence = Evidence(Fact(parse_jwk(made["issuer_jwk"]), NOW))
    proof = verify_proof(made["presentation"], evidence, proof_policy(), now=NOW)
    assert proof.claims["child_count"] == 3
    assert proof.claims["seoul_resident"] is True
    assert "name" not in proof.claims
    with pytest.raises(NonceMismatch):
        verify_proof(
            made["presentation"], evidence, replace(proof_policy(), nonce="other"), now=NOW
        )
    other = Evidence(Fact(World().issuer_key.public_key, NOW))
    with pytest.raises(SignatureInvalid):
        verify_proof(made["presentation"], other, proof_policy(), now=NOW)


@pytest.mark.node
def test_the_verifier_accepts_a_foreign_issuer_once_it_is_accredited_and_not_before() -> None:
    key = Es256SigningKey.generate()
    issuer = did_jwk_from_public_key(key.public_key)
    made = sd_jwt_js(
        {
            "do": "issue",
            "issuer_jwk": private_jwk(key),
            "claims": {"iss": issuer, "vct": VCT, "child_count": 3},
            "disclosable": ["child_count"],
            "present": ["child_count"],
            "audience": AUDIENCE,
            "nonce": NONCE,
            "iat": NOW,
        }
    )
    did = parse_did(issuer)
    schema = schema_id(VCT)
    accredited = AnchorFacts(
        BlockRef(1, bytes(32), NOW),
        (IssuerScope(issuer_id(issuer), schema, 0, ACCREDITOR, NOW - 9, NOW + 9),),
        (AccreditorScope(ACCREDITOR, schema, 0, NOW - 9, NOW + 9),),
    )
    evidence = Evidence(Fact(resolve_self_contained(did), NOW), Fact(accredited, NOW))
    rules = policy(require_status=False)
    verified = verify_presentation(made["presentation"], evidence, rules, now=NOW)
    assert verified.issuer == issuer
    assert verified.claims["child_count"] == 3
    stranger = replace(evidence, anchor=Fact(AnchorFacts(accredited.head), NOW))
    with pytest.raises(IssuerNotAccredited):
        verify_presentation(made["presentation"], stranger, rules, now=NOW)


def private_jwk(key: Es256SigningKey) -> dict[str, Any]:
    return {**key.public_key.jwk, "d": base64url.encode(key.secret())}


@pytest.mark.node
def test_sd_jwt_js_accepts_our_presentation_and_refuses_it_when_changed() -> None:
    world = World()
    presentation = world.present(world.issue())
    request = {
        "do": "verify",
        "presentation": presentation,
        "issuer_jwk": world.issuer_key.public_key.jwk,
        "status_list": world.status_token().decode(),
        "nonce": NONCE,
        "now": NOW,
    }
    answer = sd_jwt_js(request)
    assert answer["accepted"], answer
    assert answer["claims"]["child_count"] == 2
    assert "name" not in answer["claims"]
    assert not sd_jwt_js({**request, "nonce": "other"})["accepted"]
    world.statuses = {7: 1}
    revoked = {**request, "status_list": world.status_token().decode()}
    assert not sd_jwt_js(revoked)["accepted"]


def openvc_verify(world: World, presentation: str, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "public_key_jwk": world.issuer_key.public_key.jwk,
        "audience": AUDIENCE,
        "nonce": NONCE,
        "require_key_binding": True,
        "expected_vct": VCT,
        "now": datetime.fromtimestamp(NOW, UTC),
        **changes,
    }
    return SdJwtVcProofSuite().verify(presentation, **arguments)


def test_openvc_accepts_our_presentation_and_refuses_it_when_changed() -> None:
    world = World()
    presentation = world.present(world.issue())
    verified = openvc_verify(world, presentation)
    assert verified.key_bound
    assert {path[0] for path in DISCLOSED} <= set(verified.claims)
    assert "name" not in verified.claims
    with pytest.raises(ProofError):
        openvc_verify(world, presentation, nonce="other")
    with pytest.raises(ProofError):
        openvc_verify(world, presentation[:-2] + ("AA" if presentation[-2:] != "AA" else "BA"))
