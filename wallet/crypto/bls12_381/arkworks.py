"""BLS12-381 by arkworks (Rust), the backend in use. Long calls release the interpreter lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from wallet.crypto.bls12_381.backend import (
    G1,
    G1_BYTES,
    G2,
    G2_BYTES,
    SCALAR_BYTES,
    PointMalformed,
    check_encoding,
)


class ArkworksBackend:
    """The `Backend` over py_arkworks_bls12381."""

    name: Final = "arkworks"

    def __init__(self) -> None:
        self._identity = G1Point.identity()
        self.negative_g2_generator = G2(-G2Point())

    def decode_g1(self, data: bytes) -> G1:
        check_encoding(data, G1_BYTES)
        try:
            return G1(G1Point.from_compressed_bytes(data))
        except ValueError:
            raise PointMalformed("the point is not in the subgroup G1") from None

    def decode_g2(self, data: bytes) -> G2:
        check_encoding(data, G2_BYTES)
        try:
            return G2(G2Point.from_compressed_bytes(data))
        except ValueError:
            raise PointMalformed("the point is not in the subgroup G2") from None

    def encode_g1(self, point: G1) -> bytes:
        return cast(G1Point, point).to_compressed_bytes()

    def encode_g2(self, point: G2) -> bytes:
        return cast(G2Point, point).to_compressed_bytes()

    def is_identity(self, point: G1) -> bool:
        return cast(G1Point, point) == self._identity

    def multiply_g2_generator(self, scalar: int) -> G2:
        return G2(G2Point() * _scalar(scalar))

    def msm(self, points: Sequence[G1], scalars: Sequence[int]) -> G1:
        # The library takes the shorter of two lists that differ in length.
        if len(points) != len(scalars):
            raise ValueError("as many scalars as points")
        return G1(
            G1Point.multiexp_unchecked(
                cast("list[G1Point]", list(points)), [_scalar(value) for value in scalars]
            )
        )

    def map_to_g1(self, element: int) -> G1:
        return G1(G1Point.map_from_fp_be(element.to_bytes(G1_BYTES, "big")))

    def pairing_product_is_one(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        return GT.pairing_check(
            cast("list[G1Point]", [left for left, _ in pairs]),
            cast("list[G2Point]", [right for _, right in pairs]),
        )


def _scalar(value: int) -> Scalar:
    # Twenty times faster than the constructor that takes an integer.
    return Scalar.from_be_bytes(value.to_bytes(SCALAR_BYTES, "big"))
