"""What is kept of recovery keys, and how a person is told. No names, no claims, no credentials.

A *holding* is one credential of one person on one device, with all its copies, the later ones
too. A device is known by the name that its wallet chose for this issuer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wallet.errors import ConflictError, RejectedError, UnavailableError


class HoldingUnknown(ConflictError):
    """This recovery key has registered no such holding or device."""

    code = "holding_unknown"
    status = 404


class HoldingTaken(ConflictError):
    """A holding or a device has this name already, of another key or for another credential."""

    code = "holding_taken"


class HoldingReplaced(ConflictError):
    """The holding was issued anew already, and another time is not for this device."""

    code = "holding_replaced"


class HoldingWithdrawn(RejectedError):
    """The department suspended or revoked this credential: it is not issued anew this way."""

    code = "holding_withdrawn"


class DeviceLost(RejectedError):
    """The device was reported as lost: it gets nothing any more."""

    code = "device_lost"


class RecoveryTooOften(ConflictError):
    """The recovery key was used too often lately."""

    code = "recovery_too_often"


class RecoveryKeyReplaced(ConflictError):
    """Another recovery key took the place of this one: the wallet has a new recovery phrase."""

    code = "recovery_key_replaced"


class ContactUnavailable(UnavailableError):
    """The contact channel does not take a notice just now."""

    code = "contact_unavailable"


class HoldingState(StrEnum):
    """In use, issued anew elsewhere, or on a device that was lost."""

    ACTIVE = "active"
    REPLACED = "replaced"
    LOST = "lost"


class EventKind(StrEnum):
    """What is in the record of recovery."""

    REGISTERED = "registered"
    REISSUE_ASKED = "reissue_asked"
    REISSUED = "reissued"
    DEVICE_LOST = "device_lost"
    KEY_REPLACED = "key_replaced"


class NoticeKind(StrEnum):
    """What a person is told of."""

    REISSUE_ASKED = "reissue_asked"
    REISSUED = "reissued"
    DEVICE_LOST = "device_lost"
    KEY_REPLACED = "key_replaced"


@dataclass(frozen=True, slots=True)
class Registration:
    """Whose holding a credential will be: `key_id` is the thumbprint of the recovery key."""

    key_id: str
    holding_id: str
    device: str
    label: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What a holding is issued anew from. With `keep` its copies stay good."""

    holding_id: str
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What completing an issuance means for recovery.

    `grant_id` is the grant's, whatever the round; `round_id` is what its issuances are under.
    Without a registration the round joins the holding of its grant, if there is one.
    """

    grant_id: str
    round_id: str
    configuration_id: str
    subject_id: str
    holder_id: str
    registration: Registration | None = None
    origin: Origin | None = None
    ward_id: str | None = None
    guardian: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """A registered holding. `origin` is the holding that it was issued anew from.

    `ward_id` and `guardian` as in `Entitlement`.
    """

    holding_id: str
    key_id: str
    device: str
    configuration_id: str
    subject_id: str
    holder_id: str
    state: HoldingState
    registered_at: int
    origin: str | None = None
    ward_id: str | None = None
    guardian: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device; `lost_at` is None while it is in use."""

    device: str
    key_id: str
    label: str
    registered_at: int
    lost_at: int | None = None


@dataclass(frozen=True, slots=True)
class RecoveryEvent:
    """One line of the record: nothing in it is ever changed."""

    event_id: str
    key_id: str
    kind: EventKind
    device: str
    holding_id: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell a person; `holder_id` is the register's opaque id, `kind` a template."""

    notice_id: str
    holder_id: str
    kind: NoticeKind
    at: int


class RecoveryRecords(Protocol):
    """Recovery keys with their holdings, devices, record and notices."""

    def successor(self, key_id: str) -> str | None:
        """Return the key that took the place of a key, the latest of them."""

    def replace_key(
        self,
        event: RecoveryEvent,
        successor: str,
        labels: Mapping[str, str],
        *,
        most: int,
        since: int,
    ) -> None:
        """Let what belongs to the event's key belong to `successor`, and name its devices anew.

        Every holder of a credential in use gets a notice. All in one step with the event, and
        limited as `note` is. What was done already changes nothing, and what an unknown key owns
        is nothing. Later registrations by the old key count as the new one's. Raises
        `RecoveryKeyReplaced` if it was by another key, `RecoveryTooOften`.
        """

    def holding(self, holding_id: str) -> Holding:
        """Return one holding. Raises `HoldingUnknown`."""

    def reissued_as(self, origin: str, device: str) -> Holding | None:
        """Return what was issued anew from a holding to a device."""

    def is_withdrawn(self, holding_id: str) -> bool:
        """Whether a copy is suspended, or revoked for a reason other than a lost key."""

    def device(self, key_id: str, device: str) -> Device:
        """Return one device of a key. Raises `HoldingUnknown`."""

    def devices(self, key_id: str, *, limit: int) -> Sequence[Device]:
        """Return the devices of a key, the newest first."""

    def holdings(self, key_id: str, *, limit: int) -> Sequence[Holding]:
        """Return the holdings of a key, the newest first."""

    def note(self, event: RecoveryEvent, notice: Notice | None, *, most: int, since: int) -> None:
        """Put an event on record, unless the key has `most` of those it asked for since then.

        Counted are `REISSUE_ASKED`, `DEVICE_LOST` and `KEY_REPLACED`. Raises `RecoveryTooOften`.
        """

    def mark_lost(
        self, event: RecoveryEvent, device: str, *, most: int, since: int
    ) -> Sequence[int]:
        """Note that a device of the event's key is lost and revoke all copies on it.

        Every holder of a credential on it gets a notice. All in one step with the event, and
        limited as `note` is; for a device that is lost already nothing changes. Returns the
        numbers of the status lists that changed. Raises `HoldingUnknown`, `RecoveryTooOften`.
        """

    def events(self, key_id: str | None, *, limit: int) -> Sequence[RecoveryEvent]:
        """Return the newest events, of one key and those in whose place it is, or of all."""

    def waiting_notices(self, *, limit: int) -> Sequence[Notice]:
        """Return notices that nobody was told yet, the oldest first."""

    def mark_told(self, notice_id: str, *, now: int) -> None:
        """Note that a notice was handed over."""


class ContactChannel(Protocol):
    """Tells a person something over the contact that the register has: an SMS, a letter.

    What is handed over names a template and no content. The same notice may come again after a
    crash, under the same `notice_id`.
    """

    def tell(self, notice: Notice) -> None:
        """Hand a notice over for good. Raises `ContactUnavailable`."""
