"""What an implementation of BLS12-381 must do, and the checks that all of them share.

Points travel in the compressed form of the Zcash specification (48 bytes in G1, 96 in G2, three
flag bits on top), scalars as big-endian integers of 32 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NewType, Protocol

from wallet.errors import MalformedError

# The order of G1 and G2, and the characteristic of the base field.
GROUP_ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
FIELD_MODULUS: Final = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf"
    "6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    16,
)
G1_BYTES: Final = 48
G2_BYTES: Final = 96
SCALAR_BYTES: Final = 32

_COMPRESSED: Final = 0x80
_INFINITY: Final = 0x40
_X_BITS: Final = 381

# A point belongs to the backend that made it; nothing else looks inside.
G1 = NewType("G1", object)
G2 = NewType("G2", object)


class PointMalformed(MalformedError):
    """Not the encoding of a point other than the identity in the subgroup of prime order."""

    code = "bls12_381_point_malformed"


class ScalarMalformed(MalformedError):
    """Not 32 bytes, or not between 1 and the group order minus one."""

    code = "bls12_381_scalar_malformed"


class Backend(Protocol):
    """An implementation. Scalars given to it are in `range(GROUP_ORDER)`."""

    @property
    def name(self) -> str:
        """Which implementation this is."""

    @property
    def negative_g2_generator(self) -> G2:
        """-BP2, the negated generator of G2."""

    def decode_g1(self, data: bytes) -> G1:
        """Return the point. Canonical form, curve, subgroup and non-identity are checked.

        Raises `PointMalformed`.
        """

    def decode_g2(self, data: bytes) -> G2:
        """Return the point, checked as in `decode_g1`. Raises `PointMalformed`."""

    def encode_g1(self, point: G1) -> bytes:
        """Return the 48 compressed bytes; the identity is c0 and zeros."""

    def encode_g2(self, point: G2) -> bytes:
        """Return the 96 compressed bytes."""

    def is_identity(self, point: G1) -> bool:
        """Tell whether this is the identity of G1."""

    def multiply_g2_generator(self, scalar: int) -> G2:
        """Return BP2 * scalar."""

    def msm(self, points: Sequence[G1], scalars: Sequence[int]) -> G1:
        """Return the sum of points[i] * scalars[i]; as many scalars as points."""

    def map_to_g1(self, element: int) -> G1:
        """Map a field element to the curve and clear the cofactor (RFC 9380 §6.6.2, §7)."""

    def pairing_product_is_one(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        """Tell whether the product of e(P, Q) over all pairs is one."""


def check_encoding(data: bytes, length: int) -> None:
    """Refuse what is not a canonical compressed encoding of a point other than the identity.

    Here and not in the backends because the libraries differ: one of them accepts any bytes
    after the infinity flag. Raises `PointMalformed`. Curve and subgroup are not checked.
    """
    if len(data) != length:
        raise PointMalformed(f"a compressed point has {length} bytes here")
    flags = data[0]
    if not flags & _COMPRESSED:
        raise PointMalformed("the point is not in compressed form")
    if flags & _INFINITY:
        raise PointMalformed("the point is the identity")
    first = int.from_bytes(data[:G1_BYTES], "big") & ((1 << _X_BITS) - 1)
    rest = int.from_bytes(data[G1_BYTES:], "big")
    if first >= FIELD_MODULUS or rest >= FIELD_MODULUS:
        raise PointMalformed("a coordinate is not reduced")


def parse_scalar(data: bytes) -> int:
    """Return the scalar of 32 big-endian bytes, never zero. Raises `ScalarMalformed`."""
    if len(data) != SCALAR_BYTES:
        raise ScalarMalformed(f"a scalar has {SCALAR_BYTES} bytes")
    value = int.from_bytes(data, "big")
    if not 0 < value < GROUP_ORDER:
        raise ScalarMalformed("a scalar is not zero and is below the group order")
    return value


def encode_scalar(value: int) -> bytes:
    """Return the 32 big-endian bytes of a scalar."""
    return value.to_bytes(SCALAR_BYTES, "big")
