"""The manifest of a holder's store: which versions of which records there must be.

A sum of keyed digests, one per record (an MSet-Add-Hash, kept secret by sealing it), so a write
costs the same however many records there are, while a record that was exchanged, rolled back,
removed or added behind the store's back shows when the store is opened.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from wallet.crypto.sealing import NONCE_BYTES, RootKey, SealBroken
from wallet.ports.holder import StoreDamaged

_MODULUS: Final = 2**256
_TOTAL_BYTES: Final = 32
_NAME_BYTES: Final = 32
_PACKED_BYTES: Final = 2 * _NAME_BYTES + 8 + NONCE_BYTES
_COUNT_BYTES: Final = 8


class Entry(NamedTuple):
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

    def entries(self, manifest: Manifest, rows: Iterable[Sequence[Any]]) -> dict[bytes, Entry]:
        """Return the entries of a store's rows, which must be exactly those of `manifest`.

        A wallet of 10,000 cards waits for this when it is opened, so there is one pass and no
        call per row but the digest. Raises `StoreDamaged`.
        """
        entries: dict[bytes, Entry] = {}
        total, key, digest, of_bytes = 0, self._entry_key, hmac.digest, int.from_bytes
        try:
            for record, kind, version, nonce in rows:
                # Parts of other lengths could be put together to the same octets.
                if len(record) != _NAME_BYTES or len(kind) != _NAME_BYTES or version < 1:
                    raise StoreDamaged("a record was altered")
                packed = record + kind + version.to_bytes(8, "big") + nonce
                if len(packed) != _PACKED_BYTES:
                    raise StoreDamaged("a record was altered")
                total += of_bytes(digest(key, packed, "sha256"), "big")
                entries[record] = Entry(record, kind, version, nonce)
        except (TypeError, AttributeError, OverflowError):
            raise StoreDamaged("a record was altered") from None
        if manifest.count != len(entries) or manifest.total != total % _MODULUS:
            raise StoreDamaged("the records are not those that were written last")
        return entries

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
        return int.from_bytes(hmac.digest(self._entry_key, entry.packed(), "sha256"), "big")


def _context(counter: int) -> bytes:
    return b"seoul-wallet;manifest;" + counter.to_bytes(8, "big")
