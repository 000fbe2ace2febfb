"""A delegation that this wallet gave, as it is shown and as it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.delegation import DelegationScope
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError
from wallet.holder.cards import KIND as CARD_KIND
from wallet.holder.cards import HeldCredential, held_from_record, to_put
from wallet.ports.holder import Put, Record, StoreDamaged

KIND: Final = "delegation"


@dataclass(frozen=True, slots=True)
class GivenDelegation:
    """A delegation that this wallet gave. Times are unix seconds.

    `label` is the holder's word for the delegate. `revoked_at` is when the issuer was told.
    """

    id: str
    card_name: str
    vct: str
    label: str
    scope: DelegationScope
    expires_at: int
    given_at: int
    revoked_at: int | None = None

    def is_in_force(self, now: int) -> bool:
        """Whether verifiers may still take it, as far as this wallet knows."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class KeptDelegation:
    """A given delegation as it is stored, with the copy that it is for."""

    given: GivenDelegation
    copy: HeldCredential = field(repr=False)


def to_kept_put(kept: KeptDelegation, *, expected_version: int) -> Put:
    """Return the change that stores a given delegation."""
    given = kept.given
    value = {
        "card_name": given.card_name,
        "vct": given.vct,
        "label": given.label,
        "scope": given.scope.to_claims(),
        "expires_at": given.expires_at,
        "given_at": given.given_at,
        "revoked_at": given.revoked_at,
        "copy": parse_json_object(to_put(kept.copy).payload),
    }
    return Put(KIND, given.id, to_json(value), expected_version)


def kept_delegation(record: Record) -> KeptDelegation:
    """Return the given delegation of its record. Raises `StoreDamaged`."""
    try:
        value = parse_json_object(record.payload)
        scope = value["scope"]
        given = GivenDelegation(
            record.record_id,
            value["card_name"],
            value["vct"],
            value["label"],
            DelegationScope(
                tuple(scope["types"]),
                tuple(tuple(path) for path in scope["claims"]),
                tuple(scope["audiences"]) if "audiences" in scope else None,
                tuple(scope["programmes"]) if "programmes" in scope else None,
            ),
            value["expires_at"],
            value["given_at"],
            value["revoked_at"],
        )
        copy = held_from_record(Record(CARD_KIND, "", 0, to_json(value["copy"])))
        return KeptDelegation(given, copy)
    except (KeyError, TypeError, ValueError, MalformedError) as error:
        raise StoreDamaged("a stored delegation cannot be read") from error
