"""The registered nym key: a person who comes back keeps the pseudonym, or is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.bbs import HEADER, ISSUER, MESSAGES, OTHER_ISSUER
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    NymLayout,
    blind_sign_with_nym,
    commit_with_nym,
    new_prover_nym,
    new_signer_nym_entropy,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.nym_proofs import (
    NymProofStatement,
    calculate_pseudonym,
    derive_proof_with_nym,
    verify_proof_with_nym,
)
from wallet.crypto.bbs.registered_nym import (
    MAX_NONCE_BYTES,
    MIN_NONCE_BYTES,
    NymKey,
    NymKeyMismatch,
    RegisteredCommitment,
    VerifiedRegisteredCommitment,
    commit_with_registered_nym,
    nym_key,
    verify_registered_commitment,
)
from wallet.crypto.bbs.types import BbsCommitmentInvalid, BbsLayoutMalformed, BbsLimitExceeded
from wallet.crypto.bls12_381.backend import PointMalformed

KEY = ISSUER.public_key
BALLOT = b"seoul:ballot:1"
LAYOUT = NymLayout(len(MESSAGES))
NONCE, LATER = b"the first c_nonce", b"the second c_nonce"
ENTROPY = new_signer_nym_entropy()
PROVER_NYM = new_prover_nym()


def check(
    commitment: RegisteredCommitment, nonce: bytes = NONCE, registered: NymKey | None = None
) -> VerifiedRegisteredCommitment:
    return verify_registered_commitment(
        commitment, LAYOUT, public_key=KEY, nonce=nonce, registered=registered
    )


def issued(nonce: bytes, registered: NymKey | None) -> tuple[NymKey, NymCredential]:
    """What issuer and holder have after an issuance of PROVER_NYM."""
    commitment, secrets = commit_with_registered_nym(PROVER_NYM, public_key=KEY, nonce=nonce)
    verified = check(commitment, nonce, registered)
    signature = blind_sign_with_nym(ISSUER, verified.commitment, ENTROPY, MESSAGES, header=HEADER)
    credential = verify_finalize_with_nym(
        KEY, signature, secrets, ENTROPY, MESSAGES, header=HEADER
    )
    return verified.nym_key, credential


def test_re_issuance_under_the_registered_key_keeps_the_pseudonym() -> None:
    registered, first = issued(NONCE, None)
    again, second = issued(LATER, registered)
    assert registered == again == nym_key(PROVER_NYM)
    assert first.signature != second.signature
    assert calculate_pseudonym(first, BALLOT) == calculate_pseudonym(second, BALLOT)
    proof = derive_proof_with_nym(second, BALLOT)
    statement = NymProofStatement(KEY, LAYOUT, BALLOT, header=HEADER)
    assert verify_proof_with_nym(proof, statement).pseudonym == calculate_pseudonym(first, BALLOT)


def test_refuses_another_secret_whether_it_owns_up_or_shows_the_registered_key() -> None:
    registered = nym_key(PROVER_NYM)
    other, _ = commit_with_registered_nym(new_prover_nym(), public_key=KEY, nonce=NONCE)
    assert check(other).nym_key == other.nym_key
    with pytest.raises(NymKeyMismatch):
        check(other, registered=registered)
    with pytest.raises(BbsCommitmentInvalid):
        check(replace(other, nym_key=registered), registered=registered)


def test_a_commitment_is_good_for_its_nonce_and_issuer_alone() -> None:
    commitment, _ = commit_with_registered_nym(PROVER_NYM, public_key=KEY, nonce=NONCE)
    check(commitment)
    with pytest.raises(BbsCommitmentInvalid):
        check(commitment, LATER)
    with pytest.raises(BbsCommitmentInvalid):
        verify_registered_commitment(
            commitment, LAYOUT, public_key=OTHER_ISSUER.public_key, nonce=NONCE, registered=None
        )


def test_plain_and_registered_commitments_do_not_stand_in_for_each_other() -> None:
    registered, _ = commit_with_registered_nym(PROVER_NYM, public_key=KEY, nonce=NONCE)
    plain, _ = commit_with_nym([PROVER_NYM])
    verify_commitment(plain, LAYOUT)
    with pytest.raises(BbsCommitmentInvalid):
        check(RegisteredCommitment(nym_key(PROVER_NYM), plain))
    with pytest.raises(BbsCommitmentInvalid):
        verify_commitment(registered.commitment, LAYOUT)


def test_refuses_a_secret_of_zero_and_a_layout_of_more_nyms() -> None:
    zero, _ = commit_with_registered_nym(0, public_key=KEY, nonce=NONCE)
    with pytest.raises(PointMalformed):
        check(zero)
    commitment, _ = commit_with_registered_nym(PROVER_NYM, [b"m"], public_key=KEY, nonce=NONCE)
    for layout in (NymLayout(10, 0, 2), NymLayout(10)):
        with pytest.raises(BbsLayoutMalformed):
            verify_registered_commitment(
                commitment, layout, public_key=KEY, nonce=NONCE, registered=None
            )


@pytest.mark.parametrize("length", [0, MIN_NONCE_BYTES - 1, MAX_NONCE_BYTES + 1])
def test_refuses_a_nonce_that_is_too_short_or_too_long(length: int) -> None:
    with pytest.raises(BbsLimitExceeded):
        commit_with_registered_nym(PROVER_NYM, public_key=KEY, nonce=bytes(length))
