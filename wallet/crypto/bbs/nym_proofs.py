"""Proofs with a pseudonym: ProofGenWithNym and ProofVerifyWithNym.

draft-irtf-cfrg-bbs-per-verifier-linkability, pinned to its fixtures at fcbba956 (2026-06-29).

pseudonym = OP * (nym_1 + nym_2 z + ... + nym_N z^(N-1)) with OP = hash_to_curve_g1(context_id):
one credential has one pseudonym in a context, and pseudonyms of different contexts cannot be
linked (decisional Diffie-Hellman in G1; in up to N contexts, not even by breaking that). A
holder can prove the link by giving away the secret, so this alone does not stop vote buying.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallet.crypto.bbs.nym_issuance import NymCredential, NymLayout
from wallet.crypto.bbs.proof_core import (
    NymTranscript,
    PairingClaim,
    ProofRandomness,
    blind_signature,
    check_pairing,
    finalize_proof,
    fresh_randomness,
    proof_challenge,
    recompute_points,
)
from wallet.crypto.bbs.suite import SHA_256, Interface, Suite
from wallet.crypto.bbs.types import (
    BbsProof,
    BbsProofInvalid,
    BbsPublicKey,
    Pseudonym,
    check_indexes,
)
from wallet.crypto.bls12_381.backend import GROUP_ORDER


@dataclass(frozen=True, slots=True)
class NymProof:
    """A proof and the pseudonym that it is about."""

    proof: BbsProof
    pseudonym: Pseudonym


@dataclass(frozen=True, slots=True)
class NymProofStatement:
    """What a proof with a pseudonym is checked against.

    As in `proofs.ProofStatement`, all of it is the verifier's own: `context_id` comes from its
    record of the ballot or service and `presentation_header` binds what is being said (a vote
    and a nonce). `disclosed` and `disclosed_committed` are (index, message), ascending.
    """

    public_key: BbsPublicKey
    layout: NymLayout
    context_id: bytes
    disclosed: tuple[tuple[int, bytes], ...] = ()
    disclosed_committed: tuple[tuple[int, bytes], ...] = ()
    header: bytes = b""
    presentation_header: bytes = b""


@dataclass(frozen=True, slots=True)
class VerifiedNymProof:
    """The holder of a credential that fits the statement has this pseudonym in its context."""

    statement: NymProofStatement
    pseudonym: Pseudonym


def calculate_pseudonym(
    credential: NymCredential, context_id: bytes, *, suite: Suite = SHA_256
) -> Pseudonym:
    """The pseudonym of a credential in a context. Raises `BbsLimitExceeded`."""
    interface = suite.pseudonym
    return Pseudonym(on_pseudonym_base(interface, context_id, credential.nym_secrets))


def derive_proof_with_nym(
    credential: NymCredential,
    context_id: bytes,
    disclosed_indexes: Sequence[int] = (),
    disclosed_committed_indexes: Sequence[int] = (),
    *,
    presentation_header: bytes = b"",
    suite: Suite = SHA_256,
) -> NymProof:
    """ProofGenWithNym: a proof that shows the messages at the indexes, and the pseudonym.

    Raises `BbsDisclosureMalformed`, `PointMalformed` or `BbsLimitExceeded`.
    """
    layout = credential.layout
    shown = len(disclosed_indexes) + len(disclosed_committed_indexes)
    indexes = _signed_indexes(layout, disclosed_indexes, disclosed_committed_indexes)
    randomness = fresh_randomness(layout.messages + layout.blind - shown)
    return derive_nym_proof_from(
        credential, context_id, indexes, presentation_header, suite, randomness
    )


def derive_nym_proof_from(
    credential: NymCredential,
    context_id: bytes,
    indexes: Sequence[int],
    presentation_header: bytes,
    suite: Suite,
    randomness: ProofRandomness,
) -> NymProof:
    """ProofGenWithNym with its randomness given: fixtures and linked pseudonyms know it.

    Everywhere else it is `derive_proof_with_nym`, since randomness used twice tells secrets.
    """
    interface, layout = suite.pseudonym, credential.layout
    scalars = credential.scalars(interface)
    context = layout.context(interface, credential.public_key, credential.header)
    disclosed = {index: scalars[index] for index in indexes}
    hidden = [index for index in range(len(scalars)) if index not in disclosed]
    points = blind_signature(interface, context, credential.signature, scalars, hidden, randomness)
    pseudonym = Pseudonym(on_pseudonym_base(interface, context_id, credential.nym_secrets))
    # The nym secrets are signed last and never shown, so their blindings are the last ones.
    u = on_pseudonym_base(interface, context_id, randomness.m_tildes[-layout.nyms :])
    challenge = proof_challenge(
        interface,
        points,
        context.domain,
        disclosed,
        presentation_header,
        NymTranscript(pseudonym.octets, u, context_id),
    )
    hidden_scalars = [scalars[index] for index in hidden]
    proof = finalize_proof(points, credential.signature, hidden_scalars, randomness, challenge)
    return NymProof(proof, pseudonym)


def verify_proof_with_nym(
    proof: NymProof, statement: NymProofStatement, *, suite: Suite = SHA_256
) -> VerifiedNymProof:
    """ProofVerifyWithNym: return if proof and pseudonym show the statement.

    Raises `BbsProofInvalid`, `BbsDisclosureMalformed`, `BbsLayoutMalformed`, `PointMalformed` or
    `BbsLimitExceeded`. Not checked: whose the key is, whether the pseudonym was seen before in
    this context, and replay.
    """
    check_pairing(suite.pseudonym, open_nym_proof(proof, statement, suite))
    return VerifiedNymProof(statement, proof.pseudonym)


def open_nym_proof(
    nym_proof: NymProof, statement: NymProofStatement, suite: Suite
) -> PairingClaim:
    """Check all of a proof but the pairing. Raises as `verify_proof_with_nym`."""
    interface, backend, layout = suite.pseudonym, suite.backend, statement.layout
    proof = nym_proof.proof
    indexes = _signed_indexes(
        layout,
        [index for index, _ in statement.disclosed],
        [index for index, _ in statement.disclosed_committed],
    )
    scalars = [
        *interface.messages_to_scalars([message for _, message in statement.disclosed]),
        *interface.messages_to_scalars([message for _, message in statement.disclosed_committed]),
    ]
    disclosed = dict(zip(indexes, scalars, strict=True))
    context = layout.context(interface, statement.public_key, statement.header)
    points, a_bar, b_bar = recompute_points(interface, context, proof, disclosed)
    pseudonym = backend.decode_g1(nym_proof.pseudonym.octets)
    base, z = interface.pseudonym_base(statement.context_id)
    response = _evaluate(proof.m_hats[-layout.nyms :], z)
    u = backend.msm((base, pseudonym), (response, GROUP_ORDER - proof.challenge))
    challenge = proof_challenge(
        interface,
        points,
        context.domain,
        disclosed,
        statement.presentation_header,
        NymTranscript(nym_proof.pseudonym.octets, backend.encode_g1(u), statement.context_id),
    )
    if backend.is_identity(u) or challenge != proof.challenge:
        raise BbsProofInvalid("the proof and pseudonym do not show this statement")
    w = suite.decode_key(statement.public_key)
    return PairingClaim(a_bar, b_bar, w, statement.public_key)


def _signed_indexes(
    layout: NymLayout, disclosed: Sequence[int], disclosed_committed: Sequence[int]
) -> list[int]:
    """The places among all signed scalars; the blind sits between the two kinds of messages."""
    check_indexes(disclosed, layout.messages)
    check_indexes(disclosed_committed, layout.committed)
    return [*disclosed, *(layout.messages + 1 + index for index in disclosed_committed)]


def on_pseudonym_base(interface: Interface, context_id: bytes, scalars: Sequence[int]) -> bytes:
    """OP * (scalar_1 + scalar_2 z + ...), encoded: of nym secrets, the pseudonym."""
    base, z = interface.pseudonym_base(context_id)
    backend = interface.backend
    return backend.encode_g1(backend.msm((base,), (_evaluate(scalars, z),)))


def _evaluate(coefficients: Sequence[int], z: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * z + coefficient) % GROUP_ORDER
    return value
