"""How a record looks inside its seal: framed, padded, and bound to its place."""

from __future__ import annotations

from typing import Final

from wallet.ports.holder import StoreFull

MAX_RECORD_BYTES: Final = 1024 * 1024
MAX_NAME_BYTES: Final = 512
PADDING_BYTES: Final = 256
_LENGTH_BYTES: Final = 4


def record_context(record_digest: bytes, kind_digest: bytes, version: int) -> bytes:
    """The derivation context and associated data of a record: every part has a fixed length."""
    return b"seoul-wallet;sealed;1;" + record_digest + kind_digest + version.to_bytes(8, "big")


def name_bytes(text: str) -> bytes:
    """Return a kind or an id with its length before it. Raises `ValueError`."""
    raw = text.encode("utf-8")
    if not 0 < len(raw) <= MAX_NAME_BYTES:
        raise ValueError(f"kinds and ids have 1 to {MAX_NAME_BYTES} bytes")
    return len(raw).to_bytes(_LENGTH_BYTES, "big") + raw


def pad(record_id: str, payload: bytes) -> bytes:
    """Return id and payload in whole steps of `PADDING_BYTES`. Raises `StoreFull`."""
    if len(payload) > MAX_RECORD_BYTES:
        raise StoreFull(f"a record has at most {MAX_RECORD_BYTES} bytes")
    plain = name_bytes(record_id) + len(payload).to_bytes(_LENGTH_BYTES, "big") + payload
    return plain + bytes(-len(plain) % PADDING_BYTES)


def unpad(plaintext: bytes) -> tuple[str, bytes]:
    """Return what `pad` was given."""
    parts = []
    position = 0
    for _ in range(2):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(plaintext[position:start], "big")
        parts.append(plaintext[start:position])
    return parts[0].decode("utf-8"), parts[1]
