"""secp256k1: points, sums under weights, ECDSA. Sections 2 and 6 of docs/voting.md.

A `Point` is never the identity; where a sum may be the identity the type is `Point | None`.
libsecp256k1 is called by its C functions, since a record holds millions of points.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NewType

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from mvote_verify.failures import Malformed

Point = NewType("Point", object)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
POINT_BYTES = 33
SCALAR_BYTES = 32
WEIGHT_BYTES = 16
WINDOW = 256
"""One byte of each weight at a time: 255 sums for each byte's place."""
FEW = 64
"""Below so many points for each byte of a weight, buckets cost more than they save."""

_ctx = GLOBAL_CONTEXT.ctx
_COMPRESSED = lib.SECP256K1_EC_COMPRESSED


def decode(data: bytes) -> Point:
    """SEC 1 compressed, 33 bytes. Raises `Malformed` for all else, the identity included."""
    point = ffi.new("secp256k1_pubkey *")
    if len(data) != POINT_BYTES or not lib.secp256k1_ec_pubkey_parse(_ctx, point, data, 33):
        raise Malformed("not a point of secp256k1")
    return Point(point)


def decode_all(data: bytes) -> list[Point]:
    """The points of a string of 33-byte encodings."""
    if len(data) % POINT_BYTES:
        raise Malformed("points have 33 bytes each")
    return [decode(data[at : at + POINT_BYTES]) for at in range(0, len(data), POINT_BYTES)]


def encode(point: Point) -> bytes:
    """33 bytes."""
    out = ffi.new("unsigned char [33]")
    length = ffi.new("size_t *", POINT_BYTES)
    lib.secp256k1_ec_pubkey_serialize(_ctx, out, length, point, _COMPRESSED)
    return bytes(ffi.buffer(out, POINT_BYTES))


def encode_or_zeros(point: Point | None) -> bytes:
    """33 bytes; the identity, where section 10 allows it, is 33 bytes `00`."""
    return bytes(POINT_BYTES) if point is None else encode(point)


def decode_scalar(data: bytes) -> int:
    """32 bytes, big-endian, below the order."""
    value = int.from_bytes(data)
    if len(data) != SCALAR_BYTES or value >= ORDER:
        raise Malformed("not a scalar of secp256k1")
    return value


def total(points: Sequence[Point]) -> Point | None:
    """The sum; None if it is the identity, or of no points at all."""
    if not points:
        return None
    out = ffi.new("secp256k1_pubkey *")
    added = lib.secp256k1_ec_pubkey_combine(_ctx, out, points, len(points))
    return Point(out) if added else None


def total_of(points: Iterable[Point | None]) -> Point | None:
    """The sum, terms that are the identity left out."""
    return total([point for point in points if point is not None])


def times(point: Point | None, factor: int) -> Point | None:
    """`factor · point`, for any integer."""
    factor %= ORDER
    if point is None or not factor:
        return None
    out = ffi.new("secp256k1_pubkey *", point[0])  # type: ignore[index]
    lib.secp256k1_ec_pubkey_tweak_mul(_ctx, out, factor.to_bytes(SCALAR_BYTES))
    return Point(out)


GENERATOR = decode(
    bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
)


def same(one: Point | None, other: Point | None) -> bool:
    """Whether two sums are equal."""
    if one is None or other is None:
        return one is other
    return bool(lib.secp256k1_ec_pubkey_cmp(_ctx, one, other) == 0)


def residue(z: int, base: Point, e: int, public: Point) -> bytes:
    """`z·base − e·public`, encoded: what a proof of a logarithm commits to.

    Raises `Malformed` if it is the identity, which has no encoding.
    """
    point = total_of((times(base, z), times(public, -e)))
    if point is None:
        raise Malformed("a commitment is the identity")
    return encode(point)


def combination(points: Sequence[Point | None], factors: Sequence[int]) -> Point | None:
    """`Σ factor · point`, for a few points."""
    return total_of(times(point, factor) for point, factor in zip(points, factors, strict=True))


def weighted(points: Sequence[Point], weights: bytes, width: int) -> Point | None:
    """`Σ weight · point` for many points, by Pippenger's buckets.

    `weights` holds `width` bytes, big-endian, for each point.
    """
    if len(points) < FEW * width:
        factors = (weights[at : at + width] for at in range(0, len(weights), width))
        return combination(points, [int.from_bytes(factor) for factor in factors])
    result: Point | None = None
    for place in range(width):
        if result is not None:
            result = times(result, WINDOW)
        buckets: list[list[Point]] = [[] for _ in range(WINDOW)]
        for point, digit in zip(points, weights[place::width], strict=True):
            buckets[digit].append(point)
        sums = [total(bucket) for bucket in buckets]
        result = total_of((result, _numbered(sums)))
    return result


def _numbered(sums: list[Point | None]) -> Point | None:
    """`Σ i · sums[i]`: for each bit of the number, those that have it, from the highest."""
    result: Point | None = None
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        chosen = total_of(sums[i] for i in range(1, WINDOW) if i & bit)
        result = total_of((times(result, 2), chosen))
    return result


def signature_holds(key: Point, signature: bytes, message: bytes) -> bool:
    """ECDSA with SHA-256, 64 bytes `r ‖ s`; `s` above the half of the order is refused."""
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    if len(signature) != 64:
        return False
    if not lib.secp256k1_ecdsa_signature_parse_compact(_ctx, parsed, signature):
        return False
    return bool(lib.secp256k1_ecdsa_verify(_ctx, parsed, sha256(message).digest(), key))
