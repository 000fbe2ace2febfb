"""What the issuer keeps: issuances, batches, status publications, letters. One Protocol each.

`issuer.storage` implements them over SQL. Nothing personal is kept: subjects and holders are the
opaque ids of the register; there are no names, no claims and no credentials. Every change is
durable when its method returns, and every method may raise `wallet.ports.storage.
StorageUnavailable`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from issuer.recovery.ports import Enrolment
from wallet.errors import ConflictError, RejectedError


class IssuanceUnknown(ConflictError):
    """There is no such issuance on record."""

    code = "issuance_unknown"
    status = 404


class IssuanceAlreadyCompleted(ConflictError):
    """The credentials of this grant were issued already; another one is never made."""

    code = "issuance_already_completed"


class StatusChanged(ConflictError):
    """The status is not the one that the change starts from."""

    code = "status_changed"


class LetterUnknown(ConflictError):
    """There is no such letter."""

    code = "letter_unknown"
    status = 404


class LetterConflict(ConflictError):
    """The letter is not in the state that this step starts from."""

    code = "letter_conflict"


@dataclass(frozen=True, slots=True)
class Issuance:
    """One credential on record, from intent on.

    `status` is VALID, INVALID or SUSPENDED of the status list. `leaf` is the 32-byte leaf hash,
    None until the credential was signed and about to leave.
    """

    issuance_id: str
    grant_id: str
    ordinal: int
    credential_type: str
    subject_id: str
    holder_id: str
    list_number: int
    status_index: int
    status: int
    reason: str | None
    intended_at: int
    leaf: bytes | None = None


@dataclass(frozen=True, slots=True)
class StatusPublication:
    """The digest of a list's bits under a version, recorded before it is sent to the chain."""

    list_number: int
    version: int
    digest: bytes
    expires_at: int
    confirmed: bool


class LetterState(StrEnum):
    """A letter is requested, then approved by someone else, then offered."""

    REQUESTED = "requested"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Letter:
    """A request to issue an appointment letter, and who decided."""

    letter_id: str
    appointment_id: str
    state: LetterState
    requested_by: str
    requested_at: int
    approved_by: str | None = None
    approved_at: int | None = None


class ApprovalUnknown(ConflictError):
    """There is no such held issuance."""

    code = "approval_unknown"
    status = 404


class ApprovalConflict(ConflictError):
    """The held issuance was decided already."""

    code = "approval_conflict"


class NymKeyTaken(RejectedError):
    """Another resident has registered this nym key in this epoch."""

    code = "nym_key_taken"


class NymKeyRegistered(RejectedError):
    """This resident has registered another nym key in this epoch: no credential until the next."""

    code = "nym_key_registered"


class ApprovalState(StrEnum):
    """A held issuance waits until a second person approves or refuses it."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Approval:
    """A credential request that waits for, or has, a second person's decision."""

    approval_id: str
    issuance_id: str
    configuration_id: str
    subject_id: str
    holder_id: str
    state: ApprovalState
    held_by: str
    asked_at: int
    decided_by: str | None = None
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class NymRegistration:
    """What makes one resident's pseudonyms of an epoch: 48 bytes of nym key, the entropy."""

    nym_key: bytes
    entropy: int = field(repr=False)


class ApprovalRecords(Protocol):
    """Issuances that are held for a second person."""

    def ask(self, approval: Approval) -> Approval:
        """Keep a new one and return it; for an issuance that has one, return that."""

    def approval(self, approval_id: str) -> Approval:
        """Return one. Raises `ApprovalUnknown`."""

    def approvals(self, state: ApprovalState, *, limit: int) -> Sequence[Approval]:
        """Return those in a state, the oldest first."""

    def decide(self, approval_id: str, state: ApprovalState, *, operator: str, now: int) -> None:
        """Decide one that waits, by another operator than the one who held it.

        Of N parallel calls exactly one succeeds. Raises `ApprovalConflict`, `ApprovalUnknown`.
        """


class NymRegistrations(Protocol):
    """The registered nym keys, one for each resident and epoch."""

    def registration(self, resident_id: str, epoch: str) -> NymRegistration | None:
        """Return what a resident registered, None before the first enrolment."""

    def register(
        self, resident_id: str, epoch: str, registration: NymRegistration, *, now: int
    ) -> NymRegistration:
        """Keep a registration and return it; the resident's own, if there is one already.

        Raises `NymKeyTaken`.
        """


class IssuanceRecords(Protocol):
    """Issuances and their statuses."""

    def record_intents(
        self,
        grant_id: str,
        count: int,
        *,
        credential_type: str,
        subject_id: str,
        holder_id: str,
        now: int,
    ) -> Sequence[Issuance]:
        """Give `count` credentials of a grant a free random status index each, on record.

        Asked again for a grant, it returns the intents that are there, so that a retry after a
        crash uses no second index. Raises `IssuanceAlreadyCompleted`.
        """

    def complete(
        self, leaves: Mapping[str, bytes], *, now: int, enrolment: Enrolment | None = None
    ) -> frozenset[int]:
        """Put the leaf hashes of signed credentials (by issuance id) on record and in the outbox.

        With an enrolment also what it means for recovery: a holding is registered, the one that
        it is anew from ends, and its copies are revoked. All or nothing. Of N parallel calls for
        a grant exactly one succeeds; the others raise `IssuanceAlreadyCompleted`. Returns the
        numbers of the status lists that changed. Also raises `HoldingTaken`, `HoldingReplaced`,
        `HoldingWithdrawn`, `DeviceLost`.
        """

    def issuance(self, issuance_id: str) -> Issuance:
        """Return one issuance. Raises `IssuanceUnknown`."""

    def issuance_at(self, list_number: int, status_index: int) -> Issuance:
        """Return the issuance that has this entry of a list. Raises `IssuanceUnknown`."""

    def issuances_of(self, subject_id: str, *, limit: int) -> Sequence[Issuance]:
        """Return the issuances of a subject, the newest first."""

    def change_status(
        self, issuance_id: str, *, expected: int, status: int, reason: str, now: int
    ) -> None:
        """Change a status if it is still `expected`.

        A random number of decoys, entries that nobody has, takes the same step in the list.
        Raises `StatusChanged`, `IssuanceUnknown`.
        """

    def lists(self) -> Mapping[int, int]:
        """Return the status lists in use: the number of entries by list number."""

    def statuses(self, list_number: int) -> Mapping[int, int]:
        """Return the statuses other than VALID of a list by index, decoys among them."""


class StatusPublications(Protocol):
    """Which digests of status lists were sent to the chain."""

    def latest(self, list_number: int) -> StatusPublication | None:
        """Return the publication with the highest version."""

    def record(self, publication: StatusPublication) -> None:
        """Keep a publication before it is sent; it replaces an unconfirmed one of its version."""

    def confirm(self, list_number: int, version: int) -> None:
        """Note that the chain has this version."""


class LetterRecords(Protocol):
    """Requests for appointment letters."""

    def add(self, letter: Letter) -> None:
        """Keep a new request. Raises `LetterConflict` if the appointment has one already."""

    def letter(self, letter_id: str) -> Letter:
        """Return one letter. Raises `LetterUnknown`."""

    def letters(self, state: LetterState, *, limit: int) -> Sequence[Letter]:
        """Return the letters in a state, the oldest first."""

    def approve(self, letter_id: str, *, operator: str, now: int) -> None:
        """Approve a requested letter. Raises `LetterConflict`, `LetterUnknown`."""
