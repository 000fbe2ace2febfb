"""The group of secp256k1 for proofs: strict encodings, sums and multiples of points.

A `Point` is never the identity; where a sum may be the identity the type says `Point | None`.
The cofactor is 1, so whatever decodes is in the group.

Time: `base_multiple` is libsecp256k1's constant-time multiplication. `multiply`, `FixedBase` and
`multi_multiply` are not constant in time. For long-lived secrets use `blinded_multiply`, which
splits the scalar afresh at every use, and do it on a machine that strangers do not share.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import coincurve

from wallet.errors import MalformedError

Point: TypeAlias = coincurve.PublicKey

GROUP_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELD_PRIME: Final = 2**256 - 2**32 - 977
POINT_BYTES: Final = 33
SCALAR_BYTES: Final = 32
_COMPRESSED: Final = (2, 3)
_WINDOW_BITS: Final = 8
# Below this many points one by one is faster than buckets.
_BUCKETS_FROM: Final = 400
_SHORT_BYTES: Final = 16


class CurvePointMalformed(MalformedError):
    """Not the 33 bytes of a point of secp256k1 in compressed form."""

    code = "secp256k1_point_malformed"


class CurveScalarMalformed(MalformedError):
    """Not the 32 bytes of a number below the order of secp256k1."""

    code = "secp256k1_scalar_malformed"


def parse_point(data: bytes) -> Point:
    """Return the point of 33 bytes, SEC 1 compressed. Raises `CurvePointMalformed`."""
    if len(data) != POINT_BYTES or data[0] not in _COMPRESSED:
        raise CurvePointMalformed("a point has 33 bytes in compressed form")
    try:
        return coincurve.PublicKey(data)
    except ValueError:
        raise CurvePointMalformed("the point is not on its curve") from None


def encode_point(point: Point) -> bytes:
    """Return the 33 bytes."""
    return bytes(point.format())


def parse_points(data: bytes) -> list[Point]:
    """Return the points that follow one another in `data`. Raises `CurvePointMalformed`."""
    if len(data) % POINT_BYTES:
        raise CurvePointMalformed("the points do not fill their bytes")
    return [
        parse_point(data[start : start + POINT_BYTES])
        for start in range(0, len(data), POINT_BYTES)
    ]


def encode_points(points: Iterable[Point]) -> bytes:
    """Return the encodings, joined."""
    return b"".join([point.format() for point in points])


def parse_scalar(data: bytes) -> int:
    """Return the scalar of 32 bytes, zero included. Raises `CurveScalarMalformed`."""
    value = int.from_bytes(data, "big")
    if len(data) != SCALAR_BYTES or value >= GROUP_ORDER:
        raise CurveScalarMalformed("a scalar has 32 bytes and is below the group order")
    return value


def parse_scalars(data: bytes) -> list[int]:
    """Return the scalars that follow one another in `data`. Raises `CurveScalarMalformed`."""
    if len(data) % SCALAR_BYTES:
        raise CurveScalarMalformed("the scalars do not fill their bytes")
    return [
        parse_scalar(data[start : start + SCALAR_BYTES])
        for start in range(0, len(data), SCALAR_BYTES)
    ]


def encode_scalar(value: int) -> bytes:
    """Return the 32 bytes of a number between 0 and the group order minus one."""
    return value.to_bytes(SCALAR_BYTES, "big")


def random_scalar() -> int:
    """Return a random scalar between 1 and the group order minus one."""
    return 1 + secrets.randbelow(GROUP_ORDER - 1)


def base_multiple(scalar: int) -> Point | None:
    """Return scalar * G, in constant time; None for a multiple of the group order."""
    reduced = scalar % GROUP_ORDER
    if not reduced:
        return None
    return coincurve.PublicKey.from_valid_secret(encode_scalar(reduced))


def secret_multiple(scalar: int) -> Point:
    """Return scalar * G in constant time, for a scalar that is not zero modulo the order.

    Raises `CurveScalarMalformed` for zero.
    """
    point = base_multiple(scalar)
    if point is None:
        raise CurveScalarMalformed("a secret scalar is not zero")
    return point


def multiply(point: Point | None, scalar: int) -> Point | None:
    """Return scalar * point. Not in constant time."""
    reduced = scalar % GROUP_ORDER
    if point is None or not reduced:
        return None
    return point.multiply(encode_scalar(reduced))


def blinded_multiply(point: Point, secret: int) -> Point:
    """Return secret * point as the sum of two multiples by fresh random parts of the secret.

    What leaks through timing is about the parts, which are new each time. Raises
    `CurveScalarMalformed` for a secret that is zero modulo the order.
    """
    part = secrets.randbelow(GROUP_ORDER)
    product = add((multiply(point, part), multiply(point, secret - part)))
    if product is None:
        raise CurveScalarMalformed("a secret scalar is not zero")
    return product


def add(points: Iterable[Point | None]) -> Point | None:
    """Return the sum; None is the identity, as a summand and as the result."""
    present = [point for point in points if point is not None]
    if len(present) < 2:
        return present[0] if present else None
    try:
        return coincurve.PublicKey.combine_keys(present)
    except ValueError:
        # libsecp256k1 refuses exactly the sum that is the identity.
        return None


def negate(point: Point | None) -> Point | None:
    """Return the point with y mirrored."""
    if point is None:
        return None
    octets = bytes(point.format(compressed=False))
    y = FIELD_PRIME - int.from_bytes(octets[POINT_BYTES:], "big")
    return coincurve.PublicKey(octets[:POINT_BYTES] + y.to_bytes(SCALAR_BYTES, "big"))


def subtract(left: Point | None, right: Point | None) -> Point | None:
    """Return left - right."""
    return add((left, negate(right)))


def is_equal(left: Point | None, right: Point | None) -> bool:
    """Whether both are the same point, or both the identity."""
    if left is None or right is None:
        return left is right
    return bytes(left.format()) == bytes(right.format())


GENERATOR: Final = secret_multiple(1)
GENERATOR_OCTETS: Final = encode_point(GENERATOR)


class FixedBase:
    """Multiples of one point from a table: about twice as fast as `multiply`.

    `window_bits` from 1 to 8: at 8 the table has 8160 points and takes about 40 ms to build, which
    pays from a few thousand multiples on; at 5, 1612 points and 7 ms.
    """

    __slots__ = ("_mask", "_rows", "_window_bits", "point")

    def __init__(self, point: Point, *, window_bits: int = _WINDOW_BITS) -> None:
        self.point = point
        self._window_bits = window_bits
        self._mask = (1 << window_bits) - 1
        self._rows: list[list[Point]] = []
        step = point
        for _ in range(-(-GROUP_ORDER.bit_length() // window_bits)):
            row = [step]
            for _ in range(self._mask - 1):
                row.append(coincurve.PublicKey.combine_keys([row[-1], step]))
            self._rows.append(row)
            # The group order is prime, so no multiple in the table is the identity.
            step = coincurve.PublicKey.combine_keys([row[-1], step])

    def terms(self, scalar: int) -> list[Point]:
        """Return points whose sum is scalar * point, to be summed up together with others."""
        remaining = scalar % GROUP_ORDER
        found = []
        for row in self._rows:
            digit = remaining & self._mask
            if digit:
                found.append(row[digit - 1])
            remaining >>= self._window_bits
        return found

    def multiply(self, scalar: int) -> Point | None:
        """Return scalar * point. Not in constant time."""
        return add(self.terms(scalar))


def multi_multiply(points: Sequence[Point], scalars: Sequence[int]) -> Point | None:
    """Return the sum of scalars[i] * points[i].

    Many points with scalars below 2^128 go through buckets, which is two to three times as fast
    as multiplying each; for longer scalars it would not be. Not in constant time.
    """
    short: list[Point] = []
    digits: list[bytes] = []
    long: list[Point | None] = []
    for point, scalar in zip(points, scalars, strict=True):
        reduced = scalar % GROUP_ORDER
        if reduced.bit_length() <= 8 * _SHORT_BYTES:
            short.append(point)
            digits.append(reduced.to_bytes(_SHORT_BYTES, "big"))
        else:
            long.append(point.multiply(reduced.to_bytes(SCALAR_BYTES, "big")))
    if len(short) < _BUCKETS_FROM:
        long += [
            multiply(point, int.from_bytes(octets, "big"))
            for point, octets in zip(short, digits, strict=True)
        ]
        return add(long)
    return add((*long, _by_buckets(short, digits)))


def _by_buckets(points: Sequence[Point], digits: Sequence[bytes]) -> Point | None:
    """Pippenger's method with windows of a byte: `digits` are big-endian, of equal length."""
    total: Point | None = None
    for column in zip(*digits, strict=True):
        total = _times_power_of_two(total, _WINDOW_BITS)
        buckets: list[list[Point]] = [[] for _ in range(1 << _WINDOW_BITS)]
        for digit, point in zip(column, points, strict=True):
            buckets[digit].append(point)
        total = add((total, _weigh([add(bucket) for bucket in buckets])))
    return total


def _weigh(sums: Sequence[Point | None]) -> Point | None:
    """Return the sum of index * sums[index], from the highest bit of the index down."""
    total: Point | None = None
    for bit in reversed(range(_WINDOW_BITS)):
        chosen = [point for index, point in enumerate(sums) if index >> bit & 1]
        total = add((_times_power_of_two(total, 1), *chosen))
    return total


def _times_power_of_two(point: Point | None, exponent: int) -> Point | None:
    for _ in range(exponent):
        point = add((point, point))
    return point
