"""The steps that proofs with and without a pseudonym share (draft §3.7).

The order is the specification's: blind the signature (ProofInit), hash everything public
(ProofChallengeCalculate), answer the challenge (ProofFinalize); a verifier recomputes the
blinded values (ProofVerifyInit), hashes the same and ends with one pairing check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wallet.crypto.bbs.suite import Interface, IssuerContext, integer, random_scalar
from wallet.crypto.bbs.types import (
    MAX_HEADER_BYTES,
    BbsLayoutMalformed,
    BbsLimitExceeded,
    BbsProof,
    BbsProofInvalid,
    BbsPublicKey,
    BbsSignature,
)
from wallet.crypto.bls12_381.backend import G1, G2, GROUP_ORDER, encode_scalar


@dataclass(frozen=True, slots=True, repr=False)
class ProofRandomness:
    """The random scalars of one proof, in the order of the specification.

    Secret, and never used twice: two proofs with the same ones give away what they hide.
    """

    r1: int
    r2: int
    e_tilde: int
    r1_tilde: int
    r3_tilde: int
    m_tildes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProofPoints:
    """Abar, Bbar, D, T1 and T2, encoded."""

    a_bar: bytes
    b_bar: bytes
    d: bytes
    t1: bytes
    t2: bytes


@dataclass(frozen=True, slots=True)
class PairingClaim:
    """What is left to check of a proof: e(Abar, W) * e(Bbar, -BP2) = 1."""

    a_bar: G1
    b_bar: G1
    w: G2
    public_key: BbsPublicKey


@dataclass(frozen=True, slots=True)
class NymTranscript:
    """What a pseudonym adds to the challenge."""

    pseudonym: bytes
    u: bytes
    context_id: bytes


def fresh_randomness(undisclosed: int) -> ProofRandomness:
    """Return random scalars for a proof that hides `undisclosed` messages."""
    r1, r2, e_tilde, r1_tilde, r3_tilde, *m_tildes = (
        random_scalar() for _ in range(5 + undisclosed)
    )
    return ProofRandomness(r1, r2, e_tilde, r1_tilde, r3_tilde, tuple(m_tildes))


def blind_signature(
    interface: Interface,
    context: IssuerContext,
    signature: BbsSignature,
    scalars: Sequence[int],
    undisclosed: Sequence[int],
    randomness: ProofRandomness,
) -> ProofPoints:
    """ProofInit (draft §3.7.1). Raises `PointMalformed`."""
    backend, r = interface.backend, randomness
    a = backend.decode_g1(signature.a)
    d = backend.msm(
        (context.origin, *context.bases), [value * r.r2 % GROUP_ORDER for value in (1, *scalars)]
    )
    a_bar = backend.msm((a,), (r.r1 * r.r2 % GROUP_ORDER,))
    b_bar = backend.msm((d, a_bar), (r.r1, GROUP_ORDER - signature.e))
    t1 = backend.msm((a_bar, d), (r.e_tilde, r.r1_tilde))
    t2 = backend.msm(
        (d, *(context.bases[index] for index in undisclosed)), (r.r3_tilde, *r.m_tildes)
    )
    return ProofPoints(*map(backend.encode_g1, (a_bar, b_bar, d, t1, t2)))


def proof_challenge(
    interface: Interface,
    points: ProofPoints,
    domain: int,
    disclosed: Mapping[int, int],
    presentation_header: bytes,
    nym: NymTranscript | None = None,
) -> int:
    """ProofChallengeCalculate (draft §3.7.4), with the pseudonym if there is one.

    `disclosed` maps ascending indexes to message scalars. Raises `BbsLimitExceeded`.
    """
    if len(presentation_header) > MAX_HEADER_BYTES:
        raise BbsLimitExceeded(f"a presentation header has at most {MAX_HEADER_BYTES} bytes")
    parts = [integer(len(disclosed))]
    for index, scalar in disclosed.items():
        parts += (integer(index), encode_scalar(scalar))
    parts += (points.a_bar, points.b_bar, points.d, points.t1, points.t2)
    if nym is not None:
        parts += (nym.pseudonym, nym.u)
    parts += (encode_scalar(domain), integer(len(presentation_header)), presentation_header)
    if nym is not None:
        parts += (integer(len(nym.context_id)), nym.context_id)
    return interface.hash_to_scalar(b"".join(parts))


def finalize_proof(
    points: ProofPoints,
    signature: BbsSignature,
    hidden_scalars: Sequence[int],
    randomness: ProofRandomness,
    challenge: int,
) -> BbsProof:
    """ProofFinalize (draft §3.7.2)."""
    r, c = randomness, challenge
    r3 = pow(r.r2, -1, GROUP_ORDER)
    return BbsProof(
        points.a_bar,
        points.b_bar,
        points.d,
        (r.e_tilde + signature.e * c) % GROUP_ORDER,
        (r.r1_tilde - r.r1 * c) % GROUP_ORDER,
        (r.r3_tilde - r3 * c) % GROUP_ORDER,
        tuple(
            (tilde + scalar * c) % GROUP_ORDER
            for tilde, scalar in zip(r.m_tildes, hidden_scalars, strict=True)
        ),
        c,
    )


def recompute_points(
    interface: Interface, context: IssuerContext, proof: BbsProof, disclosed: Mapping[int, int]
) -> tuple[ProofPoints, G1, G1]:
    """ProofVerifyInit (draft §3.7.3): the points of the challenge, and Abar and Bbar decoded.

    Raises `PointMalformed`, or `BbsLayoutMalformed` if the proof hides another number of
    messages.
    """
    if len(disclosed) + len(proof.m_hats) != len(context.bases):
        raise BbsLayoutMalformed("the proof is not over this number of messages")
    backend, c = interface.backend, proof.challenge
    a_bar, b_bar, d = map(backend.decode_g1, (proof.a_bar, proof.b_bar, proof.d))
    t1 = backend.msm((b_bar, a_bar, d), (c, proof.e_hat, proof.r1_hat))
    hidden = iter(proof.m_hats)
    responses = [
        disclosed[index] * c % GROUP_ORDER if index in disclosed else next(hidden)
        for index in range(len(context.bases))
    ]
    t2 = backend.msm((d, context.origin, *context.bases), (proof.r3_hat, c, *responses))
    points = ProofPoints(
        proof.a_bar, proof.b_bar, proof.d, backend.encode_g1(t1), backend.encode_g1(t2)
    )
    return points, a_bar, b_bar


def check_pairing(interface: Interface, claim: PairingClaim) -> None:
    """The last step of CoreProofVerify (draft §3.6.4). Raises `BbsProofInvalid`."""
    backend = interface.backend
    if not backend.pairing_product_is_one(
        ((claim.a_bar, claim.w), (claim.b_bar, backend.negative_g2_generator))
    ):
        raise BbsProofInvalid("the proof is not of a signature of this issuer")
