"""BLS12-381 in pure Python (py_ecc): an independent reference, hundreds of times slower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from py_ecc.bls.g2_primitives import (
    G1_to_pubkey,
    G2_to_signature,
    pubkey_to_G1,
    signature_to_G2,
    subgroup_check,
)
from py_ecc.bls.hash_to_curve import clear_cofactor_G1, map_to_curve_G1
from py_ecc.bls.typing import G1Uncompressed, G2Uncompressed
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.optimized_bls12_381.optimized_curve import G2 as G2_GENERATOR
from py_ecc.optimized_bls12_381.optimized_curve import Z1, add, double, is_inf, multiply, neg
from py_ecc.optimized_bls12_381.optimized_pairing import final_exponentiate, pairing

from wallet.crypto.bls12_381.backend import (
    G1,
    G1_BYTES,
    G2,
    G2_BYTES,
    GROUP_ORDER,
    PointMalformed,
    check_encoding,
)


class ReferenceBackend:
    """The `Backend` over py_ecc."""

    name: Final = "py_ecc"

    def __init__(self) -> None:
        self.negative_g2_generator = G2(neg(G2_GENERATOR))

    def decode_g1(self, data: bytes) -> G1:
        check_encoding(data, G1_BYTES)
        try:
            point = pubkey_to_G1(cast(Any, data))
        except ValueError:
            raise PointMalformed("the point is not on the curve of G1") from None
        if not subgroup_check(point):
            raise PointMalformed("the point is not in the subgroup G1")
        return G1(point)

    def decode_g2(self, data: bytes) -> G2:
        check_encoding(data, G2_BYTES)
        try:
            point = signature_to_G2(cast(Any, data))
        except ValueError:
            raise PointMalformed("the point is not on the curve of G2") from None
        if not subgroup_check(point):
            raise PointMalformed("the point is not in the subgroup G2")
        return G2(point)

    def encode_g1(self, point: G1) -> bytes:
        return bytes(G1_to_pubkey(cast(G1Uncompressed, point)))

    def encode_g2(self, point: G2) -> bytes:
        return bytes(G2_to_signature(cast(G2Uncompressed, point)))

    def is_identity(self, point: G1) -> bool:
        return is_inf(cast(G1Uncompressed, point))

    def multiply_g2_generator(self, scalar: int) -> G2:
        return G2(multiply(G2_GENERATOR, scalar))

    def msm(self, points: Sequence[G1], scalars: Sequence[int]) -> G1:
        terms = [
            (cast(G1Uncompressed, point), scalar)
            for point, scalar in zip(points, scalars, strict=True)
        ]
        total: Any = Z1
        # Straus: one chain of doublings for all the points.
        for bit in reversed(range(GROUP_ORDER.bit_length())):
            total = double(total)
            for point, scalar in terms:
                if scalar >> bit & 1:
                    total = add(total, point)
        return G1(total)

    def map_to_g1(self, element: int) -> G1:
        return G1(clear_cofactor_G1(map_to_curve_G1(FQ(element))))

    def pairing_product_is_one(self, pairs: Sequence[tuple[G1, G2]]) -> bool:
        product = FQ12.one()
        for left, right in pairs:
            product = product * pairing(
                cast(G2Uncompressed, right), cast(G1Uncompressed, left), final_exponentiate=False
            )
        return bool(final_exponentiate(product) == FQ12.one())
