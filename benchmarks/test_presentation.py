"""Claim: verifying a presentation costs little more than its two ES256 signatures.

Every round takes a token and a holder key that no round before has seen. They are made before
the first round, so that what is measured is a verifier at work, not one that issues in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from benchmarks.conftest import Paired
from tests.support.credentials import ISSUER, NOW, VCT, World, policy, proof_policy
from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt import IssuedSdJwt, parse_sd_jwt
from wallet.crypto.keys import PublicKey
from wallet.encoding import base64url
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.manifest import MANIFEST_TYPE, verify_manifest
from wallet.verification.pipeline import verify_presentation, verify_proof

TRUST = policy(require_receipt=True)
STANDS_IN = policy(require_receipt=True, manifest_stands_in=True)
PROOF = proof_policy()
ROUNDS = 2000
ECDSA = ec.ECDSA(hashes.SHA256())
_ISSUER = World()


@dataclass
class Case:
    """One fresh token with a fresh holder key, and the raw material of its two signatures."""

    presentation: str
    evidence: Evidence
    issuer_key: ec.EllipticCurvePublicKey
    holder_point: bytes
    signatures: tuple[tuple[bytes, bytes], tuple[bytes, bytes]]
    with_manifest: Evidence


def _der(signature: bytes) -> bytes:
    return encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )


def issue(world: World) -> Case:
    return present(world, world.issue())


def present(world: World, issued: IssuedSdJwt) -> Case:
    receipt, root = world.receipt(issued)
    presentation = world.present(issued, receipt=receipt)
    evidence = world.evidence(root)
    parsed = parse_sd_jwt(presentation)
    assert parsed.key_binding is not None
    return Case(
        presentation,
        evidence,
        loaded(world.issuer_key.public_key),
        uncompressed(world.holder_key.public_key),
        (
            (_der(parsed.jws.signature), parsed.jws.signing_input),
            (_der(parsed.key_binding.signature), parsed.key_binding.signing_input),
        ),
        anchored_with_manifest(world, evidence, root),
    )


def anchored_with_manifest(world: World, evidence: Evidence, root: bytes) -> Evidence:
    """Return evidence with the batch's manifest, verified before as it is once for a batch."""
    keys, anchor = evidence.issuer_keys, evidence.anchor
    assert isinstance(keys, Fact)
    assert isinstance(anchor, Fact)
    assert anchor.value.batch is not None
    claims = {
        "root": base64url.encode(root),
        "size": anchor.value.batch.size,
        "schema": VCT,
        "time": NOW - 5_100,
        "issuer": ISSUER,
    }
    header = {"typ": MANIFEST_TYPE, "kid": f"{ISSUER}#key-1"}
    signed = sign_jws(world.issuer_key, header, claims).encode()
    manifest = verify_manifest(signed, issuer=ISSUER, issuer_keys=keys.value, now=NOW)
    batch = replace(anchor.value.batch, manifest_digest=manifest.digest)
    anchored = replace(anchor, value=replace(anchor.value, batch=batch))
    return replace(evidence, anchor=anchored, manifest=Fact(manifest, NOW))


def uncompressed(key: PublicKey) -> bytes:
    return b"\x04" + base64url.decode(key.jwk["x"]) + base64url.decode(key.jwk["y"])


def loaded(key: PublicKey) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), uncompressed(key))


def fresh() -> Case:
    return issue(World(issuer_key=_ISSUER.issuer_key))


@pytest.fixture
def supply(pytestconfig: pytest.Config) -> Callable[[], Case]:
    measuring = bool(pytestconfig.getoption("benchmark_enable"))
    return iter([fresh() for _ in range(ROUNDS + 20 if measuring else 1)]).__next__


def two_raw_verifications(case: Case) -> None:
    holder = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), case.holder_point)
    for key, (signature, data) in zip((case.issuer_key, holder), case.signatures, strict=True):
        key.verify(signature, data, ECDSA)


def test_proof_of_a_presentation(paired: Paired, supply: Callable[[], Case]) -> None:
    paired(
        row="SD-JWT VC + KB, 10 claims, 3 disclosed: proof, cold",
        fresh=supply,
        floor=two_raw_verifications,
        subject=lambda case: verify_proof(case.presentation, case.evidence, PROOF, now=NOW),
        rounds=ROUNDS,
        at_most=1.25,
    )


def test_presentation_with_status_accreditation_and_receipt(
    paired: Paired, supply: Callable[[], Case]
) -> None:
    paired(
        row="... with status bit, accreditation and anchor receipt",
        fresh=supply,
        floor=two_raw_verifications,
        subject=lambda case: verify_presentation(case.presentation, case.evidence, TRUST, now=NOW),
        rounds=ROUNDS,
        at_most=1.45,
    )


def test_a_credential_that_comes_again(paired: Paired, pytestconfig: pytest.Config) -> None:
    issued = _ISSUER.issue()
    first = present(_ISSUER, issued)
    verify_presentation(first.presentation, first.evidence, TRUST, now=NOW)
    measuring = bool(pytestconfig.getoption("benchmark_enable"))
    cases = [present(_ISSUER, issued) for _ in range(ROUNDS + 20 if measuring else 1)]
    paired(
        row="... warm: a new presentation of a credential seen before",
        fresh=iter(cases).__next__,
        floor=two_raw_verifications,
        subject=lambda case: verify_presentation(case.presentation, case.evidence, TRUST, now=NOW),
        rounds=ROUNDS,
    )


def test_presentation_with_a_manifest_standing_in(
    paired: Paired, supply: Callable[[], Case]
) -> None:
    paired(
        row="... with a checked batch manifest / the row before",
        fresh=supply,
        floor=lambda case: verify_presentation(case.presentation, case.evidence, TRUST, now=NOW),
        subject=lambda case: verify_presentation(
            case.presentation, case.with_manifest, STANDS_IN, now=NOW
        ),
        rounds=ROUNDS,
        at_most=0.65,
    )
