"""Where credentials that came go: a new card, or an old one that was issued anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wallet.holder.cards import CardUnknown, HeldCredential, HeldCredentials, to_put
from wallet.holder.copies import KIND, Copies, copy_puts
from wallet.holder.intents import GRANT_KIND, IssuerGrant, grant_of
from wallet.ports.holder import (
    Change,
    Delete,
    RecordStore,
    RecordUnknown,
)


@dataclass(frozen=True, slots=True)
class Place:
    """The card as it will be, the changes that make it so, and what it had until now.

    The `old_keys` are destroyed after the changes were written.
    """

    held: HeldCredential
    changes: tuple[Change, ...]
    grant: IssuerGrant | None = None
    old_keys: tuple[str, ...] = ()


class Placing:
    """Finds the place of what came."""

    def __init__(self, records: RecordStore, held: HeldCredentials, copies: Copies) -> None:
        self._records = records
        self._held = held
        self._copies = copies

    def place(self, came: Sequence[HeldCredential], card_id: str | None) -> Place:
        """Return the place of the copies that came: those of the card `card_id`, or a new one."""
        if card_id is None:
            return Place(came[0], (to_put(came[0]), *copy_puts(came[0].id, came[1:])))
        try:
            old = [self._held.get(card_id)]
        except CardUnknown:
            old = []  # removed in the meantime: it comes back
        spare = self._copies.of(card_id)
        held = replace(came[0], id=card_id, version=old[0].version if old else 0)
        grant = self._grant(card_id)
        keys = [item.key_handle for item in (*old, *(copy for _, copy in spare))]
        if grant is not None:
            keys.append(grant.dpop)
        changes: list[Change] = [Delete(KIND, record_id) for record_id, _ in spare]
        changes += [to_put(held), *copy_puts(card_id, came[1:])]
        return Place(held, tuple(changes), grant, tuple(keys))

    def _grant(self, card_id: str) -> IssuerGrant | None:
        try:
            return grant_of(self._records.get(GRANT_KIND, card_id))
        except RecordUnknown:
            return None
