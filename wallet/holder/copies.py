"""Single-use copies of a credential: each is shown once, so that verifiers cannot compare keys.

A card is the copy to show next. The others wait as records of their own; when the card was shown
the next takes its place, and the key of the one before is destroyed. The last one stays: a card
that has no copy left is shown again rather than failing its holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from wallet.holder.cards import HeldCredential, HeldCredentials, held_from_record, to_put
from wallet.holder.handles import destroy
from wallet.ports.holder import Change, Delete, KeyStore, Put, RecordStore

KIND: Final = "credential_copy"


def copy_puts(card_id: str, copies: Sequence[HeldCredential]) -> list[Change]:
    """Return the changes that store copies of a card."""
    return [
        Put(KIND, f"{card_id}.{copy.id}", to_put(copy).payload, expected_version=0)
        for copy in copies
    ]


class Copies:
    """The copies in a record store."""

    def __init__(self, records: RecordStore, keys: KeyStore, held: HeldCredentials) -> None:
        self._records = records
        self._keys = keys
        self._held = held

    def of(self, card_id: str) -> list[tuple[str, HeldCredential]]:
        """Return the copies that wait beside a card, the oldest first, with their record ids."""
        return [
            (record.record_id, held_from_record(record))
            for record in self._records.list(KIND)
            if record.record_id.startswith(f"{card_id}.")
        ]

    def count(self, card_id: str) -> int:
        """Return how many copies wait beside the card."""
        return len(self.of(card_id))

    def add(self, card_id: str, copies: Sequence[HeldCredential], *changes: Change) -> None:
        """Keep further copies, and make other changes in the same step."""
        self._records.write(*copy_puts(card_id, copies), *changes)

    def spend(self, card_id: str) -> None:
        """Note that a card was shown: its next copy takes its place. Raises `CardUnknown`."""
        waiting = self.of(card_id)
        if not waiting:
            return
        held = self._held.get(card_id)
        record_id, following = waiting[0]
        self._records.write(
            to_put(replace(following, id=card_id, version=held.version)),
            Delete(KIND, record_id),
        )
        destroy((held.key_handle,), self._keys, self._records)

    def remove(self, card_id: str) -> None:
        """Delete all copies of a card, with their keys."""
        for record_id, copy in self.of(card_id):
            self._records.write(Delete(KIND, record_id))
            destroy((copy.key_handle,), self._keys, self._records)
