"""The list of a Token Status List (draft-ietf-oauth-status-list §4): bits and compression."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.status.compression import (
    MAX_LIST_BYTES,
    ZLIB_WINDOW,
    StatusListMalformed,
    inflate_list,
)

VALID: Final = 0
INVALID: Final = 1
SUSPENDED: Final = 2
MAX_COMPRESSED_CHARACTERS: Final = 8 * 1024 * 1024
BITS: Final = (1, 2, 4, 8)


class StatusIndexOutOfRange(RejectedError):
    """The credential names an index that the list does not have."""

    code = "status_index_out_of_range"


@dataclass(frozen=True, slots=True)
class TokenStatusList:
    """A status list: `bits` per status (1, 2, 4 or 8) and the packed bytes, LSB first (§4.1)."""

    bits: int
    data: bytes

    def __post_init__(self) -> None:
        if self.bits not in BITS or not self.data or len(self.data) > MAX_LIST_BYTES:
            raise StatusListMalformed("bits is 1, 2, 4 or 8 and the list is not empty")

    @classmethod
    def empty(cls, size: int, bits: int = 2) -> TokenStatusList:
        """Return a list of `size` statuses, all VALID; `size` is rounded up to whole bytes."""
        return cls(bits, bytes((size * bits + 7) // 8))

    @property
    def size(self) -> int:
        """The number of statuses."""
        return len(self.data) * 8 // self.bits

    @property
    def digest(self) -> bytes:
        """SHA-256 of the uncompressed bytes: what is anchored."""
        return sha256(self.data)

    def status(self, index: int) -> int:
        """Return the status at `index`. Raises `StatusIndexOutOfRange`."""
        if not 0 <= index < self.size:
            raise StatusIndexOutOfRange(f"the list has {self.size} entries")
        bit = index * self.bits
        return (self.data[bit >> 3] >> (bit & 7)) & ((1 << self.bits) - 1)

    def with_statuses(self, changes: dict[int, int]) -> TokenStatusList:
        """Return a copy with `{index: status}` applied. Raises `StatusIndexOutOfRange`."""
        data = bytearray(self.data)
        mask = (1 << self.bits) - 1
        for index, status in changes.items():
            if not 0 <= index < self.size or not 0 <= status <= mask:
                raise StatusIndexOutOfRange(f"the list has {self.size} entries up to {mask}")
            bit = index * self.bits
            byte, shift = bit >> 3, bit & 7
            data[byte] = data[byte] & ~(mask << shift) & 0xFF | status << shift
        return TokenStatusList(self.bits, bytes(data))

    def to_claim(self) -> JsonObject:
        """Return the `status_list` claim: bits and the zlib-compressed list (§4.2)."""
        return {"bits": self.bits, "lst": base64url.encode(zlib.compress(self.data, 9))}

    def to_cbor_claim(self) -> dict[str, int | bytes]:
        """Return the status list of a CWT: the same, with the compressed bytes (§4.3)."""
        return {"bits": self.bits, "lst": zlib.compress(self.data, 9)}


def parse_status_list_claim(claim: object) -> TokenStatusList:
    """Return the list of a `status_list` claim (§4.2).

    Exactly one complete zlib stream of at most `MAX_LIST_BYTES`. Raises `StatusListMalformed`,
    `Base64urlMalformed`.
    """
    if not isinstance(claim, dict):
        raise StatusListMalformed("status_list is an object")
    bits: Any = claim.get("bits")
    compressed = claim.get("lst")
    if type(bits) is not int or bits not in BITS or type(compressed) is not str:
        raise StatusListMalformed("status_list needs bits (1, 2, 4, 8) and lst")
    if len(compressed) > MAX_COMPRESSED_CHARACTERS:
        raise StatusListMalformed("lst is too long")
    return TokenStatusList(bits, inflate_list(base64url.decode(compressed), ZLIB_WINDOW))


def parse_status_list_cbor(value: object) -> TokenStatusList:
    """Return the list of a CBOR status list (§4.3), under the limits of the JSON form.

    Raises `StatusListMalformed`.
    """
    if not isinstance(value, dict):
        raise StatusListMalformed("a status list is a map")
    bits, compressed = value.get("bits"), value.get("lst")
    if type(bits) is not int or bits not in BITS or type(compressed) is not bytes:
        raise StatusListMalformed("a status list needs bits (1, 2, 4, 8) and lst")
    if len(compressed) > MAX_COMPRESSED_CHARACTERS:
        raise StatusListMalformed("lst is too long")
    return TokenStatusList(bits, inflate_list(compressed, ZLIB_WINDOW))


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where a credential's status is: the list's URI and the index in it (§6.2)."""

    uri: str
    index: int


def parse_status_reference(claim: object) -> StatusReference:
    """Return the reference in a credential's `status` claim. Raises `StatusListMalformed`."""
    reference = claim.get("status_list") if isinstance(claim, dict) else None
    if not isinstance(reference, dict):
        raise StatusListMalformed("status needs a status_list object")
    index, uri = reference.get("idx"), reference.get("uri")
    if type(index) is not int or index < 0 or type(uri) is not str or not 0 < len(uri) <= 2048:
        raise StatusListMalformed("status_list needs idx (a whole number) and uri")
    return StatusReference(uri, index)
