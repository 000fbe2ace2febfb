"""Hashes, points and signatures of section 2, on coincurve's plain interface."""

from hashlib import sha256, sha512
from typing import Any

import rfc8785
from coincurve import PrivateKey, PublicKey

Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = PublicKey.from_secret((1).to_bytes(32)).format()
Signed = dict[str, Any]


def i4(number: int) -> bytes:
    return number.to_bytes(4)


def i8(number: int) -> bytes:
    return number.to_bytes(8)


def s32(number: int) -> bytes:
    return (number % Q).to_bytes(32)


def framed(tag: str, *parts: bytes) -> bytes:
    return b"SW-MVOTE-V1/" + tag.encode() + b"\0" + b"".join(i8(len(p)) + p for p in parts)


def d_hash(tag: str, *parts: bytes) -> bytes:
    return sha256(framed(tag, *parts)).digest()


def s_hash(tag: str, *parts: bytes) -> int:
    return int.from_bytes(sha512(framed(tag, *parts)).digest()) % Q


def mul(factor: int, point: bytes = G) -> bytes:
    """A multiple that is not the identity."""
    return PublicKey(point).multiply(s32(factor)).format()


def add(*points: bytes) -> bytes:
    """A sum that is not the identity."""
    return PublicKey.combine_keys([PublicKey(point) for point in points]).format()


def sub(one: bytes, other: bytes) -> bytes:
    return add(one, mul(-1, other))


def prove_log(secret: int, nonce: int, challenge: int) -> dict[str, str]:
    """`z = nonce + e · secret`: `z·B − e·P` is then `nonce · B`."""
    return {"e": s32(challenge).hex(), "z": s32(nonce + challenge * secret).hex()}


def canonical(value: Any) -> bytes:
    return rfc8785.dumps(value)


def sign(body: dict[str, Any], secret: int) -> Signed:
    """A signed statement."""
    message = framed("sign/" + body["kind"], canonical(body))
    signature = PrivateKey(s32(secret)).sign_recoverable(message)[:64]
    return {"body": body, "signature": signature.hex()}


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1" + tree_root(leaves[:k]) + tree_root(leaves[k:])).digest()
