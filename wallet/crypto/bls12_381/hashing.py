"""Hashing to scalars and to G1 (RFC 9380), with the caller's domain separation tag."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from wallet.crypto.bls12_381.backend import FIELD_MODULUS, G1, Backend

MAX_DST_BYTES: Final = 255
MAX_EXPANDED_BYTES: Final = 255 * 32
# RFC 9380 §5.1: (381 bits + 128 bits of security), rounded up.
_FIELD_ELEMENT_BYTES: Final = 64
_SHA256_BLOCK_BYTES: Final = 64

# expand_message(message, dst, length) of RFC 9380 §5.3.
ExpandMessage = Callable[[bytes, bytes, int], bytes]


def expand_message_xmd_sha256(message: bytes, dst: bytes, length: int) -> bytes:
    """Return `length` uniform bytes by SHA-256 (RFC 9380 §5.3.1); `dst` has 1 to 255 bytes."""
    _check(dst, length)
    suffix = dst + bytes([len(dst)])
    padded = bytes(_SHA256_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\x00" + suffix
    first = hashlib.sha256(padded).digest()
    mask = int.from_bytes(first, "big")
    block = hashlib.sha256(first + b"\x01" + suffix).digest()
    blocks = [block]
    while len(blocks) * len(block) < length:
        chained = (mask ^ int.from_bytes(block, "big")).to_bytes(len(first), "big")
        block = hashlib.sha256(chained + bytes([len(blocks) + 1]) + suffix).digest()
        blocks.append(block)
    return b"".join(blocks)[:length]


def expand_message_xof_shake256(message: bytes, dst: bytes, length: int) -> bytes:
    """Return `length` uniform bytes by SHAKE-256 (RFC 9380 §5.3.2); `dst` has 1 to 255 bytes."""
    _check(dst, length)
    padded = message + length.to_bytes(2, "big") + dst + bytes([len(dst)])
    return hashlib.shake_256(padded).digest(length)


def hash_to_g1(backend: Backend, expand: ExpandMessage, message: bytes, dst: bytes) -> G1:
    """Return hash_to_curve for G1, the random-oracle suite (RFC 9380 §3, §8.8.1)."""
    uniform = expand(message, dst, 2 * _FIELD_ELEMENT_BYTES)
    first, second = (
        int.from_bytes(half, "big") % FIELD_MODULUS
        for half in (uniform[:_FIELD_ELEMENT_BYTES], uniform[_FIELD_ELEMENT_BYTES:])
    )
    # Clearing the cofactor is a homomorphism, so it may come before the sum.
    return backend.msm([backend.map_to_g1(first), backend.map_to_g1(second)], [1, 1])


def _check(dst: bytes, length: int) -> None:
    if not 0 < len(dst) <= MAX_DST_BYTES or not 0 < length <= MAX_EXPANDED_BYTES:
        raise ValueError("a domain separation tag has 1 to 255 bytes, an output at most 8160")
