"""BLS12-381 for the eligibility proofs: decoding, hashing, fixed bases. Section 5.1."""

from collections.abc import Sequence
from hashlib import sha256

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from mvote_verify.failures import Malformed

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
G1_BYTES = 48
TABLE_PAYS = 60
"""Multiplications after which a table of the point is worth its making."""
_INFINITY = bytes([0xC0]) + bytes(47)


def scalar_of(value: int) -> Scalar:
    return Scalar.from_le_bytes((value % ORDER).to_bytes(32, "little"))


def decode_scalar(data: bytes) -> int:
    """32 bytes, big-endian, 1 … r − 1."""
    value = int.from_bytes(data)
    if len(data) != 32 or not 0 < value < ORDER:
        raise Malformed("not a scalar of BLS12-381")
    return value


def decode_g1(data: bytes) -> G1Point:
    """48 bytes, compressed, in the subgroup, not the identity, in the one right encoding."""
    if len(data) != G1_BYTES or not data[0] & 0x80 or data[0] & 0x40:
        raise Malformed("not a point of G1")
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError:
        raise Malformed("not a point of G1") from None
    if point.to_compressed_bytes() != data or data == _INFINITY:
        raise Malformed("not a point of G1")
    return point


def decode_g2(data: bytes) -> G2Point:
    """96 bytes, compressed, in the subgroup, not the identity."""
    if len(data) != 96 or not data[0] & 0x80 or data[0] & 0x40:
        raise Malformed("not a point of G2")
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError:
        raise Malformed("not a point of G2") from None
    if point.to_compressed_bytes() != data:
        raise Malformed("not a point of G2")
    return point


def expand(message: bytes, dst: bytes, length: int) -> bytes:
    """`expand_message_xmd` of RFC 9380 with SHA-256, for up to 8160 bytes."""
    tail = dst + bytes([len(dst)])
    first = sha256(bytes(64) + message + length.to_bytes(2) + b"\0" + tail).digest()
    block = sha256(first + b"\1" + tail).digest()
    blocks = [block]
    for number in range(2, -(-length // 32) + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = sha256(mixed + bytes([number]) + tail).digest()
        blocks.append(block)
    return b"".join(blocks)[:length]


def hash_to_scalar(message: bytes, dst: bytes) -> int:
    return int.from_bytes(expand(message, dst, 48)) % ORDER


def generators(
    count: int, identifier: bytes, seed: bytes = b"MESSAGE_GENERATOR_SEED"
) -> list[G1Point]:
    """`create_generators` of the draft."""
    dst = identifier + b"SIG_GENERATOR_SEED_"
    value = expand(identifier + seed, dst, 48)
    points = []
    for number in range(1, count + 1):
        value = expand(value + number.to_bytes(8), dst, 48)
        points.append(G1Point.hash_to_curve(value, identifier + b"SIG_GENERATOR_DST_"))
    return points


class FixedBase:
    """Multiples of one point: a table of each byte's multiples, once it has been asked often."""

    def __init__(self, point: G1Point) -> None:
        self._point = point
        self._asked = 0
        self._rows: list[list[G1Point]] = []

    def _fill(self) -> None:
        point = self._point
        for _ in range(32):
            row = [G1Point.identity()]
            for _ in range(255):
                row.append(row[-1] + point)
            self._rows.append(row)
            point = row[-1] + point

    def times(self, factor: int) -> G1Point:
        """`factor · point` for a factor below the order."""
        self._asked += 1
        if self._asked <= TABLE_PAYS:
            return self._point * scalar_of(factor)
        if not self._rows:
            self._fill()
        result = G1Point.identity()
        for row, digit in zip(self._rows, factor.to_bytes(32, "little"), strict=True):
            if digit:
                result += row[digit]
        return result


def combination(points: Sequence[G1Point], factors: Sequence[int]) -> G1Point:
    """`Σ factor · point` for a few points."""
    result = G1Point.identity()
    for point, factor in zip(points, factors, strict=True):
        result += point * scalar_of(factor)
    return result
