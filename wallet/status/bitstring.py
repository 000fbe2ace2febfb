"""The list of a Bitstring Status List (W3C, version 1.0 §2, §3): bits and compression."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from typing import Final

from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import decode_base64url, encode_base64url
from wallet.status.compression import (
    GZIP_WINDOW,
    MAX_LIST_BYTES,
    StatusListMalformed,
    inflate_list,
)
from wallet.status.token_status_list import StatusIndexOutOfRange

MIN_ENTRIES: Final = 131_072
MAX_ENCODED_CHARACTERS: Final = 8 * 1024 * 1024
MAX_STATUS_SIZE: Final = 8
ENTRY_TYPE: Final = "BitstringStatusListEntry"
LIST_TYPE: Final = "BitstringStatusList"
_INDEX: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_MAX_TEXT: Final = 2048


@dataclass(frozen=True, slots=True)
class BitstringStatusList:
    """A status list: `size` bits per status, the first status in the highest bits (§3.2)."""

    data: bytes
    size: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_STATUS_SIZE:
            raise StatusListMalformed(f"a status has 1 to {MAX_STATUS_SIZE} bits")
        if len(self.data) > MAX_LIST_BYTES:
            raise StatusListMalformed(f"a list has at most {MAX_LIST_BYTES} bytes")
        if self.entries < MIN_ENTRIES:
            raise StatusListMalformed(f"a list has at least {MIN_ENTRIES} entries")

    @classmethod
    def empty(cls, entries: int = MIN_ENTRIES, size: int = 1) -> BitstringStatusList:
        """Return a list of `entries` statuses, all 0, rounded up to whole bytes."""
        return cls(bytes((entries * size + 7) // 8), size)

    @property
    def entries(self) -> int:
        """The number of statuses."""
        return len(self.data) * 8 // self.size

    @property
    def digest(self) -> bytes:
        """SHA-256 of the uncompressed bytes: what is anchored."""
        return sha256(self.data)

    def status(self, index: int) -> int:
        """Return the status at `index`. Raises `StatusIndexOutOfRange`."""
        self._check(index)
        first = index * self.size
        last = first + self.size - 1
        window = int.from_bytes(self.data[first >> 3 : (last >> 3) + 1], "big")
        return window >> (7 - (last & 7)) & ((1 << self.size) - 1)

    def with_statuses(self, changes: dict[int, int]) -> BitstringStatusList:
        """Return a copy with `{index: status}` applied. Raises `StatusIndexOutOfRange`."""
        data = bytearray(self.data)
        for index, status in changes.items():
            self._check(index)
            if type(status) is not int or not 0 <= status < 1 << self.size:
                raise StatusIndexOutOfRange(f"a status has {self.size} bits")
            for offset in range(self.size):
                position = index * self.size + offset
                mask = 0x80 >> (position & 7)
                if status >> (self.size - 1 - offset) & 1:
                    data[position >> 3] |= mask
                else:
                    data[position >> 3] &= ~mask
        return BitstringStatusList(bytes(data), self.size)

    def _check(self, index: int) -> None:
        if type(index) is not int or not 0 <= index < self.entries:
            raise StatusIndexOutOfRange(f"the list has {self.entries} entries")

    def to_encoded_list(self) -> str:
        """Return the `encodedList`: gzip, then multibase base64url (§2.2)."""
        return encode_base64url(gzip.compress(self.data, 9, mtime=0))

    def to_credential_subject(self, uri: str, purpose: str) -> JsonObject:
        """Return the `credentialSubject` of the list's credential, whose id is `uri#list`."""
        return {
            "id": f"{uri}#list",
            "type": LIST_TYPE,
            "statusPurpose": purpose,
            "encodedList": self.to_encoded_list(),
        }


def parse_encoded_list(text: object, *, size: int = 1) -> BitstringStatusList:
    """Return the list of an `encodedList` (§3.3): exactly one complete gzip member.

    Raises `StatusListMalformed`, `MultibaseMalformed`, `Base64urlMalformed`.
    """
    if type(text) is not str:
        raise StatusListMalformed("encodedList is a string")
    compressed = decode_base64url(text, max_characters=MAX_ENCODED_CHARACTERS)
    return BitstringStatusList(inflate_list(compressed, GZIP_WINDOW), size)


@dataclass(frozen=True, slots=True)
class BitstringStatusEntry:
    """Where a credential's status is: list, index in it, what it is about, bits per status."""

    list_credential: str
    index: int
    purpose: str
    size: int = 1

    def to_json(self) -> JsonObject:
        """Return the `credentialStatus` entry (§2.1)."""
        entry: JsonObject = {
            "id": f"{self.list_credential}#{self.index}",
            "type": ENTRY_TYPE,
            "statusPurpose": self.purpose,
            "statusListIndex": str(self.index),
            "statusListCredential": self.list_credential,
        }
        if self.size != 1:
            entry["statusSize"] = self.size
        return entry


def parse_bitstring_status_entry(entry: object) -> BitstringStatusEntry:
    """Return a `credentialStatus` entry of type BitstringStatusListEntry (§2.1).

    The index is a decimal string, as the specification has it. Raises `StatusListMalformed`.
    """
    if type(entry) is not dict or entry.get("type") != ENTRY_TYPE:
        raise StatusListMalformed(f"expected an entry of type {ENTRY_TYPE}")
    index = entry.get("statusListIndex")
    if type(index) is not str or not _INDEX.match(index):
        raise StatusListMalformed("statusListIndex is a whole number in a string")
    size = entry.get("statusSize", 1)
    if type(size) is not int or not 1 <= size <= MAX_STATUS_SIZE:
        raise StatusListMalformed(f"statusSize is 1 to {MAX_STATUS_SIZE}")
    uri, purpose = _text(entry, "statusListCredential"), _text(entry, "statusPurpose")
    return BitstringStatusEntry(uri, int(index), purpose, size)


def _text(entry: JsonObject, name: str) -> str:
    text = entry.get(name)
    if type(text) is not str or not 0 < len(text) <= _MAX_TEXT:
        raise StatusListMalformed(f"{name} is a string of limited length")
    return text


def check_bitstring_status(entry: BitstringStatusEntry, subject: object) -> int:
    """Return the status of `entry` in the `credentialSubject` of its list's credential (§3.2).

    The purposes must agree. 0 means that the purpose does not apply: not revoked, not suspended.
    Raises `StatusListMalformed`, `StatusIndexOutOfRange` and the errors of the encodings. The
    credential around the list is verified before: its proof, its issuer, its dates.
    """
    if type(subject) is not dict or subject.get("type") != LIST_TYPE:
        raise StatusListMalformed(f"expected a subject of type {LIST_TYPE}")
    purposes = subject.get("statusPurpose")
    accepted = purposes if type(purposes) is list else [purposes]
    if entry.purpose not in accepted:
        raise StatusListMalformed("the list is about another purpose than the entry")
    return parse_encoded_list(subject.get("encodedList"), size=entry.size).status(entry.index)
