"""Pseudonyms: one for a credential and context, and none that is not earned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.bbs import (
    HEADER,
    ISSUER,
    MESSAGES,
    OFF_SUBGROUP_G1,
    OTHER_ISSUER,
    REFERENCE_SHA_256,
    nym_credential,
)
from wallet.crypto.bbs.nym_issuance import (
    NymLayout,
    blind_sign_with_nym,
    commit_with_nym,
    new_prover_nym,
    new_signer_nym_entropy,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.nym_proofs import (
    NymProof,
    NymProofStatement,
    calculate_pseudonym,
    derive_nym_proof_from,
    derive_proof_with_nym,
    verify_proof_with_nym,
)
from wallet.crypto.bbs.proof_core import (
    NymTranscript,
    blind_signature,
    finalize_proof,
    fresh_randomness,
    proof_challenge,
)
from wallet.crypto.bbs.suite import SHA_256, SHAKE_256
from wallet.crypto.bbs.types import (
    MAX_CONTEXT_ID_BYTES,
    MAX_MESSAGES,
    BbsCommitmentInvalid,
    BbsDisclosureMalformed,
    BbsLayoutMalformed,
    BbsLimitExceeded,
    BbsProofInvalid,
    Pseudonym,
    parse_commitment,
    parse_proof,
    parse_pseudonym,
)
from wallet.crypto.bls12_381.backend import PointMalformed
from wallet.crypto.keys import SignatureInvalid
from wallet.errors import MalformedError, RejectedError

BALLOT, OTHER_BALLOT = b"seoul:ballot:1", b"seoul:ballot:2"
PROVER_NYM, ENTROPY = new_prover_nym(), new_signer_nym_entropy()
COMMITTED = (b"a message of the holder", b"another")
CREDENTIAL = nym_credential(PROVER_NYM, ENTROPY, committed=COMMITTED)
NONCE = b"vote and nonce"
PROOF = derive_proof_with_nym(CREDENTIAL, BALLOT, (1, 3), (1,), presentation_header=NONCE)
STATEMENT = NymProofStatement(
    ISSUER.public_key,
    NymLayout(10, 2),
    BALLOT,
    ((1, MESSAGES[1]), (3, MESSAGES[3])),
    ((1, COMMITTED[1]),),
    HEADER,
    NONCE,
)


def windows(data: bytes, size: int = 16) -> set[bytes]:
    return {data[start : start + size] for start in range(len(data) - size + 1)}


def test_a_proof_with_a_pseudonym_verifies_on_both_backends() -> None:
    assert verify_proof_with_nym(PROOF, STATEMENT).pseudonym == PROOF.pseudonym
    assert verify_proof_with_nym(PROOF, STATEMENT, suite=REFERENCE_SHA_256)
    assert calculate_pseudonym(CREDENTIAL, BALLOT) == PROOF.pseudonym


def test_one_credential_has_one_pseudonym_in_a_context_and_another_in_another() -> None:
    again = derive_proof_with_nym(CREDENTIAL, BALLOT)
    elsewhere = derive_proof_with_nym(CREDENTIAL, OTHER_BALLOT)
    assert again.pseudonym == PROOF.pseudonym
    assert elsewhere.pseudonym != PROOF.pseudonym
    blank = replace(STATEMENT, disclosed=(), disclosed_committed=(), presentation_header=b"")
    verify_proof_with_nym(again, blank)
    verify_proof_with_nym(elsewhere, replace(blank, context_id=OTHER_BALLOT))
    with pytest.raises(BbsProofInvalid):
        verify_proof_with_nym(elsewhere, blank)
    # The proof of one ballot with the pseudonym of the other.
    with pytest.raises(BbsProofInvalid):
        verify_proof_with_nym(NymProof(again.proof, elsewhere.pseudonym), blank)


def test_refuses_the_pseudonym_of_another_holder_the_identity_and_what_is_no_point() -> None:
    other = nym_credential(new_prover_nym(), ENTROPY)
    with pytest.raises(BbsProofInvalid):
        verify_proof_with_nym(NymProof(PROOF.proof, calculate_pseudonym(other, BALLOT)), STATEMENT)
    for octets in (b"\xc0" + bytes(47), OFF_SUBGROUP_G1, bytes(48), b"", b"\xff" * 48):
        with pytest.raises(PointMalformed):
            verify_proof_with_nym(NymProof(PROOF.proof, Pseudonym(octets)), STATEMENT)
    with pytest.raises(PointMalformed):
        parse_pseudonym(b"\xc0" + bytes(47))


@pytest.mark.parametrize("one_blinding", [True, False])
def test_refuses_a_pseudonym_that_a_cheat_made_from_another_secret(one_blinding: bool) -> None:
    """Everything is hashed as it should be; only the secret under the pseudonym is not signed."""
    interface, backend = SHA_256.pseudonym, SHA_256.backend
    base, _ = interface.pseudonym_base(BALLOT)

    def on_base(scalar: int) -> bytes:
        return backend.encode_g1(backend.msm((base,), (scalar,)))

    def cheat(secret: int) -> NymProof:
        scalars = CREDENTIAL.scalars(interface)
        context = CREDENTIAL.layout.context(interface, CREDENTIAL.public_key, HEADER)
        randomness = fresh_randomness(len(scalars))
        hidden = range(len(scalars))
        points = blind_signature(
            interface, context, CREDENTIAL.signature, scalars, hidden, randomness
        )
        u_tilde = randomness.m_tildes[-1] if one_blinding else new_prover_nym()
        pseudonym = Pseudonym(on_base(secret))
        transcript = NymTranscript(pseudonym.octets, on_base(u_tilde), BALLOT)
        challenge = proof_challenge(interface, points, context.domain, {}, NONCE, transcript)
        proof = finalize_proof(points, CREDENTIAL.signature, scalars, randomness, challenge)
        return NymProof(proof, pseudonym)

    statement = replace(STATEMENT, disclosed=(), disclosed_committed=())
    if one_blinding:
        assert verify_proof_with_nym(cheat(CREDENTIAL.nym_secrets[0]), statement)
    with pytest.raises(BbsProofInvalid):
        verify_proof_with_nym(cheat(new_prover_nym()), statement)


def test_refuses_a_proof_whose_blinding_of_the_nym_secret_is_zero() -> None:
    randomness = fresh_randomness(10 + CREDENTIAL.layout.blind)
    bare = replace(randomness, m_tildes=(*randomness.m_tildes[:-1], 0))
    statement = replace(STATEMENT, disclosed=(), disclosed_committed=())
    for used, good in ((randomness, True), (bare, False)):
        proof = derive_nym_proof_from(CREDENTIAL, BALLOT, (), NONCE, SHA_256, used)
        if good:
            verify_proof_with_nym(proof, statement)
        else:
            with pytest.raises(BbsProofInvalid):
                verify_proof_with_nym(proof, statement)


def test_a_nym_secret_of_zero_gives_no_pseudonym_that_verifies() -> None:
    # The holder can cancel known entropy only by committing after it is known.
    cancelled = nym_credential(5, -5)
    proof = derive_proof_with_nym(cancelled, BALLOT)
    statement = NymProofStatement(ISSUER.public_key, NymLayout(10), BALLOT, header=HEADER)
    with pytest.raises(PointMalformed):
        verify_proof_with_nym(proof, statement)


def test_refuses_a_number_of_nyms_other_than_the_signed_one() -> None:
    # The same number of signed scalars, counted differently.
    for layout, committed in ((NymLayout(10, 1, 2), ()), (NymLayout(10, 0, 3), ())):
        proof = derive_proof_with_nym(CREDENTIAL, BALLOT, (1, 3), presentation_header=NONCE)
        statement = replace(STATEMENT, layout=layout, disclosed_committed=committed)
        with pytest.raises(BbsProofInvalid):
            verify_proof_with_nym(proof, statement)
    for layout in (NymLayout(10, 2, 2), NymLayout(10, 3), NymLayout(9, 2), NymLayout(11, 2)):
        with pytest.raises(BbsLayoutMalformed):
            verify_proof_with_nym(PROOF, replace(STATEMENT, layout=layout))
    with pytest.raises(BbsLayoutMalformed):
        NymLayout(10, 2, 0)
    with pytest.raises(BbsLayoutMalformed):
        NymLayout(-1)
    with pytest.raises(BbsLimitExceeded):
        NymLayout(1, MAX_MESSAGES - 1)


def test_shows_its_own_statement_and_no_other() -> None:
    for statement in (
        replace(STATEMENT, public_key=OTHER_ISSUER.public_key),
        replace(STATEMENT, context_id=OTHER_BALLOT),
        replace(STATEMENT, header=NONCE, presentation_header=HEADER),
        replace(STATEMENT, presentation_header=b"another vote"),
        replace(STATEMENT, disclosed=((1, MESSAGES[1]), (3, MESSAGES[4]))),
        replace(STATEMENT, disclosed=((1, MESSAGES[1]), (4, MESSAGES[3]))),
        replace(STATEMENT, disclosed_committed=((0, COMMITTED[1]),)),
        replace(STATEMENT, disclosed_committed=((1, COMMITTED[0]),)),
    ):
        with pytest.raises(BbsProofInvalid):
            verify_proof_with_nym(PROOF, statement)
    with pytest.raises(BbsProofInvalid):
        verify_proof_with_nym(PROOF, STATEMENT, suite=SHAKE_256)
    # Never the blind or the nym secret, which come after the messages of their kind.
    for bad in (
        {"disclosed": ((1, MESSAGES[1]), (10, b""))},
        {"disclosed_committed": ((2, b""),)},
        {"disclosed": ((3, MESSAGES[3]), (1, MESSAGES[1]))},
    ):
        with pytest.raises(BbsDisclosureMalformed):
            verify_proof_with_nym(PROOF, replace(STATEMENT, **bad))  # type: ignore[arg-type]
    with pytest.raises(BbsDisclosureMalformed):
        derive_proof_with_nym(CREDENTIAL, BALLOT, (), (2,))


def test_a_proof_of_another_issuers_signature_fails_at_the_pairing() -> None:
    commitment, secrets = commit_with_nym([PROVER_NYM], COMMITTED)
    verified = verify_commitment(commitment, CREDENTIAL.layout)
    impostor = replace(OTHER_ISSUER, public_key=ISSUER.public_key)
    signature = blind_sign_with_nym(impostor, verified, ENTROPY, MESSAGES, header=HEADER)
    with pytest.raises(SignatureInvalid):
        verify_finalize_with_nym(
            ISSUER.public_key, signature, secrets, ENTROPY, MESSAGES, header=HEADER
        )
    forged = replace(CREDENTIAL, signature=signature, prover_blind=secrets.prover_blind)
    statement = replace(STATEMENT, disclosed=(), disclosed_committed=())
    for credential, good in ((CREDENTIAL, True), (forged, False)):
        proof = derive_proof_with_nym(credential, BALLOT, presentation_header=NONCE)
        if good:
            verify_proof_with_nym(proof, statement)
        else:
            with pytest.raises(BbsProofInvalid, match="not of a signature of this issuer"):
                verify_proof_with_nym(proof, statement)


def test_refuses_a_proof_or_pseudonym_with_any_bit_turned() -> None:
    octets = PROOF.proof.octets + PROOF.pseudonym.octets
    for place in range(0, len(octets), 7):
        data = bytearray(octets)
        data[place] ^= 1 << place % 8
        with pytest.raises((MalformedError, RejectedError)):
            verify_proof_with_nym(
                NymProof(parse_proof(bytes(data[:-48])), parse_pseudonym(bytes(data[-48:]))),
                STATEMENT,
            )


def test_two_hundred_proofs_in_as_many_contexts_share_no_sixteen_bytes() -> None:
    seen = windows(CREDENTIAL.signature.octets)
    for number in range(200):
        proof = derive_proof_with_nym(CREDENTIAL, b"%d" % number, (1, 3))
        fresh = windows(proof.proof.octets) | windows(proof.pseudonym.octets)
        assert seen.isdisjoint(fresh)
        seen |= fresh


def test_a_commitment_verifies_as_what_it_is_alone() -> None:
    commitment, _ = commit_with_nym([PROVER_NYM], COMMITTED)
    layout = NymLayout(10, 2)
    assert verify_commitment(parse_commitment(commitment.octets), layout).layout == layout
    other, _ = commit_with_nym([PROVER_NYM], COMMITTED)
    for bad in (
        replace(commitment, commitment=other.commitment),
        replace(commitment, m_hats=commitment.m_hats[::-1]),
        replace(commitment, s_hat=commitment.s_hat ^ 1),
        replace(commitment, challenge=other.challenge),
    ):
        with pytest.raises(BbsCommitmentInvalid):
            verify_commitment(bad, layout)
    with pytest.raises(BbsCommitmentInvalid):
        verify_commitment(commitment, layout, suite=SHAKE_256)
    for octets in (b"\xc0" + bytes(47), OFF_SUBGROUP_G1):
        with pytest.raises(PointMalformed):
            verify_commitment(replace(commitment, commitment=octets), layout)
    for bad_layout in (NymLayout(10), NymLayout(10, 3), NymLayout(10, 2, 2)):
        with pytest.raises(BbsLayoutMalformed):
            verify_commitment(commitment, bad_layout)


def test_refuses_a_commitment_with_any_bit_turned() -> None:
    commitment, _ = commit_with_nym([PROVER_NYM])
    for place in range(0, len(commitment.octets), 7):
        data = bytearray(commitment.octets)
        data[place] ^= 1 << place % 8
        with pytest.raises((MalformedError, RejectedError)):
            verify_commitment(parse_commitment(bytes(data)), NymLayout(0))


def test_the_holder_refuses_a_signature_over_anything_else() -> None:
    commitment, secrets = commit_with_nym([PROVER_NYM], COMMITTED)
    verified = verify_commitment(commitment, NymLayout(2, 2))
    messages = MESSAGES[:2]
    signature = blind_sign_with_nym(ISSUER, verified, ENTROPY, messages, header=HEADER)
    key = ISSUER.public_key
    good = verify_finalize_with_nym(key, signature, secrets, ENTROPY, messages, header=HEADER)
    assert good.committed_messages == COMMITTED
    for entropy, signed, header in (
        (ENTROPY + 1, messages, HEADER),
        (ENTROPY, messages[::-1], HEADER),
        (ENTROPY, messages, b""),
    ):
        with pytest.raises(SignatureInvalid):
            verify_finalize_with_nym(key, signature, secrets, entropy, signed, header=header)
    with pytest.raises(SignatureInvalid):
        verify_finalize_with_nym(
            key,
            signature,
            replace(secrets, prover_blind=1),
            ENTROPY,
            messages,
            header=HEADER,
        )
    with pytest.raises(BbsLayoutMalformed):
        blind_sign_with_nym(ISSUER, verified, ENTROPY, MESSAGES, header=HEADER)


def test_without_registration_another_secret_or_entropy_is_a_second_pseudonym() -> None:
    mine = calculate_pseudonym(CREDENTIAL, BALLOT)
    assert calculate_pseudonym(nym_credential(PROVER_NYM, ENTROPY), BALLOT) == mine
    assert calculate_pseudonym(nym_credential(new_prover_nym(), ENTROPY), BALLOT) != mine
    assert calculate_pseudonym(nym_credential(PROVER_NYM, ENTROPY + 1), BALLOT) != mine


def test_refuses_more_than_the_limits_and_a_commitment_to_nothing() -> None:
    with pytest.raises(BbsLimitExceeded):
        calculate_pseudonym(CREDENTIAL, bytes(MAX_CONTEXT_ID_BYTES + 1))
    with pytest.raises(BbsLimitExceeded):
        commit_with_nym([1] * (MAX_MESSAGES + 1))
    with pytest.raises(BbsLayoutMalformed):
        commit_with_nym([])


def test_secrets_stay_out_of_representations() -> None:
    assert str(CREDENTIAL.nym_secrets[0]) not in repr(CREDENTIAL)
    assert "attribute" not in repr(CREDENTIAL)
    _, secrets = commit_with_nym([PROVER_NYM])
    assert repr(secrets) == "ProverSecrets()"
