"""The manifest of a holder's store: which versions of which records there must be.

A sum of keyed digests, one per record (an MSet-Add-Hash, kept secret by sealing it), so a write
costs the same however many records there are, while a record that was exchanged, rolled back,
removed or added behind the store's back shows when the store is opened.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from wallet.crypto.sealing import NONCE_BYTES, RootKey, SealBroken
from wallet.ports.holder import StoreDamaged

_MODULUS: Final = 2**256
_TOTAL_BYTES: Final = 32
_COUNT_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """What identifies one sealed record: 32-byte digests, version, and the nonce it is under."""

    record_digest: bytes
    kind_digest: bytes
    version: int
    nonce: bytes

    def packed(self) -> bytes:
        return self.record_digest + self.kind_digest + self.version.to_bytes(8, "big") + self.nonce


@dataclass(frozen=True, slots=True)
class Manifest:
    """The counter of all writes so far, the number of records, and the sum over them."""

    counter: int
    count: int
    total: int


EMPTY: Final = Manifest(0, 0, 0)


class ManifestKey:
    """Seals, opens and advances manifests."""

    def __init__(self, root: RootKey) -> None:
        self._root = root
        self._entry_key = root.derive(b"seoul-wallet;manifest-entry")

    def advance(self, manifest: Manifest, *, removed: list[Entry], added: list[Entry]) -> Manifest:
        """Return the manifest after one more write."""
        total = manifest.total + sum(map(self._digest, added)) - sum(map(self._digest, removed))
        count = manifest.count + len(added) - len(removed)
        return Manifest(manifest.counter + 1, count, total % _MODULUS)

    def check(self, manifest: Manifest, entries: Mapping[bytes, Entry]) -> None:
        """Return if `entries` are exactly the records of `manifest`. Raises `StoreDamaged`."""
        total = sum(map(self._digest, entries.values())) % _MODULUS
        if manifest.count != len(entries) or manifest.total != total:
            raise StoreDamaged("the records are not those that were written last")

    def seal(self, manifest: Manifest) -> bytes:
        plaintext = manifest.count.to_bytes(_COUNT_BYTES, "big")
        plaintext += manifest.total.to_bytes(_TOTAL_BYTES, "big")
        context = _context(manifest.counter)
        return self._root.seal(plaintext, context=context, associated_data=context)

    def unseal(self, counter: object, sealed: object) -> Manifest:
        """Return the manifest. Raises `StoreDamaged`."""
        if type(counter) is not int or type(sealed) is not bytes or not 0 <= counter < 2**63:
            raise StoreDamaged("the manifest was altered")
        context = _context(counter)
        try:
            plain = self._root.unseal(sealed, context=context, associated_data=context)
        except SealBroken:
            raise StoreDamaged("the manifest was altered") from None
        count, total = plain[:_COUNT_BYTES], plain[_COUNT_BYTES:]
        return Manifest(counter, int.from_bytes(count, "big"), int.from_bytes(total, "big"))

    def _digest(self, entry: Entry) -> int:
        return int.from_bytes(hmac.digest(self._entry_key, entry.packed(), sha256), "big")


def _context(counter: int) -> bytes:
    return b"seoul-wallet;manifest;" + counter.to_bytes(8, "big")


def parse_entry(
    record_digest: object, kind_digest: object, version: object, nonce: object
) -> Entry:
    """Return the entry of a row's values. Raises `StoreDamaged`."""
    if (
        type(record_digest) is not bytes
        or type(kind_digest) is not bytes
        or type(version) is not int
        or type(nonce) is not bytes
        or (len(record_digest), len(kind_digest), len(nonce)) != (32, 32, NONCE_BYTES)
        or not 0 < version < 2**63
    ):
        raise StoreDamaged("a record was altered")
    return Entry(record_digest, kind_digest, version, nonce)
