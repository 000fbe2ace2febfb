"""The directory: which contracts are in force, by name and version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NAME_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """Version `version` of the contract `name`: its address and the Keccak-256 of its code.

    From `deprecated_at` on it is not to be used for new records; what it holds stays good.
    """

    name: str
    version: int
    address: str
    code_hash: bytes
    listed_at: int
    deprecated_at: int | None = None


@dataclass(frozen=True, slots=True)
class DirectoryDeprecated:
    """A version was deprecated in the block with time `at`."""

    name: str
    version: int
    at: int


def directory_name(name: str) -> bytes:
    """Return a name as the contract has it: ASCII, zero bytes behind."""
    return name.encode("ascii").ljust(NAME_BYTES, b"\0")


def name_in_directory(value: bytes) -> str:
    """Return a contract's name as text; bytes that are not printable ASCII are escaped."""
    return value.rstrip(b"\0").decode("latin-1").encode("unicode_escape").decode("ascii")


def in_force(entries: Iterable[DirectoryEntry], name: str) -> DirectoryEntry | None:
    """Return the newest version of a contract that is not deprecated."""
    found = (entry for entry in entries if entry.name == name and entry.deprecated_at is None)
    return max(found, key=lambda entry: entry.version, default=None)
