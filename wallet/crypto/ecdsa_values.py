"""ECDSA signatures on their way from JOSE, where they are r || s, to libraries that read DER."""

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_INTEGER: Final = 0x02
_SEQUENCE: Final = 0x30


def to_der(signature: bytes, size: int) -> bytes:
    """Return r || s, each of `size` bytes (32 or 48), as ECDSA-Sig-Value (RFC 3279 §2.2.3)."""
    r_starts, s_starts = signature[0], signature[size]
    if r_starts and s_starts:
        before_r, before_s = _BEFORE[size, r_starts >> 7, s_starts >> 7]
        return before_r + signature[:size] + before_s + signature[size:]
    # DER leaves out leading zero bytes; one signature in 128 has any.
    return encode_dss_signature(
        int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    )


def _before(size: int, r_high: int, s_high: int) -> tuple[bytes, bytes]:
    # An integer whose first bit is set would be negative: a zero byte goes before it.
    before_r = bytes((_INTEGER, size + r_high)) + bytes(r_high)
    before_s = bytes((_INTEGER, size + s_high)) + bytes(s_high)
    length = len(before_r) + len(before_s) + 2 * size
    return bytes((_SEQUENCE, length)) + before_r, before_s


# What stands before r and before s, by their size and the first bit of each.
_BEFORE: Final[Mapping[tuple[int, int, int], tuple[bytes, bytes]]] = {
    (size, r_high, s_high): _before(size, r_high, s_high)
    for size in (32, 48)
    for r_high in (0, 1)
    for s_high in (0, 1)
}
