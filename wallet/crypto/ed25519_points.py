"""Which encodings of Edwards25519 points are acceptable as keys and in signatures (RFC 8032 §5.1).

RFC 8032 leaves room that libraries fill differently ("Taming the many EdDSAs", SSR 2020). The rule
here: canonical encodings alone, and no point of small order.
"""

from __future__ import annotations

from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def _is_on_curve(y: int) -> bool:
    # x^2 = (y^2 - 1) / (d y^2 + 1); a quotient is a square exactly when the product is.
    square = y * y % _P
    product = (square - 1) * (_D * square + 1) % _P
    return pow(product, (_P - 1) // 2, _P) <= 1


def is_canonical_point(encoded: bytes) -> bool:
    """Tell whether 32 bytes are the one canonical encoding of a point on the curve."""
    if len(encoded) != 32:
        return False
    number = int.from_bytes(encoded, "little")
    y = number & (2**255 - 1)
    # Where x is zero, a sign bit has nothing to say.
    return y < _P and not (y in (1, _P - 1) and number >> 255) and _is_on_curve(y)


def _small_order_encodings() -> frozenset[bytes]:
    # The eight points of the torsion subgroup have y in {1, -1, 0, u, -u}, u^4 (d) + 2 u^2 - 1 = 0
    # from doubling to y = 0. Encodings with y + p still fit 255 bits for y = 0 and y = 1.
    u = int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    )
    ys = (0, 1, _P - 1, _P, _P + 1, u, _P - u)
    return frozenset((y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1))


SMALL_ORDER_ENCODINGS: Final = _small_order_encodings()
