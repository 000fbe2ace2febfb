"""Batches: as strict as one by one, and the bad proof is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.bbs import (
    HEADER,
    ISSUER,
    MESSAGES,
    OFF_SUBGROUP_G1,
    OTHER_ISSUER,
    nym_credential,
)
from wallet.crypto.bbs.batch import (
    MAX_BATCH,
    Claim,
    NymProofClaim,
    ProofBatchInvalid,
    ProofClaim,
    _failing,
    check_proofs,
    verify_proofs,
)
from wallet.crypto.bbs.nym_proofs import NymProofStatement, VerifiedNymProof, derive_proof_with_nym
from wallet.crypto.bbs.proofs import ProofStatement, VerifiedProof, derive_proof
from wallet.crypto.bbs.signatures import sign
from wallet.crypto.bbs.suite import SHA_256
from wallet.crypto.bbs.types import BbsLimitExceeded, BbsProofInvalid, BbsSecretKey
from wallet.crypto.bls12_381.backend import GROUP_ORDER, PointMalformed

BALLOT = b"seoul:ballot:test"
CREDENTIAL = nym_credential(1001, 2002)


def plain_claim(
    issuer: BbsSecretKey = ISSUER, nonce: bytes = b"n", signer: BbsSecretKey | None = None
) -> ProofClaim:
    """A claim about `issuer`; a bad one, at the pairing, when another key signed."""
    signature = sign(
        replace(signer or issuer, public_key=issuer.public_key), MESSAGES, header=HEADER
    )
    proof = derive_proof(
        issuer.public_key, signature, MESSAGES, (2,), header=HEADER, presentation_header=nonce
    )
    return ProofClaim(
        proof, ProofStatement(issuer.public_key, 10, ((2, MESSAGES[2]),), HEADER, nonce)
    )


def nym_claim() -> NymProofClaim:
    proof = derive_proof_with_nym(CREDENTIAL, BALLOT, (0,))
    return NymProofClaim(
        proof,
        NymProofStatement(
            ISSUER.public_key, CREDENTIAL.layout, BALLOT, ((0, MESSAGES[0]),), header=HEADER
        ),
    )


def good_claims() -> list[Claim]:
    return [plain_claim(), plain_claim(OTHER_ISSUER), nym_claim(), plain_claim(nonce=b"m")]


def test_accepts_good_proofs_of_two_issuers_and_with_pseudonyms_together() -> None:
    claims = good_claims()
    verified = verify_proofs(claims)
    assert [type(one) for one in verified] == [
        VerifiedProof,
        VerifiedProof,
        VerifiedNymProof,
        VerifiedProof,
    ]
    assert [one.statement for one in verified] == [claim.statement for claim in claims]
    assert verify_proofs([]) == ()


@pytest.mark.parametrize("place", range(5))
def test_names_a_proof_of_another_signature_wherever_it_stands(place: int) -> None:
    claims = good_claims()
    claims.insert(place, plain_claim(signer=OTHER_ISSUER))
    with pytest.raises(ProofBatchInvalid) as caught:
        verify_proofs(claims)
    assert caught.value.indexes == (place,)
    outcomes = check_proofs(claims)
    assert isinstance(outcomes[place], BbsProofInvalid)
    assert sum(isinstance(outcome, BbsProofInvalid) for outcome in outcomes) == 1


def test_names_every_bad_proof_and_the_error_that_it_raises_alone() -> None:
    good = plain_claim()
    claims: list[Claim] = [
        replace(good, statement=replace(good.statement, header=b"")),
        good,
        replace(good, proof=replace(good.proof, d=OFF_SUBGROUP_G1)),
        nym_claim(),
        plain_claim(signer=OTHER_ISSUER),
        plain_claim(OTHER_ISSUER, signer=ISSUER),
    ]
    outcomes = check_proofs(claims)
    assert [type(outcome) for outcome in outcomes] == [
        BbsProofInvalid,
        VerifiedProof,
        PointMalformed,
        VerifiedNymProof,
        BbsProofInvalid,
        BbsProofInvalid,
    ]
    with pytest.raises(ProofBatchInvalid) as caught:
        verify_proofs(claims)
    assert caught.value.indexes == (0, 2, 4, 5)


def test_errors_that_cancel_out_in_a_plain_sum_do_not_pass() -> None:
    backend = SHA_256.backend
    first, second = (plain_claim(nonce=nonce).open(SHA_256) for nonce in (b"1", b"2"))
    shift = backend.decode_g1(SHA_256.ciphersuite.p1)
    tampered = [
        replace(first, a_bar=backend.msm((first.a_bar, shift), (1, 1))),
        replace(second, a_bar=backend.msm((second.a_bar, shift), (1, GROUP_ORDER - 1))),
    ]
    # Without weights the two would answer for each other.
    a_sum = backend.msm([claim.a_bar for claim in tampered], (1, 1))
    b_sum = backend.msm([claim.b_bar for claim in tampered], (1, 1))
    assert backend.pairing_product_is_one(
        ((a_sum, first.w), (b_sum, backend.negative_g2_generator))
    )
    assert _failing(list(enumerate(tampered)), SHA_256) == [0, 1]
    assert _failing(list(enumerate([first, second])), SHA_256) == []


def test_refuses_a_batch_over_the_limit() -> None:
    claim = plain_claim()
    with pytest.raises(BbsLimitExceeded):
        check_proofs([claim] * (MAX_BATCH + 1))
