"""What the register keeps, and the port to where. A change is durable when a method returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from wallet.errors import ConflictError


class ExclusionClaimIdUsed(ConflictError):
    """The claim of this id was taken back, or was another; a new application needs a new id."""

    code = "exclusion_claim_id_used"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExclusionClaim:
    """A person's claim in a group: `context` and `pseudonym` (48 bytes) are the nullifier.

    `claim_id` is the agency's own. It stands until `free_at` (unix seconds), None: ever.
    """

    agency: str
    claim_id: str
    context: bytes
    pseudonym: bytes = field(repr=False)
    free_at: int | None


class ExclusionRecords(Protocol):
    """Keeps claims. Of the pseudonyms of one context every one has one claim."""

    def claim(self, claim: ExclusionClaim, *, now: int) -> bool:
        """Keep a claim and return True, or False if the person has another that stands.

        The same claim of the same agency again is True. Of N parallel ones with different ids
        exactly one is. Raises `ExclusionClaimIdUsed` for the id of another claim, or of one that
        was released, be it before it came.
        """

    def release(self, agency: str, claim_id: str, *, remember_until: int) -> None:
        """Take a claim back; one that is still on its way is refused until `remember_until`."""

    def purge(self, *, now: int) -> int:
        """Forget claims and releases whose time is over; return how many."""

    def check(self) -> None:
        """Return if claims can be looked up. Raises `StorageUnavailable`."""
