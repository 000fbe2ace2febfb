"""Sigma proofs over secp256k1: knowledge, equal logarithms, a bit in a ciphertext, a weighted sum.

Every challenge hashes its whole statement (docs/voting.md, sections 6, 8 and 10). `prove_*` draw
fresh randomness from `secrets`, except for the bit and sum proofs of ballots, whose randomness
and common challenge come from the caller.

The equations of bit and sum proofs are not decided one by one: `EquationSum` adds them up under
random weights, and `all_hold` asks once whether the total is the identity. An equation that does
not hold goes unnoticed with probability 2^-128.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallet.crypto.secp256k1 import (
    GENERATOR,
    GROUP_ORDER,
    FixedBase,
    Point,
    add,
    base_multiple,
    blinded_multiply,
    encode_point,
    multi_multiply,
    multiply,
    random_scalar,
    secret_multiple,
    subtract,
)
from wallet.crypto.transcript import challenge
from wallet.errors import RejectedError

WEIGHT_BYTES: Final = 16
WEIGHTS_OF_BIT: Final = 4
WEIGHTS_OF_SUM: Final = 2


class SigmaProofInvalid(RejectedError):
    """A proof of knowledge or of equal logarithms does not hold."""

    code = "sigma_proof_invalid"


@dataclass(frozen=True, slots=True)
class SigmaProof:
    """Challenge and response; the commitments follow from them."""

    e: int
    z: int


def prove_knowledge(secret: int, tag: str, *statement: bytes) -> SigmaProof:
    """Prove knowledge of `secret` behind secret * G, which is in `statement`. Schnorr."""
    nonce = random_scalar()
    e = challenge(tag, *statement, encode_point(secret_multiple(nonce)))
    return SigmaProof(e, (nonce + e * secret) % GROUP_ORDER)


def verify_knowledge(proof: SigmaProof, public: Point, tag: str, *statement: bytes) -> None:
    """Return if the proof shows knowledge of the logarithm of `public`.

    `statement` must contain `public`, encoded. Raises `SigmaProofInvalid`.
    """
    commitment = subtract(base_multiple(proof.z), multiply(public, proof.e))
    if commitment is None or proof.e != challenge(tag, *statement, encode_point(commitment)):
        raise SigmaProofInvalid("the proof of knowledge does not hold")


def prove_equal_logarithms(secret: int, base: Point, tag: str, *statement: bytes) -> SigmaProof:
    """Prove that secret * G and secret * base, both in `statement`, hide one secret."""
    nonce = random_scalar()
    other = blinded_multiply(base, nonce)
    e = challenge(tag, *statement, encode_point(secret_multiple(nonce)), encode_point(other))
    return SigmaProof(e, (nonce + e * secret) % GROUP_ORDER)


def verify_equal_logarithms(
    proof: SigmaProof, base: Point, left: Point, right: Point, tag: str, *statement: bytes
) -> None:
    """Return if log_G(left) = log_base(right) and the prover knows it. Chaum-Pedersen.

    `statement` must contain base, left and right, encoded. Raises `SigmaProofInvalid`.
    """
    first = subtract(base_multiple(proof.z), multiply(left, proof.e))
    second = subtract(multiply(base, proof.z), multiply(right, proof.e))
    if first is None or second is None:
        raise SigmaProofInvalid("the proof of equal logarithms does not hold")
    if proof.e != challenge(tag, *statement, encode_point(first), encode_point(second)):
        raise SigmaProofInvalid("the proof of equal logarithms does not hold")


@dataclass(frozen=True, slots=True, repr=False)
class BitRandomness:
    """The secrets of one bit: encryption, honest commitment, simulated challenge and response."""

    r: int
    t: int
    c: int
    z: int


def commit_bit(key: FixedBase, bit: int, random: BitRandomness) -> list[Point | None]:
    """Return a0, b0, a1, b1 for the ciphertext (r G, r K + bit G).

    The branch that is not the bit is simulated. Knowing r, its commitments
    z G - c A and z K - c (B - branch G) come to s G and s K - c (bit - branch) G with s = z - c r.
    """
    simulated = random.z - random.c * random.r
    shift = base_multiple(-random.c if bit else random.c)
    terms = key.terms(simulated)
    honest: list[Point | None] = [base_multiple(random.t), key.multiply(random.t)]
    other: list[Point | None] = [
        base_multiple(simulated),
        add(terms if shift is None else (*terms, shift)),
    ]
    return [*other, *honest] if bit else [*honest, *other]


def answer_bit(bit: int, random: BitRandomness, e: int) -> tuple[int, int, int]:
    """Return c0, z0, z1 for the challenge `e`."""
    honest_c = (e - random.c) % GROUP_ORDER
    honest_z = (random.t + honest_c * random.r) % GROUP_ORDER
    if bit:
        return random.c, random.z, honest_z
    return honest_c, honest_z, random.z


class EquationSum:
    """Equations of the form "sum of multiples is the identity", added up under random weights.

    `base` and `key_scalar` are the multiples of G and of the key, which all equations share.
    Weights come from the operating system when the equations are added, so whoever wrote the
    equations could not know them.
    """

    __slots__ = ("base", "key_scalar", "points", "scalars")

    def __init__(self) -> None:
        """Start with no equation."""
        self.points: list[Point] = []
        self.scalars: list[int] = []
        self.base = 0
        self.key_scalar = 0

    def add_bits(
        self,
        ciphertexts: Sequence[Point],
        commitments: Sequence[Point],
        answers: Sequence[int],
        e: int,
    ) -> list[int]:
        """Add the four equations of each bit; return the multiples of A and B they come to.

        `ciphertexts` are A, B of each bit, `commitments` a0, b0, a1, b1, `answers` c0, z0, z1.
        The caller adds what its rules need to the returned list and passes it to `add_terms`.
        """
        weights = fresh_weights(len(commitments))
        self.points += commitments
        self.scalars += weights
        multiples: list[int] = []
        base = key_scalar = 0
        for bit in range(len(ciphertexts) // 2):
            w0, w1, w2, w3 = weights[4 * bit : 4 * bit + 4]
            c0, z0, z1 = answers[3 * bit : 3 * bit + 3]
            c1 = e - c0
            multiples += (w0 * c0 + w2 * c1, w1 * c0 + w3 * c1)
            base -= w0 * z0 + w2 * z1 + w3 * c1
            key_scalar -= w1 * z0 + w3 * z1
        self.base += base
        self.key_scalar += key_scalar
        return multiples

    def add_sum(
        self,
        commitments: Sequence[Point],
        weights: Sequence[tuple[int, int]],
        total: int,
        z: int,
        e: int,
        multiples: list[int],
    ) -> None:
        """Add the two equations of one weighted sum, its ciphertext part into `multiples`.

        `weights` are (index of the bit, weight), `commitments` T and U.
        """
        v, w = fresh_weights(WEIGHTS_OF_SUM)
        self.points += commitments
        self.scalars += (v, w)
        for bit, weight in weights:
            multiples[2 * bit] += v * e * weight
            multiples[2 * bit + 1] += w * e * weight
        self.base -= v * z + w * e * total
        self.key_scalar -= w * z

    def add_terms(self, points: Sequence[Point], multiples: Sequence[int]) -> None:
        """Add multiples of points."""
        self.points += points
        self.scalars += multiples


def all_hold(sums: Sequence[EquationSum], key: Point) -> bool:
    """Whether all equations of all sums hold, but for an error of 2^-128."""
    points = [GENERATOR, key]
    scalars = [sum(item.base for item in sums), sum(item.key_scalar for item in sums)]
    for item in sums:
        points += item.points
        scalars += item.scalars
    return multi_multiply(points, scalars) is None


def fresh_weights(count: int) -> list[int]:
    """Return random numbers of 128 bits."""
    octets = secrets.token_bytes(WEIGHT_BYTES * count)
    return [
        int.from_bytes(octets[start : start + WEIGHT_BYTES], "big")
        for start in range(0, len(octets), WEIGHT_BYTES)
    ]
