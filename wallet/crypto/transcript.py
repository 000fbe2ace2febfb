"""Domain-separated hashing: what every hash of the voting protocol is made of.

docs/voting.md, section 2. A frame names protocol and purpose and gives every part its length, so
no two different lists of parts have one frame.
"""

from hashlib import sha256, sha512
from typing import Final

from wallet.crypto.secp256k1 import GROUP_ORDER

PROTOCOL: Final = b"SW-MVOTE-V1/"
_LENGTH_BYTES: Final = 8
_INDEX_BYTES: Final = 4


def frame(tag: str, *parts: bytes) -> bytes:
    """Return protocol, tag (ASCII), a zero byte and each part behind its length."""
    framed = [PROTOCOL, tag.encode("ascii"), b"\x00"]
    for part in parts:
        framed += (len(part).to_bytes(_LENGTH_BYTES, "big"), part)
    return b"".join(framed)


def digest(tag: str, *parts: bytes) -> bytes:
    """D of the specification: SHA-256 of the frame, 32 bytes."""
    return sha256(frame(tag, *parts)).digest()


def challenge(tag: str, *parts: bytes) -> int:
    """S of the specification: SHA-512 of the frame modulo the order of secp256k1.

    512 bits modulo a 256-bit order: the bias is below 2^-250.
    """
    return int.from_bytes(sha512(frame(tag, *parts)).digest(), "big") % GROUP_ORDER


def index(value: int) -> bytes:
    """I4 of the specification: 4 bytes, big-endian."""
    return value.to_bytes(_INDEX_BYTES, "big")
