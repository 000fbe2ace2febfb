"""The ballot suite `dcp-secp256k1-1`: all proofs of many ballots as one sum. Section 6, V9."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from mvote_verify import curve
from mvote_verify.curve import ORDER, POINT_BYTES, SCALAR_BYTES, WEIGHT_BYTES, Point
from mvote_verify.encodings import hash_scalar
from mvote_verify.failures import Malformed
from mvote_verify.layout import Layout
from mvote_verify.manifest import SUITE

_G = curve.encode(curve.GENERATOR)


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A body that decodes, with its challenge recomputed; its equations are not checked."""

    ciphertexts: list[Point]
    """`A_1, B_1, …`"""
    commitments: list[Point]
    """`a0_1, b0_1, a1_1, b1_1, …`, then `T_1, U_1, …`"""
    answers: list[int]
    """`c0_1, z0_1, z1_1, …`, then `z_1, …`"""
    challenge: int


def open_body(body: bytes, context: bytes, key: bytes, layout: Layout) -> OpenedBody:
    """Points, scalars and the challenge `e`; raises `Malformed`."""
    bits, rules = layout.bits, len(layout.rules)
    second = 2 * POINT_BYTES * bits
    third = second + 4 * POINT_BYTES * bits
    scalars = third + 2 * POINT_BYTES * rules
    answers = [
        curve.decode_scalar(body[at : at + SCALAR_BYTES])
        for at in range(scalars, len(body), SCALAR_BYTES)
    ]
    parts = (body[:second], body[second:third], body[third:scalars])
    challenge = hash_scalar("ballot-challenge", context, SUITE.encode(), _G, key, *parts)
    ciphertexts, commitments = curve.decode_all(parts[0]), curve.decode_all(body[second:scalars])
    return OpenedBody(ciphertexts, commitments, answers, challenge)


@dataclass(frozen=True, slots=True)
class _Folded:
    """One ballot's equations, each times its weight, added up."""

    weights: bytes
    """Of the commitments, 16 bytes each."""
    factors: bytes
    """Of the ciphertexts, 32 bytes each."""
    of_generator: int
    of_key: int


def _fold(body: OpenedBody, layout: Layout) -> _Folded:
    """Commitments + c · ciphertexts on one side, z · (G, K) on the other."""
    weights = secrets.token_bytes(WEIGHT_BYTES * len(body.commitments))
    w = [
        int.from_bytes(weights[at : at + WEIGHT_BYTES])
        for at in range(0, len(weights), WEIGHT_BYTES)
    ]
    e, answers = body.challenge, body.answers
    factors = [0] * (2 * layout.bits)
    of_generator = of_key = 0
    for i in range(layout.bits):
        w1, w2, w3, w4 = w[4 * i : 4 * i + 4]
        c0, z0, z1 = answers[3 * i : 3 * i + 3]
        c1 = e - c0
        factors[2 * i] = w1 * c0 + w3 * c1
        factors[2 * i + 1] = w2 * c0 + w4 * c1
        of_generator += w1 * z0 + w3 * z1 + w4 * c1
        of_key += w2 * z0 + w4 * z1
    for k, rule in enumerate(layout.rules):
        w1, w2 = w[4 * layout.bits + 2 * k : 4 * layout.bits + 2 * k + 2]
        z = answers[3 * layout.bits + k]
        first, second = w1 * e % ORDER, w2 * e % ORDER
        for bit, weight in rule.terms:
            factors[2 * bit] += first * weight
            factors[2 * bit + 1] += second * weight
        of_generator += w1 * z + second * rule.maximum
        of_key += w2 * z
    packed = b"".join((factor % ORDER).to_bytes(SCALAR_BYTES) for factor in factors)
    return _Folded(weights, packed, of_generator, of_key)


def proofs_hold(bodies: Sequence[OpenedBody], key: Point, layout: Layout) -> bool:
    """Whether all equations of all the bodies hold, up to an error of 2^−127.

    The weights are drawn here, after the bodies were fixed.
    """
    commitments: list[Point] = []
    ciphertexts: list[Point] = []
    weights, factors = bytearray(), bytearray()
    of_generator = of_key = 0
    for body in bodies:
        folded = _fold(body, layout)
        commitments += body.commitments
        ciphertexts += body.ciphertexts
        weights += folded.weights
        factors += folded.factors
        of_generator += folded.of_generator
        of_key += folded.of_key
    left = curve.total_of(
        (
            curve.weighted(commitments, bytes(weights), WEIGHT_BYTES),
            curve.weighted(ciphertexts, bytes(factors), SCALAR_BYTES),
        )
    )
    return curve.same(left, curve.combination((curve.GENERATOR, key), (of_generator, of_key)))


def bad_proofs(bodies: Sequence[tuple[int, OpenedBody]], key: Point, layout: Layout) -> list[int]:
    """The numbers of those bodies whose proofs do not hold: batches are split to find them."""
    if not bodies or proofs_hold([body for _, body in bodies], key, layout):
        return []
    if len(bodies) == 1:
        return [bodies[0][0]]
    half = len(bodies) // 2
    return [*bad_proofs(bodies[:half], key, layout), *bad_proofs(bodies[half:], key, layout)]


def try_open(body: bytes, context: bytes, key: bytes, layout: Layout) -> OpenedBody | None:
    """`open_body`, or None for a body that does not decode."""
    try:
        return open_body(body, context, key, layout)
    except Malformed:
        return None
