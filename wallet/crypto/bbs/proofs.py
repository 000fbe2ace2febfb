"""ProofGen and ProofVerify of BBS (draft §3.5.3, §3.5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallet.crypto.bbs.proof_core import (
    PairingClaim,
    ProofRandomness,
    blind_signature,
    check_pairing,
    finalize_proof,
    fresh_randomness,
    proof_challenge,
    recompute_points,
)
from wallet.crypto.bbs.suite import SHA_256, Suite
from wallet.crypto.bbs.types import (
    BbsProof,
    BbsProofInvalid,
    BbsPublicKey,
    BbsSignature,
    check_indexes,
)


@dataclass(frozen=True, slots=True)
class ProofStatement:
    """What a proof is checked against.

    All of it is what the verifier expects, never what the proof's sender says it is:
    `message_count` and `header` belong to the credential's schema, `presentation_header` to this
    exchange (a nonce, an audience). `disclosed` are (index, message), ascending.
    """

    public_key: BbsPublicKey
    message_count: int
    disclosed: tuple[tuple[int, bytes], ...]
    header: bytes = b""
    presentation_header: bytes = b""


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """Somebody holds a signature of `statement.public_key` on the disclosed messages."""

    statement: ProofStatement


def derive_proof(
    public_key: BbsPublicKey,
    signature: BbsSignature,
    messages: Sequence[bytes],
    disclosed_indexes: Sequence[int],
    *,
    header: bytes = b"",
    presentation_header: bytes = b"",
    suite: Suite = SHA_256,
) -> BbsProof:
    """ProofGen: a proof of a signature that shows the messages at `disclosed_indexes` alone.

    Raises `BbsDisclosureMalformed`, `PointMalformed` or `BbsLimitExceeded`. Does not check the
    signature: a proof of a bad one does not verify.
    """
    check_indexes(disclosed_indexes, len(messages))
    return _derive_proof(
        public_key,
        signature,
        messages,
        disclosed_indexes,
        header,
        presentation_header,
        suite,
        fresh_randomness(len(messages) - len(disclosed_indexes)),
    )


def _derive_proof(
    public_key: BbsPublicKey,
    signature: BbsSignature,
    messages: Sequence[bytes],
    disclosed_indexes: Sequence[int],
    header: bytes,
    presentation_header: bytes,
    suite: Suite,
    randomness: ProofRandomness,
) -> BbsProof:
    interface = suite.plain
    scalars = interface.messages_to_scalars(messages)
    context = interface.context(public_key, header, len(scalars))
    disclosed = {index: scalars[index] for index in disclosed_indexes}
    hidden = [index for index in range(len(scalars)) if index not in disclosed]
    points = blind_signature(interface, context, signature, scalars, hidden, randomness)
    challenge = proof_challenge(interface, points, context.domain, disclosed, presentation_header)
    return finalize_proof(
        points, signature, [scalars[index] for index in hidden], randomness, challenge
    )


def verify_proof(
    proof: BbsProof, statement: ProofStatement, *, suite: Suite = SHA_256
) -> VerifiedProof:
    """ProofVerify: return if the proof shows the statement, else raise `BbsProofInvalid`.

    Also raises `BbsDisclosureMalformed`, `BbsLayoutMalformed`, `PointMalformed` or
    `BbsLimitExceeded`. Not checked: whose the key is, whether the signed credential is still
    good, and replay, which is the business of the caller's presentation header.
    """
    check_pairing(suite.plain, open_proof(proof, statement, suite))
    return VerifiedProof(statement)


def open_proof(proof: BbsProof, statement: ProofStatement, suite: Suite) -> PairingClaim:
    """Check all of a proof but the pairing, which is returned. Raises as `verify_proof`."""
    interface = suite.plain
    indexes = [index for index, _ in statement.disclosed]
    check_indexes(indexes, statement.message_count)
    scalars = interface.messages_to_scalars([message for _, message in statement.disclosed])
    disclosed = dict(zip(indexes, scalars, strict=True))
    context = interface.context(statement.public_key, statement.header, statement.message_count)
    points, a_bar, b_bar = recompute_points(interface, context, proof, disclosed)
    challenge = proof_challenge(
        interface, points, context.domain, disclosed, statement.presentation_header
    )
    if challenge != proof.challenge:
        raise BbsProofInvalid("the proof does not show this statement")
    w = suite.decode_key(statement.public_key)
    return PairingClaim(a_bar, b_bar, w, statement.public_key)
